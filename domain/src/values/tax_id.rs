//! Tax identifiers: EIN of an organisation or SSN of a person who bills under it.
//!
//! Invariant: the digits leave this type only through [`TaxId::normalized`]; it is neither
//! `Serialize` nor `Display`, its `Debug` shows nothing, and memory is wiped on drop.

use std::fmt;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::Invalid;
use crate::Code;

/// Which authority numbered it; asked, because nine bare digits do not say (section 5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum TaxIdKind {
    /// Employer Identification Number, `NN-NNNNNNN`.
    Ein,
    /// Social Security Number, `AAA-GG-SSSS`.
    Ssn,
}

impl TaxIdKind {
    /// Parses `EIN` or `SSN`.
    ///
    /// # Errors
    /// `FIELD_INVALID`.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        match text {
            "EIN" => Ok(Self::Ein),
            "SSN" => Ok(Self::Ssn),
            _ => Err(Invalid::new(Code::FieldInvalid, "Choose EIN or SSN.")),
        }
    }

    /// The stored name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ein => "EIN",
            Self::Ssn => "SSN",
        }
    }
}

/// The EIN prefixes the IRS has assigned, as inclusive ranges of the first two digits.
pub const EIN_PREFIXES: &[(u32, u32)] =
    &[(1, 6), (10, 16), (20, 27), (30, 48), (50, 68), (71, 77), (80, 88), (90, 95), (98, 99)];

/// An EIN or SSN. Stored encrypted with a keyed hash beside it; shown as its last four digits.
#[derive(Clone, PartialEq, Eq)]
pub struct TaxId {
    kind: TaxIdKind,
    digits: Zeroizing<String>,
}

impl TaxId {
    /// Parses nine digits, bare or with the hyphens of the kind, against [`EIN_PREFIXES`].
    ///
    /// # Errors
    /// `FIELD_REQUIRED` when empty, otherwise `TAX_ID_INVALID`; the sentence never repeats digits.
    pub fn parse(kind: TaxIdKind, text: &str) -> Result<Self, Invalid> {
        Self::parse_with_prefixes(kind, text, EIN_PREFIXES)
    }

    /// [`TaxId::parse`] for a tenant that keeps its own list of EIN prefixes.
    ///
    /// # Errors
    /// As [`TaxId::parse`].
    pub fn parse_with_prefixes(
        kind: TaxIdKind,
        text: &str,
        ein_prefixes: &[(u32, u32)],
    ) -> Result<Self, Invalid> {
        if text.is_empty() {
            return Err(Invalid::required("tax identifier"));
        }
        let (hyphens, form): (&[usize], _) = match kind {
            TaxIdKind::Ein => (&[2], "Enter the EIN as nine digits, such as 12-3456789."),
            TaxIdKind::Ssn => (&[3, 5], "Enter the SSN as nine digits, such as 123-45-6789."),
        };
        let digits = nine_digits(text, hyphens).ok_or_else(|| refusal(form))?;
        let number = |from: usize, to: usize| {
            digits[from..to].bytes().fold(0, |n, digit| n * 10 + u32::from(digit - b'0'))
        };
        let assigned = match kind {
            TaxIdKind::Ein => {
                let prefix = number(0, 2);
                ein_prefixes.iter().any(|(first, last)| (*first..=*last).contains(&prefix))
            }
            TaxIdKind::Ssn => {
                let (area, group, serial) = (number(0, 3), number(3, 5), number(5, 9));
                !matches!(area, 0 | 666 | 900..=999) && group != 0 && serial != 0
            }
        };
        if !assigned {
            return Err(refusal(&format!(
                "Check the {}: no such number is ever assigned.",
                kind.as_str()
            )));
        }
        Ok(Self { kind, digits })
    }

    /// EIN or SSN.
    pub fn kind(&self) -> TaxIdKind {
        self.kind
    }

    /// The last four digits: all that screens, events and exports may show.
    pub fn last4(&self) -> &str {
        &self.digits[5..]
    }

    /// `EIN:123456789`, the same for every way of typing it: the input of the keyed hash and of
    /// encryption, and for nothing else.
    pub fn normalized(&self) -> Zeroizing<String> {
        Zeroizing::new(format!("{}:{}", self.kind.as_str(), self.digits.as_str()))
    }
}

impl fmt::Debug for TaxId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TaxId({}, redacted)", self.kind.as_str())
    }
}

fn refusal(message: &str) -> Invalid {
    Invalid::new(Code::TaxIdInvalid, message)
}

/// Nine ASCII digits, either bare or with a hyphen before each of the digits at `hyphens`.
fn nine_digits(text: &str, hyphens: &[usize]) -> Option<Zeroizing<String>> {
    let digits = Zeroizing::new(text.chars().filter(|c| *c != '-').collect::<String>());
    if digits.len() != 9 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let mut hyphenated = Zeroizing::new(String::with_capacity(11));
    for (place, digit) in digits.chars().enumerate() {
        if hyphens.contains(&place) {
            hyphenated.push('-');
        }
        hyphenated.push(digit);
    }
    (text == digits.as_str() || text == hyphenated.as_str()).then_some(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(kind: TaxIdKind, text: &str) -> &'static str {
        TaxId::parse(kind, text).expect_err(text).code.as_str()
    }

    #[test]
    fn both_kinds_parse_with_and_without_hyphens() {
        for (kind, hyphenated, bare) in [
            (TaxIdKind::Ein, "12-3456789", "123456789"),
            (TaxIdKind::Ssn, "123-45-6789", "123456789"),
        ] {
            let tax_id = TaxId::parse(kind, hyphenated).expect("valid");
            assert_eq!(tax_id, TaxId::parse(kind, bare).expect("valid"));
            assert_eq!(tax_id.last4(), "6789");
        }
    }

    #[test]
    fn the_same_digits_of_the_two_kinds_normalise_differently() {
        let ein = TaxId::parse(TaxIdKind::Ein, "123456789").expect("valid");
        let ssn = TaxId::parse(TaxIdKind::Ssn, "123456789").expect("valid");
        assert_eq!(ein.normalized().as_str(), "EIN:123456789");
        assert_eq!(ssn.normalized().as_str(), "SSN:123456789");
    }

    #[test]
    fn exactly_the_unassigned_ein_prefixes_are_refused() {
        let refused: Vec<u32> = (0..100)
            .filter(|prefix| TaxId::parse(TaxIdKind::Ein, &format!("{prefix:02}-3456789")).is_err())
            .collect();
        assert_eq!(refused, [0, 7, 8, 9, 17, 18, 19, 28, 29, 49, 69, 70, 78, 79, 89, 96, 97]);
    }

    #[test]
    fn a_tenant_may_keep_its_own_prefix_list() {
        let newly_assigned = TaxId::parse_with_prefixes(TaxIdKind::Ein, "07-1234567", &[(7, 7)]);
        assert_eq!(newly_assigned.expect("in the list").last4(), "4567");
    }

    #[test]
    fn numbers_that_are_never_assigned_are_refused() {
        for text in [
            "666-12-3456",
            "900-12-3456",
            "999-12-3456",
            "000-12-3456",
            "123-00-6789",
            "123-45-0000",
        ] {
            assert_eq!(code(TaxIdKind::Ssn, text), "TAX_ID_INVALID", "{text}");
        }
        assert_eq!(code(TaxIdKind::Ein, "07-1234567"), "TAX_ID_INVALID");
    }

    #[test]
    fn misplaced_hyphens_blanks_and_wrong_lengths_are_refused() {
        for text in
            ["123-456789", "12-345678", "12-34567890", "12 3456789", "12--3456789", "１２3456789"]
        {
            assert_eq!(code(TaxIdKind::Ein, text), "TAX_ID_INVALID", "{text}");
        }
        assert_eq!(code(TaxIdKind::Ssn, "12-3456789"), "TAX_ID_INVALID");
        assert_eq!(code(TaxIdKind::Ssn, ""), "FIELD_REQUIRED");
    }

    #[test]
    fn debug_and_refusals_show_no_digit() {
        let tax_id = TaxId::parse(TaxIdKind::Ssn, "123-45-6789").expect("valid");
        assert_eq!(format!("{tax_id:?}"), "TaxId(SSN, redacted)");
        let refusal = TaxId::parse(TaxIdKind::Ssn, "666-12-3456").unwrap_err();
        assert!(!refusal.message.contains("666") && !refusal.message.contains("3456"));
    }
}
