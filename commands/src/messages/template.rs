//! The templates by name. Invariant: stored names never change; a template is never reused for
//! another message.

macro_rules! templates {
    ($($(#[$doc:meta])* $variant:ident = $name:literal;)+) => {
        /// A kind of message.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Template { $($(#[$doc])* $variant,)+ }

        impl Template {
            /// Every template.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The stored name.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }
        }
    };
}

templates! {
    /// The letter with the registration token (MC-03).
    TokenLetter = "token_letter";
    /// The registration link (MC-15).
    Invitation = "invitation";
    /// The same for a person who has an account.
    InvitationToMember = "invitation_to_member";
    /// A new registration link; the old one is dead (MC-16).
    InvitationReissued = "invitation_reissued";
    /// The link to set the first password (MC-21).
    SetPassword = "set_password";
    /// The link to replace a forgotten password (MC-26).
    ResetLink = "reset_link";
    /// The same, sent by an administrator or the plan (CC-06).
    ResetByAdmin = "reset_by_admin";
    /// A temporary password (CX-07).
    TemporaryPassword = "temporary_password";
    /// The same, sent by an administrator or the plan (CC-06).
    TemporaryPasswordByAdmin = "temporary_password_by_admin";
    /// The password was set, changed or replaced (MC-24, MC-27).
    PasswordChanged = "password_changed";
    /// The password reaches its greatest age in some days (CC-04).
    PasswordExpiring = "password_expiring";
    /// The password reached its greatest age (CC-04).
    PasswordExpired = "password_expired";
    /// The account was locked (AL-06, CX-08).
    AccountLocked = "account_locked";
    /// The lock was lifted (CC-06).
    AccountUnlocked = "account_unlocked";
    /// Access for an organisation ended (MC-30).
    Deactivated = "deactivated";
    /// The same, because nobody gave the person a permission (MC-32).
    DeactivatedUnassigned = "deactivated_unassigned";
    /// To administrators: somebody without permissions will be deactivated (MC-32).
    DeactivationNear = "deactivation_near";
    /// To administrators: that came about (MC-32).
    UserDeactivated = "user_deactivated";
    /// The person will be deactivated unless they sign in (MC-32).
    AccessEndsSoon = "access_ends_soon";
    /// Access for an organisation ended, because the person did not sign in (MC-32).
    DeactivatedDormant = "deactivated_dormant";
    /// To administrators: somebody who does not sign in will be deactivated (MC-32).
    DormancyNear = "dormancy_near";
    /// To administrators: that came about (MC-32).
    DormantUserDeactivated = "dormant_user_deactivated";
    /// To administrators: the plan was asked for a further one (CX-05).
    AdminRequested = "admin_requested";
    /// To administrators: the plan declined that (CX-05).
    AdminDeclined = "admin_declined";
    /// To administrators, the new one included: the plan appointed one (CC-07, CX-05).
    AdminAppointed = "admin_appointed";
    /// The plan has a request for an account (AL-01).
    AccountRequestReceived = "account_request_received";
    /// The plan declined it (AL-01).
    AccountRequestRejected = "account_request_rejected";
    /// An administrator declined a request to join (CC-11).
    JoinRequestDenied = "join_request_denied";
    /// Access for an organisation was given back (MC-31).
    Reactivated = "reactivated";
    /// The address was changed; goes to the old and the new one (CX-06).
    EmailChanged = "email_changed";
    /// The link that shows that mail to a new address arrives (GN-06).
    VerifyEmail = "verify_email";
    /// The number for passcodes was changed (MC-27).
    PhoneChanged = "phone_changed";
    /// Support told somebody the user name (AL-03).
    UsernameDisclosed = "username_disclosed";
    /// An authenticator app was added (MC-28).
    AuthenticatorAdded = "authenticator_added";
    /// The authenticator app was removed (MC-28).
    AuthenticatorRemoved = "authenticator_removed";
    /// A recovery code was used in place of the app (MC-28).
    RecoveryCodeUsed = "recovery_code_used";
    /// To the other administrators: a machine may act for them from now on (GN-28).
    ApiKeyCreated = "api_key_created";
    /// To the other administrators: its key works no longer (GN-28).
    ApiKeyRevoked = "api_key_revoked";
    /// A one-time passcode, as text or read aloud (MC-20).
    Passcode = "passcode";
    /// An NPI's PIN was reset (MC-53).
    PinReset = "pin_reset";
    /// Somebody asks for an affiliation (MC-54).
    AffiliationRequested = "affiliation_requested";
    /// An affiliation that was asked for is in force (MC-58).
    AffiliationApproved = "affiliation_approved";
    /// An affiliation that was asked for was refused (MC-58).
    AffiliationDenied = "affiliation_denied";
    /// Nobody decided in time (GN-18).
    AffiliationExpired = "affiliation_expired";
    /// The side that asked took it back (GN-18).
    AffiliationWithdrawn = "affiliation_withdrawn";
    /// One side ended an affiliation (GN-18).
    AffiliationTerminated = "affiliation_terminated";
    /// It took that back (GN-04).
    AffiliationGoesOn = "affiliation_goes_on";
    /// A successor goes on with an affiliation (GN-03).
    AffiliationTakenOver = "affiliation_taken_over";
    /// To administrators: their organisation becomes part of another one (GN-03).
    MergeBegun = "merge_begun";
    /// To administrators: their organisation begins to take another one over (GN-03).
    AbsorptionBegun = "absorption_begun";
    /// To administrators: it has (GN-03).
    Absorbed = "absorbed";
    /// There is a notice, for those who want to hear of it by mail (MC-64).
    Notice = "notice";
    /// The notices of a day or a week (MC-65).
    Digest = "digest";
}

impl Template {
    /// Whether it concerns the security of an account or somebody waits for it, so that no quiet
    /// hours hold it back (GN-19).
    #[must_use]
    pub const fn is_urgent(self) -> bool {
        match self {
            Self::SetPassword
            | Self::ResetLink
            | Self::ResetByAdmin
            | Self::TemporaryPassword
            | Self::TemporaryPasswordByAdmin
            | Self::PasswordChanged
            | Self::PasswordExpiring
            | Self::PasswordExpired
            | Self::AccountLocked
            | Self::AccountUnlocked
            | Self::Deactivated
            | Self::DeactivatedUnassigned
            | Self::DeactivatedDormant
            | Self::EmailChanged
            | Self::VerifyEmail
            | Self::PhoneChanged
            | Self::UsernameDisclosed
            | Self::AuthenticatorAdded
            | Self::AuthenticatorRemoved
            | Self::RecoveryCodeUsed
            | Self::ApiKeyCreated
            | Self::ApiKeyRevoked
            | Self::Passcode
            | Self::PinReset => true,
            Self::TokenLetter
            | Self::Invitation
            | Self::InvitationToMember
            | Self::InvitationReissued
            | Self::DeactivationNear
            | Self::AccessEndsSoon
            | Self::DormancyNear
            | Self::DormantUserDeactivated
            | Self::AdminAppointed
            | Self::AccountRequestReceived
            | Self::AccountRequestRejected
            | Self::JoinRequestDenied
            | Self::AdminRequested
            | Self::AdminDeclined
            | Self::UserDeactivated
            | Self::Reactivated
            | Self::AffiliationRequested
            | Self::AffiliationApproved
            | Self::AffiliationDenied
            | Self::AffiliationExpired
            | Self::AffiliationWithdrawn
            | Self::AffiliationTerminated
            | Self::AffiliationGoesOn
            | Self::AffiliationTakenOver
            | Self::MergeBegun
            | Self::AbsorptionBegun
            | Self::Absorbed
            | Self::Notice
            | Self::Digest => false,
        }
    }

    /// Reads a stored name back.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|template| template.as_str() == name)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_template_has_its_own_name_and_reads_back() {
        let names: HashSet<_> = Template::ALL.iter().map(|template| template.as_str()).collect();
        assert_eq!(names.len(), Template::ALL.len());
        assert!(Template::ALL.iter().all(|t| Template::parse(t.as_str()) == Some(*t)));
        assert_eq!(Template::parse("weather"), None);
    }
}
