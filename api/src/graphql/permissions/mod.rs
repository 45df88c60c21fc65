//! Permissions: what a person was granted, what that comes to, and the commands that change it (MC-39
//! to MC-48, CC-08 to CC-10, CX-12, CC-02).
//!
//! Invariant: the matrix shows grants; `effectivePermissions` and `npiAccess` show what holds.

mod grant_mutations;
mod grant_queries;
pub mod grants;
pub mod last_use;
mod mutations;
mod queries;
mod reports;
mod rights;
mod types;

pub use grant_mutations::GrantMutation;
pub use grant_queries::GrantQuery;
pub use mutations::PermissionMutation;
pub use queries::PermissionQuery;
pub use reports::RightUseMutation;
pub use types::{PermissionMatrix, WizardStep};
