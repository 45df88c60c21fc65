//! Questions to the user directory.
//!
//! Invariant: every question names its organisation and gets nothing of another one; where the plan
//! looks for a person anywhere, the name says so.

mod admin_requests;
mod history;
mod row;
mod users;

pub use admin_requests::{AdminRequestKey, AdminRequestRow, admin_requests};
pub use history::{FactRow, histories};
pub use row::{InvitationPart, UserRow, UserStatus};
pub use users::{
    DirectoryKey, Listing, UserFilter, count_users, list_users, users_anywhere, users_by_id,
};
