//! A parameter's value, as events and answers carry it.

use serde::{Deserialize, Serialize};

/// A value in canonical form: words in the order of the parameter's type, numbers largest first,
/// both without repetition, so that equal settings are equal bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum PolicyValue {
    /// None: the rule is off; JSON `null`.
    Off,
    /// Yes or no.
    Boolean(bool),
    /// A whole number.
    Integer(u32),
    /// Any number of words. Before `Integers`, so that the empty list reads as words.
    Words(Vec<String>),
    /// One to five whole numbers.
    Integers(Vec<u32>),
    /// A word, a zone name, a time of day or a set of symbols.
    Text(String),
}

impl PolicyValue {
    /// The value as JSON.
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Off => serde_json::Value::Null,
            Self::Boolean(value) => (*value).into(),
            Self::Integer(value) => (*value).into(),
            Self::Words(words) => words.clone().into(),
            Self::Integers(values) => values.clone().into(),
            Self::Text(text) => text.clone().into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_value_is_its_plain_json_and_back() {
        for (value, json) in [
            (PolicyValue::Off, "null"),
            (PolicyValue::Boolean(true), "true"),
            (PolicyValue::Integer(15), "15"),
            (PolicyValue::Words(vec!["OA".into(), "PS".into()]), r#"["OA","PS"]"#),
            (PolicyValue::Words(vec![]), "[]"),
            (PolicyValue::Integers(vec![14, 7, 1]), "[14,7,1]"),
            (PolicyValue::Text("18:00".into()), r#""18:00""#),
        ] {
            assert_eq!(serde_json::to_string(&value).expect("json"), json);
            assert_eq!(value.to_json().to_string(), json);
            assert_eq!(serde_json::from_str::<PolicyValue>(json).expect("json"), value);
        }
    }
}
