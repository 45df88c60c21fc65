//! The outbox: every message is a row in the transaction that took its event in, sent by a task
//! that may crash at any moment (GN-19, invariant 5).
//!
//! Invariant: nothing is lost, and only a send that was cut off before the other side's
//! acknowledgement may repeat, under the same Message-ID.

mod backoff;
mod in_hand;
mod process;
mod queue;
mod record_delivery;
mod retry_message;
mod sender;

pub use backoff::MAX_ATTEMPTS;
pub use in_hand::InHand;
pub use process::OutboxProcess;
pub use queue::{DeadLetter, dead_letters, due};
pub use record_delivery::{Outcome, RecordDelivery};
pub(crate) use retry_message::is_enhanced_status;
pub use retry_message::{POSTMASTERS, RecordEmailBounce, RetryMessage};
pub use sender::Sender;
