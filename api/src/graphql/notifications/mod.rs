//! Notices in the portal (MC-67, MC-68).

mod mutations;
pub mod nodes;
mod queries;
mod types;

pub use mutations::NotificationsMutation;
pub use queries::NotificationsQuery;
pub use types::Notification;
