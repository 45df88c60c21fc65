//! When a right was last used (GN-16).
//!
//! Invariant: what the portal could not have noticed is told as such, never as unused.

use async_graphql::{Enum, SimpleObject};
use chrono::{DateTime, NaiveDate, Utc};
use rollcall_domain::{permissions::right_use::RightKind, values::TenantZone};

use crate::graphql::scalars::Date;

/// What is known of the use of a right.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
pub enum LastUseState {
    /// It was used, last on the day named.
    UsedOn,
    /// It was not used since the day named: since it is held, or since the portal notes uses of it,
    /// whichever came later.
    UnusedSince,
    /// Nothing in the portal shows its use and no external system reported one: no advice follows.
    NotObservable,
}

/// When a right was last used, by days of the portal's time zone. A day is written down once it is
/// over, so what was used today is not told yet; the use of a machine's key is.
#[derive(Clone, Debug, SimpleObject)]
pub struct LastUse {
    pub state: LastUseState,
    /// Of the last use, or since which there was none; absent where neither is known.
    pub on: Option<Date>,
}

impl LastUse {
    /// Of a right whose use nothing shows.
    pub const UNKNOWN: Self = Self { state: LastUseState::NotObservable, on: None };

    /// From the last day of use, if there is one, and the moment since which the right is held and its
    /// use would have been noted.
    #[must_use]
    pub fn of(
        kind: RightKind,
        used: Option<NaiveDate>,
        watched_since: Option<DateTime<Utc>>,
        zone: TenantZone,
    ) -> Self {
        match used {
            Some(day) => Self { state: LastUseState::UsedOn, on: Some(day.into()) },
            None if kind.is_observable() => Self {
                state: LastUseState::UnusedSince,
                on: watched_since.map(|since| zone.local_date(since).into()),
            },
            None => Self::UNKNOWN,
        }
    }

    /// Of a machine's key, whose every use is noted, from its last use or else from when it was made.
    #[must_use]
    pub fn of_key(
        used: Option<DateTime<Utc>>,
        made: Option<DateTime<Utc>>,
        zone: TenantZone,
    ) -> Self {
        let (state, at) = match used {
            Some(_) => (LastUseState::UsedOn, used),
            None => (LastUseState::UnusedSince, made),
        };
        Self { state, on: at.map(|at| zone.local_date(at).into()) }
    }
}
