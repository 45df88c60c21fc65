//! ZIP codes of pay-to addresses.

use super::{Invalid, string_value};
use crate::Code;

/// `12345` or `12345-6789`; text, because leading zeros count. Any state is possible.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Zip(String);

string_value!(Zip);

impl Zip {
    /// Parses five digits, optionally followed by a hyphen and four.
    ///
    /// # Errors
    /// `FIELD_REQUIRED` when empty, otherwise `ZIP_INVALID`.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        if text.is_empty() {
            return Err(Invalid::required("ZIP code"));
        }
        let digits = |part: &str, n| part.len() == n && part.bytes().all(|b| b.is_ascii_digit());
        let fits = match text.split_once('-') {
            None => digits(text, 5),
            Some((five, four)) => digits(five, 5) && digits(four, 4),
        };
        if fits {
            Ok(Self(text.to_owned()))
        } else {
            Err(Invalid::new(Code::ZipInvalid, "Enter the ZIP code as 12345 or 12345-6789."))
        }
    }

    /// Whether two ZIP codes may mean the same place: the first five digits decide where either
    /// side lacks the +4 (MC-07).
    pub fn matches(&self, other: &Zip) -> bool {
        match (self.plus4(), other.plus4()) {
            (Some(_), Some(_)) => self.0 == other.0,
            (None, _) | (_, None) => self.first5() == other.first5(),
        }
    }

    fn first5(&self) -> &str {
        self.0.split_once('-').map_or(&self.0, |(five, _)| five)
    }

    fn plus4(&self) -> Option<&str> {
        self.0.split_once('-').map(|(_, four)| four)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zip(text: &str) -> Zip {
        Zip::parse(text).expect(text)
    }

    #[test]
    fn five_digits_and_plus_four_parse_with_leading_zeros_kept() {
        assert_eq!(zip("01001").as_str(), "01001");
        assert_eq!(zip("95814-0001").as_str(), "95814-0001");
    }

    #[test]
    fn other_forms_are_refused() {
        for text in
            ["9581", "958140", "95814-", "95814-001", "95814 0001", "9581A", "９5814", " 95814"]
        {
            assert_eq!(Zip::parse(text).unwrap_err().code.as_str(), "ZIP_INVALID", "{text}");
        }
        assert_eq!(Zip::parse("").unwrap_err().code.as_str(), "FIELD_REQUIRED");
    }

    #[test]
    fn the_first_five_decide_when_one_side_lacks_the_plus_four() {
        assert!(zip("95814").matches(&zip("95814-1234")));
        assert!(zip("95814-1234").matches(&zip("95814")));
        assert!(zip("95814-1234").matches(&zip("95814-1234")));
        assert!(!zip("95814-1234").matches(&zip("95814-9999")));
        assert!(!zip("95814").matches(&zip("95815-1234")));
    }
}
