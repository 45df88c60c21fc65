//! Sentences about accounts, passwords, passcodes and sessions. Invariant: values that are personal
//! are never told, only that they changed.

use rollcall_domain::{
    sessions::SessionEvent,
    users::{
        authenticator::AuthenticatorEvent,
        credential::{CredentialEvent, ResetMethod},
        external_identity::{ExternalIdentitiesEvent, TrustedIssuersEvent},
        one_time_passcode::OneTimePasscodeEvent,
        user::{DetailChanges, UserEvent},
    },
};

use super::{Telling, channel, list, lower, time, title, until};

pub(super) fn user(event: &UserEvent, telling: Telling<'_>) -> String {
    let who = telling.who();
    match event {
        UserEvent::UserRegistered { user, .. } => {
            format!("An account was made for {}.", telling.person(*user))
        }
        UserEvent::UserImported { user, source, .. } => {
            let (person, line) = (telling.person(*user), source.line);
            format!("The account of {person} was imported from line {line} of a file.")
        }
        UserEvent::ProfileUpdated { user, changed } => {
            format!("{who} changed {} {}.", telling.whose(*user), details(changed))
        }
        UserEvent::UserDetailsCorrected { user, changed } => {
            format!("{who} corrected {} {}.", telling.whose(*user), details(changed))
        }
        UserEvent::PhoneChanged { user, .. } => {
            format!("{who} changed {} mobile telephone number.", telling.whose(*user))
        }
        UserEvent::EmailChanged { user, verified, .. } => {
            let state = if *verified { "" } else { ", not verified yet" };
            format!("{who} changed {} email address{state}.", telling.whose(*user))
        }
        UserEvent::EmailVerificationSent { user, expires_at, .. } => {
            let (person, end) = (telling.person(*user), time(expires_at));
            format!("A link to verify the address went to {person}; it works until {end}.")
        }
        UserEvent::EmailVerified { user, .. } => {
            format!("{} showed that mail to the address arrives.", telling.person(*user))
        }
        UserEvent::UsernameDisclosed { user } => {
            format!("{who} told {} user name to somebody who asked.", telling.whose(*user))
        }
        UserEvent::UserErased { user } => {
            format!("The data of {} were erased.", telling.person(*user))
        }
        UserEvent::AgreementAccepted { user, kind, version, .. } => {
            let (person, kind) = (telling.person(*user), title(kind));
            format!("{person} accepted version {version} of the {kind}.")
        }
        UserEvent::NotificationPreferenceChanged { user, notification_type, email, frequency } => {
            let (whose, kind) = (telling.whose(*user), lower(notification_type));
            let mail = if *email { lower(frequency) } else { "off".to_owned() };
            format!("{who} set {whose} mail about {kind} to {mail}.")
        }
    }
}

fn details(changed: &DetailChanges) -> String {
    list(changed_fields(changed))
}

/// The fields that changed, in words.
pub(super) fn changed_fields(changed: &DetailChanges) -> impl Iterator<Item = String> {
    let fields = [
        ("first name", changed.first_name.is_some()),
        ("last name", changed.last_name.is_some()),
        ("business telephone", changed.business_phone.is_some()),
        ("preferred channel", changed.preferred_channel.is_some()),
    ];
    fields.into_iter().filter(|(_, changed)| *changed).map(|(field, _)| field.to_owned())
}

pub(super) fn credential(event: &CredentialEvent, telling: Telling<'_>) -> String {
    use CredentialEvent as E;
    let nobody = "an identifier nobody has";
    match event {
        E::PasswordSetupLinkSent { user, expires_at, .. } => {
            let (person, end) = (telling.person(*user), time(expires_at));
            format!("A link to set the first password went to {person}; it works until {end}.")
        }
        E::PasswordResetRequested { user, method, expires_at, .. } => {
            let (person, end) = (telling.person(*user), time(expires_at));
            match method {
                ResetMethod::SelfService => {
                    format!("{person} asked for a link to a new password, good until {end}.")
                }
                ResetMethod::Admin | ResetMethod::Temporary => {
                    format!(
                        "{} sent {person} a link to a new password, good until {end}.",
                        telling.who()
                    )
                }
            }
        }
        E::PasswordSet { user, .. } => {
            format!("{} set the first password.", telling.person(*user))
        }
        E::PasswordReset { user, method, .. } => {
            format!("The password of {} was replaced ({}).", telling.person(*user), lower(method))
        }
        E::PasswordChanged { user, .. } => {
            format!("{} changed the password.", telling.person(*user))
        }
        E::PasswordExpiryWarned { user, expires_at, .. } => {
            let (person, end) = (telling.person(*user), time(expires_at));
            format!("{person} was told that the password expires at {end}.")
        }
        E::PasswordExpired { user } => {
            format!("The password of {} expired.", telling.person(*user))
        }
        E::TemporaryPasswordIssued { user, expires_at, .. } => {
            let (person, end) = (telling.person(*user), time(expires_at));
            format!("A temporary password was mailed to {person}; it works until {end}.")
        }
        E::PasswordResetByAdmin { user, .. } => {
            format!("{} reset {} password.", telling.who(), telling.whose(*user))
        }
        E::LoginFailed { user, failures, reason } => {
            let (person, reason) = (telling.person_or(*user, nobody), lower(reason));
            format!("A sign-in as {person} failed ({reason}; {failures} in a row).")
        }
        E::LoginChallenged { user, .. } => {
            format!(
                "{} gave the right password and is asked for a passcode.",
                telling.person(*user)
            )
        }
        E::LoginSucceeded { user, must_change, .. } => {
            let note = if *must_change { ", only to change the password" } else { "" };
            format!("{} signed in{note}.", telling.person(*user))
        }
        E::UserLocked { user, until: end } => {
            let person = telling.person_or(*user, nobody);
            format!("The account of {person} was locked{}.", until(end.as_ref()))
        }
        E::UserUnlocked { user, by } => {
            let person = telling.person_or(*user, nobody);
            format!("The account of {person} was unlocked ({}).", lower(by))
        }
    }
}

pub(super) fn passcode(event: &OneTimePasscodeEvent, telling: Telling<'_>) -> String {
    use OneTimePasscodeEvent as E;
    match event {
        E::OtpSent { owner, purpose, channel: way, .. } => {
            let person = telling.person_or(owner.user(), "a person without an account");
            let (way, purpose) = (channel(*way), lower(purpose));
            format!("A passcode for {purpose} went to {person} by {way}.")
        }
        E::OtpChallenged { owner, purpose, .. } => {
            let person = telling.person_or(owner.user(), "a person without an account");
            format!("{person} is asked for a code of the authenticator app for {}.", lower(purpose))
        }
        E::OtpFailed { owner, attempts, attempts_left } => {
            let person = telling.person_or(owner.user(), "A person without an account");
            format!("{person} typed a wrong passcode (try {attempts}, {attempts_left} left).")
        }
        E::OtpVerified { owner } => {
            let person = telling.person_or(owner.user(), "A person without an account");
            format!("{person} typed the right passcode.")
        }
        E::OtpConsumed { owner, by } => {
            let person = telling.person_or(owner.user(), "a person without an account");
            format!("The passcode of {person} was used for {}.", lower(by))
        }
    }
}

pub(super) fn authenticator(event: &AuthenticatorEvent, telling: Telling<'_>) -> String {
    use AuthenticatorEvent as E;
    let person = telling.person(event.user());
    match event {
        E::TotpEnrolmentStarted { expires_at, .. } => {
            format!("{person} began to add an authenticator app, until {}.", time(expires_at))
        }
        E::TotpEnrolled { codes, .. } => {
            format!("{person} added an authenticator app and was given {codes} recovery codes.")
        }
        E::TotpAccepted { .. } => format!("{person} typed a code of the authenticator app."),
        E::RecoveryCodeUsed { left, .. } => {
            format!("{person} used a recovery code; {left} are left.")
        }
        E::RecoveryCodesRenewed { codes, .. } => {
            format!("{person} was given {codes} new recovery codes in place of the earlier ones.")
        }
        E::TotpRemoved { .. } => format!("{person} removed the authenticator app."),
    }
}

pub(super) fn issuers(event: &TrustedIssuersEvent, telling: Telling<'_>) -> String {
    let who = telling.who();
    match event {
        TrustedIssuersEvent::IssuerTrusted { issuer, name, .. } => {
            format!("{who} has log-ins of {name} ({issuer}) count.")
        }
        TrustedIssuersEvent::IssuerDistrusted { issuer } => {
            format!("{who} has log-ins of {issuer} count no more.")
        }
    }
}

pub(super) fn identities(event: &ExternalIdentitiesEvent, telling: Telling<'_>) -> String {
    match event {
        ExternalIdentitiesEvent::ExternalIdentityLinked { user, issuer, .. } => {
            format!("{} linked a log-in of {issuer}.", telling.person(*user))
        }
        ExternalIdentitiesEvent::ExternalIdentityUnlinked { user, issuer } => {
            format!("{} unlinked the log-in of {issuer}.", telling.person(*user))
        }
    }
}

pub(super) fn session(event: &SessionEvent, telling: Telling<'_>) -> String {
    match event {
        SessionEvent::SessionStarted { user, organization, .. } => {
            let at = telling.at("for", *organization);
            format!("A session of {} began{at}.", telling.person(*user))
        }
        SessionEvent::RestrictionLifted { user } => {
            format!("{} changed the password that was due and may go on.", telling.person(*user))
        }
        SessionEvent::SecondFactorEnrolled { user } => {
            format!("{} added the second factor that was due and may go on.", telling.person(*user))
        }
        SessionEvent::OrganizationSelected { user, organization } => {
            let (person, name) = (telling.person(*user), telling.organization(*organization));
            format!("{person} chose to act for {name}.")
        }
        SessionEvent::OrganizationSwitched { user, from, to } => {
            let (from, to) = (telling.organization(*from), telling.organization(*to));
            format!("{} went on from {from} to {to}.", telling.person(*user))
        }
        SessionEvent::SessionEnded { user, cause, .. } => {
            format!("A session of {} ended ({}).", telling.person(*user), lower(cause))
        }
    }
}
