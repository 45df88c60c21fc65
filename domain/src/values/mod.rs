//! Values: what the catalogue's fields may hold, parsed once at the edge and trusted from then on.
//!
//! Invariant: a value that came through its `parse` satisfies its rule for ever. `Deserialize`
//! reads what this service once stored and does not parse again, so that a rule tightened later
//! never makes an old event unreadable; input from outside goes through `parse`, never through
//! serde.

mod agreement;
mod contact;
mod dates;
mod email;
mod identifiers;
mod labels;
mod names;
mod npi;
mod password;
mod phone;
mod reason;
mod similarity;
mod tax_id;
mod tenant_time;
mod transaction_type;
mod zip;

pub use agreement::{Acceptance, AgreementKind};
pub use contact::CodeChannel;
pub use dates::CalendarDate;
pub use email::EmailAddress;
pub use identifiers::{Slug, Username};
pub use labels::{
    ApiKeyName, ContentLine, CorrespondenceType, JobRoleName, ProviderCommunity, ProviderType,
    SinkName,
};
pub use names::{OrganizationName, PersonName};
pub use npi::Npi;
pub use password::{Password, PasswordRules, PasswordViolation, SpecialRule};
pub use phone::PhoneNumber;
pub use reason::Reason;
pub use similarity::{are_similar, edit_distance, is_common, normal_form};
pub use tax_id::{EIN_PREFIXES, TaxId, TaxIdKind};
pub use tenant_time::TenantZone;
pub use transaction_type::TransactionType;
pub use zip::Zip;

use crate::{Code, Refusal};

/// Input that a value refuses: the stable code of section 6 and a sentence that says what to do.
///
/// The sentence never repeats the input, because input may be a secret or somebody's data.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Invalid {
    /// Stable code such as `NPI_INVALID`.
    pub code: Code,
    /// Plain English, addressed to the person who typed.
    pub message: String,
}

impl Invalid {
    /// A refusal with its code and sentence.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// `FIELD_REQUIRED` for an empty field, named as a person would name it.
    pub fn required(what: &str) -> Self {
        Self::new(Code::FieldRequired, format!("Enter the {what}."))
    }
}

impl From<Invalid> for Refusal {
    /// The refusal of a command by one of its fields; the caller adds the field with `at`.
    fn from(invalid: Invalid) -> Self {
        Self::new(invalid.code, invalid.message)
    }
}

/// Gives a newtype over `String` its accessor, `Display`, `FromStr` and serde as the plain string.
///
/// The type supplies `parse(&str) -> Result<Self, Invalid>`.
macro_rules! string_value {
    ($name:ident) => {
        impl $name {
            /// The value as text, in its stored form.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl ::std::str::FromStr for $name {
            type Err = $crate::values::Invalid;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::parse(text)
            }
        }

        impl ::serde::Serialize for $name {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<D: ::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> Result<Self, D::Error> {
                <String as ::serde::Deserialize>::deserialize(deserializer).map(Self)
            }
        }
    };
}
pub(crate) use string_value;

/// Whether a text carries characters that are not seen but change how it reads: controls and the
/// bidirectional overrides and isolates.
fn has_hidden_characters(text: &str) -> bool {
    text.chars().any(|c| {
        c.is_control()
            || matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{200B}' | '\u{FEFF}')
    })
}

/// Trims a one-line text and holds it to 1..=`max` characters without hidden ones.
fn one_line(text: &str, max: usize, code: Code, what: &str) -> Result<String, Invalid> {
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return Err(Invalid::required(what));
    }
    if trimmed.chars().count() > max {
        return Err(Invalid::new(code, format!("Shorten the {what} to at most {max} characters.")));
    }
    if has_hidden_characters(trimmed) {
        return Err(Invalid::new(
            code,
            format!("Remove line breaks and invisible characters from the {what}."),
        ));
    }
    Ok(trimmed.to_owned())
}
