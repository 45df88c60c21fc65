//! user INVITED → REGISTERED → ERASED: an account is opened once, and nothing is done to one that is
//! not there (MC-21, GN-05) or there no more (GN-27). What follows on it is the credential's and the membership's.

use chrono::{DateTime, Utc};

use super::{Answer, Machine, Who, walks};
use crate::Code;
use crate::kernel::scenario::id;
use crate::notifications::{Frequency, NotificationType};
use crate::organizations::EnrolmentSource;
use crate::users::user::{NewDetails, Registration, User, UserCommand, UserEvent};
use crate::values::{
    Acceptance, AgreementKind, CodeChannel, EmailAddress, PersonName, PhoneNumber, Username,
};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    #[default]
    Invited,
    Registered,
    Erased,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Input {
    Register,
    RecordImport,
    UpdateProfile,
    CorrectDetails,
    ChangePhone,
    ChangeEmail,
    VerifyByUnknownLink,
    DiscloseUsername,
    AcceptAgreement,
    PreferMail,
    Erase,
}

#[derive(Default)]
struct Account {
    state: State,
}

fn name(text: &str) -> PersonName {
    PersonName::parse(text).unwrap()
}

fn phone(text: &str) -> PhoneNumber {
    PhoneNumber::parse(text).unwrap()
}

fn email(text: &str) -> EmailAddress {
    EmailAddress::parse(text).unwrap()
}

impl Machine for Account {
    type Aggregate = User;
    type State = State;
    type Input = Input;

    const INPUTS: &'static [Input] = &[
        Input::Register,
        Input::RecordImport,
        Input::UpdateProfile,
        Input::CorrectDetails,
        Input::ChangePhone,
        Input::ChangeEmail,
        Input::VerifyByUnknownLink,
        Input::DiscloseUsername,
        Input::AcceptAgreement,
        Input::PreferMail,
        Input::Erase,
    ];
    const ARROWS: &'static [(&'static str, &'static str)] =
        &[("INVITED", "REGISTERED"), ("INVITED", "ERASED"), ("REGISTERED", "ERASED")];

    fn states() -> Vec<State> {
        vec![State::Invited, State::Registered, State::Erased]
    }

    fn name(state: State) -> &'static str {
        match state {
            State::Invited => "INVITED",
            State::Registered => "REGISTERED",
            State::Erased => "ERASED",
        }
    }

    fn table(state: State, input: Input, _: Who) -> Answer<State> {
        match (input, state) {
            (Input::Register, State::Invited) => Answer::To(State::Registered),
            (Input::Register, State::Registered) => Answer::Refused(Code::AlreadyAccepted),
            (Input::Erase, State::Invited | State::Registered) => Answer::To(State::Erased),
            (Input::Erase, State::Erased) => Answer::Stays,
            (_, State::Invited | State::Erased) => Answer::Refused(Code::UserUnknown),
            (Input::VerifyByUnknownLink, State::Registered) => Answer::Refused(Code::LinkInvalid),
            (_, State::Registered) => Answer::Stays,
        }
    }

    fn state(&self, _: DateTime<Utc>) -> State {
        self.state
    }

    fn limits(&self) -> Vec<DateTime<Utc>> {
        Vec::new()
    }

    fn command(&self, input: Input, _: DateTime<Utc>) -> UserCommand {
        use UserCommand as C;
        let details = || NewDetails { first_name: Some(name("Anna")), ..NewDetails::default() };
        match input {
            Input::Register => C::RegisterUser(Box::new(Registration {
                user: id(1),
                email: email("ann@clinic.example"),
                first_name: name("Ann"),
                last_name: name("Lee"),
                mobile: phone("+12025550123"),
                business_phone: None,
                username: Some(Username::parse("ann.lee").unwrap()),
                preferred_channel: CodeChannel::Sms,
            })),
            Input::RecordImport => {
                let source = EnrolmentSource { file_sha256: "ab".repeat(32), line: 7 };
                C::RecordImport { legacy_id: None, source }
            }
            Input::UpdateProfile => C::UpdateProfile(details()),
            Input::CorrectDetails => C::CorrectUserDetails(details()),
            Input::ChangePhone => C::ChangePhone { mobile: phone("+12025550188") },
            Input::ChangeEmail => {
                C::ChangeEmail { email: email("anna@clinic.example"), link_id: id(20) }
            }
            Input::VerifyByUnknownLink => C::VerifyEmail { link_id: id(21) },
            Input::DiscloseUsername => C::DiscloseUsername,
            Input::AcceptAgreement => C::AcceptAgreement(Acceptance {
                kind: AgreementKind::PortalTerms,
                version: "1".to_owned(),
                boxes: Vec::new(),
            }),
            Input::PreferMail => C::SetNotificationPreference {
                notification_type: NotificationType::ALL[0],
                email: true,
                frequency: Frequency::Immediate,
                is_org_admin: true,
            },
            Input::Erase => C::EraseUser { user: id(1) },
        }
    }

    fn went(&mut self, _: Input, state: State, _: DateTime<Utc>) {
        self.state = state;
    }

    fn shown(user: &User, _: Option<&UserEvent>, _: DateTime<Utc>) -> State {
        match user {
            User::Unregistered => State::Invited,
            User::Registered(_) => State::Registered,
            User::Erased => State::Erased,
        }
    }
}

#[test]
fn an_account_goes_no_way_but_those_of_section_4() {
    walks::<Account>();
}
