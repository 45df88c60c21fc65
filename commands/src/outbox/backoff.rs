//! When a message is tried again. Invariant: waits double up to a bound, and end.

use chrono::TimeDelta;

/// After so many attempts a message is a dead letter.
pub const MAX_ATTEMPTS: u32 = 12;

const FIRST_WAIT: TimeDelta = TimeDelta::seconds(30);
const LONGEST_WAIT: TimeDelta = TimeDelta::hours(6);

/// How long to wait after the `attempts`-th failed attempt; `None` to give up.
pub(super) fn wait_after(attempts: u32) -> Option<TimeDelta> {
    if attempts >= MAX_ATTEMPTS {
        return None;
    }
    let doubled = FIRST_WAIT * 2_i32.pow(attempts.saturating_sub(1));
    Some(doubled.min(LONGEST_WAIT))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_six_hours_and_end() {
        assert_eq!(wait_after(1), Some(TimeDelta::seconds(30)));
        assert_eq!(wait_after(2), Some(TimeDelta::seconds(60)));
        assert_eq!(wait_after(MAX_ATTEMPTS - 1), Some(LONGEST_WAIT));
        assert_eq!(wait_after(MAX_ATTEMPTS), None);
    }
}
