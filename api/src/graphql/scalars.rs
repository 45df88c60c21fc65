//! Scalars. As input they take any string and the domain validates it, so that a bad NPI is a
//! userError with its field; a wrong JSON type is a request error.

use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};
use chrono::{DateTime as Instant, NaiveDate, SecondsFormat, Utc};
use rollcall_domain::{Code, Refusal};

macro_rules! text_scalar {
    ($($(#[$doc:meta])* $name:ident = $graphql:literal by $url:literal;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $name(pub String);

        #[Scalar(name = $graphql, specified_by_url = $url)]
        impl ScalarType for $name {
            fn parse(value: Value) -> InputValueResult<Self> {
                match value {
                    Value::String(text) => Ok(Self(text)),
                    Value::Null | Value::Number(_) | Value::Boolean(_) | Value::Binary(_)
                    | Value::Enum(_) | Value::List(_) | Value::Object(_) => {
                        Err(InputValueError::expected_type(value))
                    }
                }
            }

            fn is_valid(value: &Value) -> bool {
                matches!(value, Value::String(_))
            }

            fn to_value(&self) -> Value {
                Value::String(self.0.clone())
            }
        }

        impl<T: ToString> From<T> for $name {
            fn from(value: T) -> Self {
                Self(value.to_string())
            }
        }
    )+};
}

text_scalar! {
    /// A National Provider Identifier: ten digits, the last a check digit (45 CFR 162.406).
    NpiScalar = "NPI" by "https://www.cms.gov/Regulations-and-Guidance/Administrative-Simplification/NationalProvIdentStand";
    /// An email address (RFC 5321).
    EmailScalar = "EmailAddress" by "https://datatracker.ietf.org/doc/html/rfc5321#section-4.1.2";
    /// A telephone number in E.164 form, e.g. `+12025550123`.
    PhoneScalar = "PhoneNumber" by "https://www.itu.int/rec/T-REC-E.164";
}

/// A moment: RFC 3339, answered in UTC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DateTime(pub String);

#[Scalar(name = "DateTime", specified_by_url = "https://datatracker.ietf.org/doc/html/rfc3339")]
impl ScalarType for DateTime {
    fn parse(value: Value) -> InputValueResult<Self> {
        text(value).map(Self)
    }

    fn is_valid(value: &Value) -> bool {
        matches!(value, Value::String(_))
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.clone())
    }
}

impl From<Instant<Utc>> for DateTime {
    fn from(at: Instant<Utc>) -> Self {
        Self(at.to_rfc3339_opts(SecondsFormat::AutoSi, true))
    }
}

impl DateTime {
    /// The moment; `field` is the argument's path for the refusal.
    ///
    /// # Errors
    /// `DATE_INVALID`.
    pub fn parse(&self, field: &str) -> Result<Instant<Utc>, Refusal> {
        Instant::parse_from_rfc3339(&self.0).map(|at| at.with_timezone(&Utc)).map_err(|_| {
            Refusal::new(
                Code::DateInvalid,
                "Give a moment as RFC 3339 with its offset, e.g. 2026-03-01T08:00:00Z.",
            )
            .at(field)
        })
    }
}

/// A calendar date, `YYYY-MM-DD`, in the tenant's time zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Date(pub String);

#[Scalar(
    name = "Date",
    specified_by_url = "https://datatracker.ietf.org/doc/html/rfc3339#section-5.6"
)]
impl ScalarType for Date {
    fn parse(value: Value) -> InputValueResult<Self> {
        text(value).map(Self)
    }

    fn is_valid(value: &Value) -> bool {
        matches!(value, Value::String(_))
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.clone())
    }
}

impl From<NaiveDate> for Date {
    fn from(date: NaiveDate) -> Self {
        Self(date.to_string())
    }
}

impl Date {
    /// The date; `field` is the argument's path for the refusal.
    ///
    /// # Errors
    /// `DATE_INVALID`.
    pub fn parse(&self, field: &str) -> Result<NaiveDate, Refusal> {
        NaiveDate::parse_from_str(&self.0, "%Y-%m-%d").map_err(|_| {
            Refusal::new(Code::DateInvalid, "Give a date as YYYY-MM-DD, e.g. 2026-03-01.").at(field)
        })
    }
}

/// A place in a tenant's journal: 64 bits, so a string; integers are taken as input too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position(pub i64);

#[Scalar(name = "Position", specified_by_url = "https://www.rfc-editor.org/rfc/rfc8259#section-6")]
impl ScalarType for Position {
    fn parse(value: Value) -> InputValueResult<Self> {
        let parsed = match &value {
            Value::String(text) => text.parse().ok(),
            Value::Number(number) => number.as_i64(),
            Value::Null
            | Value::Boolean(_)
            | Value::Binary(_)
            | Value::Enum(_)
            | Value::List(_)
            | Value::Object(_) => None,
        };
        parsed
            .filter(|position| *position >= 0)
            .map(Self)
            .ok_or_else(|| InputValueError::custom("a Position is a non-negative whole number"))
    }

    fn is_valid(value: &Value) -> bool {
        matches!(value, Value::String(_) | Value::Number(_))
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

fn text<T: async_graphql::InputType>(value: Value) -> Result<String, InputValueError<T>> {
    match value {
        Value::String(text) => Ok(text),
        Value::Null
        | Value::Number(_)
        | Value::Boolean(_)
        | Value::Binary(_)
        | Value::Enum(_)
        | Value::List(_)
        | Value::Object(_) => Err(InputValueError::expected_type(value)),
    }
}
