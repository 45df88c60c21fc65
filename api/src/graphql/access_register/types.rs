//! A right as the register tells it. Invariant: why and by which way it is held stands beside it.

use async_graphql::{Enum, SimpleObject};
use rollcall_projections::access_register::{AccessKey, AccessRow};

use crate::graphql::{
    audit::{OrganizationReference, PersonReference},
    paging::{Page, PageInfo, Rows, connection},
    permissions::last_use::LastUse,
    scalars::{DateTime, NpiScalar, Position},
};

/// What somebody may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "rollcall_projections::access_register::AccessRight")]
pub enum AccessRight {
    /// See organisation-wide notifications and lists (MC-47).
    ViewOrganization,
    /// Add, remove and modify users (MC-47).
    ManageUsers,
    /// See the NPI and get its notifications (MC-41).
    ViewNpi,
    /// View and reset the NPI's PIN (MC-40).
    ManagePin,
    /// Search, read and export correspondence of a type (MC-45).
    ReadCorrespondence,
    /// Use a feature that people are granted one by one (CC-08).
    UseFeature,
    /// Work in a job role (CC-09).
    HoldJobRole,
    /// See a location and search the status of its claims (CX-03).
    ViewLocation,
    /// Choose a location for new referrals and authorizations (CX-02).
    ChooseLocation,
    /// Read what is filed under a tax id (CC-02).
    ReadTaxId,
    /// Act for the health plan in a role (GN-31).
    PlanRole,
    /// Submit transactions for an NPI of an affiliated provider (GN-18).
    SubmitTransactions,
}

/// By which way somebody has a right (GN-13).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "rollcall_projections::access_register::AccessSource")]
pub enum AccessSource {
    /// Granted as exactly this.
    Direct,
    /// Granted for all NPIs of the organisation (`*`).
    AllNpis,
    /// The organisation-wide role itself.
    Role,
    /// A job role that bundles it.
    JobRole,
    /// The tenant's policy gives it to every administrator of an organisation.
    ImpliedByAdmin,
    /// A role of the health plan.
    PlanRole,
    /// An affiliation, and an administrator of the submitter.
    Affiliation,
}

/// Why a right was given, or why it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "rollcall_projections::access_register::Cause")]
pub enum AccessCauseKind {
    /// A registration or its completion gave it.
    Registration,
    /// An invitation was completed; of an end, one took its place or came to nothing.
    Invitation,
    /// A registration token brought an existing person in.
    Token,
    /// An administrator of the organisation gave it, or took it.
    Administrator,
    /// The plan gave it, or took it.
    Plan,
    /// A request was approved.
    Request,
    /// An access review.
    Review,
    /// Existing people were imported.
    LegacyImport,
    /// The NPI permission it stood on went away.
    NpiPermissionRemoved,
    /// The tenant's policy.
    Policy,
    /// Two organisations are affiliated.
    Affiliation,
    /// It came with an organisation that was merged into this one, or went with it (GN-03).
    Merge,
    /// The time it was given for was over (GN-13).
    Expiry,
    /// The person was deactivated or left.
    Deactivation,
    /// The organisation was suspended or closed.
    OrganizationClosed,
    /// The organisation holds the NPI no longer (GN-04).
    NpiEnded,
    /// The organisation has no contract with the plan any more (CC-01).
    ContractEnded,
    /// Two organisations are affiliated no longer.
    AffiliationEnded,
}

/// The event that gave a right, or ended it.
#[derive(Clone, Debug, SimpleObject)]
pub struct AccessCause {
    pub kind: AccessCauseKind,
    /// The event's place in the tenant's journal.
    pub event_position: Position,
    /// The event in plain English; absent where the reader may not see the event.
    pub sentence: Option<String>,
}

/// One right of one person, with the time for which it held.
#[derive(Clone, Debug, SimpleObject)]
pub struct AccessEntry {
    pub user: PersonReference,
    /// Absent for roles that count for the whole plan.
    pub organization: Option<OrganizationReference>,
    /// Absent for rights that are not about an NPI.
    pub npi: Option<NpiScalar>,
    pub right: AccessRight,
    /// The NPI level, organisation role or plan role it is held at; of a feature its word, of a job
    /// role, location or tax id its id.
    pub level: String,
    /// What the job role, location or tax id is called; absent for other rights.
    pub thing: Option<String>,
    /// The type of correspondence, `*` for all types; absent for other rights.
    pub correspondence_type: Option<String>,
    /// Since when it held, everything counted that it rests on.
    pub valid_from: DateTime,
    /// Before when; absent where no end is known.
    pub valid_to: Option<DateTime>,
    /// When this was written down.
    pub known_from: DateTime,
    /// The place in the tenant's journal since which this is known.
    pub known_from_position: Position,
    pub cause: AccessCause,
    pub source: AccessSource,
    /// When the person last used it, as of the moment asked about (GN-16).
    pub last_use: LastUse,
}

impl AccessEntry {
    pub(super) fn of(row: AccessRow, sentence: Option<String>, last_use: LastUse) -> Self {
        Self {
            user: PersonReference::new(row.user, row.user_name),
            organization: row
                .organization
                .map(|id| OrganizationReference::new(id, row.organization_name)),
            npi: row.npi.map(NpiScalar),
            right: row.right.into(),
            level: row.level,
            thing: row.thing,
            correspondence_type: row.correspondence_type,
            valid_from: row.valid_from.into(),
            valid_to: row.valid_to.map(DateTime::from),
            known_from: row.known_from_at.into(),
            known_from_position: Position(row.known_from),
            cause: AccessCause {
                kind: row.cause.into(),
                event_position: Position(row.cause_position),
                sentence,
            },
            source: row.source.into(),
            last_use,
        }
    }
}

connection!(AccessEntries, AccessEntryEdge, AccessEntry);

/// One page of the register (Relay), and what it holds for.
#[derive(SimpleObject)]
pub struct AccessRegisterConnection {
    pub edges: Vec<AccessEntryEdge>,
    pub nodes: Vec<AccessEntry>,
    pub page_info: PageInfo,
    /// How many there are in all; counted only when selected.
    pub total_count: Option<i32>,
    /// The moment at which all of this was true.
    pub as_of: DateTime,
    /// The place in the tenant's journal at which it was known.
    pub as_of_position: Position,
}

impl AccessRegisterConnection {
    pub(super) fn of(
        page: &Page<AccessKey>,
        found: Rows<AccessEntry, AccessKey>,
        as_of: DateTime,
        as_of_position: Position,
    ) -> Self {
        let AccessEntries { edges, nodes, page_info, total_count } = AccessEntries::of(page, found);
        Self { edges, nodes, page_info, total_count, as_of, as_of_position }
    }
}
