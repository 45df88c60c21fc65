//! What the schema says about an affiliation. Invariant: enums here are the domain's, value by
//! value.

use async_graphql::{Enum, ID, SimpleObject};
use rollcall_domain::affiliations::SignerRole;

use crate::graphql::{
    paging::connection,
    scalars::{Date, DateTime, NpiScalar},
};

/// One of the two organisations of an affiliation.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "rollcall_domain::affiliations::Side")]
pub enum AffiliationSide {
    /// The billing agent.
    Submitter,
    /// The provider it submits for.
    Provider,
}

/// Where an affiliation stands.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "rollcall_projections::affiliations::AffiliationStatus")]
pub enum AffiliationStatus {
    /// Waiting for the signature of the side that was asked.
    Requested,
    /// In force; `endsOn` is its last day, if it has one.
    Active,
    /// Refused by the side that was asked.
    Denied,
    /// Taken back by the side that asked.
    Withdrawn,
    /// Not decided in time.
    Expired,
    /// Ended by one side, its last day over.
    Terminated,
}

/// Who signs for an organisation (MC-57).
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "rollcall_domain::affiliations::SignerRole")]
pub enum AffiliationSignerRole {
    Owner,
    Officer,
    Partner,
    Administrator,
    OfficeManager,
    AuthorizedRepresentative,
}

/// An entry of the list from which a signer chooses their role.
#[derive(Clone, Debug, SimpleObject)]
pub struct SignerRoleOption {
    /// What to send as `role`.
    pub role: AffiliationSignerRole,
    /// What to show.
    pub label: &'static str,
}

impl From<SignerRole> for SignerRoleOption {
    fn from(role: SignerRole) -> Self {
        let label = match role {
            SignerRole::Owner => "Owner",
            SignerRole::Officer => "Officer",
            SignerRole::Partner => "Partner",
            SignerRole::Administrator => "Administrator",
            SignerRole::OfficeManager => "Office manager",
            SignerRole::AuthorizedRepresentative => "Authorized representative",
        };
        Self { role: role.into(), label }
    }
}

/// One of the two organisations, by name.
#[derive(Clone, Debug, SimpleObject)]
pub struct AffiliationParty {
    pub organization_id: ID,
    pub name: String,
    /// When it signed the agreement.
    pub signed_at: Option<DateTime>,
}

/// What the submitter may do for the provider (GN-18).
#[derive(Clone, Debug, SimpleObject)]
pub struct AffiliationScope {
    /// All of the provider's NPIs, those attached later included.
    pub all_npis: bool,
    /// The NPIs, where they are listed singly.
    pub npis: Vec<NpiScalar>,
    /// Codes such as `837P`.
    pub transaction_types: Vec<String>,
}

/// A signature under the affiliation agreement (MC-55).
#[derive(Clone, Debug, SimpleObject)]
pub struct AffiliationSignature {
    pub side: AffiliationSide,
    pub signed_by: ID,
    /// As typed, unless it was erased.
    pub first_name: Option<String>,
    /// As typed, unless it was erased.
    pub last_name: Option<String>,
    pub role: AffiliationSignerRole,
    pub agreement_version: String,
    /// SHA-256 of the text signed, in hexadecimal.
    pub sha256: String,
}

/// A relation between a submitter and a provider (MC-54).
#[derive(Clone, Debug, SimpleObject)]
pub struct Affiliation {
    pub id: ID,
    pub status: AffiliationStatus,
    /// Who asked; the other side decides.
    pub initiator: AffiliationSide,
    pub submitter: AffiliationParty,
    pub provider: AffiliationParty,
    pub scope: AffiliationScope,
    pub requested_at: DateTime,
    /// Until when the request may be decided.
    pub expires_at: DateTime,
    /// From when it is in force.
    pub effective_from: Option<DateTime>,
    /// The last day, in the tenant's time zone.
    pub ends_on: Option<Date>,
    /// When it was denied, taken back, found expired or given its last day.
    pub closed_at: Option<DateTime>,
    /// Why it was denied, taken back or ended, if a reason was given and is not erased.
    pub reason: Option<String>,
    /// What both sides signed.
    pub signatures: Vec<AffiliationSignature>,
    /// For `expectedVersion`.
    pub version: i32,
}

connection!(AffiliationConnection, AffiliationEdge, Affiliation);

/// An entry of the Submitter Directory (MC-61).
#[derive(Clone, Debug, SimpleObject)]
pub struct SubmitterListing {
    pub organization_id: ID,
    pub name: String,
}

connection!(SubmitterConnection, SubmitterEdge, SubmitterListing);
