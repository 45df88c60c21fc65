//! Accounts, shown. Invariant: personal data in the events is sealed under the person's own id.

use chrono::{DateTime, Utc};

use super::*;
use crate::kernel::ids::UserId;
use crate::kernel::scenario::{Given, after, given, id};
use crate::notifications::{Frequency, NotificationType};
use crate::organizations::EnrolmentSource;
use crate::values::{
    Acceptance, AgreementKind, CodeChannel, EmailAddress, PersonName, PhoneNumber, Username,
};
use crate::{Code, Event, Sealed};

fn user() -> UserId {
    id(1)
}

fn sealed<T>(value: T) -> Sealed<T> {
    Sealed::new(user(), value)
}

fn email(text: &str) -> EmailAddress {
    EmailAddress::parse(text).unwrap()
}

fn name(text: &str) -> PersonName {
    PersonName::parse(text).unwrap()
}

fn phone(text: &str) -> PhoneNumber {
    PhoneNumber::parse(text).unwrap()
}

fn mobile() -> PhoneNumber {
    phone("+12025550123")
}

fn register() -> UserCommand {
    UserCommand::RegisterUser(Box::new(Registration {
        user: user(),
        email: email("ann@clinic.example"),
        first_name: name("Ann"),
        last_name: name("Lee"),
        mobile: mobile(),
        business_phone: None,
        username: Some(Username::parse("ann.lee").unwrap()),
        preferred_channel: CodeChannel::Sms,
    }))
}

fn registered() -> UserEvent {
    UserEvent::UserRegistered {
        user: user(),
        email: sealed(email("ann@clinic.example")),
        first_name: sealed(name("Ann")),
        last_name: sealed(name("Lee")),
        mobile: sealed(mobile()),
        business_phone: None,
        username: Some(sealed(Username::parse("ann.lee").unwrap())),
        preferred_channel: CodeChannel::Sms,
    }
}

fn ann() -> Given<User> {
    given(&[registered()])
}

#[test]
fn an_account_is_registered_once() {
    let state = given::<User>(&[]).when(register()).then(&[registered()]);
    assert!(state.profile().unwrap().email_verified);
    ann().when(register()).refused(Code::AlreadyAccepted);
}

#[test]
fn nothing_is_changed_for_somebody_who_is_not_registered() {
    for command in [
        UserCommand::UpdateProfile(NewDetails::default()),
        UserCommand::CorrectUserDetails(NewDetails::default()),
        UserCommand::ChangePhone { mobile: mobile() },
        UserCommand::ChangeEmail { email: email("a@b.example"), link_id: id(70) },
        UserCommand::VerifyEmail { link_id: id(70) },
    ] {
        given::<User>(&[]).when(command).refused(Code::UserUnknown);
    }
}

#[test]
fn mc_27_only_the_fields_that_changed_are_in_the_event() {
    let new = NewDetails {
        first_name: Some(name("Ann")),
        last_name: Some(name("Lee-Ortiz")),
        business_phone: Some(Some(phone("+12025550150"))),
        preferred_channel: None,
    };
    let changed = DetailChanges {
        last_name: Some(Change { old: sealed(name("Lee")), new: sealed(name("Lee-Ortiz")) }),
        business_phone: Some(Change { old: None, new: Some(sealed(phone("+12025550150"))) }),
        ..DetailChanges::default()
    };
    let event = UserEvent::ProfileUpdated { user: user(), changed: changed.clone() };
    let state = ann().when(UserCommand::UpdateProfile(new.clone())).then(&[event]);
    assert_eq!(state.profile().unwrap().last_name, sealed(name("Lee-Ortiz")));

    let event = UserEvent::UserDetailsCorrected { user: user(), changed };
    ann().when(UserCommand::CorrectUserDetails(new)).then(&[event]);
}

#[test]
fn mc_27_a_business_number_can_be_removed() {
    let number = Some(sealed(phone("+12025550150")));
    let with_number = UserEvent::ProfileUpdated {
        user: user(),
        changed: DetailChanges {
            business_phone: Some(Change { old: None, new: number.clone() }),
            ..DetailChanges::default()
        },
    };
    let removed = UserEvent::ProfileUpdated {
        user: user(),
        changed: DetailChanges {
            business_phone: Some(Change { old: number, new: None }),
            ..DetailChanges::default()
        },
    };
    let remove = NewDetails { business_phone: Some(None), ..NewDetails::default() };
    given::<User>(&[registered(), with_number])
        .when(UserCommand::UpdateProfile(remove))
        .then(&[removed]);
}

#[test]
fn what_already_stands_is_no_event() {
    let same = NewDetails { preferred_channel: Some(CodeChannel::Sms), ..NewDetails::default() };
    let email = email("ann@clinic.example");
    let link_id = id(70);
    for command in [
        UserCommand::UpdateProfile(same.clone()),
        UserCommand::CorrectUserDetails(same),
        UserCommand::ChangePhone { mobile: mobile() },
        UserCommand::ChangeEmail { email, link_id },
    ] {
        ann().when(command).then(&[]);
    }
}

#[test]
fn mc_27_a_new_phone_keeps_the_old_one_in_history() {
    let new = phone("+12025550199");
    let event =
        UserEvent::PhoneChanged { user: user(), old: sealed(mobile()), new: sealed(new.clone()) };
    ann().when(UserCommand::ChangePhone { mobile: new }).then(&[event]);
}

const SEVEN_DAYS: i64 = 7 * 86_400;

fn changed_to(new: &EmailAddress) -> UserEvent {
    let old = sealed(email("ann@clinic.example"));
    UserEvent::EmailChanged { user: user(), old, new: sealed(new.clone()), verified: false }
}

fn verification_sent(link: u128, expires_at: DateTime<Utc>) -> UserEvent {
    UserEvent::EmailVerificationSent { user: user(), link_id: id(link), expires_at }
}

#[test]
fn cx_06_a_changed_address_is_unverified_until_the_link_to_it_was_followed() {
    let new = email("ann.lee@clinic.example");
    let change = |link| UserCommand::ChangeEmail { email: new.clone(), link_id: id(link) };
    let changed = changed_to(&new);
    let sent = verification_sent(70, after(SEVEN_DAYS));
    let state = ann().when(change(70)).then(&[changed.clone(), sent.clone()]);
    assert!(!state.profile().unwrap().email_verified);

    let history = [registered(), changed, sent];
    given::<User>(&history).when(change(71)).then(&[verification_sent(71, after(SEVEN_DAYS))]);
    let verify = |link| UserCommand::VerifyEmail { link_id: id(link) };
    given::<User>(&history).when(verify(71)).refused(Code::LinkInvalid);
    let verified = UserEvent::EmailVerified { user: user(), email: sealed(new.clone()) };
    let state = given::<User>(&history)
        .at(after(SEVEN_DAYS - 1))
        .when(verify(70))
        .then(std::slice::from_ref(&verified));
    assert!(state.profile().unwrap().email_verified);
    given::<User>(&history).at(after(SEVEN_DAYS)).when(verify(70)).refused(Code::LinkExpired);

    let [registered, changed, sent] = history;
    let history = [registered, changed, sent, verified];
    given::<User>(&history).when(verify(70)).refused(Code::LinkUsed);
    given::<User>(&history).when(change(72)).then(&[]);
}

#[test]
fn mc_06_each_version_of_an_agreement_is_accepted_once() {
    let acceptance = |version: &str| Acceptance {
        kind: AgreementKind::PortalTerms,
        version: version.to_owned(),
        boxes: vec!["READ".to_owned()],
    };
    let accepted = |version: &str| UserEvent::AgreementAccepted {
        user: user(),
        kind: AgreementKind::PortalTerms,
        version: version.to_owned(),
        boxes: vec!["READ".to_owned()],
    };
    ann().when(UserCommand::AcceptAgreement(acceptance("1"))).then(&[accepted("1")]);
    let history = [registered(), accepted("1")];
    given::<User>(&history).when(UserCommand::AcceptAgreement(acceptance("1"))).then(&[]);
    given::<User>(&history)
        .when(UserCommand::AcceptAgreement(acceptance("2")))
        .then(&[accepted("2")]);
}

fn prefer(
    notification_type: NotificationType,
    email: bool,
    frequency: Frequency,
    is_org_admin: bool,
) -> UserCommand {
    UserCommand::SetNotificationPreference { notification_type, email, frequency, is_org_admin }
}

#[test]
fn mc_64_and_mc_65_mail_is_chosen_per_type() {
    let chosen = UserEvent::NotificationPreferenceChanged {
        user: user(),
        notification_type: NotificationType::NewCorrespondence,
        email: true,
        frequency: Frequency::Daily,
    };
    let command = || prefer(NotificationType::NewCorrespondence, true, Frequency::Daily, false);
    ann().when(command()).then(std::slice::from_ref(&chosen));
    given::<User>(&[registered(), chosen]).when(command()).then(&[]);
}

#[test]
fn mc_66_user_activity_is_for_administrators() {
    let command = |admin| prefer(NotificationType::UserActivity, true, Frequency::Weekly, admin);
    ann().when(command(false)).refused(Code::NotOrgAdmin);
    ann().when(command(true)).then(&[UserEvent::NotificationPreferenceChanged {
        user: user(),
        notification_type: NotificationType::UserActivity,
        email: true,
        frequency: Frequency::Weekly,
    }]);
}

#[test]
fn gn_19_security_mail_cannot_be_switched_off_or_delayed() {
    for (email, frequency) in [(false, Frequency::Immediate), (true, Frequency::Off)] {
        ann()
            .when(prefer(NotificationType::AccountSecurity, email, frequency, false))
            .refused(Code::FieldInvalid);
    }
}

#[test]
fn everything_personal_is_sealed() {
    let json = serde_json::to_value(registered()).unwrap();
    for field in ["email", "first_name", "last_name", "mobile", "username"] {
        assert!(json["UserRegistered"][field]["$sealed"].is_object(), "{field}");
    }
    assert_eq!(registered().facets().subject, Some(user()));
}

#[test]
fn al_03_a_user_name_is_told_where_there_is_one() {
    let told = UserEvent::UsernameDisclosed { user: user() };
    ann().when(UserCommand::DiscloseUsername).then(&[told]);
    given::<User>(&[]).when(UserCommand::DiscloseUsername).refused(Code::UserUnknown);
    let mut unnamed = registered();
    if let UserEvent::UserRegistered { username, .. } = &mut unnamed {
        *username = None;
    }
    given::<User>(&[unnamed]).when(UserCommand::DiscloseUsername).refused(Code::NotFound);
}

#[test]
fn gn_33_an_imported_address_is_not_verified_and_the_file_is_named() {
    let source = EnrolmentSource { file_sha256: "ab".repeat(32), line: 7 };
    let record =
        UserCommand::RecordImport { legacy_id: Some("u-17".to_owned()), source: source.clone() };
    let imported = UserEvent::UserImported {
        user: user(),
        legacy_id: Some(sealed("u-17".to_owned())),
        source,
        must_reset: true,
    };
    let state = ann().when(record).then(&[imported]);
    assert!(!state.profile().unwrap().email_verified);
}

#[test]
fn gn_27_who_is_erased_is_nobody_for_ever() {
    let erase = || UserCommand::EraseUser { user: user() };
    let erased = UserEvent::UserErased { user: user() };
    let gone = ann().when(erase()).then(std::slice::from_ref(&erased));
    assert!(gone.profile().is_none());
    given::<User>(&[]).when(erase()).then(std::slice::from_ref(&erased));
    let gone = || given::<User>(&[registered(), erased.clone()]);
    gone().when(erase()).then(&[]);
    gone().when(UserCommand::DiscloseUsername).refused(Code::UserUnknown);
}
