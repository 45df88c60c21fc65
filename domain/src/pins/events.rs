//! What happens to a PIN. Invariant: every event names the NPI and the organisation that held it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::kernel::ids::{OrganizationId, UserId, VaultRef};
use crate::values::Npi;
use crate::{Event, Facets};

/// Who had a PIN reset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ResetBy {
    /// Somebody with a right on the NPI (MC-53).
    User,
    /// Plan support, after validating a caller (GN-17).
    Support,
}

/// An event of stream `pins.pin`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum PinEvent {
    /// The NPI has a PIN from now on, or a new one with its new organisation.
    PinIssued { npi: Npi, organization: OrganizationId, pin_ref: VaultRef, version: u32 },
    /// The PIN was replaced; the old one is void (MC-53).
    PinReset {
        npi: Npi,
        organization: OrganizationId,
        pin_ref: VaultRef,
        version: u32,
        effective_at: DateTime<Utc>,
        by: ResetBy,
    },
    /// Somebody was shown the PIN (MC-52).
    PinRevealed { npi: Npi, organization: OrganizationId, user: UserId, version: u32 },
}

impl Event for PinEvent {
    fn event_type(&self) -> &'static str {
        match self {
            Self::PinIssued { .. } => "pins.pin.pin_issued",
            Self::PinReset { .. } => "pins.pin.pin_reset",
            Self::PinRevealed { .. } => "pins.pin.pin_revealed",
        }
    }

    fn facets(&self) -> Facets {
        match self {
            Self::PinIssued { npi, organization, .. }
            | Self::PinReset { npi, organization, .. } => {
                Facets::default().organization(*organization).npi(npi)
            }
            Self::PinRevealed { npi, organization, user, .. } => {
                Facets::default().organization(*organization).npi(npi).subject(*user)
            }
        }
    }
}
