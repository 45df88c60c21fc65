//! Commands on a tenant's policy and its agreement texts (GN-02, MC-02).
//!
//! Invariant: the past is never changed: every change says from when it holds, now or later.

pub mod default_agreements;
mod policy;
mod publish_agreement;

pub use policy::{ApplyPreset, ChangePolicy};
pub use publish_agreement::PublishAgreement;
