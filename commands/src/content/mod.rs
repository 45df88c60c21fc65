//! Commands on what the portal tells its visitors (CX-01).
//!
//! Invariant: content editors and plan administrators write, everybody reads.

mod set_client_guidance;

pub use set_client_guidance::SetClientGuidance;
