//! `ConfirmPinPropagation` and `CompletePinPropagation`: files that depend on a PIN have the new one
//! (GN-17).
//!
//! Invariant: only the version that is awaited is completed; an earlier one changes nothing.

use async_trait::async_trait;
use rollcall_domain::{
    Refusal,
    pins::{Pin, PinCommand},
    tenants::PlanRole,
    values::Npi,
};
use uuid::Uuid;

use crate::{Access, Command, Context, Failure};

/// The plan reports that every file has a version, before the longest time is over.
pub struct ConfirmPinPropagation {
    pub npi: Npi,
    pub version: u32,
}

#[async_trait]
impl Command for ConfirmPinPropagation {
    const NAME: &'static str = "ConfirmPinPropagation";
    type Output = ();

    fn access(&self) -> Access {
        Access::Plan(&[PlanRole::Pa, PlanRole::Ps])
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<(), Failure> {
        let stream = cx.tenant().pin_stream(&self.npi);
        let pin = cx.load::<Pin>(stream).await?;
        if pin.holding().is_none_or(|holding| holding.version < self.version) {
            return Err(Refusal::not_found("npi").into());
        }
        complete(cx, stream, self.version).await
    }
}

/// The scheduler found the longest time over.
pub struct CompletePinPropagation {
    /// `pins.pin`.
    pub stream: Uuid,
    pub version: u32,
}

#[async_trait]
impl Command for CompletePinPropagation {
    const NAME: &'static str = "CompletePinPropagation";
    type Output = ();

    fn access(&self) -> Access {
        Access::System
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<(), Failure> {
        complete(cx, self.stream, self.version).await
    }
}

async fn complete(cx: &mut Context<'_>, stream: Uuid, version: u32) -> Result<(), Failure> {
    cx.decide::<Pin>(stream, PinCommand::CompletePropagation { version }).await?;
    Ok(())
}
