//! What begins to have an end, and what ends no more, by event.
//!
//! Invariant: every event is decided here by name, so a new one cannot be forgotten.

use chrono::{DateTime, TimeDelta, Utc};
use rollcall_domain::{
    AnyEvent,
    access_requests::{AccessRequestEvent, JoinRequestEvent, MoveRequestEvent},
    affiliations::AffiliationEvent,
    imports::PeopleImportEvent,
    organizations::{OrganizationEvent, RegistrationTokenEvent},
    permissions::{EntitlementChange, EntitlementGrant, GrantEnd, MembershipEvent},
    pins::PinEvent,
    tenants::{PlanStaffEvent, TenantEvent},
    users::{credential::CredentialEvent, invitation::InvitationEvent},
};

use rollcall_journal::Recorded;

use super::{changes, due::End, kind::Kind, review_ends};

/// How long after somebody became a member it is first looked whether they sign in: no policy is
/// shorter than that, and an import has other things to do.
const FIRST_LOOK: TimeDelta = TimeDelta::days(1);

/// What the event says about ends of its stream.
pub(super) fn of(recorded: &Recorded<AnyEvent>) -> Vec<End> {
    let first = first_of(recorded).into_iter();
    let beside = dormancy_of(recorded).into_iter().chain(review_ends::of(recorded));
    first.chain(beside).chain(changes::of(recorded)).collect()
}

/// What it says about the watch over a member's sign-ins, beside any other end (MC-32).
fn dormancy_of(recorded: &Recorded<AnyEvent>) -> Option<End> {
    use OrganizationEvent as E;
    let AnyEvent::Organization(event) = &recorded.event else { return None };
    if let E::MembershipAdded { user, .. } | E::UserReactivated { user, .. } = event {
        return Some(End::at(Kind::Dormant, recorded.recorded_at + FIRST_LOOK).of(user));
    }
    if let E::UserDeactivated { user, .. }
    | E::MemberMoved { user, .. }
    | E::UserAutoDeactivated { user, .. } = event
    {
        return Some(End::no_more(Kind::Dormant).of(user));
    }
    None
}

fn first_of(recorded: &Recorded<AnyEvent>) -> Option<End> {
    match &recorded.event {
        AnyEvent::Invitation(event) => of_invitation(event),
        AnyEvent::RegistrationToken(event) => of_token(event),
        AnyEvent::Affiliation(event) => of_affiliation(event),
        AnyEvent::AccessRequest(event) => of_access_request(event),
        AnyEvent::JoinRequest(event) => Some(of_join_request(event)),
        AnyEvent::MoveRequest(event) => Some(of_move_request(event)),
        AnyEvent::Credential(event) => of_credential(event),
        AnyEvent::Organization(event) => of_organization(event, recorded.occurred_at),
        AnyEvent::Membership(event) => of_membership(event),
        AnyEvent::PeopleImport(event) => Some(of_import(event, recorded.occurred_at)),
        AnyEvent::PlanStaff(event) => of_plan_staff(event),
        AnyEvent::Pin(event) => of_pin(event),
        AnyEvent::Tenant(event) => of_tenant(event, recorded.occurred_at),
        // Told in `review_ends`.
        AnyEvent::AccessReview(_)
        | AnyEvent::ReviewCampaign(_)
        | AnyEvent::ReviewTemplate(_)
        | AnyEvent::ReviewSubstitutes(_)
        | AnyEvent::Policy(_)
        | AnyEvent::Agreement(_)
        | AnyEvent::PolicyProposal(_)
        | AnyEvent::ClientGuidance(_)
        | AnyEvent::AuditExport(_)
        | AnyEvent::SodRules(_)
        | AnyEvent::ActivityReviews(_)
        | AnyEvent::AuditSinks(_)
        | AnyEvent::JobRole(_)
        | AnyEvent::RightUse(_)
        | AnyEvent::ApiKey(_)
        | AnyEvent::Registration(_)
        | AnyEvent::User(_)
        | AnyEvent::Authenticator(_)
        | AnyEvent::OneTimePasscode(_)
        | AnyEvent::Attestation(_)
        | AnyEvent::Evidence(_)
        | AnyEvent::LegalHolds(_)
        | AnyEvent::Erasure(_)
        | AnyEvent::Workspace(_)
        | AnyEvent::SubmitterProfile(_)
        | AnyEvent::Handoff(_)
        | AnyEvent::TrustedIssuers(_)
        | AnyEvent::ExternalIdentities(_)
        | AnyEvent::Session(_)
        | AnyEvent::Notification(_)
        | AnyEvent::Inbox(_)
        | AnyEvent::AccountRequest(_)
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
        E::InvitedDetailsCorrected { .. }
        | E::InvitationOpened { .. }
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
        E::AffiliationAgreementSigned { .. }
        | E::AffiliationRenewed { .. }
        | E::AffiliationNpisAssigned { .. }
        | E::AffiliationTakenOver { .. }
        | E::AffiliationTerminated { .. }
        | E::AffiliationTerminationCancelled { .. } => None,
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

fn of_join_request(event: &JoinRequestEvent) -> End {
    use JoinRequestEvent as E;
    match event {
        E::JoinRequested { expires_at, .. } => End::at(Kind::AccessRequest, *expires_at),
        E::JoinRequestApproved { .. }
        | E::JoinRequestDenied { .. }
        | E::JoinRequestExpired { .. } => End::no_more(Kind::AccessRequest),
    }
}

fn of_move_request(event: &MoveRequestEvent) -> End {
    use MoveRequestEvent as E;
    match event {
        E::MoveRequested { expires_at, .. } => End::at(Kind::AccessRequest, *expires_at),
        E::MoveRequestApproved { .. }
        | E::MoveRequestDenied { .. }
        | E::MoveRequestWithdrawn { .. }
        | E::MoveRequestExpired { .. } => End::no_more(Kind::AccessRequest),
    }
}

fn of_credential(event: &CredentialEvent) -> Option<End> {
    use CredentialEvent as E;
    match event {
        E::UserLocked { user: Some(_), until: Some(until) } => Some(End::at(Kind::Lock, *until)),
        E::UserLocked { user: Some(_), until: None } | E::UserUnlocked { user: Some(_), .. } => {
            Some(End::no_more(Kind::Lock))
        }
        // Looked at at once, to find out when to look again under the policy in force.
        E::PasswordSet { set_at, .. }
        | E::PasswordReset { set_at, .. }
        | E::PasswordChanged { set_at, .. } => Some(End::at(Kind::PasswordAge, *set_at)),
        // A shadow's lock is over when it is over; nobody has to be told.
        E::UserLocked { user: None, .. }
        | E::UserUnlocked { user: None, .. }
        | E::PasswordSetupLinkSent { .. }
        | E::PasswordResetRequested { .. }
        | E::PasswordExpiryWarned { .. }
        | E::PasswordExpired { .. }
        | E::TemporaryPasswordIssued { .. }
        | E::PasswordResetByAdmin { .. }
        | E::LoginFailed { .. }
        | E::LoginChallenged { .. }
        | E::LoginSucceeded { .. } => None,
    }
}

fn of_organization(event: &OrganizationEvent, now: DateTime<Utc>) -> Option<End> {
    use OrganizationEvent as E;
    match event {
        // Looked at at once, to find out when to look again under the policy in force.
        E::MembershipAdded { user, .. } | E::UserReactivated { user, .. } => {
            Some(End::at(Kind::Unassigned, now).of(user))
        }
        E::NpiEndPlanned { npi, effective_at, .. } => {
            Some(End::at(Kind::NpiEnd, *effective_at).of(npi))
        }
        E::NpiEndCancelled { npi, .. } | E::NpiDetached { npi, .. } => {
            Some(End::no_more(Kind::NpiEnd).of(npi))
        }
        E::MembershipEndPlanned { user, effective_at, .. } => {
            Some(End::at(Kind::MembershipEnd, *effective_at).of(user))
        }
        E::MembershipEndCancelled { user, .. } => Some(End::no_more(Kind::MembershipEnd).of(user)),
        // Each step has the next one looked at.
        E::OrganizationMergeBegun { .. } | E::OrganizationMergeAdvanced { .. } => {
            Some(End::at(Kind::OrganizationMerge, now))
        }
        E::OrganizationMerged { .. } => Some(End::no_more(Kind::OrganizationMerge)),
        // An end that was planned finds nothing to do when its time comes.
        E::UserDeactivated { user, .. }
        | E::MemberMoved { user, .. }
        | E::UserAutoDeactivated { user, .. } => Some(End::no_more(Kind::Unassigned).of(user)),
        E::OrganizationEnrolled { .. }
        | E::EnrolmentUpdated { .. }
        | E::OrganizationContractStatusChanged { .. }
        | E::OrganizationKindsChanged { .. }
        | E::NpiAttached { .. }
        | E::OrganizationRegistered { .. }
        | E::MemberInvited { .. }
        | E::MemberInvitationEnded { .. }
        | E::OrgRoleAssigned { .. }
        | E::UserDeactivationWarned { .. }
        | E::PlanEvidenceRecorded { .. }
        | E::AdminRequestSubmitted { .. }
        | E::AdminRequestDeclined { .. }
        | E::MemberEmailDomainChanged { .. }
        | E::EmailDomainAdded { .. }
        | E::EmailDomainRemoved { .. }
        | E::LocationRegistered { .. }
        | E::LocationCredentialingChanged { .. }
        | E::LocationTerminated { .. }
        | E::TaxIdLinked { .. }
        | E::OrganizationSuspended { .. }
        | E::OrganizationReopened { .. }
        | E::NpiMoveFailed { .. }
        | E::OrganizationAbsorptionBegun { .. }
        | E::OrganizationAbsorbed { .. }
        | E::OrganizationClosed { .. } => None,
    }
}

/// Looked at at once, to find out when a review of activity is due under the policy in force.
fn of_tenant(event: &TenantEvent, now: DateTime<Utc>) -> Option<End> {
    match event {
        TenantEvent::TenantCreated { .. } => Some(End::at(Kind::ActivityReview, now)),
        TenantEvent::TenantClosed { .. } => Some(End::no_more(Kind::ActivityReview)),
        TenantEvent::TenantSuspended { .. } | TenantEvent::TenantResumed {} => None,
    }
}

fn of_pin(event: &PinEvent) -> Option<End> {
    match event {
        PinEvent::PinPropagationPending { version, due_at, .. } => {
            Some(End::at(Kind::PinPropagation, *due_at).of(version))
        }
        PinEvent::PinPropagationCompleted { version, .. } => {
            Some(End::no_more(Kind::PinPropagation).of(version))
        }
        PinEvent::PinIssued { .. } | PinEvent::PinReset { .. } | PinEvent::PinRevealed { .. } => {
            None
        }
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

/// A job goes on line by line; each line done has the next one looked at.
fn of_import(event: &PeopleImportEvent, now: DateTime<Utc>) -> End {
    match event {
        PeopleImportEvent::PeopleImportRequested { .. }
        | PeopleImportEvent::PeopleImportLineDone { .. } => End::at(Kind::PeopleImport, now),
        PeopleImportEvent::PeopleImportCompleted { .. } => End::no_more(Kind::PeopleImport),
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
        PlanStaffEvent::PlanStaffInvited { .. } | PlanStaffEvent::PlanRoleScoped { .. } => None,
    }
}
