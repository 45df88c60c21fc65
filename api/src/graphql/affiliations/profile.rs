//! Commands on a submitter's directory profile (MC-61 to MC-63).

use async_graphql::{Context, ID, InputObject, Object, Result};
use rollcall_commands::affiliations::{
    RecordTransactionTest, SetDirectoryVisibility, SetTransactionTypes,
};
use rollcall_domain::{Refusal, kernel::ids::OrganizationId, values::TransactionType};

use super::{
    input::each,
    queries::profile_of,
    types::{SubmitterProfile, TransactionTestResult},
};
use crate::graphql::{
    errors::top_level,
    ids::NodeType,
    sending::{MutationMeta, Sent, payload, send},
    vocabulary::field,
};

/// What a submitter offers from now on.
#[derive(InputObject)]
pub struct SetTransactionTypesInput {
    pub organization_id: ID,
    /// Codes such as `837P`; what is not listed is not offered.
    pub types: Vec<String>,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

/// Whether the directory lists a submitter.
#[derive(InputObject)]
pub struct SetDirectoryVisibilityInput {
    pub organization_id: ID,
    /// `false` hides it from all but those affiliated with it already.
    pub visible: bool,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

/// What a test of a transaction type came to.
#[derive(InputObject)]
pub struct RecordTransactionTestInput {
    pub organization_id: ID,
    /// A code such as `837P` that the submitter offers.
    pub transaction_type: String,
    pub result: TransactionTestResult,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

payload! {
    /// The outcome of a command on a submitter's profile.
    SubmitterProfilePayload {
        /// As it stands now.
        profile: SubmitterProfile,
    }
}

/// Commands on submitters' profiles.
#[derive(Default)]
pub struct SubmitterProfileMutation;

#[Object]
impl SubmitterProfileMutation {
    /// Says which transaction types the submitter offers (MC-61). Refusals: TYPE_UNKNOWN,
    /// ORG_KIND_WRONG.
    async fn set_transaction_types(
        &self,
        ctx: &Context<'_>,
        input: SetTransactionTypesInput,
    ) -> Result<SubmitterProfilePayload> {
        let id = organization(&input.organization_id);
        let types = each(input.types, "types", |code: String| TransactionType::parse(&code));
        let command = id.clone().and_then(|organization| {
            types.map(|types| SetTransactionTypes { organization, types })
        });
        let sent = send(ctx, input.meta, command).await?;
        done(ctx, sent, id).await
    }

    /// Lists the submitter in the directory, or hides it (MC-62). Refusals: ORG_KIND_WRONG.
    async fn set_directory_visibility(
        &self,
        ctx: &Context<'_>,
        input: SetDirectoryVisibilityInput,
    ) -> Result<SubmitterProfilePayload> {
        let (id, visible) = (organization(&input.organization_id), input.visible);
        let command =
            id.clone().map(|organization| SetDirectoryVisibility { organization, visible });
        let sent = send(ctx, input.meta, command).await?;
        done(ctx, sent, id).await
    }

    /// Records what a test of a type came to, for plan staff (MC-63). Refusals: TYPE_UNKNOWN.
    async fn record_transaction_test(
        &self,
        ctx: &Context<'_>,
        input: RecordTransactionTestInput,
    ) -> Result<SubmitterProfilePayload> {
        let id = organization(&input.organization_id);
        let kind = field("transactionType", TransactionType::parse(&input.transaction_type));
        let result = input.result.into();
        let command = id.clone().and_then(|organization| {
            kind.map(|kind| RecordTransactionTest { organization, kind, result })
        });
        let sent = send(ctx, input.meta, command).await?;
        done(ctx, sent, id).await
    }
}

fn organization(id: &ID) -> Result<OrganizationId, Refusal> {
    NodeType::Organization.parse(id, "organizationId")
}

async fn done(
    ctx: &Context<'_>,
    sent: Sent<()>,
    organization: Result<OrganizationId, Refusal>,
) -> Result<SubmitterProfilePayload> {
    let selected = ctx.look_ahead().field("profile").exists();
    let profile = match (sent.output, organization) {
        (Some(()), Ok(id)) if selected => Some(profile_of(ctx, id, sent.position).await?),
        (Some(()), Err(refusal)) => return Err(top_level(refusal)),
        (Some(()) | None, _) => None,
    };
    Ok(SubmitterProfilePayload::of(sent, profile))
}
