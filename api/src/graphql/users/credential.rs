//! Passwords forgotten and changed, locks lifted (MC-22, MC-26, MC-27, CC-06).

use async_graphql::{Context, Enum, ID, InputObject, Object, Result};
use rollcall_commands::{
    sessions::Identifier,
    users::{
        AdminResetPassword, ChangePassword, CurrentPassword, RequestPasswordReset, ResetIdentity,
        ResetPassword, UnlockUser, links::LinkToken,
    },
};
use rollcall_domain::{
    Refusal,
    kernel::ids::{OrganizationId, UserId},
    values::Password,
};

use super::one_time_passcodes::challenge_id;
use crate::graphql::{
    ids::NodeType,
    scalars::EmailScalar,
    sending::{MutationMeta, payload, send},
};

/// A forgotten password.
#[derive(InputObject)]
pub struct RequestPasswordResetInput {
    pub email: EmailScalar,
    /// Where the portal asks for both (AL-04).
    pub username: Option<String>,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

/// A new password through the link that was mailed.
#[derive(InputObject)]
pub struct ResetPasswordInput {
    /// From the link.
    #[graphql(secret)]
    pub token: String,
    /// Taken exactly as typed; nothing is trimmed.
    #[graphql(secret)]
    pub password: String,
    /// A verified passcode, where the policy asks for one.
    pub otp_challenge_id: Option<ID>,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

/// A new password by somebody who knows the present one.
#[derive(InputObject)]
pub struct ChangePasswordInput {
    #[graphql(secret)]
    pub current_password: String,
    /// Taken exactly as typed; nothing is trimmed.
    #[graphql(secret)]
    pub new_password: String,
    /// A verified passcode, where the policy asks for one.
    pub otp_challenge_id: Option<ID>,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

/// What a person whose password was reset by somebody else is mailed.
#[derive(Clone, Copy, Debug, Default, Enum, PartialEq, Eq)]
#[graphql(remote = "rollcall_commands::users::ResetSecret")]
pub enum ResetSecret {
    /// A link to choose a new password.
    #[default]
    Link,
    /// A temporary password, which must be changed.
    TemporaryPassword,
}

/// Somebody else's password to reset (CC-06).
#[derive(InputObject)]
pub struct AdminResetPasswordInput {
    /// The organisation in which the caller administers the person; absent for plan staff.
    pub organization_id: Option<ID>,
    pub user_id: ID,
    /// What is mailed to the person; a link unless named.
    pub secret: Option<ResetSecret>,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

/// A lock to lift.
#[derive(InputObject)]
pub struct UnlockUserInput {
    /// The organisation in which the caller administers the person; absent for plan staff.
    pub organization_id: Option<ID>,
    pub user_id: ID,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

payload! {
    /// The outcome of asking for a reset: the same whether or not there is such an account.
    RequestPasswordResetPayload {}
}

payload! {
    /// The outcome of a reset.
    ResetPasswordPayload {}
}

payload! {
    /// The outcome of changing the password.
    ChangePasswordPayload {}
}

payload! {
    /// The outcome of lifting a lock.
    UnlockUserPayload {
        /// Whose account is open again.
        user_id: ID,
    }
}

payload! {
    /// The outcome of resetting somebody else's password.
    AdminResetPasswordPayload {
        /// Whose password was reset.
        user_id: ID,
    }
}

/// Passwords and locks.
#[derive(Default)]
pub struct CredentialMutation;

#[Object]
impl CredentialMutation {
    /// Mails a way to a new password, if there is such an account; the answer does not tell.
    async fn request_password_reset(
        &self,
        ctx: &Context<'_>,
        input: RequestPasswordResetInput,
    ) -> Result<RequestPasswordResetPayload> {
        let identity = identity(&input).map(RequestPasswordReset::new);
        let mut sent = send(ctx, input.meta, identity).await?;
        // A position would tell whether something was recorded.
        sent.position = None;
        Ok(RequestPasswordResetPayload::of(sent))
    }

    /// Sets a new password; the link works once, and every session of the person ends.
    async fn reset_password(
        &self,
        ctx: &Context<'_>,
        input: ResetPasswordInput,
    ) -> Result<ResetPasswordPayload> {
        let command =
            challenge_id(input.otp_challenge_id.as_ref(), "otpChallengeId").map(|challenge| {
                ResetPassword {
                    token: LinkToken::new(&input.token),
                    password: Password::new(input.password),
                    challenge,
                }
            });
        Ok(ResetPasswordPayload::of(send(ctx, input.meta, command).await?))
    }

    /// Changes the caller's password; their other sessions end.
    async fn change_password(
        &self,
        ctx: &Context<'_>,
        input: ChangePasswordInput,
    ) -> Result<ChangePasswordPayload> {
        let command =
            challenge_id(input.otp_challenge_id.as_ref(), "otpChallengeId").map(|challenge| {
                let current = CurrentPassword::new(Password::new(input.current_password));
                ChangePassword { current, new: Password::new(input.new_password), challenge }
            });
        Ok(ChangePasswordPayload::of(send(ctx, input.meta, command).await?))
    }

    /// Has a link or a temporary password mailed to somebody whose password is forgotten or no longer
    /// trusted, where the policy gives that to the caller; their sessions end, and the present
    /// password only lets them change it. Refusals: NOT_ORG_ADMIN, FORBIDDEN.
    async fn admin_reset_password(
        &self,
        ctx: &Context<'_>,
        input: AdminResetPasswordInput,
    ) -> Result<AdminResetPasswordPayload> {
        let secret = input.secret.unwrap_or_default().into();
        let command = helped(input.organization_id.as_ref(), &input.user_id)
            .map(|(organization, user)| AdminResetPassword { user, organization, secret });
        let sent = send(ctx, input.meta, command).await?;
        let user = sent.output.map(|user| NodeType::User.id(user));
        Ok(AdminResetPasswordPayload::of(sent, user))
    }

    /// Lifts the lock of an account, where the policy gives that to the caller.
    async fn unlock_user(
        &self,
        ctx: &Context<'_>,
        input: UnlockUserInput,
    ) -> Result<UnlockUserPayload> {
        let command = helped(input.organization_id.as_ref(), &input.user_id)
            .map(|(organization, user)| UnlockUser { user, organization });
        let sent = send(ctx, input.meta, command).await?;
        let user = sent.output.map(|user| NodeType::User.id(user));
        Ok(UnlockUserPayload::of(sent, user))
    }
}

fn identity(input: &RequestPasswordResetInput) -> Result<ResetIdentity, Refusal> {
    let email = Identifier::parse(&input.email.0).map_err(|refusal| refusal.at("email"))?;
    let username = input
        .username
        .as_deref()
        .map(|typed| Identifier::parse(typed).map_err(|refusal| refusal.at("username")))
        .transpose()?;
    Ok(ResetIdentity { email, username })
}

/// Whom to help, and in which organisation.
fn helped(
    organization: Option<&ID>,
    user: &ID,
) -> Result<(Option<OrganizationId>, UserId), Refusal> {
    let organization =
        organization.map(|id| NodeType::Organization.parse(id, "organizationId")).transpose()?;
    Ok((organization, NodeType::User.parse(user, "userId")?))
}
