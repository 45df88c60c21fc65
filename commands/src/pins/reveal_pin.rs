//! `RevealPin`: shows a PIN to somebody who may see it (MC-52).
//!
//! Invariant: the reveal is on record before the value leaves, and a repeated command does not
//! show it again.

use async_trait::async_trait;
use rollcall_domain::{
    Code, Refusal,
    kernel::ids::{OrganizationId, OtpChallengeId, VaultRef},
    permissions::right_use::{RightKind, UsedRight},
    pins::{Pin, PinCommand},
    policies::{Feature, StepUpAction},
    values::Npi,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{PinValue, rights::require_pin_right, value};
use crate::{
    Access, Command, Context, Failure, context::version_conflict,
    users::one_time_passcode::require_step_up,
};

/// Shows the PIN of an NPI.
pub struct RevealPin {
    pub organization: OrganizationId,
    pub npi: Npi,
    /// A verified passcode, where the policy asks for one (MC-28).
    pub otp_challenge: Option<OtpChallengeId>,
}

/// The PIN, once.
#[derive(Debug, Serialize, Deserialize)]
pub struct RevealedPin {
    pub pin: PinValue,
}

#[async_trait]
impl Command for RevealPin {
    const NAME: &'static str = "RevealPin";
    const FEATURE: Option<Feature> = Some(Feature::Pins);
    const SECRET_OUTPUT: bool = true;
    type Output = RevealedPin;

    fn access(&self) -> Access {
        Access::Member(self.organization)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<RevealedPin, Failure> {
        require_pin_right(cx, self.organization, &self.npi).await?;
        cx.use_right(UsedRight::to_npi(RightKind::ManagePin, &self.npi));
        require_step_up(cx, StepUpAction::RevealPin, self.otp_challenge).await?;
        let stream = cx.tenant().pin_stream(&self.npi);
        let reveal = PinCommand::RevealPin { organization: self.organization, user: cx.person()? };
        cx.decide::<Pin>(stream, reveal).await?;
        let state = cx.load::<Pin>(stream).await?;
        let pin_ref = state.holding().expect("only an issued PIN is revealed").pin_ref;
        match value::open(cx, pin_ref).await? {
            Some(pin) => Ok(RevealedPin { pin }),
            None => Err(missing(cx, stream, pin_ref).await?.into()),
        }
    }
}

/// Why the vault has nothing under a PIN's reference: another process has reset it a moment before,
/// or the value was lost.
async fn missing(cx: &Context<'_>, stream: Uuid, pin_ref: VaultRef) -> Result<Refusal, Failure> {
    let current = cx.journal().load_fresh::<Pin>(cx.tenant(), stream).await?;
    if current.state.holding().is_some_and(|holding| holding.pin_ref != pin_ref) {
        return Ok(version_conflict(None));
    }
    Ok(Refusal::new(Code::NotFound, "This PIN cannot be shown any more. Reset it.").at("npi"))
}
