//! Signing in, in two steps (MC-34). Invariant: nothing in an answer to a visitor depends on whether
//! there is such an account: no position either, which would tell whether something was recorded.

use async_graphql::{Context, Enum, InputObject, Object, Result};
use rollcall_commands::sessions::{BeginLogin, CompleteLogin, Identifier};

use super::types::{OwnMembership, Session};
use crate::graphql::sending::{MutationMeta, payload, send};

/// What a sign-in asks for next.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
pub enum LoginStep {
    /// The password.
    Password,
}

/// The first step: who signs in.
#[derive(InputObject)]
pub struct BeginLoginInput {
    /// The email address or user name, as the portal asks for.
    #[graphql(secret)]
    pub identifier: String,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

/// The second step: the password.
#[derive(InputObject)]
pub struct CompleteLoginInput {
    /// From `beginLogin`; works for ten minutes.
    #[graphql(secret)]
    pub login_id: String,
    /// Taken exactly as typed; nothing is trimmed.
    #[graphql(secret)]
    pub password: String,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

payload! {
    /// The first step's outcome: the same whoever it is.
    BeginLoginPayload {
        /// Pass it to `completeLogin` within ten minutes.
        login_id: String,
        /// What comes next.
        next: LoginStep,
    }
}

payload! {
    /// The outcome of signing in.
    CompleteLoginPayload {
        /// Send it as `Authorization: Bearer …`; it is given only here.
        session_token: String,
        /// The session opened.
        session: Session,
        /// The organisations to choose from; with several, `selectOrganization` comes next.
        memberships: Vec<OwnMembership>,
        /// Whether `changePassword` must come before anything else.
        must_change_password: bool,
    }
}

/// Signing in.
#[derive(Default)]
pub struct SignInMutation;

#[Object]
impl SignInMutation {
    /// Takes the email address or user name; the answer never tells whether there is such an account.
    async fn begin_login(
        &self,
        ctx: &Context<'_>,
        input: BeginLoginInput,
    ) -> Result<BeginLoginPayload> {
        let command = Identifier::parse(&input.identifier)
            .map(|identifier| BeginLogin { identifier })
            .map_err(|refusal| refusal.at("identifier"));
        let mut sent = send(ctx, input.meta, command).await?;
        sent.position = None;
        let ticket = sent.output.as_ref().map(|ticket| ticket.as_str().to_owned());
        let next = ticket.is_some().then_some(LoginStep::Password);
        Ok(BeginLoginPayload::of(sent, ticket, next))
    }

    /// Takes the password and opens a session. With one membership it acts for that organisation.
    async fn complete_login(
        &self,
        ctx: &Context<'_>,
        input: CompleteLoginInput,
    ) -> Result<CompleteLoginPayload> {
        let command = CompleteLogin::parse(&input.login_id, input.password);
        let mut sent = send(ctx, input.meta, command).await?;
        let Some(signed_in) = sent.output.take() else {
            return Ok(CompleteLoginPayload::of(sent, None, None, None, None));
        };
        let token = signed_in.token.reveal().to_owned();
        let session = Session::opened(&signed_in);
        let must_change = signed_in.must_change_password;
        let memberships = signed_in.memberships.into_iter().map(OwnMembership::from).collect();
        Ok(CompleteLoginPayload::of(
            sent,
            Some(token),
            Some(session),
            Some(memberships),
            Some(must_change),
        ))
    }
}
