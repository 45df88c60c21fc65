//! What a reviewer decides, and what they had before them when they did.
//!
//! Invariant: an item has one decision at a time; the stored names never change.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::organizations::OrgRole;
use crate::permissions::NpiLevel;
use crate::permissions::right_use::UsedRight;
use crate::values::CalendarDate;

/// A decision about an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ReviewDecision {
    /// It stays as it is.
    Keep,
    /// It is taken away.
    Revoke {
        /// Of a membership, the last day at work if it was another than today.
        left_on: Option<CalendarDate>,
    },
    /// It stays, with another organisation-wide permission.
    Change { role: OrgRole },
    /// It stays, with a lower level for the NPI; what is more is given outside of reviews.
    ChangeLevel { level: NpiLevel },
}

impl ReviewDecision {
    /// Whether something has to follow from it.
    #[must_use]
    pub const fn is_to_be_carried_out(&self) -> bool {
        match self {
            Self::Keep => false,
            Self::Revoke { .. } | Self::Change { .. } | Self::ChangeLevel { .. } => true,
        }
    }
}

/// What the reviewer was shown, so that it can be shown again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// The tenant's position as of which it was read.
    pub position: i64,
    /// SHA-256 of the page, in hex.
    pub sha256: String,
}

/// What was recommended about an item when it was decided, whether or not the reviewer followed it
/// (GN-16).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recommendation {
    pub advice: Advice,
    pub grounds: Vec<Ground>,
}

/// What is recommended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Advice {
    Keep,
    Revoke,
}

/// Why. What cannot be observed is no ground for anything.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Ground {
    /// The last sign-in.
    SignedIn { at: DateTime<Utc> },
    /// Not signed in since then.
    NotSignedInSince { at: DateTime<Utc> },
    /// The right was last used on that day.
    UsedOn { right: UsedRight, day: CalendarDate },
    /// The right was not used since that day.
    UnusedSince { right: UsedRight, day: CalendarDate },
    /// The machine's key was last used then.
    KeyUsed { at: DateTime<Utc> },
    /// The machine's key was not used since then, or since it was made.
    KeyUnusedSince { at: DateTime<Utc> },
}
