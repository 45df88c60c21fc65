//! What begins to have an end, and what ends no more, by event.
//!
//! Invariant: every event is decided here by name, so a new one cannot be forgotten.

use rollcall_domain::{
    AnyEvent,
    access_requests::AccessRequestEvent,
    affiliations::AffiliationEvent,
    organizations::RegistrationTokenEvent,
    permissions::{EntitlementChange, EntitlementGrant, GrantEnd, MembershipEvent},
    tenants::PlanStaffEvent,
    users::{credential::CredentialEvent, invitation::InvitationEvent},
};

use super::due::{End, Kind};

/// What the event says about ends of its stream.
pub(super) fn of(event: &AnyEvent) -> Option<End> {
    match event {
        AnyEvent::Invitation(event) => of_invitation(event),
        AnyEvent::RegistrationToken(event) => of_token(event),
        AnyEvent::Affiliation(event) => of_affiliation(event),
        AnyEvent::AccessRequest(event) => of_access_request(event),
        AnyEvent::Credential(event) => of_credential(event),
        AnyEvent::Membership(event) => of_membership(event),
        AnyEvent::PlanStaff(event) => of_plan_staff(event),
        AnyEvent::Tenant(_)
        | AnyEvent::Policy(_)
        | AnyEvent::Agreement(_)
        | AnyEvent::PolicyProposal(_)
        | AnyEvent::ClientGuidance(_)
        | AnyEvent::JobRole(_)
        | AnyEvent::Organization(_)
        | AnyEvent::Registration(_)
        | AnyEvent::User(_)
        | AnyEvent::OneTimePasscode(_)
        | AnyEvent::Session(_)
        | AnyEvent::Pin(_)
        | AnyEvent::Notification(_)
        | AnyEvent::Inbox(_)
        | AnyEvent::Delivery(_)
        | AnyEvent::Denial(_) => None,
    }
}

fn of_invitation(event: &InvitationEvent) -> Option<End> {
    use InvitationEvent as E;
    match event {
        E::UserInvited { expires_at, .. } | E::InvitationReissued { expires_at, .. } => {
            Some(End::at(Kind::Invitation, *expires_at))
        }
        E::InvitationCompleted { .. }
        | E::InvitationExpired { .. }
        | E::InvitationCancelled { .. } => Some(End::no_more(Kind::Invitation)),
        E::InvitationOpened { .. }
        | E::AgreementAccepted { .. }
        | E::InviteeDetailsSubmitted { .. }
        | E::PasscodeVerified { .. } => None,
    }
}

fn of_token(event: &RegistrationTokenEvent) -> Option<End> {
    use RegistrationTokenEvent as E;
    match event {
        E::RegistrationTokenIssued { expires_at, .. } => {
            Some(End::at(Kind::RegistrationToken, *expires_at))
        }
        E::RegistrationTokenRedeemed { .. }
        | E::RegistrationTokenExpired { .. }
        | E::RegistrationTokenRevoked { .. } => Some(End::no_more(Kind::RegistrationToken)),
        E::LetterQueued { .. }
        | E::RegistrationTokenRejected { .. }
        | E::LetterReturned { .. }
        | E::LetterOpened { .. } => None,
    }
}

fn of_affiliation(event: &AffiliationEvent) -> Option<End> {
    use AffiliationEvent as E;
    match event {
        E::AffiliationRequested { expires_at, .. } => {
            Some(End::at(Kind::AffiliationRequest, *expires_at))
        }
        E::AffiliationApproved { .. }
        | E::AffiliationDenied { .. }
        | E::AffiliationWithdrawn { .. }
        | E::AffiliationExpired { .. } => Some(End::no_more(Kind::AffiliationRequest)),
        E::AffiliationAgreementSigned { .. } | E::AffiliationTerminated { .. } => None,
    }
}

fn of_access_request(event: &AccessRequestEvent) -> Option<End> {
    use AccessRequestEvent as E;
    match event {
        E::AccessRequested { expires_at, .. } => Some(End::at(Kind::AccessRequest, *expires_at)),
        E::AccessRequestApproved { .. }
        | E::AccessRequestDenied { .. }
        | E::AccessRequestWithdrawn { .. }
        | E::AccessRequestExpired { .. } => Some(End::no_more(Kind::AccessRequest)),
        E::AccessRequestRouted { .. } => None,
    }
}

fn of_credential(event: &CredentialEvent) -> Option<End> {
    use CredentialEvent as E;
    match event {
        E::UserLocked { user: Some(_), until: Some(until) } => Some(End::at(Kind::Lock, *until)),
        E::UserLocked { user: Some(_), until: None } | E::UserUnlocked { user: Some(_), .. } => {
            Some(End::no_more(Kind::Lock))
        }
        // A shadow's lock is over when it is over; nobody has to be told.
        E::UserLocked { user: None, .. }
        | E::UserUnlocked { user: None, .. }
        | E::PasswordSetupLinkSent { .. }
        | E::PasswordResetRequested { .. }
        | E::PasswordSet { .. }
        | E::PasswordReset { .. }
        | E::PasswordChanged { .. }
        | E::PasswordExpired { .. }
        | E::TemporaryPasswordIssued { .. }
        | E::LoginFailed { .. }
        | E::LoginSucceeded { .. } => None,
    }
}

fn of_membership(event: &MembershipEvent) -> Option<End> {
    use MembershipEvent as E;
    match event {
        E::NpiPermissionSet { npi, until, .. } => {
            let end = match until {
                Some(until) => End::at(Kind::NpiPermission, *until),
                None => End::no_more(Kind::NpiPermission),
            };
            Some(end.of(npi))
        }
        E::NpiPermissionEnded { npi, cause: GrantEnd::Expired | GrantEnd::NpiDetached, .. } => {
            Some(End::no_more(Kind::NpiPermission).of(npi))
        }
        E::FeatureGranted { .. }
        | E::FeatureRevoked { .. }
        | E::JobRoleAssigned { .. }
        | E::JobRoleUnassigned { .. }
        | E::LocationAccessGranted { .. }
        | E::LocationAccessRevoked { .. }
        | E::TaxIdAccessGranted { .. }
        | E::TaxIdAccessRevoked { .. }
        | E::GrantExpired { .. } => event.entitlement().map(of_grant),
        // What ended with the membership is refused when its time comes, which changes nothing.
        E::MembershipPermissionsEnded { .. }
        | E::CorrespondencePermissionSet { .. }
        | E::PermissionsAssigned { .. }
        | E::PermissionsDeferred { .. }
        | E::FormerPermissionsConfirmed { .. } => None,
    }
}

fn of_grant(change: EntitlementChange) -> End {
    match change {
        EntitlementChange::Granted {
            grant: EntitlementGrant { entitlement, until: Some(until) },
            ..
        } => End::at(Kind::Grant, until).of(entitlement),
        EntitlementChange::Granted {
            grant: EntitlementGrant { entitlement, until: None }, ..
        }
        | EntitlementChange::Revoked { entitlement, .. }
        | EntitlementChange::Expired { entitlement, .. } => {
            End::no_more(Kind::Grant).of(entitlement)
        }
    }
}

fn of_plan_staff(event: &PlanStaffEvent) -> Option<End> {
    match event {
        PlanStaffEvent::PlanRoleAssigned { role, until, .. } => {
            let end = match until {
                Some(until) => End::at(Kind::PlanRole, *until),
                None => End::no_more(Kind::PlanRole),
            };
            Some(end.of(role.as_str()))
        }
        PlanStaffEvent::PlanRoleEnded { role, .. } => {
            Some(End::no_more(Kind::PlanRole).of(role.as_str()))
        }
        PlanStaffEvent::PlanStaffInvited { .. } => None,
    }
}
