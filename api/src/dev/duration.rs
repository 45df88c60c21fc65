//! ISO 8601 durations of weeks, days, hours, minutes and seconds. Years and months have no fixed
//! length and are not read.

use std::time::Duration;

/// Reads a duration; `None` where the text is none, or longer than 100 years.
pub fn parse(text: &str) -> Option<Duration> {
    const LONGEST: u64 = 100 * 366 * 24 * 3600;
    let rest = text.strip_prefix('P')?;
    let (date, time) = match rest.split_once('T') {
        Some((date, time)) if !time.is_empty() => (date, time),
        Some(_) => return None,
        None => (rest, ""),
    };
    if date.is_empty() && time.is_empty() {
        return None;
    }
    let days = seconds(date, &[('W', 7 * 24 * 3600), ('D', 24 * 3600)])?;
    let hours = seconds(time, &[('H', 3600), ('M', 60), ('S', 1)])?;
    let total = days.checked_add(hours)?;
    (total <= LONGEST).then_some(Duration::from_secs(total))
}

/// Adds up `text`, whose units come in the order of `units`, each at most once.
fn seconds(text: &str, units: &[(char, u64)]) -> Option<u64> {
    let mut rest = text;
    let mut total = 0_u64;
    for (unit, length) in units {
        let Some((number, after)) = rest.split_once(*unit) else { continue };
        if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        total = total.checked_add(number.parse::<u64>().ok()?.checked_mul(*length)?)?;
        rest = after;
    }
    rest.is_empty().then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_add_up() {
        for (text, seconds) in [
            ("PT168H", 168 * 3600),
            ("P7D", 168 * 3600),
            ("P1W", 168 * 3600),
            ("P1DT2H3M4S", 93_784),
            ("PT0S", 0),
        ] {
            assert_eq!(parse(text), Some(Duration::from_secs(seconds)), "{text}");
        }
    }

    #[test]
    fn what_is_no_duration_is_not_read() {
        for text in
            ["", "P", "PT", "P1", "7D", "PT1", "P-1D", "P1M", "PT1S1H", "P1.5D", "P99999999999W"]
        {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
