//! What a session does about itself and others: the organisation, the end (MC-35 to MC-37, GN-11).

use async_graphql::{Context, ID, InputObject, Object, Result};
use rollcall_commands::sessions::{RevokeSession, SelectOrganization, SignOut, SwitchOrganization};

use super::{queries::current, types::Session};
use crate::graphql::{
    ids::NodeType,
    scalars::Position,
    sending::{MutationMeta, payload, send},
};

/// The first choice after signing in.
#[derive(InputObject)]
pub struct SelectOrganizationInput {
    pub organization_id: ID,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

/// Another organisation, without signing out.
#[derive(InputObject)]
pub struct SwitchOrganizationInput {
    pub organization_id: ID,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

/// The end of this session.
#[derive(InputObject)]
pub struct SignOutInput {
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

/// The end of a session from elsewhere.
#[derive(InputObject)]
pub struct RevokeSessionInput {
    pub session_id: ID,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

payload! {
    /// The outcome of selecting an organisation.
    SelectOrganizationPayload {
        /// The session as it stands now.
        session: Session,
    }
}

payload! {
    /// The outcome of switching to another organisation.
    SwitchOrganizationPayload {
        /// The session as it stands now.
        session: Session,
    }
}

payload! {
    /// The outcome of signing out.
    SignOutPayload {
        /// The session that has ended.
        session_id: ID,
    }
}

payload! {
    /// The outcome of ending a session.
    RevokeSessionPayload {
        /// The session that has ended.
        session_id: ID,
    }
}

/// Organisations selected, sessions ended.
#[derive(Default)]
pub struct SessionMutation;

#[Object]
impl SessionMutation {
    /// Acts for one of the person's organisations from now on.
    async fn select_organization(
        &self,
        ctx: &Context<'_>,
        input: SelectOrganizationInput,
    ) -> Result<SelectOrganizationPayload> {
        let command = NodeType::Organization
            .parse(&input.organization_id, "organizationId")
            .map(|organization| SelectOrganization { organization });
        let sent = send(ctx, input.meta, command).await?;
        let session = as_it_stands(ctx, sent.position).await?;
        Ok(SelectOrganizationPayload::of(sent, session))
    }

    /// Acts for another organisation; every later read and write is scoped to it.
    async fn switch_organization(
        &self,
        ctx: &Context<'_>,
        input: SwitchOrganizationInput,
    ) -> Result<SwitchOrganizationPayload> {
        let command = NodeType::Organization
            .parse(&input.organization_id, "organizationId")
            .map(|organization| SwitchOrganization { organization });
        let sent = send(ctx, input.meta, command).await?;
        let session = as_it_stands(ctx, sent.position).await?;
        Ok(SwitchOrganizationPayload::of(sent, session))
    }

    /// Ends the session it is sent in.
    async fn sign_out(&self, ctx: &Context<'_>, input: SignOutInput) -> Result<SignOutPayload> {
        let sent = send(ctx, input.meta, Ok(SignOut)).await?;
        let id = sent.output.map(|session| NodeType::Session.id(session));
        Ok(SignOutPayload::of(sent, id))
    }

    /// Ends one of the person's own sessions; plan support ends anybody's.
    async fn revoke_session(
        &self,
        ctx: &Context<'_>,
        input: RevokeSessionInput,
    ) -> Result<RevokeSessionPayload> {
        let command = NodeType::Session
            .parse(&input.session_id, "sessionId")
            .map(|session| RevokeSession { session });
        let sent = send(ctx, input.meta, command).await?;
        let id = sent.output.map(|session| NodeType::Session.id(session));
        Ok(RevokeSessionPayload::of(sent, id))
    }
}

/// The session after a command, read back only when it was selected.
async fn as_it_stands(ctx: &Context<'_>, position: Option<Position>) -> Result<Option<Session>> {
    match position {
        Some(position) if ctx.look_ahead().field("session").exists() => {
            current(ctx, Some(position)).await
        }
        Some(_) | None => Ok(None),
    }
}
