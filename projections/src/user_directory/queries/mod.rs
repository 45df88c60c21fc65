//! Questions to the user directory.
//!
//! Invariant: every question names its organisation; nothing of another one can come back.

mod history;
mod row;
mod users;

pub use history::{FactRow, histories};
pub use row::{InvitationPart, UserRow, UserStatus};
pub use users::{DirectoryKey, Listing, UserFilter, count_users, list_users, users_by_id};
