//! What plan administrators send about registration tokens (MC-03, GN-03).

use async_graphql::{Context, ID, InputObject, Object, Result};
use rollcall_commands::{
    Access, Commands,
    organizations::tokens::{
        IssueRegistrationToken, IssuedToken, RecordLetterReturned, ReissueRegistrationToken,
        RevokeRegistrationToken,
    },
};
use rollcall_domain::{Refusal, kernel::ids::RegistrationTokenId, values::Reason};
use rollcall_projections::organizations::registration_tokens_by_id;

use super::{queries::TOKEN_READERS, types::RegistrationToken};
use crate::graphql::{
    errors::fault,
    ids::NodeType,
    reading::read,
    sending::{MutationMeta, Sent, payload, send},
    vocabulary::field,
};

/// An organisation to send a letter to.
#[derive(Debug, InputObject)]
pub struct IssueRegistrationTokenInput {
    #[graphql(flatten)]
    meta: MutationMeta,
    organization_id: ID,
}

/// An organisation whose token is to be replaced.
#[derive(Debug, InputObject)]
pub struct ReissueRegistrationTokenInput {
    #[graphql(flatten)]
    meta: MutationMeta,
    organization_id: ID,
    reason: String,
}

/// A token to take back.
#[derive(Debug, InputObject)]
pub struct RevokeRegistrationTokenInput {
    #[graphql(flatten)]
    meta: MutationMeta,
    token_id: ID,
    reason: String,
}

/// A token whose letter came back.
#[derive(Debug, InputObject)]
pub struct RecordLetterReturnedInput {
    #[graphql(flatten)]
    meta: MutationMeta,
    token_id: ID,
}

payload! {
    /// What became of a command about a token; its text is on the letter alone.
    RegistrationTokenPayload {
        /// The token as it stands now.
        registration_token: RegistrationToken,
    }
}

/// Commands about registration tokens.
#[derive(Default)]
pub struct RegistrationTokensMutation;

#[Object]
impl RegistrationTokensMutation {
    /// Issues a token for an enrolled organisation; a letter carries it to the pay-to address on
    /// file.
    async fn issue_registration_token(
        &self,
        ctx: &Context<'_>,
        input: IssueRegistrationTokenInput,
    ) -> Result<RegistrationTokenPayload> {
        let command = NodeType::Organization
            .parse(&input.organization_id, "organizationId")
            .map(|organization| IssueRegistrationToken { organization });
        let sent = send(ctx, input.meta, command).await?;
        let token = sent.output.map(|issued: IssuedToken| issued.token);
        answer(ctx, sent, token).await
    }

    /// Takes the organisation's token back, if it still works, and issues another with a new letter.
    async fn reissue_registration_token(
        &self,
        ctx: &Context<'_>,
        input: ReissueRegistrationTokenInput,
    ) -> Result<RegistrationTokenPayload> {
        let meta = input.meta.clone();
        let sent = send(ctx, meta, reissue(&input)).await?;
        let token = sent.output.map(|issued: IssuedToken| issued.token);
        answer(ctx, sent, token).await
    }

    /// Notes that the postal service brought the letter back; the token works on until it is revoked.
    async fn record_letter_returned(
        &self,
        ctx: &Context<'_>,
        input: RecordLetterReturnedInput,
    ) -> Result<RegistrationTokenPayload> {
        let command = NodeType::RegistrationToken
            .parse(&input.token_id, "tokenId")
            .map(|token| RecordLetterReturned { token });
        let sent = send(ctx, input.meta, command).await?;
        let token = sent.output;
        answer(ctx, sent, token).await
    }

    /// Takes a token back.
    async fn revoke_registration_token(
        &self,
        ctx: &Context<'_>,
        input: RevokeRegistrationTokenInput,
    ) -> Result<RegistrationTokenPayload> {
        let meta = input.meta.clone();
        let sent = send(ctx, meta, revoke(&input)).await?;
        let token = sent.output;
        answer(ctx, sent, token).await
    }
}

fn reissue(input: &ReissueRegistrationTokenInput) -> Result<ReissueRegistrationToken, Refusal> {
    Ok(ReissueRegistrationToken {
        organization: NodeType::Organization.parse(&input.organization_id, "organizationId")?,
        reason: field("reason", Reason::parse(&input.reason))?,
    })
}

fn revoke(input: &RevokeRegistrationTokenInput) -> Result<RevokeRegistrationToken, Refusal> {
    Ok(RevokeRegistrationToken {
        token: NodeType::RegistrationToken.parse(&input.token_id, "tokenId")?,
        reason: field("reason", Reason::parse(&input.reason))?,
    })
}

async fn answer<T>(
    ctx: &Context<'_>,
    sent: Sent<T>,
    token: Option<RegistrationTokenId>,
) -> Result<RegistrationTokenPayload> {
    let wanted = ctx.look_ahead().field("registrationToken").exists();
    let Some(token) = token.filter(|_| wanted) else {
        return Ok(RegistrationTokenPayload::of(sent, None));
    };
    let mut reading = read(ctx, Access::PlanWithin(TOKEN_READERS), sent.position).await?;
    let now = ctx.data::<Commands>()?.journal.now();
    let rows = registration_tokens_by_id(&mut reading.view, &[token.0], now).await;
    let row = rows.map_err(|error| fault(&error))?.pop();
    let shown = row.map(|row| RegistrationToken::of(row, &reading.authority));
    Ok(RegistrationTokenPayload::of(sent, shown))
}
