//! What the schema says about an affiliation. Invariant: enums here are the domain's, value by
//! value.

use async_graphql::{Enum, ID, SimpleObject};
use rollcall_domain::affiliations::SignerRole;
use rollcall_projections::affiliations::SubmitterType;

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
    /// The version it signed last.
    pub signed_version: Option<String>,
    /// A newer version of the agreement is in force than this side has signed; it signs it with
    /// `signAffiliationAgreement` (GN-18). Told of affiliations in force.
    pub renewal_due: bool,
}

/// For which NPIs of the provider a person of the submitter works, in the Transaction Center only
/// (GN-18).
#[derive(Clone, Debug, SimpleObject)]
pub struct AffiliationAssignment {
    pub user_id: ID,
    pub npis: Vec<NpiScalar>,
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
    /// Who of the submitter works for which NPIs; told to the submitter and to the plan.
    pub assignments: Vec<AffiliationAssignment>,
    /// For `expectedVersion`.
    pub version: i32,
}

connection!(AffiliationConnection, AffiliationEdge, Affiliation);

/// An entry of the Submitter Directory (MC-61).
#[derive(Clone, Debug, SimpleObject)]
pub struct SubmitterListing {
    pub organization_id: ID,
    pub name: String,
    /// What it offers.
    pub transaction_types: Vec<SubmitterTransactionType>,
}

impl From<SubmitterType> for SubmitterTransactionType {
    fn from(kind: SubmitterType) -> Self {
        Self {
            kind: kind.code,
            test_state: kind.state.into(),
            tested_at: kind.tested_at.map(DateTime::from),
        }
    }
}

/// How a transaction type stands for a submitter (MC-63).
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "rollcall_domain::affiliations::TransactionState")]
pub enum TransactionState {
    /// The submitter does not offer it.
    NotOffered,
    /// Offered, and no test of it has passed.
    Testing,
    /// Its newest test passed.
    Approved,
    /// The plan suspended it.
    Suspended,
}

/// What a test of a transaction type came to (MC-63).
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "rollcall_domain::affiliations::TransactionTestResult")]
pub enum TransactionTestResult {
    /// It may be sent from now on.
    Passed,
    /// It is still being tested.
    Failed,
    /// It is not to be sent for the time being.
    Suspended,
}

/// A transaction type that a submitter offers.
#[derive(Clone, Debug, SimpleObject)]
pub struct SubmitterTransactionType {
    /// A code such as `837P`.
    #[graphql(name = "type")]
    pub kind: String,
    pub test_state: TransactionState,
    /// When its newest test was recorded.
    pub tested_at: Option<DateTime>,
}

/// A submitter's own directory profile (MC-61 to MC-63).
#[derive(Clone, Debug, SimpleObject)]
pub struct SubmitterProfile {
    pub organization_id: ID,
    /// Whether the directory lists it to everybody.
    pub visible: bool,
    /// What it offers.
    pub types: Vec<SubmitterTransactionType>,
}

connection!(SubmitterConnection, SubmitterEdge, SubmitterListing);
