//! The first password (MC-21, MC-23, MC-24).

use async_graphql::{Context, ID, InputObject, Object, Result};
use rollcall_commands::users::{SetPassword, links::LinkToken};
use rollcall_domain::values::Password;

use super::one_time_passcodes::challenge_id;
use crate::graphql::sending::{MutationMeta, payload, send};

/// Sets the first password through the link that was mailed.
#[derive(InputObject)]
pub struct SetPasswordInput {
    /// From the link.
    pub token: String,
    /// Taken exactly as typed; nothing is trimmed.
    #[graphql(secret)]
    pub password: String,
    /// A verified passcode, where the policy asks for one.
    pub otp_challenge_id: Option<ID>,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

payload! {
    /// The outcome of setting the password.
    SetPasswordPayload {}
}

/// Setting the first password.
#[derive(Default)]
pub struct FirstPasswordMutation;

#[Object]
impl FirstPasswordMutation {
    /// Sets the first password; the link works once, for 30 minutes.
    async fn set_password(
        &self,
        ctx: &Context<'_>,
        input: SetPasswordInput,
    ) -> Result<SetPasswordPayload> {
        let command =
            challenge_id(input.otp_challenge_id.as_ref(), "otpChallengeId").map(|challenge| {
                SetPassword {
                    token: LinkToken::new(&input.token),
                    password: Password::new(input.password),
                    challenge,
                }
            });
        Ok(SetPasswordPayload::of(send(ctx, input.meta, command).await?))
    }
}
