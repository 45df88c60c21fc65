//! The permission matrix: levels and correspondence types as granted, per person and NPI (MC-39,
//! MC-45), and features, job roles, locations and tax ids per person (CC-08, CC-09, CX-12, CC-02).
//!
//! Invariant: what stands here are grants; whether one counts at a moment (its end, the membership,
//! the organisation's holding) is asked with a time.

mod access;
mod entitlements;
mod grants;
mod job_roles;
mod projection;
mod queries;

pub use access::{AccessKey, AccessRow, NpiQuestion, count_access, list_access};
pub use entitlements::{EntitlementRow, entitlements_of, holders};
pub use job_roles::{JobRoleRow, job_roles, job_roles_by_id};
pub use projection::PermissionMatrix;
pub use queries::{GrantRow, MatrixRow, NpiRow, grants_of, held_npis, matrix_rows};
