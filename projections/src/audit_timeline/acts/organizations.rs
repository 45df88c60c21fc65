//! Organisations, their people and NPIs, and what they arrange with each other.

use rollcall_domain::{
    affiliations::{AffiliationEvent, SubmitterProfileEvent},
    organizations::{OrgRole, OrganizationEvent},
    transactions::HandoffEvent,
};

use super::{AccessAct, AccountAct, Act, Thing, Verb, permissions::word};

fn role(role: OrgRole) -> Vec<String> {
    vec![format!("organization role {}", word(&role))]
}

pub(super) fn organization(event: &OrganizationEvent) -> Act {
    use OrganizationEvent as E;
    match event {
        E::OrganizationEnrolled { .. } => Act::Managed(Verb::Created, Thing::Organization),
        E::OrganizationRegistered { .. } => Act::Managed(Verb::Activated, Thing::Organization),
        E::EnrolmentUpdated { .. }
        | E::OrganizationContractStatusChanged { .. }
        | E::OrganizationKindsChanged { .. }
        | E::EmailDomainAdded { .. }
        | E::EmailDomainRemoved { .. } => Act::Managed(Verb::Updated, Thing::Organization),
        E::OrganizationSuspended { .. } => Act::Managed(Verb::Suspended, Thing::Organization),
        E::OrganizationReopened { .. } => Act::Managed(Verb::Resumed, Thing::Organization),
        E::OrganizationClosed { .. } => Act::Managed(Verb::Deleted, Thing::Organization),
        E::OrganizationMergeBegun { .. }
        | E::OrganizationMergeAdvanced { .. }
        | E::OrganizationMerged { .. }
        | E::OrganizationAbsorptionBegun { .. }
        | E::OrganizationAbsorbed { .. } => Act::Managed(Verb::Other, Thing::Organization),
        E::NpiAttached { .. } => Act::Managed(Verb::Enrolled, Thing::Npi),
        E::NpiDetached { .. } => Act::Managed(Verb::Unenrolled, Thing::Npi),
        E::NpiEndPlanned { .. } | E::NpiEndCancelled { .. } => {
            Act::Managed(Verb::Updated, Thing::Npi)
        }
        E::NpiMoveFailed { .. } => Act::Managed(Verb::Other, Thing::Npi),
        E::MemberInvited { .. } => Act::Managed(Verb::Enrolled, Thing::Person),
        E::MemberInvitationEnded { .. } => Act::Managed(Verb::Unenrolled, Thing::Person),
        E::MemberMoved { .. } => Act::Managed(Verb::Moved, Thing::Person),
        E::MembershipEndPlanned { .. }
        | E::MembershipEndCancelled { .. }
        | E::MemberEmailDomainChanged { .. } => Act::Managed(Verb::Updated, Thing::Person),
        E::UserDeactivationWarned { .. }
        | E::PlanEvidenceRecorded { .. }
        | E::AdminRequestSubmitted { .. }
        | E::AdminRequestDeclined { .. } => Act::Managed(Verb::Other, Thing::Person),
        E::MembershipAdded { role: given, .. } => Act::Access(AccessAct::Assigned, role(*given)),
        E::OrgRoleAssigned { old, new: OrgRole::None, .. } => {
            Act::Access(AccessAct::Revoked, role(*old))
        }
        E::OrgRoleAssigned { new, .. } => Act::Access(AccessAct::Assigned, role(*new)),
        E::UserDeactivated { .. } | E::UserAutoDeactivated { .. } => {
            Act::Account(AccountAct::Disabled)
        }
        E::UserReactivated { .. } => Act::Account(AccountAct::Enabled),
        E::LocationRegistered { location, .. } => {
            Act::Managed(Verb::Created, Thing::Part("location", location.0))
        }
        E::LocationCredentialingChanged { location, .. } => {
            Act::Managed(Verb::Updated, Thing::Part("location", location.0))
        }
        E::LocationTerminated { location, .. } => {
            Act::Managed(Verb::Deleted, Thing::Part("location", location.0))
        }
        E::TaxIdLinked { tax_id, .. } => {
            Act::Managed(Verb::Enrolled, Thing::Part("tax id", tax_id.0))
        }
    }
}

pub(super) fn profile(event: &SubmitterProfileEvent) -> Act {
    match event {
        SubmitterProfileEvent::SubmitterTransactionTypesSet { .. }
        | SubmitterProfileEvent::DirectoryVisibilityChanged { .. }
        | SubmitterProfileEvent::TransactionTestRecorded { .. } => {
            Act::Managed(Verb::Updated, Thing::Organization)
        }
    }
}

pub(super) fn affiliation(event: &AffiliationEvent) -> Act {
    use AffiliationEvent as E;
    let verb = match event {
        E::AffiliationRequested { .. } | E::AffiliationTakenOver { .. } => Verb::Created,
        E::AffiliationAgreementSigned { .. }
        | E::AffiliationRenewed { .. }
        | E::AffiliationNpisAssigned { .. }
        | E::AffiliationTerminationCancelled { .. } => Verb::Updated,
        E::AffiliationApproved { .. } => Verb::Activated,
        E::AffiliationDenied { .. }
        | E::AffiliationWithdrawn { .. }
        | E::AffiliationExpired { .. } => Verb::Deactivated,
        E::AffiliationTerminated { .. } => Verb::Deleted,
    };
    Act::Managed(verb, Thing::Own)
}

pub(super) fn handoff(event: &HandoffEvent) -> Act {
    match event {
        HandoffEvent::TransactionHandoffIssued { .. } => Act::Managed(Verb::Created, Thing::Own),
        HandoffEvent::TransactionHandoffRedeemed { .. } => {
            Act::Managed(Verb::Activated, Thing::Own)
        }
    }
}
