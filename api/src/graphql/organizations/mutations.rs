//! What plan staff send about an organisation: kinds, contract, NPIs, standing.

use async_graphql::{Context, ID, InputObject, Object, Result};
use chrono::{DateTime as Instant, Utc};
use rollcall_commands::{
    Command,
    organizations::{
        AttachNpi, CancelNpiEnd, CloseOrganization, DetachNpi, MoveNpi, NpiDetails,
        ReopenOrganization, SetContractStatus, SetOrganizationKinds, SuspendOrganization,
    },
};
use rollcall_domain::{
    Refusal,
    kernel::ids::OrganizationId,
    values::{Npi, OrganizationName, ProviderCommunity, ProviderType, Reason},
};

use super::{
    queries::read_organization,
    types::{ContractStatus, Organization, OrganizationKind},
};
use crate::graphql::{
    ids::NodeType,
    scalars::{DateTime, NpiScalar},
    sending::{MutationMeta, payload, send},
    vocabulary::field,
};

/// Kinds to set.
#[derive(Debug, InputObject)]
pub struct SetOrganizationKindsInput {
    #[graphql(flatten)]
    meta: MutationMeta,
    organization_id: ID,
    /// One or both.
    kinds: Vec<OrganizationKind>,
    expected_version: Option<i32>,
}

impl SetOrganizationKindsInput {
    fn command(&self) -> Result<SetOrganizationKinds, Refusal> {
        Ok(SetOrganizationKinds {
            organization: id(&self.organization_id)?,
            kinds: self.kinds.iter().map(|kind| (*kind).into()).collect(),
            expected_version: self.expected_version.map(i64::from),
        })
    }
}

/// A contract status to record.
#[derive(Debug, InputObject)]
pub struct SetContractStatusInput {
    #[graphql(flatten)]
    meta: MutationMeta,
    organization_id: ID,
    status: ContractStatus,
    /// Since when, or from when on; now if not given. What was set for later holds no more.
    from: Option<DateTime>,
    expected_version: Option<i32>,
}

impl SetContractStatusInput {
    fn command(&self) -> Result<SetContractStatus, Refusal> {
        Ok(SetContractStatus {
            organization: id(&self.organization_id)?,
            status: self.status.into(),
            from: self.from.as_ref().map(|at| at.parse("from")).transpose()?,
            expected_version: self.expected_version.map(i64::from),
        })
    }
}

/// An NPI to attach.
#[derive(Debug, InputObject)]
pub struct AttachNpiInput {
    #[graphql(flatten)]
    meta: MutationMeta,
    organization_id: ID,
    npi: NpiScalar,
    /// The provider's name.
    name: String,
    provider_type: String,
    community: String,
    /// From when on; now if not given, never earlier.
    effective_at: Option<DateTime>,
    /// The organisation's `version` as seen.
    expected_version: Option<i32>,
}

impl AttachNpiInput {
    fn command(&self) -> Result<AttachNpi, Refusal> {
        Ok(AttachNpi {
            organization: id(&self.organization_id)?,
            details: NpiDetails {
                npi: field("npi", Npi::parse(&self.npi.0))?,
                name: field("name", OrganizationName::parse(&self.name))?,
                provider_type: field("providerType", ProviderType::parse(&self.provider_type))?,
                community: field("community", ProviderCommunity::parse(&self.community))?,
            },
            effective_at: moment(self.effective_at.as_ref())?,
            expected_version: self.expected_version.map(i64::from),
        })
    }
}

/// An NPI to detach.
#[derive(Debug, InputObject)]
pub struct DetachNpiInput {
    #[graphql(flatten)]
    meta: MutationMeta,
    organization_id: ID,
    npi: NpiScalar,
    /// Since when, or from when on; now if not given. A later moment is planned, and can be called
    /// off by `cancelNpiEnd`.
    effective_at: Option<DateTime>,
    reason: Option<String>,
    /// The `version` of `organizationId` as seen.
    expected_version: Option<i32>,
}

impl DetachNpiInput {
    fn command(&self) -> Result<DetachNpi, Refusal> {
        Ok(DetachNpi {
            organization: id(&self.organization_id)?,
            npi: field("npi", Npi::parse(&self.npi.0))?,
            effective_at: moment(self.effective_at.as_ref())?,
            reason: self.reason.as_deref().map(reason).transpose()?,
            expected_version: self.expected_version.map(i64::from),
        })
    }
}

/// An NPI to move to another organisation (GN-04).
#[derive(Debug, InputObject)]
pub struct MoveNpiInput {
    #[graphql(flatten)]
    meta: MutationMeta,
    /// The organisation that holds it.
    organization_id: ID,
    to_organization_id: ID,
    npi: NpiScalar,
    /// Since when, or from when on; now if not given. A later moment is planned, and can be called
    /// off by `cancelNpiEnd`.
    effective_at: Option<DateTime>,
    reason: Option<String>,
    /// The `version` of `organizationId` as seen.
    expected_version: Option<i32>,
}

impl MoveNpiInput {
    fn command(&self) -> Result<MoveNpi, Refusal> {
        Ok(MoveNpi {
            npi: field("npi", Npi::parse(&self.npi.0))?,
            from: id(&self.organization_id)?,
            to: NodeType::Organization.parse(&self.to_organization_id, "toOrganizationId")?,
            effective_at: moment(self.effective_at.as_ref())?,
            reason: self.reason.as_deref().map(reason).transpose()?,
            expected_version: self.expected_version.map(i64::from),
        })
    }
}

/// What was planned for an NPI, to be called off (GN-04).
#[derive(Debug, InputObject)]
pub struct CancelNpiEndInput {
    #[graphql(flatten)]
    meta: MutationMeta,
    organization_id: ID,
    npi: NpiScalar,
    expected_version: Option<i32>,
}

impl CancelNpiEndInput {
    fn command(&self) -> Result<CancelNpiEnd, Refusal> {
        Ok(CancelNpiEnd {
            organization: id(&self.organization_id)?,
            npi: field("npi", Npi::parse(&self.npi.0))?,
            expected_version: self.expected_version.map(i64::from),
        })
    }
}

/// An organisation to stop for the time being.
#[derive(Debug, InputObject)]
pub struct SuspendOrganizationInput {
    #[graphql(flatten)]
    meta: MutationMeta,
    organization_id: ID,
    reason: String,
    expected_version: Option<i32>,
}

impl SuspendOrganizationInput {
    fn command(&self) -> Result<SuspendOrganization, Refusal> {
        Ok(SuspendOrganization {
            organization: id(&self.organization_id)?,
            reason: reason(&self.reason)?,
            expected_version: self.expected_version.map(i64::from),
        })
    }
}

/// An organisation to close for good.
#[derive(Debug, InputObject)]
pub struct CloseOrganizationInput {
    #[graphql(flatten)]
    meta: MutationMeta,
    organization_id: ID,
    reason: String,
    expected_version: Option<i32>,
}

impl CloseOrganizationInput {
    fn command(&self) -> Result<CloseOrganization, Refusal> {
        Ok(CloseOrganization {
            organization: id(&self.organization_id)?,
            reason: reason(&self.reason)?,
            expected_version: self.expected_version.map(i64::from),
        })
    }
}

/// A suspended organisation to reopen.
#[derive(Debug, InputObject)]
pub struct ReopenOrganizationInput {
    #[graphql(flatten)]
    meta: MutationMeta,
    organization_id: ID,
    expected_version: Option<i32>,
}

impl ReopenOrganizationInput {
    fn command(&self) -> Result<ReopenOrganization, Refusal> {
        Ok(ReopenOrganization {
            organization: id(&self.organization_id)?,
            expected_version: self.expected_version.map(i64::from),
        })
    }
}

payload! {
    /// What became of a command about an organisation.
    OrganizationPayload {
        /// The organisation as it stands now.
        organization: Organization,
    }
}

/// Plan staff's commands about organisations.
#[derive(Default)]
pub struct OrganizationsMutation;

#[Object]
impl OrganizationsMutation {
    /// Makes an organisation provider, submitter or both (MC-12).
    async fn set_organization_kinds(
        &self,
        ctx: &Context<'_>,
        input: SetOrganizationKindsInput,
    ) -> Result<OrganizationPayload> {
        let command = input.command();
        change(ctx, input.meta, command).await
    }

    /// Records that a contract with the plan began, was found missing or ended, or when it will; where
    /// the portal serves only contracted providers, nobody acts for the others from that second on
    /// (CC-01).
    async fn set_contract_status(
        &self,
        ctx: &Context<'_>,
        input: SetContractStatusInput,
    ) -> Result<OrganizationPayload> {
        let command = input.command();
        change(ctx, input.meta, command).await
    }

    /// Attaches an NPI to an organisation; where the portal keeps PINs, it gets one (MC-13).
    async fn attach_npi(
        &self,
        ctx: &Context<'_>,
        input: AttachNpiInput,
    ) -> Result<OrganizationPayload> {
        let command = input.command();
        change(ctx, input.meta, command).await
    }

    /// Detaches an NPI; what people held for it ends at the same time, also when that is planned for
    /// later (GN-04). Refusals: FORBIDDEN, NPI_NOT_IN_ORG, RANGE_INVALID, ALREADY_DECIDED (an end is
    /// planned), VERSION_CONFLICT.
    async fn detach_npi(
        &self,
        ctx: &Context<'_>,
        input: DetachNpiInput,
    ) -> Result<OrganizationPayload> {
        let command = input.command();
        change(ctx, input.meta, command).await
    }

    /// Moves an NPI to another organisation: what people of the one held for it ends as the other
    /// begins to hold it, also when that is planned for later; the answer is the organisation that
    /// holds it now (GN-04). Refusals: FORBIDDEN, NPI_NOT_IN_ORG, NOT_FOUND, RANGE_INVALID,
    /// ALREADY_DECIDED (an end is planned), VERSION_CONFLICT.
    async fn move_npi(
        &self,
        ctx: &Context<'_>,
        input: MoveNpiInput,
    ) -> Result<OrganizationPayload> {
        let command = input.command();
        change(ctx, input.meta, command).await
    }

    /// Calls off an end or a move of an NPI that is still to come (GN-04). Refusals: FORBIDDEN,
    /// NOT_PENDING, VERSION_CONFLICT.
    async fn cancel_npi_end(
        &self,
        ctx: &Context<'_>,
        input: CancelNpiEndInput,
    ) -> Result<OrganizationPayload> {
        let command = input.command();
        change(ctx, input.meta, command).await
    }

    /// Stops an organisation's access for the time being; its sessions end (GN-03).
    async fn suspend_organization(
        &self,
        ctx: &Context<'_>,
        input: SuspendOrganizationInput,
    ) -> Result<OrganizationPayload> {
        let command = input.command();
        change(ctx, input.meta, command).await
    }

    /// Gives a suspended organisation its access back (GN-03).
    async fn reopen_organization(
        &self,
        ctx: &Context<'_>,
        input: ReopenOrganizationInput,
    ) -> Result<OrganizationPayload> {
        let command = input.command();
        change(ctx, input.meta, command).await
    }

    /// Ends an organisation's access for good; its sessions and its letter token end (GN-03).
    async fn close_organization(
        &self,
        ctx: &Context<'_>,
        input: CloseOrganizationInput,
    ) -> Result<OrganizationPayload> {
        let command = input.command();
        change(ctx, input.meta, command).await
    }
}

pub(super) async fn change<C: Command<Output = OrganizationId>>(
    ctx: &Context<'_>,
    meta: MutationMeta,
    command: Result<C, Refusal>,
) -> Result<OrganizationPayload> {
    let sent = send(ctx, meta, command).await?;
    let wanted = ctx.look_ahead().field("organization");
    let organization = match sent.output.filter(|_| wanted.exists()) {
        Some(id) => read_organization(ctx, id, sent.position, wanted).await?,
        None => None,
    };
    Ok(OrganizationPayload::of(sent, organization))
}

fn id(id: &ID) -> Result<OrganizationId, Refusal> {
    NodeType::Organization.parse(id, "organizationId")
}

fn moment(at: Option<&DateTime>) -> Result<Option<Instant<Utc>>, Refusal> {
    at.map(|at| at.parse("effectiveAt")).transpose()
}

fn reason(text: &str) -> Result<Reason, Refusal> {
    field("reason", Reason::parse(text))
}
