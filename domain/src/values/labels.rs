//! Words from tables that each tenant keeps itself: provider types, communities, correspondence.

use super::{Invalid, one_line, string_value};
use crate::Code;

/// A provider type as the tenant words it, 1 to 80 characters (MC-13); the list is tenant content.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ProviderType(String);

string_value!(ProviderType);

impl ProviderType {
    /// Parses a provider type; blanks around it are dropped.
    ///
    /// # Errors
    /// `FIELD_REQUIRED` or `FIELD_INVALID`.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        one_line(text, 80, Code::FieldInvalid, "provider type").map(Self)
    }
}

/// The group that a tenant puts provider types in, 1 to 80 characters (MC-13).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ProviderCommunity(String);

string_value!(ProviderCommunity);

impl ProviderCommunity {
    /// Parses a provider community; blanks around it are dropped.
    ///
    /// # Errors
    /// `FIELD_REQUIRED` or `FIELD_INVALID`.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        one_line(text, 80, Code::FieldInvalid, "provider community").map(Self)
    }
}

/// What a bundle of features is called, 1 to 80 characters (CC-09).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct JobRoleName(String);

string_value!(JobRoleName);

impl JobRoleName {
    /// Parses a job role's name; blanks around it are dropped.
    ///
    /// # Errors
    /// `FIELD_REQUIRED` or `NAME_INVALID`.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        one_line(text, 80, Code::NameInvalid, "name of the job role").map(Self)
    }

    /// The form uniqueness is decided on.
    pub fn key(&self) -> String {
        self.0.to_lowercase()
    }
}

/// What a machine's key is called, 1 to 80 characters (GN-28).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ApiKeyName(String);

string_value!(ApiKeyName);

impl ApiKeyName {
    /// Parses a key's name; blanks around it are dropped.
    ///
    /// # Errors
    /// `FIELD_REQUIRED` or `NAME_INVALID`.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        one_line(text, 80, Code::NameInvalid, "name of the key").map(Self)
    }
}

/// What a rule of segregation of duties is called, 1 to 80 characters (GN-26).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SodRuleName(String);

string_value!(SodRuleName);

impl SodRuleName {
    /// Parses a rule's name; blanks around it are dropped.
    ///
    /// # Errors
    /// `FIELD_REQUIRED` or `NAME_INVALID`.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        one_line(text, 80, Code::NameInvalid, "name of the rule").map(Self)
    }

    /// The form uniqueness is decided on.
    pub fn key(&self) -> String {
        self.0.to_lowercase()
    }
}

/// What a receiver of audit events is called, 1 to 80 characters (GN-26).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SinkName(String);

string_value!(SinkName);

impl SinkName {
    /// Parses a receiver's name; blanks around it are dropped.
    ///
    /// # Errors
    /// `FIELD_REQUIRED` or `NAME_INVALID`.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        one_line(text, 80, Code::NameInvalid, "name of the sink").map(Self)
    }

    /// The form uniqueness is decided on.
    pub fn key(&self) -> String {
        self.0.to_lowercase()
    }
}

/// A line that the portal shows its visitors, 1 to 300 characters (MC-01, CX-01).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ContentLine(String);

string_value!(ContentLine);

impl ContentLine {
    /// Parses a line; blanks around it are dropped.
    ///
    /// # Errors
    /// `FIELD_REQUIRED` or `FIELD_INVALID`.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        one_line(text, 300, Code::FieldInvalid, "text").map(Self)
    }
}

/// The key of a correspondence type in the tenant's table, such as `REMITTANCE_ADVICE_DETAIL` or
/// `TAX_DOCUMENTS` (MC-45): 2 to 40 of `A-Z`, `0-9` and single inner underscores.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CorrespondenceType(String);

string_value!(CorrespondenceType);

impl CorrespondenceType {
    /// Parses a key; whether the tenant has such a type is the aggregate's question
    /// (`TYPE_UNKNOWN`).
    ///
    /// # Errors
    /// `FIELD_REQUIRED` or `TYPE_UNKNOWN`.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        if text.is_empty() {
            return Err(Invalid::required("correspondence type"));
        }
        let fits = (2..=40).contains(&text.len())
            && text.starts_with(|c: char| c.is_ascii_uppercase())
            && text.bytes().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == b'_')
            && !text.ends_with('_')
            && !text.contains("__");
        if fits {
            Ok(Self(text.to_owned()))
        } else {
            Err(Invalid::new(
                Code::TypeUnknown,
                "Use the type's key in capitals, such as TAX_DOCUMENTS.",
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_one_line_of_up_to_eighty_characters() {
        assert_eq!(
            ProviderType::parse(" Physician Group ").expect("valid").as_str(),
            "Physician Group"
        );
        let long = "x".repeat(81);
        assert_eq!(ProviderType::parse(&long).unwrap_err().code.as_str(), "FIELD_INVALID");
        assert_eq!(ProviderCommunity::parse(&long).unwrap_err().code.as_str(), "FIELD_INVALID");
        assert_eq!(ProviderCommunity::parse(" ").unwrap_err().code.as_str(), "FIELD_REQUIRED");
    }

    #[test]
    fn correspondence_types_are_keys_in_capitals() {
        for text in ["REMITTANCE_ADVICE_DETAIL", "TAX_DOCUMENTS", "RAD", "FORM_1099"] {
            assert_eq!(CorrespondenceType::parse(text).expect(text).as_str(), text);
        }
        for text in ["R", "tax_documents", "1099_FORM", "TAX__DOCUMENTS", "TAX_", "TAX DOCUMENTS"] {
            let refusal = CorrespondenceType::parse(text).unwrap_err();
            assert_eq!(refusal.code.as_str(), "TYPE_UNKNOWN", "{text}");
        }
    }
}
