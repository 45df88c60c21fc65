//! What is mailed and texted about a person's account. Invariant: what concerns its security is
//! mailed whatever anybody prefers (GN-19).

use rollcall_domain::{
    AnyEvent,
    notifications::Channel,
    users::{
        authenticator::AuthenticatorEvent,
        credential::{CredentialEvent, PasswordSource, ResetMethod},
        invitation::InvitationEvent,
        one_time_passcode::OneTimePasscodeEvent,
        user::UserEvent,
    },
    values::CodeChannel,
};
use rollcall_journal::Recorded;

use super::to_account;
use crate::{
    links::LinkPurpose,
    messages::{Addressee, Passcode, Planned, Template},
};

pub(super) fn of_invitation(
    event: &InvitationEvent,
    recorded: &Recorded<AnyEvent>,
) -> Vec<Planned> {
    use InvitationEvent as E;
    match event {
        E::UserInvited {
            invitation,
            user,
            organization,
            link_id,
            expires_at,
            existing_account,
            ..
        } => {
            let template =
                if *existing_account { Template::InvitationToMember } else { Template::Invitation };
            let to = Addressee::Invitee { invitation: *invitation, user: *user };
            let mail = Planned::email(template, to).organization(*organization);
            vec![mail.link(LinkPurpose::Invitation, *link_id, *expires_at)]
        }
        E::InvitationReissued { user, organization, link_id, expires_at, .. } => {
            let to = Addressee::Invitee { invitation: recorded.aggregate_id.into(), user: *user };
            let mail = Planned::email(Template::InvitationReissued, to).organization(*organization);
            vec![mail.link(LinkPurpose::Invitation, *link_id, *expires_at)]
        }
        E::InvitedDetailsCorrected { .. }
        | E::InvitationOpened { .. }
        | E::AgreementAccepted { .. }
        | E::InviteeDetailsSubmitted { .. }
        | E::PasscodeVerified { .. }
        | E::InvitationCompleted { .. }
        | E::InvitationExpired { .. }
        | E::InvitationCancelled { .. } => Vec::new(),
    }
}

pub(super) fn of_account(event: &UserEvent) -> Vec<Planned> {
    match event {
        UserEvent::PhoneChanged { user, .. } => vec![to_account(Template::PhoneChanged, *user)],
        UserEvent::UsernameDisclosed { user } => {
            vec![to_account(Template::UsernameDisclosed, *user)]
        }
        UserEvent::EmailChanged { user, .. } => {
            let both =
                [Addressee::FormerAddress { user: *user }, Addressee::NewAddress { user: *user }];
            both.map(|to| Planned::email(Template::EmailChanged, to)).into()
        }
        UserEvent::EmailVerificationSent { user, link_id, expires_at } => {
            let mail = to_account(Template::VerifyEmail, *user);
            vec![mail.link(LinkPurpose::VerifyEmail, *link_id, *expires_at)]
        }
        UserEvent::UserRegistered { .. }
        | UserEvent::UserErased { .. }
        | UserEvent::UserImported { .. }
        | UserEvent::ProfileUpdated { .. }
        | UserEvent::UserDetailsCorrected { .. }
        | UserEvent::EmailVerified { .. }
        | UserEvent::AgreementAccepted { .. }
        | UserEvent::NotificationPreferenceChanged { .. } => Vec::new(),
    }
}

pub(super) fn of_credential(event: &CredentialEvent) -> Vec<Planned> {
    use CredentialEvent as E;
    match event {
        E::PasswordSetupLinkSent { user, link_id, expires_at } => {
            let mail = to_account(Template::SetPassword, *user);
            vec![mail.link(LinkPurpose::SetPassword, *link_id, *expires_at)]
        }
        E::PasswordResetRequested { user, link_id, method, expires_at } => {
            let template = match method {
                ResetMethod::SelfService | ResetMethod::Temporary => Template::ResetLink,
                ResetMethod::Admin => Template::ResetByAdmin,
            };
            let mail = to_account(template, *user);
            vec![mail.link(LinkPurpose::ResetPassword, *link_id, *expires_at)]
        }
        E::TemporaryPasswordIssued { user, hash_ref, expires_at, by } => {
            let template = match by {
                None => Template::TemporaryPassword,
                Some(_) => Template::TemporaryPasswordByAdmin,
            };
            let mut mail = to_account(template, *user).until(Some(*expires_at));
            mail.particulars.temporary_password = Some(hash_ref.0);
            vec![mail]
        }
        E::PasswordSet { user, source: PasswordSource::Setup, .. }
        | E::PasswordReset { user, .. }
        | E::PasswordChanged { user, .. } => vec![to_account(Template::PasswordChanged, *user)],
        E::PasswordExpiryWarned { user, expires_at, .. } => {
            vec![to_account(Template::PasswordExpiring, *user).until(Some(*expires_at))]
        }
        E::PasswordExpired { user } => vec![to_account(Template::PasswordExpired, *user)],
        E::UserLocked { user: Some(user), until } => {
            vec![to_account(Template::AccountLocked, *user).until(*until)]
        }
        E::UserUnlocked { user: Some(user), .. } => {
            vec![to_account(Template::AccountUnlocked, *user)]
        }
        // Nobody is behind a shadow credential, and a person who is imported knows their password.
        E::UserLocked { user: None, .. }
        | E::UserUnlocked { user: None, .. }
        | E::PasswordSet { source: PasswordSource::Import, .. }
        // The link or the temporary password tells of it.
        | E::PasswordResetByAdmin { .. }
        | E::LoginFailed { .. }
        | E::LoginChallenged { .. }
        | E::LoginSucceeded { .. } => Vec::new(),
    }
}

pub(super) fn of_authenticator(event: &AuthenticatorEvent) -> Vec<Planned> {
    use AuthenticatorEvent as E;
    match event {
        E::TotpEnrolled { user, .. } => vec![to_account(Template::AuthenticatorAdded, *user)],
        E::TotpRemoved { user } => vec![to_account(Template::AuthenticatorRemoved, *user)],
        E::RecoveryCodeUsed { user, .. } => vec![to_account(Template::RecoveryCodeUsed, *user)],
        E::TotpEnrolmentStarted { .. }
        | E::TotpAccepted { .. }
        | E::RecoveryCodesRenewed { .. } => Vec::new(),
    }
}

pub(super) fn of_passcode(event: &OneTimePasscodeEvent) -> Vec<Planned> {
    use OneTimePasscodeEvent as E;
    match event {
        E::OtpSent { challenge, owner, channel, digits, sent_length, expires_at, .. } => {
            let channel = match channel {
                CodeChannel::Sms => Channel::Sms,
                CodeChannel::Voice => Channel::Voice,
            };
            let to = Addressee::Telephone { owner: *owner };
            let mut message = Planned::email(Template::Passcode, to).until(Some(*expires_at));
            message.channel = channel;
            message.particulars.passcode = Some(Passcode {
                challenge: challenge.0,
                sent_length: *sent_length,
                digits: *digits,
            });
            vec![message]
        }
        // The authenticator app shows its code without being asked.
        E::OtpChallenged { .. }
        | E::OtpFailed { .. }
        | E::OtpVerified { .. }
        | E::OtpConsumed { .. } => Vec::new(),
    }
}
