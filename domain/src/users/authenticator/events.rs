//! What happens to a person's second factor. Invariant: secret and codes are vault references.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::kernel::ids::{UserId, VaultRef};
use crate::{Event, Facets};

/// An event of stream `users.authenticator`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum AuthenticatorEvent {
    /// A secret was shown; it counts for nothing until a code confirms it.
    TotpEnrolmentStarted { user: UserId, secret_ref: VaultRef, expires_at: DateTime<Utc> },
    /// The code of time step `step` showed that the app has the secret; `codes` recovery codes were
    /// given out.
    TotpEnrolled { user: UserId, secret_ref: VaultRef, step: i64, codes_ref: VaultRef, codes: u32 },
    /// The code of `step` was typed; neither it nor an earlier one serves again (RFC 6238, 5.2).
    TotpAccepted { user: UserId, step: i64 },
    /// A recovery code was typed; it serves no more and `left` others do.
    RecoveryCodeUsed { user: UserId, number: u32, left: u32 },
    /// `codes` new recovery codes were given out; the earlier ones serve no more.
    RecoveryCodesRenewed { user: UserId, codes_ref: VaultRef, codes: u32 },
    /// The person does without the app.
    TotpRemoved { user: UserId },
}

impl AuthenticatorEvent {
    /// The person.
    #[must_use]
    pub fn user(&self) -> UserId {
        match self {
            Self::TotpEnrolmentStarted { user, .. }
            | Self::TotpEnrolled { user, .. }
            | Self::TotpAccepted { user, .. }
            | Self::RecoveryCodeUsed { user, .. }
            | Self::RecoveryCodesRenewed { user, .. }
            | Self::TotpRemoved { user } => *user,
        }
    }
}

impl Event for AuthenticatorEvent {
    fn event_type(&self) -> &'static str {
        match self {
            Self::TotpEnrolmentStarted { .. } => "users.authenticator.totp_enrolment_started",
            Self::TotpEnrolled { .. } => "users.authenticator.totp_enrolled",
            Self::TotpAccepted { .. } => "users.authenticator.totp_accepted",
            Self::RecoveryCodeUsed { .. } => "users.authenticator.recovery_code_used",
            Self::RecoveryCodesRenewed { .. } => "users.authenticator.recovery_codes_renewed",
            Self::TotpRemoved { .. } => "users.authenticator.totp_removed",
        }
    }

    fn facets(&self) -> Facets {
        Facets::default().subject(self.user())
    }
}
