//! Notices in the portal: who is told of what, and that they have read it (MC-67, MC-69).

mod audience;
mod causes;
mod digests;
mod mark_notification_read;
mod process;
mod raise_notification;
mod set_notification_preference;

pub use audience::Audience;
pub(crate) use digests::waiting;
pub use digests::{DigestsProcess, SendDigest};
pub use mark_notification_read::MarkNotificationRead;
pub use process::NotificationsProcess;
pub use raise_notification::RaiseNotification;
pub use set_notification_preference::SetNotificationPreference;
