//! The plan's own attestation: `signAttestation`, `attestations` (CC-14).

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use rollcall_commands::{
    Access, Commands, attestations::SignAttestation, permissions::DIRECTORY_READERS,
};
use rollcall_domain::{organizations::OrgRole, policies::Feature, values::AgreementKind};
use rollcall_projections::{
    attestations::{self as rows, AttestationFilter, AttestationRow, Signature as SignatureRow},
    people::full_name,
    tenancy,
};
use uuid::Uuid;

use super::{
    audit::PersonReference,
    errors::{fault, top_level},
    ids::NodeType,
    paging::{Page, Rows, connection},
    reading::{Reading, policy, read},
    scalars::{DateTime, Position},
    sending::{MutationMeta, payload, send},
};

/// Signs the version of the plan's statement that was read.
#[derive(InputObject)]
pub struct SignAttestationInput {
    pub organization_id: ID,
    pub version: String,
    /// Keys of the boxes ticked; all of the version's must be.
    pub boxes: Vec<String>,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

/// A version signed.
#[derive(Clone, Debug, SimpleObject)]
pub struct AttestationSignature {
    /// The text is in `agreementHistory(kind: PLAN_ATTESTATION)`.
    pub version: String,
    /// SHA-256 of the text signed, in hex.
    pub sha256: String,
    /// Keys of the boxes ticked.
    pub boxes: Vec<String>,
    pub signed_at: DateTime,
    /// The tenant position of the event behind it.
    pub position: Position,
}

/// How somebody of an organisation stands to the plan's statement.
#[derive(Clone, Debug, SimpleObject)]
pub struct Attestation {
    pub user: PersonReference,
    /// Whether the person holds the attestation feature now; who signed earlier stays listed.
    pub holds_feature: bool,
    /// Whether the person signed the version asked about.
    pub signed: bool,
    /// All versions signed, newest first.
    pub signatures: Vec<AttestationSignature>,
}

connection!(AttestationConnection, AttestationEdge, Attestation);

payload! {
    /// The outcome of signing: the signer's standing.
    SignAttestationPayload { attestation: Attestation }
}

/// Questions about attestations.
#[derive(Default)]
pub struct AttestationQuery;

#[Object]
impl AttestationQuery {
    /// Who of an organisation signed which version of the plan's statement, and which holders of the
    /// feature have yet to: for its administrators and plan staff; others see themselves.
    #[graphql(complexity = "crate::graphql::paging::cost(first, child_complexity)")]
    async fn attestations(
        &self,
        ctx: &Context<'_>,
        organization_id: ID,
        #[graphql(desc = "The version asked about; the one in force if not given.")]
        version: Option<String>,
        #[graphql(desc = "Only those who signed it, or only holders who have not.")] signed: Option<
            bool,
        >,
        first: Option<i32>,
        after: Option<String>,
        min_position: Option<Position>,
    ) -> Result<AttestationConnection> {
        let page = Page::<Uuid>::new(first, after).map_err(top_level)?;
        let (mut reading, mut filter) = asked(ctx, &organization_id, min_position).await?;
        filter.version = version.or(filter.version);
        filter.signed = signed;
        let view = &mut reading.view;
        let found = rows::attestations(view, &filter, (page.first, page.after)).await;
        let found = found.map_err(|error| fault(&error))?;
        let total = match ctx.look_ahead().field("totalCount").exists() {
            true => Some(rows::count_attestations(view, &filter).await.map_err(|e| fault(&e))?),
            false => None,
        };
        let rows = found.into_iter().map(|row| (row.user_id, row.into())).collect();
        Ok(AttestationConnection::of(&page, Rows { rows, total }))
    }
}

/// The plan's attestation.
#[derive(Default)]
pub struct AttestationMutation;

#[Object]
impl AttestationMutation {
    /// Signs the version in force of the plan's statement, with every box ticked. Refusals:
    /// FEATURE_NOT_GRANTED, AGREEMENT_UNKNOWN, AGREEMENT_SUPERSEDED, BOX_NOT_TICKED,
    /// ALREADY_SIGNED.
    async fn sign_attestation(
        &self,
        ctx: &Context<'_>,
        input: SignAttestationInput,
    ) -> Result<SignAttestationPayload> {
        let organization = NodeType::Organization.parse(&input.organization_id, "organizationId");
        let command = organization.map(|organization| SignAttestation {
            organization,
            version: input.version,
            boxes: input.boxes,
        });
        let sent = send(ctx, input.meta, command).await?;
        if sent.output.is_none() || !ctx.look_ahead().field("attestation").exists() {
            return Ok(SignAttestationPayload::of(sent, None));
        }
        let (mut reading, mut filter) = asked(ctx, &input.organization_id, sent.position).await?;
        filter.only = reading.authority.user;
        let found = rows::attestations(&mut reading.view, &filter, (1, None)).await;
        let found = found.map_err(|error| fault(&error))?;
        Ok(SignAttestationPayload::of(sent, found.into_iter().next().map(Into::into)))
    }
}

/// An authorised reader of an organisation's attestations and what they see of them.
async fn asked<'a>(
    ctx: &Context<'a>,
    organization: &ID,
    min_position: Option<Position>,
) -> Result<(Reading<'a>, AttestationFilter)> {
    let organization =
        NodeType::Organization.parse(organization, "organizationId").map_err(top_level)?;
    let access = Access::MemberOrPlan(organization, DIRECTORY_READERS);
    let mut reading = read(ctx, access, min_position).await?;
    let authority = &reading.authority;
    let sees_all = authority.acts_for_plan() || authority.org_role == Some(OrgRole::Admin);
    let only = authority.user.filter(|_| !sees_all);
    let now = ctx.data::<Commands>()?.journal.now();
    let kind = AgreementKind::PlanAttestation.as_str();
    let in_force = tenancy::agreement(&mut reading.view, kind, now).await;
    let in_force = in_force.map_err(|error| fault(&error))?;
    let policy = policy(ctx).await?;
    let filter = AttestationFilter {
        organization,
        version: in_force.map(|row| row.version),
        signed: None,
        only,
        everybody_holds: policy.is_on(Feature::Attestation) && !policy.feature_grants_enabled(),
        now,
    };
    Ok((reading, filter))
}

impl From<AttestationRow> for Attestation {
    fn from(row: AttestationRow) -> Self {
        let name = full_name(row.first_name.as_deref(), row.last_name.as_deref());
        Self {
            user: PersonReference::new(row.user_id, name),
            holds_feature: row.holds,
            signed: row.signed,
            signatures: row.signatures.0.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<SignatureRow> for AttestationSignature {
    fn from(row: SignatureRow) -> Self {
        Self {
            version: row.version,
            sha256: row.sha256,
            boxes: row.boxes,
            signed_at: row.signed_at.into(),
            position: Position(row.position),
        }
    }
}
