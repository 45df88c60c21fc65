//! `ResetPin`: replaces a PIN, at most so often a local day (MC-53, GN-17).
//!
//! Invariant: of two resets at once one wins; the other meets the limit or the new version.

use async_trait::async_trait;
use rollcall_domain::{
    kernel::ids::{OrganizationId, OtpChallengeId},
    permissions::right_use::{RightKind, UsedRight},
    pins::{Pin, PinCommand, ResetBy},
    policies::{Feature, StepUpAction},
    values::Npi,
};
use serde::{Deserialize, Serialize};

use super::{rights::require_pin_right, value};
use crate::{
    Access, Command, Context, Failure, context::version_conflict,
    users::one_time_passcode::require_step_up,
};

/// Replaces the PIN of an NPI by a new random one.
pub struct ResetPin {
    pub organization: OrganizationId,
    pub npi: Npi,
    /// The PIN's version that the client saw; `None` when it does not care (GN-28).
    pub expected_version: Option<u32>,
    /// A verified passcode, where the policy asks for one (MC-28).
    pub otp_challenge: Option<OtpChallengeId>,
}

/// The PIN is another one now; whoever may see it reveals it.
#[derive(Debug, Serialize, Deserialize)]
pub struct PinIsReset {
    /// Counts the NPI's PINs, the first included.
    pub version: u32,
}

#[async_trait]
impl Command for ResetPin {
    const NAME: &'static str = "ResetPin";
    const FEATURE: Option<Feature> = Some(Feature::Pins);
    type Output = PinIsReset;

    fn access(&self) -> Access {
        Access::Member(self.organization)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<PinIsReset, Failure> {
        require_pin_right(cx, self.organization, &self.npi).await?;
        cx.use_right(UsedRight::to_npi(RightKind::ManagePin, &self.npi));
        require_step_up(cx, StepUpAction::ResetPin, self.otp_challenge).await?;
        let stream = cx.tenant().pin_stream(&self.npi);
        let pin = cx.load::<Pin>(stream).await?;
        let version = pin.holding().map(|holding| holding.version);
        if self.expected_version.is_some() && self.expected_version != version {
            return Err(version_conflict(version.map(i64::from)).into());
        }
        let former = pin.holding().map(|holding| holding.pin_ref);
        let pin_ref = value::replace(cx, stream, former).await?;
        let organization = self.organization;
        let reset = PinCommand::ResetPin { organization, pin_ref, by: ResetBy::User, caller: None };
        cx.decide::<Pin>(stream, reset).await?;
        let pin = cx.load::<Pin>(stream).await?;
        let version = pin.holding().expect("only an issued PIN is reset").version;
        Ok(PinIsReset { version })
    }
}
