//! National Provider Identifier: ten digits with a check digit and no other meaning.

use super::{Invalid, string_value};
use crate::Code;

/// An NPI (45 CFR 162.406; check digit by Luhn over `80840` + the first nine digits).
///
/// Luhn misses the transposition of 0 and 9, so a valid number may still be the wrong one: show
/// the provider's name for confirmation.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Npi(String);

string_value!(Npi);

/// Luhn sum of the issuer prefix `80840` that stands before every NPI.
const PREFIX_SUM: u32 = 24;

impl Npi {
    /// Parses ten ASCII digits; blanks, hyphens and digits of other scripts are refused.
    ///
    /// # Errors
    /// `FIELD_REQUIRED` when empty, otherwise `NPI_INVALID`.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        if text.is_empty() {
            return Err(Invalid::required("NPI"));
        }
        let bytes = text.as_bytes();
        if bytes.len() != 10 || !bytes.iter().all(u8::is_ascii_digit) {
            return Err(refusal("Enter the NPI as ten digits without blanks or hyphens."));
        }
        if !matches!(bytes[0], b'1' | b'2') {
            return Err(refusal("Check the NPI: it begins with 1 or 2."));
        }
        if !(PREFIX_SUM + luhn_sum(bytes)).is_multiple_of(10) {
            return Err(refusal("Check the NPI for a mistyped digit."));
        }
        Ok(Self(text.to_owned()))
    }
}

fn refusal(message: &str) -> Invalid {
    Invalid::new(Code::NpiInvalid, message)
}

/// Luhn sum with every second digit from the right doubled, the check digit itself not.
fn luhn_sum(digits: &[u8]) -> u32 {
    digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| {
            let value = u32::from(digit - b'0');
            if place % 2 == 0 { value } else { value / 5 + value * 2 % 10 }
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_with_a_right_check_digit_parse() {
        for text in [
            "1234567893",
            "1245319599",
            "1679576722",
            "1558598797",
            "1993999998",
            "1000000004",
            "1111111112",
            "1999999992",
            "2000000002",
            "2999999990",
        ] {
            assert_eq!(Npi::parse(text).expect(text).as_str(), text);
        }
    }

    #[test]
    fn transposed_nought_and_nine_both_pass_as_luhn_cannot_tell_them_apart() {
        assert!(Npi::parse("1090000005").is_ok());
        assert!(Npi::parse("1900000005").is_ok());
    }

    #[test]
    fn everything_else_is_refused() {
        for text in [
            "1234567890",
            "1234567803",
            "123456789",
            "12345678931",
            "1234 567893",
            "0234567893",
            "3234567893",
            " 1234567893",
            "1234567893\n",
            "１２３４５６７８９３",
            "١٢٣٤٥٦٧٨٩٣",
        ] {
            assert_eq!(Npi::parse(text).unwrap_err().code.as_str(), "NPI_INVALID", "{text}");
        }
        assert_eq!(Npi::parse("").unwrap_err().code.as_str(), "FIELD_REQUIRED");
    }

    #[test]
    fn exactly_one_check_digit_fits_every_nine_digits() {
        for nine in (100_000_000_u64..300_000_000).step_by(7_777_777) {
            let fitting = (0..10).filter(|d| Npi::parse(&format!("{nine}{d}")).is_ok()).count();
            assert_eq!(fitting, 1, "{nine}");
        }
    }

    #[test]
    fn serde_is_the_plain_string() {
        let npi = Npi::parse("1234567893").expect("valid");
        assert_eq!(serde_json::to_string(&npi).expect("json"), "\"1234567893\"");
        let back: Npi = serde_json::from_str("\"1234567893\"").expect("json");
        assert_eq!(back, npi);
    }
}
