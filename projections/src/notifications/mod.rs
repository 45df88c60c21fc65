//! The notices in each person's list (MC-67, MC-68).
//!
//! Invariant: a person sees the notices addressed to them and nobody else's; what a notice says is
//! put together when it is read.

mod dead_letters;
mod preferences;
mod projection;
mod queries;
mod sentence;

pub use dead_letters::{DeadLetter, DeadLetterKey, dead_letters};
pub use preferences::{OwnChoice, own_choices};
pub use projection::Notifications;
pub use queries::{
    Notice, NoticeFilter, NoticePage, count, notices, notices_by_id, title, unread_count,
};
