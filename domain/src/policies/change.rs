//! From what an administrator typed to a value within its parameter's bounds.

use chrono::NaiveTime;
use serde_json::Value;

use super::aggregate::PolicyRefusal;
use super::spec::ValueType;
use super::{PolicyKey, PolicyValue};
use crate::values::TenantZone;

/// Reads a parameter's stored name.
///
/// # Errors
/// `POLICY_KEY_UNKNOWN`.
pub fn parse_key(name: &str) -> Result<PolicyKey, PolicyRefusal> {
    PolicyKey::parse(name).ok_or(PolicyRefusal::KeyUnknown)
}

/// Reads a parameter and its new value, and puts the value into canonical form.
///
/// # Errors
/// `POLICY_KEY_UNKNOWN`, or `POLICY_VALUE_INVALID` with a sentence that names the bounds.
pub fn parse_change(name: &str, json: &Value) -> Result<(PolicyKey, PolicyValue), PolicyRefusal> {
    let key = parse_key(name)?;
    let value_type = key.spec().value_type;
    match read(value_type, json) {
        Some(value) => Ok((key, value)),
        None => Err(PolicyRefusal::ValueInvalid { key, bounds: describe(value_type) }),
    }
}

/// What a type admits, to complete the sentence "Give … ".
pub fn describe(value_type: ValueType) -> String {
    match value_type {
        ValueType::Integer { unit, min, max } => {
            format!("a whole number from {min} to {max} ({})", unit.name())
        }
        ValueType::OptionalInteger { unit, min, max } => {
            format!("a whole number from {min} to {max} ({}), or null for none", unit.name())
        }
        ValueType::Integers { unit, min, max } => {
            format!("one to five different whole numbers from {min} to {max} ({})", unit.name())
        }
        ValueType::Boolean => "true or false".to_owned(),
        ValueType::Choice(words) => format!("one of {}", words.join(", ")),
        ValueType::Choices { of, at_least } => {
            let fewest = if at_least == 0 { "a list, possibly empty," } else { "a list" };
            format!("{fewest} of {}", of.join(", "))
        }
        ValueType::Symbols => {
            "1 to 32 different ASCII punctuation characters, or null for any symbol".to_owned()
        }
        ValueType::TimeOfDay => "a time of day from 00:00 to 23:59".to_owned(),
        ValueType::TimeZone => {
            "a zone name of the IANA database, such as America/Los_Angeles".to_owned()
        }
        ValueType::WebAddress => {
            "an address of at most 300 characters that begins with https://, or null for none"
                .to_owned()
        }
    }
}

fn read(value_type: ValueType, json: &Value) -> Option<PolicyValue> {
    match value_type {
        ValueType::Integer { min, max, .. } => number(json, min, max).map(PolicyValue::Integer),
        ValueType::OptionalInteger { .. } | ValueType::Symbols | ValueType::WebAddress
            if json.is_null() =>
        {
            Some(PolicyValue::Off)
        }
        ValueType::OptionalInteger { min, max, .. } => {
            number(json, min, max).map(PolicyValue::Integer)
        }
        ValueType::Integers { min, max, .. } => numbers(json, min, max).map(PolicyValue::Integers),
        ValueType::Boolean => json.as_bool().map(PolicyValue::Boolean),
        ValueType::Choice(words) => text(json.as_str().filter(|word| words.contains(word))),
        ValueType::Choices { of, at_least } => choices(json, of, at_least).map(PolicyValue::Words),
        ValueType::Symbols => text(json.as_str().filter(|symbols| are_symbols(symbols))),
        ValueType::TimeOfDay => text(json.as_str().filter(|time| is_time_of_day(time))),
        ValueType::TimeZone => text(json.as_str().filter(|name| TenantZone::parse(name).is_ok())),
        ValueType::WebAddress => text(json.as_str().filter(|address| is_web_address(address))),
    }
}

fn text(accepted: Option<&str>) -> Option<PolicyValue> {
    accepted.map(|text| PolicyValue::Text(text.to_owned()))
}

fn number(json: &Value, min: u32, max: u32) -> Option<u32> {
    let number = u32::try_from(json.as_u64()?).ok()?;
    (min..=max).contains(&number).then_some(number)
}

fn numbers(json: &Value, min: u32, max: u32) -> Option<Vec<u32>> {
    let items = json.as_array().filter(|items| (1..=5).contains(&items.len()))?;
    let mut numbers =
        items.iter().map(|item| number(item, min, max)).collect::<Option<Vec<_>>>()?;
    numbers.sort_unstable_by(|a, b| b.cmp(a));
    numbers.dedup();
    (numbers.len() == items.len()).then_some(numbers)
}

fn choices(json: &Value, of: &[&str], at_least: usize) -> Option<Vec<String>> {
    let given = json.as_array()?.iter().map(Value::as_str).collect::<Option<Vec<_>>>()?;
    let known = given.iter().all(|word| of.contains(word));
    let canonical: Vec<_> =
        of.iter().filter(|word| given.contains(word)).map(|&word| word.to_owned()).collect();
    (known && canonical.len() == given.len() && canonical.len() >= at_least).then_some(canonical)
}

fn are_symbols(symbols: &str) -> bool {
    let distinct = symbols.char_indices().all(|(at, symbol)| !symbols[..at].contains(symbol));
    let punctuation = symbols.chars().all(|symbol| symbol.is_ascii_punctuation());
    (1..=32).contains(&symbols.len()) && punctuation && distinct
}

/// Enough to be shown as a link that goes where it says.
fn is_web_address(address: &str) -> bool {
    let host = address.strip_prefix("https://").and_then(|rest| rest.split(['/', '?', '#']).next());
    let visible = address.chars().all(|letter| letter.is_ascii_graphic() && letter != '"');
    host.is_some_and(|host| !host.is_empty() && !host.contains('@'))
        && visible
        && address.len() <= 300
}

fn is_time_of_day(text: &str) -> bool {
    NaiveTime::parse_from_str(text, "%H:%M")
        .is_ok_and(|time| time.format("%H:%M").to_string() == text)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{Code, Refusal};

    #[track_caller]
    fn accepts(name: &str, json: Value, canonical: Value) {
        let (key, value) = parse_change(name, &json).expect("within bounds");
        assert_eq!((key.name(), value.to_json()), (name, canonical));
    }

    #[track_caller]
    fn refuses(name: &str, values: &[Value], bounds: &str) {
        for json in values {
            let refusal = parse_change(name, json).expect_err("out of bounds");
            assert_eq!(Refusal::from(refusal.clone()).code, Code::PolicyValueInvalid);
            assert!(refusal.to_string().contains(bounds), "{refusal}");
        }
    }

    #[test]
    fn integers_hold_their_bounds() {
        accepts("password.min_length", json!(8), json!(8));
        accepts("password.min_length", json!(64), json!(64));
        let bad = [json!(7), json!(65), json!(-8), json!(8.5), json!("8"), json!(null), json!([8])];
        refuses("password.min_length", &bad, "from 8 to 64 (characters)");
        refuses("password.min_length", &[json!(4_294_967_304_u64)], "from 8 to 64");
    }

    #[test]
    fn optional_integers_may_be_none() {
        accepts("lockout.auto_minutes", json!(null), json!(null));
        accepts("lockout.auto_minutes", json!(30), json!(30));
        refuses(
            "lockout.auto_minutes",
            &[json!(0), json!("none"), json!(false)],
            "or null for none",
        );
    }

    #[test]
    fn number_lists_are_sorted_and_without_repetition() {
        accepts("password.warn_days", json!([1, 14, 7]), json!([14, 7, 1]));
        let bad = [json!([]), json!([7, 7]), json!([0]), json!([1, 2, 3, 4, 5, 6]), json!(7)];
        refuses("password.warn_days", &bad, "one to five different whole numbers from 1 to 60");
    }

    #[test]
    fn word_lists_take_the_order_of_their_type() {
        accepts("lockout.unlockers", json!(["PS", "OA"]), json!(["OA", "PS"]));
        accepts("lockout.unlockers", json!([]), json!([]));
        refuses("lockout.unlockers", &[json!(["XX"]), json!(["OA", "OA"]), json!("OA")], "OA, PS");
        refuses("pins.roles", &[json!([])], "a list of NPI_ADMIN, NPI_PROCESSOR");
    }

    #[test]
    fn choices_booleans_times_zones_and_symbols_are_exact() {
        accepts("login.identifier", json!("USERNAME"), json!("USERNAME"));
        refuses("login.identifier", &[json!("username"), json!(""), json!(1)], "EMAIL, USERNAME");
        refuses("pins.enabled", &[json!("true"), json!(1), json!(null)], "true or false");
        accepts("dst.run_at", json!("18:00"), json!("18:00"));
        refuses(
            "dst.run_at",
            &[json!("24:00"), json!("6:00"), json!("18:00:00")],
            "00:00 to 23:59",
        );
        accepts("time_zone", json!("America/New_York"), json!("America/New_York"));
        refuses("time_zone", &[json!("EST5"), json!("")], "IANA");
        accepts("password.special_set", json!("!$#%"), json!("!$#%"));
        accepts("password.special_set", json!(null), json!(null));
        refuses(
            "password.special_set",
            &[json!(""), json!("!!"), json!("a"), json!("! ")],
            "ASCII",
        );
    }

    #[test]
    fn a_page_is_an_address_that_people_can_follow() {
        let page = json!("https://plan.example/contact?for=providers");
        accepts("portal.contact_page", page.clone(), page);
        accepts("portal.contact_page", json!(null), json!(null));
        let bad = [
            json!("http://plan.example"),
            json!("https://"),
            json!("https:///contact"),
            json!("https://plan.example@evil.example"),
            json!("https://plan.example/a b"),
            json!("javascript:alert(1)"),
            json!(format!("https://plan.example/{}", "a".repeat(300))),
        ];
        refuses("portal.contact_page", &bad, "begins with https://");
    }

    #[test]
    fn unknown_parameters_are_refused() {
        for name in ["", "password", "password.minlength", "PASSWORD.MIN_LENGTH"] {
            let refusal = parse_change(name, &json!(1)).expect_err("unknown");
            assert_eq!(Refusal::from(refusal).code, Code::PolicyKeyUnknown, "{name}");
        }
    }
}
