//! What happens to a PIN. Invariant: every event names the NPI and the organisation that held it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::kernel::ids::{OrganizationId, UserId, VaultRef};
use crate::values::{Npi, PersonName};
use crate::{Event, Facets, Sealed};

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
        /// Who called, where support did it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        caller: Option<Sealed<PersonName>>,
    },
    /// Files that depend on the PIN take the new one over until `due_at` (GN-17).
    PinPropagationPending {
        npi: Npi,
        organization: OrganizationId,
        version: u32,
        due_at: DateTime<Utc>,
    },
    /// Every file that depends on the PIN has the one of this version.
    PinPropagationCompleted { npi: Npi, organization: OrganizationId, version: u32 },
    /// Somebody was shown the PIN (MC-52).
    PinRevealed { npi: Npi, organization: OrganizationId, user: UserId, version: u32 },
}

impl Event for PinEvent {
    fn event_type(&self) -> &'static str {
        match self {
            Self::PinIssued { .. } => "pins.pin.pin_issued",
            Self::PinReset { .. } => "pins.pin.pin_reset",
            Self::PinPropagationPending { .. } => "pins.pin.pin_propagation_pending",
            Self::PinPropagationCompleted { .. } => "pins.pin.pin_propagation_completed",
            Self::PinRevealed { .. } => "pins.pin.pin_revealed",
        }
    }

    fn facets(&self) -> Facets {
        match self {
            Self::PinIssued { npi, organization, .. }
            | Self::PinReset { npi, organization, .. }
            | Self::PinPropagationPending { npi, organization, .. }
            | Self::PinPropagationCompleted { npi, organization, .. } => {
                Facets::default().organization(*organization).npi(npi)
            }
            Self::PinRevealed { npi, organization, user, .. } => {
                Facets::default().organization(*organization).npi(npi).subject(*user)
            }
        }
    }
}
