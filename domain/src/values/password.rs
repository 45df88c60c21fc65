//! Passwords as typed, and the rules a tenant holds them to.
//!
//! Invariant: a password is exactly what was typed. It is never trimmed or normalised (CX-07),
//! leaves this type only through [`Password::reveal`], shows nothing in `Debug` and is wiped on
//! drop. Rules count code points.

use std::fmt;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::similarity;

/// A password in clear, on its way to its hash.
#[derive(Clone)]
pub struct Password(Zeroizing<String>);

impl Password {
    /// Takes a password as typed; whether it is good enough is for [`PasswordRules`].
    pub fn new(typed: impl Into<String>) -> Self {
        Self(Zeroizing::new(typed.into()))
    }

    /// The clear text: for hashing and comparing, never for keeping.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Length in code points.
    pub fn length(&self) -> usize {
        self.0.chars().count()
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(redacted)")
    }
}

/// Which special characters a password must hold one of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SpecialRule {
    /// None needed.
    NotRequired,
    /// Any character that is neither letter, digit nor blank.
    Any,
    /// One of these; others are allowed but do not count (MC-24).
    OneOf(String),
}

/// What a tenant demands of a password (MC-24, CC-05, GN-08); built by the policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasswordRules {
    /// Fewest code points.
    pub min_length: u32,
    /// Most code points, at least 64.
    pub max_length: u32,
    /// One upper-case letter needed.
    pub upper: bool,
    /// One lower-case letter needed.
    pub lower: bool,
    /// One digit needed.
    pub digit: bool,
    /// The special character needed.
    pub special: SpecialRule,
    /// The password may not contain the person's own identifiers.
    pub forbid_identifiers: bool,
    /// The password may not be on the list of common ones.
    pub blocklist: bool,
}

/// One rule that a password breaks; all broken ones are named at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum PasswordViolation {
    /// Fewer code points than needed.
    TooShort,
    /// More code points than allowed.
    TooLong,
    /// No upper-case letter.
    NoUppercase,
    /// No lower-case letter.
    NoLowercase,
    /// No digit.
    NoDigit,
    /// No special character that counts.
    NoSpecial,
    /// Contains the user name, the address or a name of the person.
    ContainsIdentifier,
    /// Among the passwords that are tried first.
    Common,
}

impl PasswordViolation {
    /// The stored and shown name.
    pub fn code(self) -> &'static str {
        match self {
            Self::TooShort => "TOO_SHORT",
            Self::TooLong => "TOO_LONG",
            Self::NoUppercase => "NO_UPPERCASE",
            Self::NoLowercase => "NO_LOWERCASE",
            Self::NoDigit => "NO_DIGIT",
            Self::NoSpecial => "NO_SPECIAL",
            Self::ContainsIdentifier => "CONTAINS_IDENTIFIER",
            Self::Common => "COMMON",
        }
    }
}

/// Identifiers shorter than this are part of too many good passwords to be forbidden.
const SHORTEST_IDENTIFIER: usize = 4;

impl PasswordRules {
    /// The rules that `password` breaks, in the order of [`PasswordViolation`]; empty when it is
    /// good. `identifiers` are the person's user name, email address and names.
    pub fn violations(&self, password: &Password, identifiers: &[&str]) -> Vec<PasswordViolation> {
        let text = password.reveal();
        let length = password.length();
        let checks = [
            (length < self.min_length as usize, PasswordViolation::TooShort),
            (length > self.max_length as usize, PasswordViolation::TooLong),
            (self.upper && !text.chars().any(char::is_uppercase), PasswordViolation::NoUppercase),
            (self.lower && !text.chars().any(char::is_lowercase), PasswordViolation::NoLowercase),
            (self.digit && !text.chars().any(|c| c.is_ascii_digit()), PasswordViolation::NoDigit),
            (!self.special.is_met_by(text), PasswordViolation::NoSpecial),
            (
                self.forbid_identifiers && contains_identifier(text, identifiers),
                PasswordViolation::ContainsIdentifier,
            ),
            (self.blocklist && similarity::is_common(password), PasswordViolation::Common),
        ];
        checks.into_iter().filter_map(|(broken, violation)| broken.then_some(violation)).collect()
    }
}

impl SpecialRule {
    fn is_met_by(&self, text: &str) -> bool {
        match self {
            Self::NotRequired => true,
            Self::Any => text.chars().any(|c| !c.is_alphanumeric() && !c.is_whitespace()),
            Self::OneOf(set) => text.chars().any(|c| set.contains(c)),
        }
    }
}

/// Whether the password holds one of the identifiers, in any case; of an address also the part
/// before the `@` by itself.
fn contains_identifier(text: &str, identifiers: &[&str]) -> bool {
    let folded = Zeroizing::new(text.to_lowercase());
    identifiers
        .iter()
        .flat_map(|identifier| [*identifier, identifier.split('@').next().unwrap_or_default()])
        .filter(|identifier| identifier.chars().count() >= SHORTEST_IDENTIFIER)
        .any(|identifier| folded.contains(&identifier.to_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use PasswordViolation::*;

    fn cencal() -> PasswordRules {
        PasswordRules {
            min_length: 8,
            max_length: 128,
            upper: true,
            lower: true,
            digit: true,
            special: SpecialRule::Any,
            forbid_identifiers: true,
            blocklist: true,
        }
    }

    fn medi_cal() -> PasswordRules {
        PasswordRules { min_length: 15, special: SpecialRule::OneOf("!$#%".to_owned()), ..cencal() }
    }

    fn violations(rules: &PasswordRules, typed: &str) -> Vec<PasswordViolation> {
        rules.violations(&Password::new(typed), &["jdoe", "jane.smith@clinic.example", "Ng"])
    }

    #[test]
    fn the_example_of_the_source_is_valid_under_eight_characters_of_four_classes() {
        assert_eq!(violations(&cencal(), "Portal123#"), []);
    }

    #[test]
    fn fifteen_characters_with_a_special_of_the_set() {
        assert_eq!(violations(&medi_cal(), "Harvest-Moon7!x"), []);
        assert_eq!(violations(&medi_cal(), "Harvest-Moon7x!y%"), []);
        assert_eq!(violations(&medi_cal(), "Harvest-Moon7!"), [TooShort]);
        assert_eq!(violations(&medi_cal(), "Harvest-Moon7&xx"), [NoSpecial]);
    }

    #[test]
    fn every_class_is_named_when_missing() {
        let rules = cencal();
        assert_eq!(violations(&rules, "vqzportal123#"), [NoUppercase]);
        assert_eq!(violations(&rules, "VQZPORTAL123#"), [NoLowercase]);
        assert_eq!(violations(&rules, "VqzPortal###"), [NoDigit]);
        assert_eq!(violations(&rules, "VqzPortal 123"), [NoSpecial]);
        assert_eq!(
            violations(&rules, ""),
            [TooShort, NoUppercase, NoLowercase, NoDigit, NoSpecial]
        );
    }

    #[test]
    fn length_counts_code_points_and_blanks() {
        let rules = PasswordRules { special: SpecialRule::NotRequired, ..cencal() };
        assert_eq!(violations(&rules, "Zürich7é"), []);
        assert_eq!(violations(&rules, " Zurich7 "), []);
        assert_eq!(violations(&rules, "Zurich7"), [TooShort]);
        assert_eq!(violations(&rules, &format!("Aq1{}", "é¤".repeat(63))), [TooLong]);
    }

    #[test]
    fn own_identifiers_are_refused_in_any_case_unless_very_short() {
        assert_eq!(violations(&cencal(), "xxJDoe123#"), [ContainsIdentifier]);
        assert_eq!(violations(&cencal(), "Jane.Smith#42"), [ContainsIdentifier]);
        assert_eq!(violations(&cencal(), "StrongVault42#"), []);
        let lax = PasswordRules { forbid_identifiers: false, ..cencal() };
        assert_eq!(violations(&lax, "xxJDoe123#"), []);
    }

    #[test]
    fn common_passwords_are_refused_with_their_usual_decoration() {
        for typed in ["Password1!", "P@ssw0rd2024#", "Welcome123!", "Qwerty12#"] {
            assert_eq!(violations(&cencal(), typed), [Common], "{typed}");
        }
        let lax = PasswordRules { blocklist: false, ..cencal() };
        assert_eq!(violations(&lax, "Password1!"), []);
    }

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", Password::new("Portal123#")), "Password(redacted)");
    }
}
