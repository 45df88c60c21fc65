//! Requests for portal accounts, for the plan (AL-01).
//!
//! Invariant: what the visitor said of themself stands in this table alone; a field whose key was
//! destroyed is absent.

mod projection;
mod queries;

pub use projection::{AccountRequestRow, AccountRequests};
pub use queries::{AccountRequestFilter, account_requests, account_requests_by_id};
