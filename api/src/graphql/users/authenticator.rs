//! Authenticator apps as a second factor (MC-28). Invariant: secret and recovery codes leave in the
//! payload of the mutation that drew them, once.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use rollcall_commands::users::{
    CurrentPassword,
    authenticator::{
        ConfirmTotpEnrolment, RecoveryCodes, RemoveTotp, RenewRecoveryCodes, StartTotpEnrolment,
    },
};
use rollcall_domain::values::Password;

use crate::graphql::{
    ids::NodeType,
    scalars::DateTime,
    sending::{MutationMeta, payload, send},
};

/// A person's authenticator app.
#[derive(Clone, SimpleObject)]
pub struct Authenticator {
    /// Recovery codes that have not served yet; when few are left, `renewRecoveryCodes`.
    pub recovery_codes_left: i32,
}

/// Begins to add an authenticator app.
#[derive(InputObject)]
pub struct StartTotpEnrolmentInput {
    #[graphql(secret)]
    pub current_password: String,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

/// Shows that the app has the secret.
#[derive(InputObject)]
pub struct ConfirmTotpEnrolmentInput {
    /// What the app shows now.
    #[graphql(secret)]
    pub code: String,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

/// Other recovery codes.
#[derive(InputObject)]
pub struct RenewRecoveryCodesInput {
    /// A verified code of the app, or a recovery code (`requestOtp`, `verifyOtp`).
    pub otp_challenge_id: ID,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

/// Removes the authenticator app.
#[derive(InputObject)]
pub struct RemoveTotpInput {
    #[graphql(secret)]
    pub current_password: String,
    /// A verified code of the app, or a recovery code (`requestOtp`, `verifyOtp`).
    pub otp_challenge_id: ID,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

payload! {
    /// A secret for an authenticator app. Keep it nowhere; a repeated command does not show it again.
    StartTotpEnrolmentPayload {
        /// `otpauth://…`, to be shown as a QR code.
        otpauth_uri: String,
        /// The same secret for typing.
        secret: String,
        /// Until when `confirmTotpEnrolment` takes the first code.
        expires_at: DateTime,
    }
}

payload! {
    /// The app is in use.
    ConfirmTotpEnrolmentPayload {
        /// To be kept by the person for the day the app is lost; each serves once. Shown only here.
        recovery_codes: Vec<String>,
    }
}

payload! {
    /// New recovery codes.
    RenewRecoveryCodesPayload {
        /// In place of all earlier ones. Shown only here.
        recovery_codes: Vec<String>,
    }
}

payload! {
    /// The outcome of removing the app.
    RemoveTotpPayload {}
}

/// Commands on one's own authenticator app.
#[derive(Default)]
pub struct AuthenticatorMutation;

#[Object]
impl AuthenticatorMutation {
    /// Draws a secret for an authenticator app (RFC 6238) and shows it once; it counts from its first
    /// code on. Refusals: FEATURE_DISABLED, CURRENT_PASSWORD_WRONG, ALREADY_ENROLLED.
    async fn start_totp_enrolment(
        &self,
        ctx: &Context<'_>,
        input: StartTotpEnrolmentInput,
    ) -> Result<StartTotpEnrolmentPayload> {
        let command = StartTotpEnrolment { current: current(input.current_password) };
        let mut sent = send(ctx, input.meta, Ok(command)).await?;
        let Some(enrolment) = sent.output.take() else {
            return Ok(StartTotpEnrolmentPayload::of(sent, None, None, None));
        };
        let expires_at = DateTime::from(enrolment.expires_at);
        Ok(StartTotpEnrolmentPayload::of(
            sent,
            Some(enrolment.uri),
            Some(enrolment.secret),
            Some(expires_at),
        ))
    }

    /// Takes the app's first code; a session that waited for a second factor may do everything from
    /// now on. Refusals: OTP_WRONG, OTP_EXPIRED, NOT_ENROLLED, ALREADY_ENROLLED.
    async fn confirm_totp_enrolment(
        &self,
        ctx: &Context<'_>,
        input: ConfirmTotpEnrolmentInput,
    ) -> Result<ConfirmTotpEnrolmentPayload> {
        let mut sent = send(ctx, input.meta, Ok(ConfirmTotpEnrolment::new(&input.code))).await?;
        let codes = sent.output.take().map(revealed);
        Ok(ConfirmTotpEnrolmentPayload::of(sent, codes))
    }

    /// Gives out other recovery codes; the earlier ones serve no more. Refusals: OTP_REQUIRED,
    /// NOT_ENROLLED.
    async fn renew_recovery_codes(
        &self,
        ctx: &Context<'_>,
        input: RenewRecoveryCodesInput,
    ) -> Result<RenewRecoveryCodesPayload> {
        let command = NodeType::parse_bare(&input.otp_challenge_id, "otpChallengeId")
            .map(|challenge| RenewRecoveryCodes { challenge });
        let mut sent = send(ctx, input.meta, command).await?;
        let codes = sent.output.take().map(revealed);
        Ok(RenewRecoveryCodesPayload::of(sent, codes))
    }

    /// Removes the app and its recovery codes. Refusals: CURRENT_PASSWORD_WRONG, OTP_REQUIRED,
    /// NOT_ENROLLED.
    async fn remove_totp(
        &self,
        ctx: &Context<'_>,
        input: RemoveTotpInput,
    ) -> Result<RemoveTotpPayload> {
        let password = input.current_password;
        let command = NodeType::parse_bare(&input.otp_challenge_id, "otpChallengeId")
            .map(|challenge| RemoveTotp { current: current(password), challenge });
        Ok(RemoveTotpPayload::of(send(ctx, input.meta, command).await?))
    }
}

fn current(typed: String) -> CurrentPassword {
    CurrentPassword::new(Password::new(typed))
}

fn revealed(codes: RecoveryCodes) -> Vec<String> {
    codes.reveal().to_vec()
}
