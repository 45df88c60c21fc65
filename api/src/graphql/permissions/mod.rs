//! Permissions: what a person was granted per NPI, what that comes to, and the commands that change
//! it (MC-39 to MC-48).
//!
//! Invariant: the matrix shows grants; `effectivePermissions` and `npiAccess` show what holds.

mod mutations;
mod queries;
mod rights;
mod types;

pub use mutations::PermissionMutation;
pub use queries::PermissionQuery;
pub use types::{PermissionMatrix, WizardStep};
