//! Personal data inside events.
//!
//! A `Sealed<T>` serialises to one marker object, `{"$sealed":{"subject":…,"value":…}}`, that only
//! the journal's codec replaces: stored, the value is ciphertext under the subject's key. After the
//! key is destroyed the same event loads as [`Sealed::Erased`].

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::DeserializeOwned};
use uuid::Uuid;

use super::ids::SubjectId;

/// A value about a person, readable until that person's key is destroyed.
#[derive(Clone, PartialEq, Eq)]
pub enum Sealed<T> {
    Open { subject: SubjectId, value: T },
    Erased { subject: SubjectId },
}

impl<T> Sealed<T> {
    /// Wraps a value about `subject`.
    pub fn new(subject: impl Into<SubjectId>, value: T) -> Self {
        Self::Open { subject: subject.into(), value }
    }

    /// The value, unless it was erased.
    pub fn get(&self) -> Option<&T> {
        match self {
            Self::Open { value, .. } => Some(value),
            Self::Erased { .. } => None,
        }
    }

    /// Whom the value is about.
    pub fn subject(&self) -> SubjectId {
        match self {
            Self::Open { subject, .. } | Self::Erased { subject } => *subject,
        }
    }
}

impl<T> fmt::Debug for Sealed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self {
            Self::Open { .. } => "sealed",
            Self::Erased { .. } => "erased",
        };
        write!(f, "<{state} {}>", self.subject())
    }
}

#[derive(Serialize, Deserialize)]
struct Marker<B> {
    #[serde(rename = "$sealed")]
    sealed: B,
}

#[derive(Serialize)]
struct BodyRef<'a, T> {
    subject: Uuid,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<&'a T>,
}

#[derive(Deserialize)]
#[serde(bound = "T: DeserializeOwned")]
struct Body<T> {
    subject: Uuid,
    // Ciphertext that nobody opened (a reader without keys) has no value: it reads as erased.
    #[serde(default = "Option::default")]
    value: Option<T>,
}

impl<T: Serialize> Serialize for Sealed<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let sealed = BodyRef { subject: self.subject().0, value: self.get() };
        Marker { sealed }.serialize(serializer)
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Sealed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Marker { sealed } = Marker::<Body<T>>::deserialize(deserializer)?;
        let subject = SubjectId(sealed.subject);
        Ok(match sealed.value {
            Some(value) => Self::Open { subject, value },
            None => Self::Erased { subject },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject() -> SubjectId {
        SubjectId(Uuid::from_u128(7))
    }

    #[test]
    fn serialises_to_the_marker_and_back() {
        let sealed = Sealed::new(subject(), "Ann".to_owned());
        let json = serde_json::to_value(&sealed).unwrap();
        assert_eq!(json["$sealed"]["value"], "Ann");
        assert_eq!(serde_json::from_value::<Sealed<String>>(json).unwrap(), sealed);
    }

    #[test]
    fn a_marker_without_value_reads_as_erased_whatever_else_it_holds() {
        let json = serde_json::json!({"$sealed": {"subject": subject().0, "ciphertext": "AA"}});
        let sealed: Sealed<String> = serde_json::from_value(json).unwrap();
        assert_eq!(sealed, Sealed::Erased { subject: subject() });
    }

    #[test]
    fn debug_shows_no_value() {
        assert!(!format!("{:?}", Sealed::new(subject(), "Ann")).contains("Ann"));
    }
}
