//! Names that machines address: the tenant's slug and a person's user name.

use super::{Invalid, string_value};
use crate::Code;

/// The tenant's short name in headers and links: 2 to 40 of `a-z`, `0-9` and single inner hyphens,
/// beginning with a letter.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Slug(String);

string_value!(Slug);

impl Slug {
    /// Parses a slug.
    ///
    /// # Errors
    /// `FIELD_REQUIRED` when empty, otherwise `SLUG_INVALID`.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        if text.is_empty() {
            return Err(Invalid::required("short name"));
        }
        let fits = (2..=40).contains(&text.len())
            && text.starts_with(|c: char| c.is_ascii_lowercase())
            && text.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-')
            && !text.ends_with('-')
            && !text.contains("--");
        if fits {
            Ok(Self(text.to_owned()))
        } else {
            Err(Invalid::new(
                Code::SlugInvalid,
                "Use 2 to 40 lower-case letters, digits and single hyphens, beginning with a letter.",
            ))
        }
    }
}

/// A user name, 3 to 64 of ASCII letters, digits and `. _ - @`, beginning with a letter or digit.
/// Case is kept for showing and ignored for comparing (AL-03).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Username(String);

string_value!(Username);

impl Username {
    /// Parses a user name; nothing is trimmed.
    ///
    /// # Errors
    /// `FIELD_REQUIRED` when empty, otherwise `USERNAME_INVALID`.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        if text.is_empty() {
            return Err(Invalid::required("user name"));
        }
        let fits = (3..=64).contains(&text.len())
            && text.starts_with(|c: char| c.is_ascii_alphanumeric())
            && text.bytes().all(|c| c.is_ascii_alphanumeric() || b"._-@".contains(&c));
        if fits {
            Ok(Self(text.to_owned()))
        } else {
            Err(Invalid::new(
                Code::UsernameInvalid,
                "Use 3 to 64 letters, digits, dots, hyphens, underscores or @, without blanks.",
            ))
        }
    }

    /// The form uniqueness is decided on.
    pub fn key(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_are_short_lower_case_names() {
        for text in ["medi-cal", "cencal", "a1", &"a".repeat(40)] {
            assert_eq!(Slug::parse(text).expect(text).as_str(), text);
        }
        for text in ["a", "1a", "-a", "a-", "a--b", "Medi-Cal", "a b", "a_b", "ä1", &"a".repeat(41)]
        {
            assert_eq!(Slug::parse(text).unwrap_err().code.as_str(), "SLUG_INVALID", "{text}");
        }
        assert_eq!(Slug::parse("").unwrap_err().code.as_str(), "FIELD_REQUIRED");
    }

    #[test]
    fn user_names_keep_their_case_and_compare_without_it() {
        let username = Username::parse("J.Doe_1").expect("valid");
        assert_eq!((username.as_str(), username.key().as_str()), ("J.Doe_1", "j.doe_1"));
    }

    #[test]
    fn user_names_with_blanks_or_other_scripts_are_refused() {
        for text in ["jd", " jdoe", "jdoe ", "j doe", ".jdoe", "jdöe", &"j".repeat(65)] {
            assert_eq!(
                Username::parse(text).unwrap_err().code.as_str(),
                "USERNAME_INVALID",
                "{text}"
            );
        }
        assert_eq!(Username::parse("").unwrap_err().code.as_str(), "FIELD_REQUIRED");
    }
}
