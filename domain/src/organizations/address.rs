//! The postal address a plan has on file for an organisation, where letters go (MC-03).
//!
//! Invariant: an address that was parsed fits on an envelope: no line is empty or hidden.

use serde::{Deserialize, Serialize};

use crate::Code;
use crate::values::{Invalid, OrganizationName, Zip};

/// A pay-to address in the United States.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PostalAddress {
    /// Street and number, or post-office box.
    pub line1: String,
    /// Suite or floor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line2: Option<String>,
    pub city: String,
    /// Two capital letters, as the postal service abbreviates.
    pub state: String,
    pub zip: Zip,
}

impl PostalAddress {
    /// Parses the parts of an address; an empty second line is none.
    ///
    /// # Errors
    /// `FIELD_REQUIRED`, `FIELD_INVALID` or the ZIP's own.
    pub fn parse(
        line1: &str,
        line2: &str,
        city: &str,
        state: &str,
        zip: &str,
    ) -> Result<Self, Invalid> {
        let line2 = if line2.trim().is_empty() { None } else { Some(line(line2, "second line")?) };
        let state = state.trim();
        if state.len() != 2 || !state.bytes().all(|c| c.is_ascii_uppercase()) {
            return Err(Invalid::new(
                Code::FieldInvalid,
                "Enter the state as two capital letters, such as CA.",
            ));
        }
        Ok(Self {
            line1: line(line1, "street")?,
            line2,
            city: line(city, "city")?,
            state: state.to_owned(),
            zip: Zip::parse(zip)?,
        })
    }
}

/// One line of an envelope obeys the rule of an organisation's name.
fn line(text: &str, what: &str) -> Result<String, Invalid> {
    if text.trim().is_empty() {
        return Err(Invalid::required(what));
    }
    OrganizationName::parse(text).map(|name| name.as_str().to_owned()).map_err(|_| {
        Invalid::new(Code::FieldInvalid, format!("Write the {what} in one line of 200 characters."))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_loses_the_blanks_around_its_lines() {
        let address = PostalAddress::parse(" 1 Main St ", " ", "Fresno", "CA", "93701").unwrap();
        assert_eq!((address.line1.as_str(), address.line2), ("1 Main St", None));
    }

    #[test]
    fn an_address_that_no_letter_reaches_is_refused() {
        let code = |line1, city, state| {
            PostalAddress::parse(line1, "", city, state, "93701").unwrap_err().code
        };
        assert_eq!(code("", "Fresno", "CA"), Code::FieldRequired);
        assert_eq!(code("1 Main St", " ", "CA"), Code::FieldRequired);
        assert_eq!(code("1 Main St\nFresno", "Fresno", "CA"), Code::FieldInvalid);
        assert_eq!(code("1 Main St", "Fresno", "California"), Code::FieldInvalid);
        assert_eq!(code("1 Main St", "Fresno", "ca"), Code::FieldInvalid);
    }
}
