//! Telephone numbers in E.164, with the extension apart.

use super::{Invalid, string_value};
use crate::Code;

/// A number such as `+12025550123`, stored with its extension as in RFC 3966:
/// `+12025550123;ext=45`.
///
/// North American numbers (`+1`) must have an area code and an exchange of the form `[2-9]XX`, not
/// `N11`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PhoneNumber(String);

string_value!(PhoneNumber);

const EXTENSION: &str = ";ext=";

impl PhoneNumber {
    /// Parses E.164, or a North American number as people write it: `(202) 555-0123`,
    /// `1-202-555-0123`, `202.555.0123 x45`.
    ///
    /// # Errors
    /// `FIELD_REQUIRED` when empty, otherwise `PHONE_INVALID`.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        if text.trim().is_empty() {
            return Err(Invalid::required("phone number"));
        }
        let (number, extension) = split_extension(text);
        let digits = digits_of(number).ok_or_else(refusal)?;
        let international = number.trim_start().starts_with('+');
        let digits = match (international, digits.len()) {
            (false, 10) => format!("1{digits}"),
            (false, 11) if digits.starts_with('1') => digits,
            (true, 2..=15) => digits,
            (false | true, _) => return Err(refusal()),
        };
        if digits.starts_with('0') || (digits.starts_with('1') && !is_north_american(&digits)) {
            return Err(refusal());
        }
        match extension {
            None => Ok(Self(format!("+{digits}"))),
            Some(extension) if is_extension(extension) => {
                Ok(Self(format!("+{digits}{EXTENSION}{extension}")))
            }
            Some(_) => Err(Invalid::new(
                Code::PhoneInvalid,
                "Enter the extension as one to seven digits after an x.",
            )),
        }
    }

    /// The number in E.164, without the extension: what a message is sent to.
    pub fn e164(&self) -> &str {
        self.0.split_once(EXTENSION).map_or(&self.0, |(number, _)| number)
    }

    /// The extension's digits, where there is one.
    pub fn extension(&self) -> Option<&str> {
        self.0.split_once(EXTENSION).map(|(_, extension)| extension)
    }

    /// `***0123`: enough for its owner to recognise, for events and screens (MC-20).
    pub fn masked(&self) -> String {
        let number = self.e164();
        format!("***{}", number.get(number.len().saturating_sub(4)..).unwrap_or_default())
    }
}

fn refusal() -> Invalid {
    Invalid::new(
        Code::PhoneInvalid,
        "Enter the phone number with area code, such as (202) 555-0123, or with + and country code.",
    )
}

/// Cuts at `;ext=`, `ext.`, `ext` or `x`, in any case.
fn split_extension(text: &str) -> (&str, Option<&str>) {
    let lower = text.to_ascii_lowercase();
    [EXTENSION, "ext.", "ext", "x"]
        .into_iter()
        .find_map(|mark| {
            let at = lower.find(mark)?;
            Some((&text[..at], Some(text[at + mark.len()..].trim())))
        })
        .unwrap_or((text, None))
}

/// The digits of a number, or nothing when it holds more than digits and the usual punctuation.
fn digits_of(number: &str) -> Option<String> {
    let number = number.trim();
    let number = number.strip_prefix('+').unwrap_or(number);
    let usual =
        number.chars().all(|c| c.is_ascii_digit() || matches!(c, ' ' | '(' | ')' | '-' | '.'));
    usual.then(|| number.chars().filter(char::is_ascii_digit).collect())
}

fn is_extension(text: &str) -> bool {
    (1..=7).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// `1`, area `[2-9]XX` not `N11`, exchange `[2-9]XX` not `N11`, four digits.
fn is_north_american(digits: &str) -> bool {
    let block = |text: &str| matches!(text.as_bytes()[0], b'2'..=b'9') && !text.ends_with("11");
    digits.len() == 11 && block(&digits[1..4]) && block(&digits[4..7])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_north_american_forms_become_e164() {
        for text in [
            "+12025550123",
            "(202) 555-0123",
            "202-555-0123",
            "202.555.0123",
            "1 202 555 0123",
            "+1 (202) 555-0123",
            "2025550123",
        ] {
            assert_eq!(PhoneNumber::parse(text).expect(text).as_str(), "+12025550123");
        }
    }

    #[test]
    fn other_countries_need_the_plus() {
        assert_eq!(PhoneNumber::parse("+44 20 7946 0000").expect("valid").e164(), "+442079460000");
        assert_eq!(PhoneNumber::parse("442079460000").unwrap_err().code.as_str(), "PHONE_INVALID");
    }

    #[test]
    fn the_extension_stands_apart() {
        for text in ["(202) 555-0123 x45", "202-555-0123 ext. 45", "+12025550123;ext=45"] {
            let phone = PhoneNumber::parse(text).expect(text);
            assert_eq!((phone.e164(), phone.extension()), ("+12025550123", Some("45")));
            assert_eq!(phone.to_string(), "+12025550123;ext=45");
        }
    }

    #[test]
    fn numbers_that_cannot_exist_are_refused() {
        for text in [
            "+10125550123",
            "+12021550123",
            "+19115550123",
            "+12024110123",
            "+1234567890123456",
            "+0123456789",
            "+1202555012",
            "555-0123",
            "202-555-012E",
            "２０２-555-0123",
            "+12025550123 x",
            "+12025550123 x12345678",
            "++12025550123",
            "+",
        ] {
            assert_eq!(
                PhoneNumber::parse(text).unwrap_err().code.as_str(),
                "PHONE_INVALID",
                "{text}"
            );
        }
        assert_eq!(PhoneNumber::parse("  ").unwrap_err().code.as_str(), "FIELD_REQUIRED");
    }

    #[test]
    fn fifteen_digits_are_the_longest() {
        assert!(PhoneNumber::parse("+441234567890123").is_ok());
        assert!(PhoneNumber::parse("+4412345678901234").is_err());
    }

    #[test]
    fn the_mask_shows_the_last_four_digits_only() {
        assert_eq!(PhoneNumber::parse("202-555-0123 x45").expect("valid").masked(), "***0123");
    }
}
