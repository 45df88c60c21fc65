//! Before and after of an event, without personal data (GN-26).
//!
//! Invariant: what is sealed in an event never reaches a row; its place says only that something
//! stood there.

use serde_json::{Map, Value};

/// What stands where something personal was.
const WITHHELD: &str = "(personal)";
/// Texts that have their own place, and numbers of telephones however masked.
const LEFT_OUT: [&str; 2] = ["text", "masked_to"];

/// The two sides of an event's payload: `old` stands before, everything else after.
pub(super) fn of(payload: &Value) -> (Option<Value>, Option<Value>) {
    // The payload is externally tagged: its one field is the fact.
    let fields = payload.as_object().and_then(|tagged| tagged.values().next()).unwrap_or(payload);
    (before(fields), after(fields))
}

fn before(value: &Value) -> Option<Value> {
    let Value::Object(fields) = value else { return None };
    if is_sealed(fields) {
        return None;
    }
    let mut sides = Map::new();
    for (name, field) in fields {
        if name == "old" {
            sides.insert("value".to_owned(), open(field));
        } else if let Some(side) = before(field) {
            sides.insert(name.clone(), unwrapped(side));
        }
    }
    (!sides.is_empty()).then_some(Value::Object(sides))
}

fn after(value: &Value) -> Option<Value> {
    let Value::Object(fields) = value else { return Some(open(value)) };
    if is_sealed(fields) {
        return Some(WITHHELD.into());
    }
    let mut sides = Map::new();
    for (name, field) in fields {
        if name == "old" || LEFT_OUT.contains(&name.as_str()) {
            continue;
        }
        if name == "new" {
            sides.insert("value".to_owned(), open(field));
        } else if let Some(side) = after(field).filter(|side| !side.is_null()) {
            sides.insert(name.clone(), unwrapped(side));
        }
    }
    (!sides.is_empty()).then_some(Value::Object(sides))
}

/// A field that only changed is its value, not an object around it.
fn unwrapped(side: Value) -> Value {
    match side {
        Value::Object(mut fields) if fields.len() == 1 && fields.contains_key("value") => {
            fields.remove("value").unwrap_or_default()
        }
        other @ (Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Array(_)
        | Value::Object(_)) => other,
    }
}

/// A value as it may be shown, sealed parts withheld.
fn open(value: &Value) -> Value {
    match value {
        Value::Object(fields) if is_sealed(fields) => WITHHELD.into(),
        Value::Object(fields) => {
            Value::Object(fields.iter().map(|(name, field)| (name.clone(), open(field))).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(open).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

fn is_sealed(fields: &Map<String, Value>) -> bool {
    fields.contains_key("$sealed")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn old_and_new_stand_on_their_sides_and_the_rest_after() {
        let payload = json!({"NpiPermissionSet": {
            "user": "u", "npi": "1234567893", "old": "NONE", "new": "PROCESSOR", "until": null
        }});
        let (before, after) = of(&payload);
        assert_eq!(before, Some(json!({"value": "NONE"})));
        assert_eq!(after, Some(json!({"user": "u", "npi": "1234567893", "value": "PROCESSOR"})));
    }

    #[test]
    fn nested_changes_are_split_by_field() {
        let payload = json!({"EnrolmentUpdated": {"changes": {
            "name": {"old": "Mercy", "new": "Mercy Clinic"}
        }}});
        let (before, after) = of(&payload);
        assert_eq!(before, Some(json!({"changes": {"name": "Mercy"}})));
        assert_eq!(after, Some(json!({"changes": {"name": "Mercy Clinic"}})));
    }

    #[test]
    fn nothing_personal_comes_through_wherever_it_stands() {
        let sealed = json!({"$sealed": {"subject": "s", "value": "+12025550123"}});
        let payload = json!({"PhoneChanged": {
            "user": "u", "old": sealed, "new": sealed, "masked_to": "•••0123", "list": {"x": [1]},
            "deep": {"business_phone": {"old": null, "new": sealed}}
        }});
        let (before, after) = of(&payload);
        let text = format!("{before:?} {after:?}");
        assert!(!text.contains("2025550123") && !text.contains("0123"), "{text}");
        assert_eq!(before.expect("old")["value"], WITHHELD);
        assert_eq!(after.expect("new")["deep"]["business_phone"], WITHHELD);
    }

    #[test]
    fn lists_with_sealed_entries_are_withheld_too() {
        let sealed = json!({"$sealed": {"subject": "s", "value": "Ann"}});
        let (_, after) = of(&json!({"X": {"names": [sealed]}}));
        assert!(!format!("{after:?}").contains("Ann"), "{after:?}");
    }
}
