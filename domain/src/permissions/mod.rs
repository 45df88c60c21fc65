//! What a person may do for which NPI of an organisation, and why (MC-39 to MC-49, GN-12, GN-13).
//!
//! Invariant: nobody raises their own rights, and correspondence never outlives the NPI permission
//! it stands on.

mod cause;
pub mod correspondence_types;
pub mod effective;
pub mod membership;
mod scope;

pub use cause::{Cause, GrantEnd, PermissionsEnd};
pub use effective::{Right, Situation, Source, manages_pin};
pub use membership::{Membership, MembershipCommand, MembershipEvent, MembershipRefusal};
pub use scope::{CorrespondenceScope, NpiLevel, NpiScope, WizardStep};
