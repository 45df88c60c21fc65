//! A fact with its place in the log.

use chrono::{DateTime, Utc};

/// An event, where it stands and when it occurred.
#[derive(Clone, Debug, PartialEq)]
pub struct Told<E> {
    /// In the tenant.
    pub position: i64,
    pub occurred_at: DateTime<Utc>,
    pub event: E,
}
