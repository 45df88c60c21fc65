//! What a request for access looks like.

use async_graphql::{Enum, ID, SimpleObject};

use crate::graphql::{
    audit::{OrganizationReference, PersonReference},
    paging::connection,
    scalars::{DateTime, EmailScalar, NpiScalar, PhoneScalar},
    vocabulary::{Feature, NpiLevel},
};

/// Where a request stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "rollcall_projections::access_requests::RequestStatus")]
pub enum AccessRequestStatus {
    /// Waits for an administrator of the organisation.
    Open,
    /// Waits for the health plan.
    Routed,
    Approved,
    Denied,
    /// Taken back by who asked.
    Withdrawn,
    /// Nobody decided in time.
    Expired,
}

/// What a request is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "rollcall_domain::access_requests::RequestKind")]
pub enum AccessRequestKind {
    Npi,
    Feature,
    JobRole,
    Location,
    TaxId,
    /// Several kinds at once.
    Mixed,
    /// An account in the organisation, for somebody who has none there (CC-11).
    Account,
    /// Moving between organisations (AL-08).
    Move,
}

/// One thing asked for; the fields of the other kinds are absent.
#[derive(Clone, Debug, SimpleObject)]
pub struct AccessRequestItem {
    pub kind: AccessRequestKind,
    pub npi: Option<NpiScalar>,
    /// The level asked for on the NPI.
    pub level: Option<NpiLevel>,
    pub feature: Option<Feature>,
    pub job_role_id: Option<ID>,
    pub location_id: Option<ID>,
    /// A location that the organisation's list lacks (CX-13).
    pub location_name: Option<String>,
    pub tax_id_id: Option<ID>,
    /// Kind and last four digits of a tax id that the organisation's list lacks.
    pub tax_id_ending: Option<String>,
}

/// A request for access (CC-11).
#[derive(Clone, Debug, SimpleObject)]
pub struct AccessRequest {
    pub id: ID,
    /// Who asks; absent for somebody without an account until they are invited.
    pub user: Option<PersonReference>,
    /// Who asks without an account, as they said.
    pub visitor: Option<Visitor>,
    /// Who is to move, for requests of kind MOVE.
    pub moving: Option<Moving>,
    pub organization: OrganizationReference,
    pub kind: AccessRequestKind,
    pub items: Vec<AccessRequestItem>,
    pub status: AccessRequestStatus,
    /// Why it waits, or waited, for the health plan.
    pub routed_because: Option<String>,
    /// Why the person asks; absent once erased.
    pub why: Option<String>,
    /// What was noted with the decision, or why it was denied.
    pub answer: Option<String>,
    /// The access asked for ends here by itself (GN-13).
    pub until: Option<DateTime>,
    pub requested_at: DateTime,
    pub routed_at: Option<DateTime>,
    /// When it was decided, taken back or ran out.
    pub closed_at: Option<DateTime>,
    /// Who approved or denied it.
    pub decided_by: Option<ID>,
    /// The first second at which it is over undecided.
    pub expires_at: DateTime,
    /// For `expectedVersion`.
    pub version: i32,
}

/// Somebody without an account; what was erased is absent.
#[derive(Clone, Debug, SimpleObject)]
pub struct Visitor {
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub email: Option<EmailScalar>,
    pub phone: Option<PhoneScalar>,
}

/// A wish to move, and what became of it.
#[derive(Clone, Debug, SimpleObject)]
pub struct Moving {
    /// Who asks leaves for the organisation that holds it.
    pub npi: Option<NpiScalar>,
    /// Who has it comes here.
    pub email: Option<EmailScalar>,
    /// Who moved, once it was approved.
    pub user_id: Option<ID>,
    pub from_organization_id: Option<ID>,
    pub to_organization_id: Option<ID>,
}

connection!(AccessRequestConnection, AccessRequestEdge, AccessRequest);
