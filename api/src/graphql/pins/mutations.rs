//! Commands on PINs. Invariant: the value of a PIN leaves in the payload of `revealPin`, once.

use async_graphql::{Context, ID, InputObject, Object, Result};
use rollcall_commands::pins::{ResetPin, RevealPin};
use rollcall_domain::{
    Refusal,
    kernel::ids::{OrganizationId, OtpChallengeId},
    values::Npi,
};

use super::{queries::pin_of, types::Pin};
use crate::graphql::{
    ids::NodeType,
    scalars::NpiScalar,
    sending::{MutationMeta, payload, send},
    vocabulary::field,
};

/// Asks to be shown a PIN; do so while "Hold to View" is held (MC-52).
#[derive(InputObject)]
pub struct RevealPinInput {
    pub organization_id: ID,
    pub npi: NpiScalar,
    /// A verified passcode, where the policy asks for one.
    pub otp_challenge_id: Option<ID>,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

payload! {
    /// The outcome of revealing a PIN.
    RevealPinPayload {
        /// The PIN. Keep it nowhere; a repeated command does not show it again.
        pin: String,
    }
}

/// Replaces a PIN (MC-53).
#[derive(InputObject)]
pub struct ResetPinInput {
    pub organization_id: ID,
    pub npi: NpiScalar,
    /// The PIN's version as last read; another one by now is VERSION_CONFLICT.
    pub expected_version: Option<i32>,
    /// A verified passcode, where the policy asks for one.
    pub otp_challenge_id: Option<ID>,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

payload! {
    /// The outcome of resetting a PIN.
    ResetPinPayload {
        /// The NPI with its new PIN, which has to be revealed to be seen.
        pin: Pin,
    }
}

/// Commands on PINs.
#[derive(Default)]
pub struct PinMutation;

#[Object]
impl PinMutation {
    /// Shows the PIN of an NPI to somebody who may manage it; the reveal is on record first.
    async fn reveal_pin(
        &self,
        ctx: &Context<'_>,
        input: RevealPinInput,
    ) -> Result<RevealPinPayload> {
        let RevealPinInput { organization_id, npi, otp_challenge_id, meta } = input;
        let command = target(&organization_id, &npi, otp_challenge_id.as_ref()).map(
            |(organization, npi, otp_challenge)| RevealPin { organization, npi, otp_challenge },
        );
        let sent = send(ctx, meta, command).await?;
        let pin = sent.output.as_ref().map(|revealed| revealed.pin.reveal().to_owned());
        Ok(RevealPinPayload::of(sent, pin))
    }

    /// Replaces the PIN of an NPI by a new random one, at most so often a day as the policy says.
    async fn reset_pin(&self, ctx: &Context<'_>, input: ResetPinInput) -> Result<ResetPinPayload> {
        let ResetPinInput { organization_id, npi, expected_version, otp_challenge_id, meta } =
            input;
        let command = target(&organization_id, &npi, otp_challenge_id.as_ref()).map(
            |(organization, npi, otp_challenge)| ResetPin {
                organization,
                npi,
                // No PIN has a negative version: such an expectation never holds.
                expected_version: expected_version
                    .map(|version| u32::try_from(version).unwrap_or(u32::MAX)),
                otp_challenge,
            },
        );
        let sent = send(ctx, meta, command).await?;
        let selected = ctx.look_ahead().field("pin").exists();
        let pin = match &sent.output {
            Some(_) if selected => pin_of(ctx, &organization_id, &npi, sent.position).await?,
            Some(_) | None => None,
        };
        Ok(ResetPinPayload::of(sent, pin))
    }
}

fn target(
    organization: &ID,
    npi: &NpiScalar,
    challenge: Option<&ID>,
) -> Result<(OrganizationId, Npi, Option<OtpChallengeId>), Refusal> {
    let organization = NodeType::Organization.parse(organization, "organizationId")?;
    let npi = field("npi", Npi::parse(&npi.0))?;
    let challenge = challenge.map(|id| NodeType::parse_bare(id, "otpChallengeId")).transpose()?;
    Ok((organization, npi, challenge))
}
