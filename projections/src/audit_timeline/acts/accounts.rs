//! Accounts, credentials and sessions. Invariant: the session is the logon, whatever the method; what
//! comes before it is a step to it.

use rollcall_domain::{
    api_keys::ApiKeyEvent,
    sessions::SessionEvent,
    users::{
        authenticator::AuthenticatorEvent,
        credential::CredentialEvent,
        external_identity::{ExternalIdentitiesEvent, TrustedIssuersEvent},
        one_time_passcode::OneTimePasscodeEvent,
        user::UserEvent,
    },
};

use super::{AccountAct, Act, AuthenticationAct, Thing, Verb};

pub(super) fn user(event: &UserEvent) -> Act {
    use UserEvent as E;
    Act::Account(match event {
        E::UserRegistered { .. } | E::UserImported { .. } => AccountAct::Created,
        E::ProfileUpdated { .. }
        | E::UserDetailsCorrected { .. }
        | E::PhoneChanged { .. }
        | E::EmailChanged { .. }
        | E::EmailVerificationSent { .. }
        | E::EmailVerified { .. }
        | E::UsernameDisclosed { .. }
        | E::UserErased { .. }
        | E::AgreementAccepted { .. }
        | E::NotificationPreferenceChanged { .. } => AccountAct::Changed,
    })
}

pub(super) fn credential(event: &CredentialEvent) -> Act {
    use CredentialEvent as E;
    match event {
        E::PasswordSet { .. } | E::PasswordChanged { .. } => {
            Act::Account(AccountAct::PasswordChanged)
        }
        E::PasswordReset { .. }
        | E::TemporaryPasswordIssued { .. }
        | E::PasswordResetByAdmin { .. } => Act::Account(AccountAct::PasswordReset),
        E::PasswordSetupLinkSent { .. }
        | E::PasswordResetRequested { .. }
        | E::PasswordExpiryWarned { .. }
        | E::PasswordExpired { .. } => Act::Account(AccountAct::Changed),
        E::UserLocked { .. } => Act::Account(AccountAct::Locked),
        E::UserUnlocked { .. } => Act::Account(AccountAct::Unlocked),
        E::LoginFailed { .. } => Act::Authentication(AuthenticationAct::Logon),
        E::LoginChallenged { .. } | E::LoginSucceeded { .. } => {
            Act::Authentication(AuthenticationAct::Preauth)
        }
    }
}

pub(super) fn authenticator(event: &AuthenticatorEvent) -> Act {
    use AuthenticatorEvent as E;
    match event {
        E::TotpEnrolled { .. } => Act::Account(AccountAct::MfaEnabled),
        E::TotpRemoved { .. } => Act::Account(AccountAct::MfaDisabled),
        E::TotpEnrolmentStarted { .. } | E::RecoveryCodesRenewed { .. } => {
            Act::Account(AccountAct::Changed)
        }
        E::TotpAccepted { .. } | E::RecoveryCodeUsed { .. } => {
            Act::Authentication(AuthenticationAct::Preauth)
        }
    }
}

pub(super) fn issuers(event: &TrustedIssuersEvent) -> Act {
    match event {
        TrustedIssuersEvent::IssuerTrusted { .. } => Act::Managed(Verb::Enrolled, Thing::Own),
        TrustedIssuersEvent::IssuerDistrusted { .. } => Act::Managed(Verb::Unenrolled, Thing::Own),
    }
}

pub(super) fn identities(event: &ExternalIdentitiesEvent) -> Act {
    match event {
        ExternalIdentitiesEvent::ExternalIdentityLinked { .. }
        | ExternalIdentitiesEvent::ExternalIdentityUnlinked { .. } => {
            Act::Account(AccountAct::Changed)
        }
    }
}

pub(super) fn passcode(event: &OneTimePasscodeEvent) -> Act {
    use OneTimePasscodeEvent as E;
    match event {
        E::OtpSent { .. }
        | E::OtpChallenged { .. }
        | E::OtpFailed { .. }
        | E::OtpVerified { .. }
        | E::OtpConsumed { .. } => Act::Authentication(AuthenticationAct::Preauth),
    }
}

pub(super) fn session(event: &SessionEvent) -> Act {
    use SessionEvent as E;
    Act::Authentication(match event {
        E::SessionStarted { .. } => AuthenticationAct::Logon,
        E::SessionEnded { .. } => AuthenticationAct::Logoff,
        E::RestrictionLifted { .. }
        | E::SecondFactorEnrolled { .. }
        | E::OrganizationSelected { .. }
        | E::OrganizationSwitched { .. } => AuthenticationAct::Other,
    })
}

/// A machine's account is its key.
pub(super) fn api_key(event: &ApiKeyEvent) -> Act {
    Act::Account(match event {
        ApiKeyEvent::ApiKeyCreated { .. } => AccountAct::Created,
        ApiKeyEvent::ApiKeyRevoked { .. } => AccountAct::Disabled,
    })
}
