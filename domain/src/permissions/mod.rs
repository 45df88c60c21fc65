//! What a person may do in an organisation, for which NPI and why (MC-39 to MC-49, CC-08 to CC-10,
//! CX-12, CC-02, GN-12, GN-13).
//!
//! Invariant: nobody raises their own rights, and correspondence never outlives the NPI permission
//! it stands on.

mod cause;
pub mod correspondence_types;
pub mod effective;
mod entitlement;
mod job_role;
pub mod membership;
pub mod right_use;
mod scope;

pub use cause::{Cause, GrantEnd, PermissionsEnd};
pub use effective::{JobRoles, NO_JOB_ROLES, Right, Situation, Source, manages_pin};
pub use entitlement::{Entitlement, EntitlementChange, EntitlementGrant, EntitlementKind};
pub use job_role::{Bundle, JobRole, JobRoleCommand, JobRoleEvent, JobRoleRefusal};
pub use membership::{Membership, MembershipCommand, MembershipEvent, MembershipRefusal};
pub use scope::{CorrespondenceScope, NpiLevel, NpiScope, WizardStep};
