//! What a parameter may hold: its type with bounds, its default and where it comes from.

use super::{PolicyKey, PolicyValue};

/// What an integer parameter counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Characters, digits or symbols.
    Characters,
    /// Things counted: attempts, items, sessions.
    Count,
    /// Seconds.
    Seconds,
    /// Minutes, to the second.
    Minutes,
    /// Hours, to the second.
    Hours,
    /// Days.
    Days,
    /// A day of the month.
    DayOfMonth,
    /// Years.
    Years,
    /// Mebibytes.
    Mebibytes,
}

impl Unit {
    /// The unit in a sentence, plural.
    pub fn name(self) -> &'static str {
        match self {
            Self::Characters => "characters",
            Self::Count => "in number",
            Self::Seconds => "seconds",
            Self::Minutes => "minutes",
            Self::Hours => "hours",
            Self::Days => "days",
            Self::DayOfMonth => "as day of the month",
            Self::Years => "years",
            Self::Mebibytes => "MiB",
        }
    }
}

/// The type of a parameter's value and its bounds, both inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueType {
    /// A whole number.
    Integer { unit: Unit, min: u32, max: u32 },
    /// A whole number, or none: the rule is off.
    OptionalInteger { unit: Unit, min: u32, max: u32 },
    /// One to five whole numbers, such as reminders 14, 7 and 1 day before; largest first.
    Integers { unit: Unit, min: u32, max: u32 },
    /// Yes or no.
    Boolean,
    /// One of the words.
    Choice(&'static [&'static str]),
    /// Any of the words, at least `at_least`; kept in the order of the words.
    Choices { of: &'static [&'static str], at_least: usize },
    /// Distinct ASCII punctuation characters, or none: any symbol.
    Symbols,
    /// A local time of day, `HH:MM`.
    TimeOfDay,
    /// An IANA zone name.
    TimeZone,
    /// The address of a page, or none.
    WebAddress,
}

/// A value as the preset tables write it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Literal {
    /// None: the rule is off.
    Off,
    /// Yes or no.
    Bool(bool),
    /// A whole number.
    Int(u32),
    /// Several whole numbers.
    Ints(&'static [u32]),
    /// A word, a zone, a time or symbols.
    Text(&'static str),
    /// Several words.
    Words(&'static [&'static str]),
}

impl From<Literal> for PolicyValue {
    fn from(literal: Literal) -> Self {
        match literal {
            Literal::Off => Self::Off,
            Literal::Bool(value) => Self::Boolean(value),
            Literal::Int(value) => Self::Integer(value),
            Literal::Ints(values) => Self::Integers(values.to_vec()),
            Literal::Text(text) => Self::Text(text.to_owned()),
            Literal::Words(words) => Self::Words(words.iter().map(|&w| w.to_owned()).collect()),
        }
    }
}

/// Everything there is to know about a parameter without a tenant.
#[derive(Debug, Clone, Copy)]
pub struct PolicySpec {
    /// The parameter.
    pub key: PolicyKey,
    /// Its type and bounds.
    pub value_type: ValueType,
    /// What holds where the preset says nothing: the rule switched off, or its careful value.
    pub default: Literal,
    /// One sentence for administrators.
    pub doc: &'static str,
    /// Requirement ids, blank-separated.
    pub requirements: &'static str,
}
