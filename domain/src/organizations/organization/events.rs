//! What happens to an organisation.
//!
//! Invariant: every change of a member's role is an `OrgRoleAssigned`; `MembershipAdded.role` only
//! repeats the role the person begins with.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::kernel::ids::{
    InvitationId, LocationId, OrganizationId, RegistrationId, TaxIdId, UserId,
};
use crate::organizations::{
    ContractStatus, DeactivationCause, EnrolmentChanges, EnrolmentSource, InvitationEnd,
    MembershipOrigin, MergePart, MergeStage, MergedRoles, OrgRole, OrganizationKinds,
    PostalAddress, TaxIdRef,
};
use crate::permissions::Cause;
use crate::values::{
    CalendarDate, EmailAddress, Npi, OrganizationName, ProviderCommunity, ProviderType, Reason, Zip,
};
use crate::{Code, Event, Facets, Sealed};

/// A fact about one organisation. Times are those at which the fact holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum OrganizationEvent {
    /// The plan put the organisation on file (GN-32).
    OrganizationEnrolled {
        organization: OrganizationId,
        name: OrganizationName,
        kinds: OrganizationKinds,
        tax_id: TaxIdRef,
        pay_to_address: Option<PostalAddress>,
        pay_to_zip: Option<Zip>,
        contact_email: Sealed<EmailAddress>,
        contract_status: ContractStatus,
        source: Option<EnrolmentSource>,
    },
    /// The plan's file says something else than before; only what changed is named (GN-32).
    EnrolmentUpdated {
        organization: OrganizationId,
        changes: Box<EnrolmentChanges>,
        source: Option<EnrolmentSource>,
    },
    /// The contract with the plan began, was found missing or ended (CC-01).
    OrganizationContractStatusChanged {
        organization: OrganizationId,
        status: ContractStatus,
        from: DateTime<Utc>,
    },
    /// The organisation is provider, submitter or both from now on (MC-12).
    OrganizationKindsChanged {
        organization: OrganizationId,
        old: OrganizationKinds,
        new: OrganizationKinds,
    },
    /// The organisation holds an NPI from `effective_at` (MC-13).
    NpiAttached {
        organization: OrganizationId,
        npi: Npi,
        name: OrganizationName,
        provider_type: ProviderType,
        community: ProviderCommunity,
        effective_at: DateTime<Utc>,
    },
    /// The organisation holds an NPI no longer, from `effective_at` on (GN-04).
    NpiDetached {
        organization: OrganizationId,
        npi: Npi,
        effective_at: DateTime<Utc>,
        reason: Option<Sealed<Reason>>,
    },
    /// The holding of an NPI ends at `effective_at`, still to come, and goes to `to` if that is given
    /// (GN-04).
    NpiEndPlanned {
        organization: OrganizationId,
        npi: Npi,
        to: Option<OrganizationId>,
        effective_at: DateTime<Utc>,
        reason: Option<Sealed<Reason>>,
    },
    /// The end planned for `effective_at` does not come (GN-04).
    NpiEndCancelled { organization: OrganizationId, npi: Npi, effective_at: DateTime<Utc> },
    /// The NPI's holding ended as planned, and `to` could not take it (GN-04).
    NpiMoveFailed { organization: OrganizationId, npi: Npi, to: OrganizationId, code: Code },
    /// A registrant completed the letter's registration: the organisation is open (MC-08).
    OrganizationRegistered {
        organization: OrganizationId,
        name: OrganizationName,
        kinds: OrganizationKinds,
        registration: RegistrationId,
    },
    /// A person was invited and is no member yet (MC-15).
    MemberInvited {
        organization: OrganizationId,
        user: UserId,
        invitation: InvitationId,
        email_domain: String,
    },
    /// An invitation ended and made nobody a member (MC-17).
    MemberInvitationEnded {
        organization: OrganizationId,
        user: UserId,
        invitation: InvitationId,
        cause: InvitationEnd,
    },
    /// A person is a member; a person who was signed in sees it after the next sign-in (MC-11).
    MembershipAdded {
        organization: OrganizationId,
        user: UserId,
        role: OrgRole,
        email_domain: String,
        by: MembershipOrigin,
        joined_at: DateTime<Utc>,
        effective_from_next_login: bool,
    },
    /// A member's organisation-wide permission changed (MC-47).
    OrgRoleAssigned {
        organization: OrganizationId,
        user: UserId,
        old: OrgRole,
        new: OrgRole,
        cause: Cause,
    },
    /// A member is shown as "Deactivated User" and can do nothing here (MC-30).
    UserDeactivated {
        organization: OrganizationId,
        user: UserId,
        reason: Option<Sealed<Reason>>,
        /// The last day at work, if it was another than today.
        left_on: Option<CalendarDate>,
        deactivated_at: DateTime<Utc>,
        /// When the right to access ended: the end of `left_on`, or `deactivated_at`.
        effective_at: DateTime<Utc>,
    },
    /// A member leaves at `effective_at`, still to come: the end of `left_on` (GN-04).
    MembershipEndPlanned {
        organization: OrganizationId,
        user: UserId,
        left_on: CalendarDate,
        effective_at: DateTime<Utc>,
        reason: Option<Sealed<Reason>>,
    },
    /// The end planned for `effective_at` does not come (GN-04).
    MembershipEndCancelled {
        organization: OrganizationId,
        user: UserId,
        effective_at: DateTime<Utc>,
    },
    /// Nobody has given the member a permission yet; without one they are deactivated then (MC-32).
    UserDeactivationWarned {
        organization: OrganizationId,
        user: UserId,
        cause: DeactivationCause,
        deactivates_at: DateTime<Utc>,
    },
    /// A member whom nobody gave a permission is shown as "Deactivated User" from now on (MC-32).
    UserAutoDeactivated {
        organization: OrganizationId,
        user: UserId,
        cause: DeactivationCause,
        deactivated_at: DateTime<Utc>,
    },
    /// The plan recorded what shows that it had to step in for the organisation's administrators
    /// (CC-07).
    PlanEvidenceRecorded { organization: OrganizationId, user: UserId, evidence: Sealed<Reason> },
    /// The organisation's administrators asked the plan to make a member administrator (CX-05).
    AdminRequestSubmitted {
        organization: OrganizationId,
        user: UserId,
        requested_by: UserId,
        requested_at: DateTime<Utc>,
        reason: Sealed<Reason>,
    },
    /// The plan declined that (CX-05); granted, it is an `OrgRoleAssigned`.
    AdminRequestDeclined { organization: OrganizationId, user: UserId, reason: Sealed<Reason> },
    /// A deactivated member is active again (MC-31); without permissions they wait for one anew.
    UserReactivated {
        organization: OrganizationId,
        user: UserId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reactivated_at: Option<DateTime<Utc>>,
    },
    /// A member belongs to `into` from now on, into which the organisation is being merged (GN-03).
    MemberMoved {
        organization: OrganizationId,
        user: UserId,
        into: OrganizationId,
        moved_at: DateTime<Utc>,
    },
    /// A member's email address moved to another domain.
    MemberEmailDomainChanged {
        organization: OrganizationId,
        user: UserId,
        old: String,
        new: String,
    },
    /// A member's address brought a domain in for the first time (MC-14).
    EmailDomainAdded { organization: OrganizationId, domain: String },
    /// A domain without active users was taken off the list (MC-14).
    EmailDomainRemoved { organization: OrganizationId, domain: String },
    /// The plan put a branch or site of the organisation on file (CX-02).
    LocationRegistered {
        organization: OrganizationId,
        location: LocationId,
        name: OrganizationName,
        npi: Option<Npi>,
        credentialed: bool,
    },
    /// The plan credentialed a location, or ceased to (CX-02).
    LocationCredentialingChanged {
        organization: OrganizationId,
        location: LocationId,
        credentialed: bool,
    },
    /// The contract for a location ends at `from`: it is a "Z" location then (CX-03).
    LocationTerminated { organization: OrganizationId, location: LocationId, from: DateTime<Utc> },
    /// The plan found a further tax id to be the organisation's (CC-02).
    TaxIdLinked { organization: OrganizationId, tax_id: TaxIdId, reference: TaxIdRef },
    /// The plan stopped the organisation's access for the time being (GN-03).
    OrganizationSuspended { organization: OrganizationId, reason: Sealed<Reason> },
    /// The plan gave the organisation its access back (GN-03).
    OrganizationReopened { organization: OrganizationId },
    /// The plan has the organisation merged into another one, part by part (GN-03).
    OrganizationMergeBegun {
        organization: OrganizationId,
        into: OrganizationId,
        parts: BTreeSet<MergePart>,
        roles: MergedRoles,
        reason: Sealed<Reason>,
    },
    /// So many more of one kind went over or ended (GN-03).
    OrganizationMergeAdvanced {
        organization: OrganizationId,
        into: OrganizationId,
        stage: MergeStage,
        count: u32,
    },
    /// Nothing is left: the organisation is closed for good, and `into` is its successor (GN-03).
    OrganizationMerged { organization: OrganizationId, into: OrganizationId },
    /// Another organisation is being merged into this one (GN-03).
    OrganizationAbsorptionBegun { organization: OrganizationId, from: OrganizationId },
    /// Another organisation was merged into this one (GN-03).
    OrganizationAbsorbed { organization: OrganizationId, from: OrganizationId },
    /// The plan ended the organisation's access for good (GN-03).
    OrganizationClosed { organization: OrganizationId, reason: Sealed<Reason> },
}

impl Event for OrganizationEvent {
    fn event_type(&self) -> &'static str {
        match self {
            Self::OrganizationEnrolled { .. } => "organizations.organization.organization_enrolled",
            Self::EnrolmentUpdated { .. } => "organizations.organization.enrolment_updated",
            Self::OrganizationContractStatusChanged { .. } => {
                "organizations.organization.organization_contract_status_changed"
            }
            Self::OrganizationKindsChanged { .. } => {
                "organizations.organization.organization_kinds_changed"
            }
            Self::NpiAttached { .. } => "organizations.organization.npi_attached",
            Self::NpiDetached { .. } => "organizations.organization.npi_detached",
            Self::NpiEndPlanned { .. } => "organizations.organization.npi_end_planned",
            Self::NpiEndCancelled { .. } => "organizations.organization.npi_end_cancelled",
            Self::NpiMoveFailed { .. } => "organizations.organization.npi_move_failed",
            Self::MembershipEndPlanned { .. } => {
                "organizations.organization.membership_end_planned"
            }
            Self::MembershipEndCancelled { .. } => {
                "organizations.organization.membership_end_cancelled"
            }
            Self::OrganizationRegistered { .. } => {
                "organizations.organization.organization_registered"
            }
            Self::MemberInvited { .. } => "organizations.organization.member_invited",
            Self::MemberInvitationEnded { .. } => {
                "organizations.organization.member_invitation_ended"
            }
            Self::MembershipAdded { .. } => "organizations.organization.membership_added",
            Self::OrgRoleAssigned { .. } => "organizations.organization.org_role_assigned",
            Self::UserDeactivated { .. } => "organizations.organization.user_deactivated",
            Self::UserDeactivationWarned { .. } => {
                "organizations.organization.user_deactivation_warned"
            }
            Self::UserAutoDeactivated { .. } => "organizations.organization.user_auto_deactivated",
            Self::PlanEvidenceRecorded { .. } => {
                "organizations.organization.plan_evidence_recorded"
            }
            Self::AdminRequestSubmitted { .. } => {
                "organizations.organization.admin_request_submitted"
            }
            Self::AdminRequestDeclined { .. } => {
                "organizations.organization.admin_request_declined"
            }
            Self::UserReactivated { .. } => "organizations.organization.user_reactivated",
            Self::MemberEmailDomainChanged { .. } => {
                "organizations.organization.member_email_domain_changed"
            }
            Self::EmailDomainAdded { .. } => "organizations.organization.email_domain_added",
            Self::EmailDomainRemoved { .. } => "organizations.organization.email_domain_removed",
            Self::LocationRegistered { .. } => "organizations.organization.location_registered",
            Self::LocationCredentialingChanged { .. } => {
                "organizations.organization.location_credentialing_changed"
            }
            Self::LocationTerminated { .. } => "organizations.organization.location_terminated",
            Self::TaxIdLinked { .. } => "organizations.organization.tax_id_linked",
            Self::OrganizationSuspended { .. } => {
                "organizations.organization.organization_suspended"
            }
            Self::OrganizationReopened { .. } => "organizations.organization.organization_reopened",
            Self::MemberMoved { .. } => "organizations.organization.member_moved",
            Self::OrganizationMergeBegun { .. } => {
                "organizations.organization.organization_merge_begun"
            }
            Self::OrganizationMergeAdvanced { .. } => {
                "organizations.organization.organization_merge_advanced"
            }
            Self::OrganizationMerged { .. } => "organizations.organization.organization_merged",
            Self::OrganizationAbsorptionBegun { .. } => {
                "organizations.organization.organization_absorption_begun"
            }
            Self::OrganizationAbsorbed { .. } => "organizations.organization.organization_absorbed",
            Self::OrganizationClosed { .. } => "organizations.organization.organization_closed",
        }
    }

    fn facets(&self) -> Facets {
        let about = |organization: &OrganizationId| Facets::default().organization(*organization);
        match self {
            Self::OrganizationEnrolled { organization, .. }
            | Self::EnrolmentUpdated { organization, .. }
            | Self::OrganizationKindsChanged { organization, .. }
            | Self::OrganizationRegistered { organization, .. }
            | Self::EmailDomainAdded { organization, .. }
            | Self::EmailDomainRemoved { organization, .. }
            | Self::LocationCredentialingChanged { organization, .. }
            | Self::TaxIdLinked { organization, .. }
            | Self::OrganizationSuspended { organization, .. }
            | Self::OrganizationReopened { organization }
            | Self::OrganizationMergeBegun { organization, .. }
            | Self::OrganizationMergeAdvanced { organization, .. }
            | Self::OrganizationMerged { organization, .. }
            | Self::OrganizationAbsorptionBegun { organization, .. }
            | Self::OrganizationAbsorbed { organization, .. }
            | Self::OrganizationClosed { organization, .. } => about(organization),
            Self::LocationRegistered { organization, npi, .. } => {
                Facets { npi: npi.as_ref().map(ToString::to_string), ..about(organization) }
            }
            Self::OrganizationContractStatusChanged { organization, from, .. }
            | Self::LocationTerminated { organization, from, .. } => {
                about(organization).effective_at(*from)
            }
            Self::NpiAttached { organization, npi, effective_at, .. }
            | Self::NpiDetached { organization, npi, effective_at, .. }
            | Self::NpiEndPlanned { organization, npi, effective_at, .. }
            | Self::NpiEndCancelled { organization, npi, effective_at } => {
                about(organization).npi(npi).effective_at(*effective_at)
            }
            Self::NpiMoveFailed { organization, npi, .. } => about(organization).npi(npi),
            Self::MemberInvited { organization, user, .. }
            | Self::MemberInvitationEnded { organization, user, .. }
            | Self::MembershipAdded { organization, user, .. }
            | Self::OrgRoleAssigned { organization, user, .. }
            | Self::UserDeactivationWarned { organization, user, .. }
            | Self::UserAutoDeactivated { organization, user, .. }
            | Self::PlanEvidenceRecorded { organization, user, .. }
            | Self::AdminRequestSubmitted { organization, user, .. }
            | Self::AdminRequestDeclined { organization, user, .. }
            | Self::UserReactivated { organization, user, .. }
            | Self::MemberMoved { organization, user, .. }
            | Self::MemberEmailDomainChanged { organization, user, .. } => {
                about(organization).subject(*user)
            }
            Self::UserDeactivated { organization, user, effective_at, .. }
            | Self::MembershipEndPlanned { organization, user, effective_at, .. }
            | Self::MembershipEndCancelled { organization, user, effective_at } => {
                about(organization).subject(*user).effective_at(*effective_at)
            }
        }
    }
}
