//! The permission matrix: levels and correspondence types as granted, per person and NPI (MC-39,
//! MC-45).
//!
//! Invariant: what stands here are grants; whether one counts at a moment (its end, the membership,
//! the organisation's holding) is asked with a time.

mod access;
mod grants;
mod projection;
mod queries;

pub use access::{AccessKey, AccessRow, NpiQuestion, count_access, list_access};
pub use projection::PermissionMatrix;
pub use queries::{GrantRow, MatrixRow, NpiRow, grants_of, held_npis, matrix_rows};
