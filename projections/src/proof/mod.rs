//! Proof that a log is what it was: nothing altered, added, left out or moved (GN-26).
//!
//! One RFC 6962 tree per tenant over its events in the order of their positions, built after the
//! fact by the [`Sealer`]; its heads are signed as C2SP checkpoints by a [`Signer`] whose keys and
//! memory lie outside the database.
//!
//! Invariant: what is proven follows from the stored bytes of events alone; no read table is trusted.

pub mod bundle;
pub mod check;
pub mod leaf;
mod sealer;
mod signer;
pub mod store;
pub mod tree;
#[cfg(test)]
mod vectors;
pub mod verify;

use rollcall_domain::kernel::ids::TenantId;

pub use sealer::{Sealer, SealerConfig, Troubles};
pub use signer::{SignError, Signer, head_of};

/// What the origins of logs begin with that are no evidence: the clock of a demonstration or of
/// development can be set (GN-35). `.invalid` belongs to nobody (RFC 6761).
pub const NOT_EVIDENCE: &str = "not-evidence.invalid";

/// The name of a tenant's log.
#[must_use]
pub fn origin_of(origins: &str, tenant: TenantId) -> String {
    format!("{origins}/log/{tenant}")
}

/// Whether the log of this name is no evidence.
#[must_use]
pub fn is_no_evidence(origin: &str) -> bool {
    origin.split('/').next() == Some(NOT_EVIDENCE)
}
