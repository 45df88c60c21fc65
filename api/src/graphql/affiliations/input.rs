//! What affiliation commands take, and how it is read. Invariant: the first field at fault is
//! named by its path.

use std::collections::BTreeSet;

use async_graphql::{ID, InputObject};
use rollcall_commands::affiliations::{
    Counterparty, GivenSignature, RequestAffiliation, Target, TypedSignature,
};
use rollcall_domain::{
    Code, Refusal,
    affiliations::{AffiliationScope, NpiSelection},
    values::{Npi, Reason, TransactionType},
};

use super::types::AffiliationSide;
use crate::graphql::{
    ids::NodeType,
    scalars::{Date, NpiScalar},
    sending::MutationMeta,
    vocabulary::field,
};

/// For which NPIs and transactions (GN-18).
#[derive(InputObject)]
pub struct AffiliationScopeInput {
    /// NPIs of the provider; absent for all of them, those attached later included.
    pub npis: Option<Vec<NpiScalar>>,
    /// Codes such as `837P`, each listed singly.
    pub transaction_types: Vec<String>,
}

/// A signature under the affiliation agreement in force (MC-57).
#[derive(InputObject)]
pub struct AffiliationSignatureInput {
    /// The box by which the signer confirms to be eligible; it ticks the agreement's box
    /// `ELIGIBILITY`.
    pub eligibility_confirmed: bool,
    pub first_name: String,
    pub last_name: String,
    /// One of `affiliationSignerRoles`.
    pub role: String,
    /// The version that was read.
    pub agreement_version: String,
    /// Keys of the agreement's further boxes that are ticked.
    #[graphql(default)]
    pub boxes: Vec<String>,
    /// A verified passcode, where the policy asks for one.
    pub otp_challenge_id: Option<ID>,
}

/// Asks another organisation for an affiliation (MC-54, MC-56). Name the counterparty by its id or
/// by one of its NPIs.
#[derive(InputObject)]
pub struct RequestAffiliationInput {
    pub organization_id: ID,
    pub counterparty_id: Option<ID>,
    pub counterparty_npi: Option<NpiScalar>,
    /// On which side the asking organisation stands; needed only where both organisations submit
    /// and provide.
    pub side: Option<AffiliationSide>,
    pub scope: AffiliationScopeInput,
    /// Absent when it is signed in a step of its own.
    pub signature: Option<AffiliationSignatureInput>,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

/// Signs for one side (MC-55).
#[derive(InputObject)]
pub struct SignAffiliationAgreementInput {
    pub organization_id: ID,
    pub affiliation_id: ID,
    pub expected_version: Option<i32>,
    pub signature: AffiliationSignatureInput,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

/// For which NPIs of the provider a person of the submitter works (GN-18).
#[derive(InputObject)]
pub struct AssignAffiliatedNpisInput {
    pub organization_id: ID,
    pub affiliation_id: ID,
    pub expected_version: Option<i32>,
    pub user_id: ID,
    /// All of them; what is not listed is taken away.
    pub npis: Vec<NpiScalar>,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

/// Approves a request by signing (MC-59).
#[derive(InputObject)]
pub struct ApproveAffiliationInput {
    pub organization_id: ID,
    pub affiliation_id: ID,
    pub expected_version: Option<i32>,
    pub signature: AffiliationSignatureInput,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

/// Refuses a request (MC-60).
#[derive(InputObject)]
pub struct DenyAffiliationInput {
    pub organization_id: ID,
    pub affiliation_id: ID,
    pub expected_version: Option<i32>,
    /// That the prompt was answered.
    pub confirm: bool,
    pub reason: Option<String>,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

/// Takes the own request back (GN-18).
#[derive(InputObject)]
pub struct WithdrawAffiliationInput {
    pub organization_id: ID,
    pub affiliation_id: ID,
    pub expected_version: Option<i32>,
    pub reason: Option<String>,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

/// Ends an affiliation (GN-18).
#[derive(InputObject)]
pub struct TerminateAffiliationInput {
    pub organization_id: ID,
    pub affiliation_id: ID,
    pub expected_version: Option<i32>,
    /// That the prompt was answered.
    pub confirm: bool,
    /// The last day it is in force, in the tenant's time zone.
    pub ends_on: Date,
    pub reason: Option<String>,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

/// Lets an affiliation go on whose last day is still to come (GN-04).
#[derive(InputObject)]
pub struct CancelAffiliationTerminationInput {
    pub organization_id: ID,
    pub affiliation_id: ID,
    pub expected_version: Option<i32>,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

/// The command behind a request.
///
/// # Errors
/// The first field that is not what it should be.
pub fn request(input: RequestAffiliationInput) -> Result<RequestAffiliation, Refusal> {
    Ok(RequestAffiliation {
        organization: NodeType::Organization.parse(&input.organization_id, "organizationId")?,
        counterparty: counterparty(input.counterparty_id, input.counterparty_npi)?,
        side: input.side.map(Into::into),
        scope: scope(input.scope)?,
        signature: input.signature.map(signature).transpose()?,
    })
}

fn counterparty(id: Option<ID>, npi: Option<NpiScalar>) -> Result<Counterparty, Refusal> {
    match (id, npi) {
        (Some(id), None) => {
            NodeType::Organization.parse(&id, "counterpartyId").map(Counterparty::Organization)
        }
        (None, Some(npi)) => {
            field("counterpartyNpi", Npi::parse(&npi.0)).map(Counterparty::HolderOf)
        }
        (None, None) => Err(Refusal::new(
            Code::FieldRequired,
            "Name the other organisation by its id or by one of its NPIs.",
        )
        .at("counterpartyId")),
        (Some(_), Some(_)) => Err(Refusal::new(
            Code::FieldInvalid,
            "Name the other organisation by its id or by one of its NPIs, not by both.",
        )
        .at("counterpartyNpi")),
    }
}

fn scope(input: AffiliationScopeInput) -> Result<AffiliationScope, Refusal> {
    let npis = match input.npis {
        None => NpiSelection::All,
        Some(listed) => {
            NpiSelection::Listed(each(listed, "scope.npis", |npi: NpiScalar| Npi::parse(&npi.0))?)
        }
    };
    let transaction_types =
        each(input.transaction_types, "scope.transactionTypes", |code: String| {
            TransactionType::parse(&code)
        })?;
    Ok(AffiliationScope { npis, transaction_types })
}

/// Reads a list whose bad entry is named by its index.
pub(super) fn each<I, T: Ord>(
    items: Vec<I>,
    path: &str,
    parse: impl Fn(I) -> Result<T, rollcall_domain::values::Invalid>,
) -> Result<BTreeSet<T>, Refusal> {
    items
        .into_iter()
        .enumerate()
        .map(|(at, item)| field(&format!("{path}.{at}"), parse(item)))
        .collect()
}

/// A signature as the commands take it.
///
/// # Errors
/// `NAME_INVALID`, or `NOT_FOUND` for a passcode's id that cannot be one.
pub fn signature(input: AffiliationSignatureInput) -> Result<GivenSignature, Refusal> {
    let otp_challenge = input
        .otp_challenge_id
        .map(|id| NodeType::parse_bare(&id, "signature.otpChallengeId"))
        .transpose()?;
    GivenSignature::parse(TypedSignature {
        eligibility_confirmed: input.eligibility_confirmed,
        first_name: input.first_name,
        last_name: input.last_name,
        role: input.role,
        agreement_version: input.agreement_version,
        boxes: input.boxes,
        otp_challenge,
    })
}

/// Which affiliation is acted on, and for whom.
///
/// # Errors
/// `NOT_FOUND` for ids that cannot be.
pub fn target(
    organization: &ID,
    affiliation: &ID,
    expected_version: Option<i32>,
) -> Result<Target, Refusal> {
    Ok(Target {
        organization: NodeType::Organization.parse(organization, "organizationId")?,
        affiliation: NodeType::Affiliation.parse(affiliation, "affiliationId")?,
        expected_version: expected_version.map(i64::from),
    })
}

/// A reason that may be left out; a blank one counts as left out.
///
/// # Errors
/// `FIELD_TOO_LONG`, `FIELD_INVALID`.
pub fn reason(text: Option<String>) -> Result<Option<Reason>, Refusal> {
    let given = text.filter(|text| !text.trim().is_empty());
    given.map(|text| field("reason", Reason::parse(&text))).transpose()
}
