//! The user directory: everybody who is or was invited into an organisation, with status, role and
//! history (MC-29, MC-14).
//!
//! Invariant: no personal data stands here; names are joined from `read.people`, and of a person who
//! has not joined only what the inviting organisation itself typed.

mod accounts;
mod delivery;
mod history;
mod invitations;
mod members;
mod projection;
mod queries;

pub use delivery::EmailFate;
pub use history::MemberFact;
pub use projection::UserDirectory;
pub use queries::{
    AdminRequestKey, AdminRequestRow, DirectoryKey, FactRow, InvitationPart, Listing, UserFilter,
    UserRow, UserStatus, admin_requests, count_users, histories, list_users, users_anywhere,
    users_by_id,
};
