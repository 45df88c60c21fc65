//! Commands on a tenant's policy and its agreement texts (GN-02, MC-02).
//!
//! Invariant: the past is never changed: every change says from when it holds, now or later.

pub mod default_agreements;
mod policy;
mod proposals;
mod publish_agreement;

pub use policy::{ApplyPreset, ChangePolicy, PolicyOutcome, SetFeatureAvailability};
pub use proposals::{ApprovePolicyChange, RejectPolicyChange, WithdrawPolicyChange};
pub use publish_agreement::PublishAgreement;
