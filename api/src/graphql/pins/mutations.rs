//! Commands on PINs. Invariant: the value of a PIN leaves in the payload of `revealPin`, once.

use async_graphql::{Context, ID, InputObject, Object, Result};
use rollcall_commands::{
    Entity,
    pins::{CallerSays, ConfirmPinPropagation, ResetPin, ResetPinForCaller, RevealPin},
};
use rollcall_domain::{
    Refusal,
    kernel::ids::{OrganizationId, OtpChallengeId},
    values::{Npi, PersonName, Zip},
};

use super::{queries::pin_of, types::Pin};
use crate::graphql::{
    ids::NodeType,
    scalars::NpiScalar,
    sending::{MutationMeta, as_seen, payload, send},
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

/// Replaces a PIN for a caller, by plan support (GN-17).
#[derive(InputObject)]
pub struct ResetPinForCallerInput {
    pub organization_id: ID,
    pub npi: NpiScalar,
    /// Who calls.
    pub caller_name: String,
    /// The last four digits of the organisation's Tax ID, as the caller said them.
    #[graphql(secret)]
    pub tax_id_last4: String,
    /// The organisation's pay-to ZIP, as the caller said it.
    #[graphql(secret)]
    pub pay_to_zip: String,
    /// The PIN's `version` as seen.
    pub expected_version: Option<i32>,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

/// Reports that every file has the PIN of a version (GN-17).
#[derive(InputObject)]
pub struct ConfirmPinPropagationInput {
    pub npi: NpiScalar,
    pub version: i32,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

payload! {
    /// The outcome of resetting a PIN for a caller; those who may see it reveal it in the portal.
    ResetPinForCallerPayload {
        /// Counts the NPI's PINs, the first included.
        version: i32,
    }
}

payload! {
    /// The outcome of reporting that every file has the PIN.
    ConfirmPinPropagationPayload {}
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

    /// Replaces the PIN of an NPI for a caller who said what is on file, for plan support. Refusals:
    /// DETAILS_DO_NOT_MATCH (never says which), PROVIDER_TYPE_EXCLUDED, PIN_RESET_LIMIT.
    async fn reset_pin_for_caller(
        &self,
        ctx: &Context<'_>,
        input: ResetPinForCallerInput,
    ) -> Result<ResetPinForCallerPayload> {
        let meta = input.meta.clone();
        let command =
            as_seen(for_caller(&input), input.expected_version, |it| Entity::Pin(it.npi.clone()));
        let sent = send(ctx, meta, command).await?;
        let version =
            sent.output.as_ref().map(|reset| i32::try_from(reset.version).unwrap_or(i32::MAX));
        Ok(ResetPinForCallerPayload::of(sent, version))
    }

    /// Reports that every file that depends on an NPI's PIN has this version, for the plan.
    async fn confirm_pin_propagation(
        &self,
        ctx: &Context<'_>,
        input: ConfirmPinPropagationInput,
    ) -> Result<ConfirmPinPropagationPayload> {
        let command = field("npi", Npi::parse(&input.npi.0)).map(|npi| {
            // No PIN has a negative version: such a report is about none.
            let version = u32::try_from(input.version).unwrap_or(u32::MAX);
            ConfirmPinPropagation { npi, version }
        });
        Ok(ConfirmPinPropagationPayload::of(send(ctx, input.meta, command).await?))
    }
}

fn for_caller(input: &ResetPinForCallerInput) -> Result<ResetPinForCaller, Refusal> {
    Ok(ResetPinForCaller {
        organization: NodeType::Organization.parse(&input.organization_id, "organizationId")?,
        npi: field("npi", Npi::parse(&input.npi.0))?,
        caller: field("callerName", PersonName::parse(&input.caller_name))?,
        said: CallerSays {
            tax_id_last4: input.tax_id_last4.clone(),
            pay_to_zip: field("payToZip", Zip::parse(&input.pay_to_zip))?,
        },
    })
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
