//! Names of people and organisations: one line of text, as its bearer writes it.

use super::{Invalid, one_line, string_value};
use crate::Code;

/// A first or last name, 1 to 80 characters after trimming, in any script.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PersonName(String);

string_value!(PersonName);

impl PersonName {
    /// Parses a name; blanks around it are dropped.
    ///
    /// # Errors
    /// `FIELD_REQUIRED` when empty, `NAME_INVALID` when too long or with invisible characters.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        one_line(text, 80, Code::NameInvalid, "name").map(Self)
    }
}

/// The name of an organisation or provider, 1 to 200 characters after trimming.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct OrganizationName(String);

string_value!(OrganizationName);

impl OrganizationName {
    /// Parses a name; blanks around it are dropped.
    ///
    /// # Errors
    /// `FIELD_REQUIRED` when empty, `NAME_INVALID` when too long or with invisible characters.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        one_line(text, 200, Code::NameInvalid, "name of the organization").map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_their_script_and_lose_the_blanks_around_them() {
        for (typed, kept) in [(" Zoë ", "Zoë"), ("O'Brien-Ng", "O'Brien-Ng"), ("李", "李")] {
            assert_eq!(PersonName::parse(typed).expect(typed).as_str(), kept);
        }
    }

    #[test]
    fn the_limits_count_characters_not_bytes() {
        assert!(PersonName::parse(&"é".repeat(80)).is_ok());
        assert_eq!(PersonName::parse(&"é".repeat(81)).unwrap_err().code.as_str(), "NAME_INVALID");
        assert!(OrganizationName::parse(&"é".repeat(200)).is_ok());
        assert_eq!(
            OrganizationName::parse(&"é".repeat(201)).unwrap_err().code.as_str(),
            "NAME_INVALID"
        );
    }

    #[test]
    fn empty_and_invisible_are_refused() {
        for text in ["", "   ", "\t"] {
            assert_eq!(PersonName::parse(text).unwrap_err().code.as_str(), "FIELD_REQUIRED");
        }
        for text in ["Jane\nDoe", "Jane\u{0}", "Jane\u{202E}eoD", "Ja\u{200B}ne"] {
            assert_eq!(
                PersonName::parse(text).unwrap_err().code.as_str(),
                "NAME_INVALID",
                "{text:?}"
            );
        }
    }
}
