//! Notices in the portal (MC-67, MC-68).

mod mutations;
mod queries;
mod types;

pub use mutations::NotificationsMutation;
pub use queries::NotificationsQuery;
