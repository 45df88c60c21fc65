//! The reason a person gives for what they do.

use super::{Invalid, has_hidden_characters, string_value};
use crate::Code;

/// Free text of 1 to 1000 characters after trimming; line breaks and tabs are kept.
///
/// It may name people, so events hold it sealed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Reason(String);

string_value!(Reason);

impl Reason {
    /// The longest reason, in characters.
    pub const MAX_CHARS: usize = 1000;

    /// Parses a reason.
    ///
    /// # Errors
    /// `REASON_REQUIRED` when empty, `FIELD_TOO_LONG`, `FIELD_INVALID` with invisible characters.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let trimmed = text.trim();
        if trimmed.is_empty() {
            return Err(Invalid::new(Code::ReasonRequired, "Enter the reason."));
        }
        if trimmed.chars().count() > Self::MAX_CHARS {
            return Err(Invalid::new(
                Code::FieldTooLong,
                "Shorten the reason to at most 1000 characters.",
            ));
        }
        let breaks = ['\n', '\r', '\t'];
        if trimmed.split(breaks).any(has_hidden_characters) {
            return Err(Invalid::new(
                Code::FieldInvalid,
                "Remove invisible characters from the reason.",
            ));
        }
        Ok(Self(trimmed.to_owned()))
    }
}

/// What a review found: free text of 1 to 10000 characters after trimming; line breaks are kept.
///
/// It may name people, so events hold it sealed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Findings(String);

string_value!(Findings);

impl Findings {
    /// The longest findings, in characters.
    pub const MAX_CHARS: usize = 10_000;

    /// Parses findings.
    ///
    /// # Errors
    /// `FIELD_REQUIRED` when empty, `FIELD_TOO_LONG`, `FIELD_INVALID` with invisible characters.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let trimmed = text.trim();
        if trimmed.is_empty() {
            let message = "Say what was found, or that nothing was.";
            return Err(Invalid::new(Code::FieldRequired, message));
        }
        if trimmed.chars().count() > Self::MAX_CHARS {
            let message = "Shorten the findings to at most 10000 characters.";
            return Err(Invalid::new(Code::FieldTooLong, message));
        }
        if trimmed.split(['\n', '\r', '\t']).any(has_hidden_characters) {
            let message = "Remove invisible characters from the findings.";
            return Err(Invalid::new(Code::FieldInvalid, message));
        }
        Ok(Self(trimmed.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_keeps_its_lines() {
        let reason = Reason::parse("  left the practice\non 3 May ").expect("valid");
        assert_eq!(reason.as_str(), "left the practice\non 3 May");
    }

    #[test]
    fn empty_too_long_and_invisible_are_refused() {
        assert_eq!(Reason::parse(" \n ").unwrap_err().code.as_str(), "REASON_REQUIRED");
        assert!(Reason::parse(&"é".repeat(1000)).is_ok());
        assert_eq!(Reason::parse(&"é".repeat(1001)).unwrap_err().code.as_str(), "FIELD_TOO_LONG");
        assert_eq!(Reason::parse("a\u{1b}[31mb").unwrap_err().code.as_str(), "FIELD_INVALID");
        assert_eq!(Findings::parse(" \n ").unwrap_err().code.as_str(), "FIELD_REQUIRED");
        let long = "é".repeat(10_001);
        assert_eq!(Findings::parse(&long).unwrap_err().code.as_str(), "FIELD_TOO_LONG");
        assert_eq!(Findings::parse("a\u{1b}b").unwrap_err().code.as_str(), "FIELD_INVALID");
        assert_eq!(Findings::parse(" none\nat all ").unwrap().as_str(), "none\nat all");
    }
}
