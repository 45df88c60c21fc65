//! The one source of time. Expiry, schedules and tests all ask a [`Clock`], so that moving the
//! injected clock moves everything. Times carry microseconds, PostgreSQL's resolution: what is
//! stored compares equal to what was decided with.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chrono::{DateTime, DurationRound, TimeDelta, Utc};

/// Tells the time, UTC, in whole microseconds.
pub trait Clock: Send + Sync + 'static {
    fn now(&self) -> DateTime<Utc>;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> DateTime<Utc> {
        whole_microseconds(Utc::now())
    }
}

/// A clock that is moved by hand: it stands still until [`InjectedClock::run`] lets it tick.
#[derive(Debug)]
pub struct InjectedClock(Mutex<Motion>);

#[derive(Clone, Copy, Debug)]
enum Motion {
    Frozen(DateTime<Utc>),
    /// Ticks with the machine's clock, this far from it.
    Ticking(TimeDelta),
}

impl Motion {
    fn now(self) -> DateTime<Utc> {
        match self {
            Self::Frozen(at) => at,
            Self::Ticking(offset) => Utc::now() + offset,
        }
    }
}

impl InjectedClock {
    /// A clock that stands still at `at`.
    #[must_use]
    pub fn starting_at(at: DateTime<Utc>) -> Self {
        Self(Mutex::new(Motion::Frozen(at)))
    }

    /// Moves it forward; a ticking clock goes on ticking.
    pub fn advance(&self, by: Duration) {
        let by = TimeDelta::from_std(by).unwrap_or(TimeDelta::MAX);
        let mut motion = self.motion();
        *motion = match *motion {
            Motion::Frozen(at) => Motion::Frozen(at + by),
            Motion::Ticking(offset) => Motion::Ticking(offset + by),
        };
    }

    /// Moves it to `at`; a ticking clock goes on ticking from there.
    pub fn set(&self, at: DateTime<Utc>) {
        let mut motion = self.motion();
        *motion = match *motion {
            Motion::Frozen(_) => Motion::Frozen(at),
            Motion::Ticking(_) => Motion::Ticking(at - Utc::now()),
        };
    }

    /// Starts ticking with the machine's clock from where it stands.
    pub fn run(&self) {
        let mut motion = self.motion();
        *motion = Motion::Ticking(motion.now() - Utc::now());
    }

    // The guarded value is a plain copy: a panic elsewhere cannot leave it half changed.
    fn motion(&self) -> MutexGuard<'_, Motion> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for InjectedClock {
    fn now(&self) -> DateTime<Utc> {
        whole_microseconds(self.motion().now())
    }
}

fn whole_microseconds(at: DateTime<Utc>) -> DateTime<Utc> {
    // Beyond the year 2262 chrono cannot truncate; the time itself is still right.
    at.duration_trunc(TimeDelta::microseconds(1)).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noon() -> DateTime<Utc> {
        "2024-05-01T12:00:00.000001Z".parse().unwrap()
    }

    #[test]
    fn stands_still_until_moved() {
        let clock = InjectedClock::starting_at(noon());
        assert_eq!(clock.now(), noon());
        clock.advance(Duration::from_secs(60));
        assert_eq!(clock.now(), noon() + TimeDelta::seconds(60));
        clock.set(noon());
        assert_eq!(clock.now(), noon());
    }

    #[test]
    fn runs_on_from_where_it_stands() {
        let clock = InjectedClock::starting_at(noon());
        clock.run();
        std::thread::sleep(Duration::from_millis(5));
        let elapsed = clock.now() - noon();
        assert!(elapsed >= TimeDelta::milliseconds(5) && elapsed < TimeDelta::minutes(1));
        clock.advance(Duration::from_secs(3600));
        assert!(clock.now() - noon() >= TimeDelta::hours(1));
    }

    #[test]
    fn knows_no_nanoseconds() {
        let clock = InjectedClock::starting_at(noon() + TimeDelta::nanoseconds(999));
        assert_eq!(clock.now(), noon());
        assert_eq!(SystemClock.now().timestamp_subsec_nanos() % 1_000, 0);
    }
}
