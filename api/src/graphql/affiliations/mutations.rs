//! Commands on affiliations. Invariant: each answers the affiliation as the acting organisation
//! sees it afterwards.

use async_graphql::{Context, ID, Object, Result};
use rollcall_commands::affiliations::{
    ApproveAffiliation, AssignAffiliatedNpis, CancelAffiliationTermination, DenyAffiliation,
    SignAffiliationAgreement, TerminateAffiliation, WithdrawAffiliation,
};
use rollcall_domain::{kernel::ids::AffiliationId, values::Npi};
use rollcall_projections::affiliations::Viewpoint;

use super::{
    input::{
        ApproveAffiliationInput, AssignAffiliatedNpisInput, CancelAffiliationTerminationInput,
        DenyAffiliationInput, RequestAffiliationInput, SignAffiliationAgreementInput,
        TerminateAffiliationInput, WithdrawAffiliationInput, each, reason, request, signature,
        target,
    },
    queries::affiliation_of,
    show::needs_papers,
    types::Affiliation,
};
use crate::graphql::{
    errors::top_level,
    ids::NodeType,
    scalars::NpiScalar,
    sending::{Sent, payload, send},
};

payload! {
    /// The outcome of a command on an affiliation.
    AffiliationPayload {
        /// As it stands now.
        affiliation: Affiliation,
    }
}

/// Commands on affiliations.
#[derive(Default)]
pub struct AffiliationMutation;

#[Object]
impl AffiliationMutation {
    /// Asks another organisation for an affiliation; either side may (MC-54).
    async fn request_affiliation(
        &self,
        ctx: &Context<'_>,
        mut input: RequestAffiliationInput,
    ) -> Result<AffiliationPayload> {
        let meta = std::mem::take(&mut input.meta);
        let organization = input.organization_id.clone();
        let sent = send(ctx, meta, request(input)).await?;
        let id = sent.output;
        done(ctx, sent, &organization, id).await
    }

    /// Signs for one side: in a step of its own for the side that asked, as approval for the other
    /// (MC-55), and once it is in force, a newer version of the agreement (GN-18).
    async fn sign_affiliation_agreement(
        &self,
        ctx: &Context<'_>,
        input: SignAffiliationAgreementInput,
    ) -> Result<AffiliationPayload> {
        let target = target(&input.organization_id, &input.affiliation_id, input.expected_version);
        let command = target.and_then(|target| {
            Ok(SignAffiliationAgreement { target, signature: signature(input.signature)? })
        });
        let sent = send(ctx, input.meta, command).await?;
        acted(ctx, sent, &input.organization_id, &input.affiliation_id).await
    }

    /// Approves a request by signing; the affiliation is in force then (MC-59).
    async fn approve_affiliation(
        &self,
        ctx: &Context<'_>,
        input: ApproveAffiliationInput,
    ) -> Result<AffiliationPayload> {
        let target = target(&input.organization_id, &input.affiliation_id, input.expected_version);
        let command = target.and_then(|target| {
            Ok(ApproveAffiliation { target, signature: signature(input.signature)? })
        });
        let sent = send(ctx, input.meta, command).await?;
        acted(ctx, sent, &input.organization_id, &input.affiliation_id).await
    }

    /// Refuses a request, after a prompt (MC-60).
    async fn deny_affiliation(
        &self,
        ctx: &Context<'_>,
        input: DenyAffiliationInput,
    ) -> Result<AffiliationPayload> {
        let target = target(&input.organization_id, &input.affiliation_id, input.expected_version);
        let command = target.and_then(|target| {
            let reason = reason(input.reason)?;
            Ok(DenyAffiliation { target, confirm: input.confirm, reason })
        });
        let sent = send(ctx, input.meta, command).await?;
        acted(ctx, sent, &input.organization_id, &input.affiliation_id).await
    }

    /// Takes the own request back (GN-18).
    async fn withdraw_affiliation(
        &self,
        ctx: &Context<'_>,
        input: WithdrawAffiliationInput,
    ) -> Result<AffiliationPayload> {
        let target = target(&input.organization_id, &input.affiliation_id, input.expected_version);
        let command = target
            .and_then(|target| Ok(WithdrawAffiliation { target, reason: reason(input.reason)? }));
        let sent = send(ctx, input.meta, command).await?;
        acted(ctx, sent, &input.organization_id, &input.affiliation_id).await
    }

    /// Lets a person of the submitter work for NPIs of the provider, in the Transaction Center only
    /// (GN-18). Refusals: NPI_NOT_IN_ORG, SELF_GRANT, NOT_COUNTERPARTY, NOT_PENDING.
    async fn assign_affiliated_npis(
        &self,
        ctx: &Context<'_>,
        input: AssignAffiliatedNpisInput,
    ) -> Result<AffiliationPayload> {
        let target = target(&input.organization_id, &input.affiliation_id, input.expected_version);
        let command = target.and_then(|target| {
            let user = NodeType::User.parse(&input.user_id, "userId")?;
            let npis = each(input.npis, "npis", |npi: NpiScalar| Npi::parse(&npi.0))?;
            Ok(AssignAffiliatedNpis { target, user, npis })
        });
        let sent = send(ctx, input.meta, command).await?;
        acted(ctx, sent, &input.organization_id, &input.affiliation_id).await
    }

    /// Ends an affiliation with the last day given, after a prompt; either side may (GN-18).
    async fn terminate_affiliation(
        &self,
        ctx: &Context<'_>,
        input: TerminateAffiliationInput,
    ) -> Result<AffiliationPayload> {
        let target = target(&input.organization_id, &input.affiliation_id, input.expected_version);
        let command = target.and_then(|target| {
            let ends_on = input.ends_on.parse("endsOn")?;
            let reason = reason(input.reason)?;
            Ok(TerminateAffiliation { target, confirm: input.confirm, ends_on, reason })
        });
        let sent = send(ctx, input.meta, command).await?;
        acted(ctx, sent, &input.organization_id, &input.affiliation_id).await
    }

    /// Lets an affiliation go on whose last day is still to come; only the side that ended it may
    /// (GN-04). Refusals: NOT_ORG_ADMIN, NOT_COUNTERPARTY, NOT_PENDING, VERSION_CONFLICT.
    async fn cancel_affiliation_termination(
        &self,
        ctx: &Context<'_>,
        input: CancelAffiliationTerminationInput,
    ) -> Result<AffiliationPayload> {
        let target = target(&input.organization_id, &input.affiliation_id, input.expected_version);
        let command = target.map(|target| CancelAffiliationTermination { target });
        let sent = send(ctx, input.meta, command).await?;
        acted(ctx, sent, &input.organization_id, &input.affiliation_id).await
    }
}

/// The payload of a command on an affiliation that was there.
async fn acted(
    ctx: &Context<'_>,
    sent: Sent<()>,
    organization: &ID,
    affiliation: &ID,
) -> Result<AffiliationPayload> {
    let id = match sent.output {
        Some(()) => {
            Some(NodeType::Affiliation.parse(affiliation, "affiliationId").map_err(top_level)?)
        }
        None => None,
    };
    done(ctx, sent, organization, id).await
}

/// The payload, with the affiliation read back where it was selected.
async fn done<T>(
    ctx: &Context<'_>,
    sent: Sent<T>,
    organization: &ID,
    affiliation: Option<AffiliationId>,
) -> Result<AffiliationPayload> {
    let look = ctx.look_ahead().field("affiliation");
    let shown = match affiliation {
        Some(id) if look.exists() => {
            let viewer =
                NodeType::Organization.parse(organization, "organizationId").map_err(top_level)?;
            let asked = (sent.position, needs_papers(&look));
            affiliation_of(ctx, Viewpoint::Party(viewer), id, asked).await?
        }
        Some(_) | None => None,
    };
    Ok(AffiliationPayload::of(sent, shown))
}
