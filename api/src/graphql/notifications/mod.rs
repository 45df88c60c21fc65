//! Notices in the portal, the mail that follows them (MC-64 to MC-68) and messages that nobody took
//! (GN-19).

mod dead_letters;
mod mutations;
pub mod nodes;
mod queries;
mod types;

pub use dead_letters::{DeadLettersMutation, DeadLettersQuery};
pub use mutations::NotificationsMutation;
pub use queries::NotificationsQuery;
pub use types::Notification;
