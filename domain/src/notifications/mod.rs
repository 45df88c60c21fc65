//! Notices in the portal and messages out of it (MC-64 to MC-69, GN-19).
//!
//! Invariant: a notice is always delivered in the portal; mail is an extra, except where the
//! security of an account is concerned. No patient data is in either.

pub mod delivery;
pub mod inbox;
pub mod notification;
mod preference;
mod types;

pub use delivery::{
    Channel, Delivery, DeliveryCommand, DeliveryEvent, DeliveryRefusal, Message, Recipient,
};
pub use inbox::{Inbox, InboxCommand, InboxEvent, InboxRefusal};
pub use notification::{
    Notice, Notification, NotificationCommand, NotificationEvent, NotificationRefusal,
};
pub use preference::{Preference, PreferenceSource};
pub use types::{Frequency, Happening, NotificationType, SubjectKind, SubjectRef};
