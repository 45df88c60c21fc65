//! Levels and scopes of permissions.
//!
//! Invariant: `*` stands for everything there is and will be; a narrower entry overrides it.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::values::{CorrespondenceType, Npi};

/// A person's level for one NPI, from least to most (MC-39).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum NpiLevel {
    /// No access.
    #[default]
    None,
    /// Receives notifications; searches, reads and exports correspondence (MC-41).
    Processor,
    /// Also views and resets PINs and views tax documents granted (MC-40).
    Admin,
}

impl NpiLevel {
    /// The stored name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "NONE",
            Self::Processor => "PROCESSOR",
            Self::Admin => "ADMIN",
        }
    }

    /// Reads a stored name back.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::None, Self::Processor, Self::Admin].into_iter().find(|level| level.as_str() == name)
    }
}

/// The steps of the permission wizard (MC-43).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum WizardStep {
    Npi,
    Correspondence,
    Organization,
}

impl WizardStep {
    /// The stored name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Npi => "NPI",
            Self::Correspondence => "CORRESPONDENCE",
            Self::Organization => "ORGANIZATION",
        }
    }

    /// Reads a stored name back.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Npi, Self::Correspondence, Self::Organization]
            .into_iter()
            .find(|step| step.as_str() == name)
    }
}

macro_rules! scope {
    ($(#[$doc:meta])* $name:ident of $value:ty) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name {
            /// Written `*`: all there are and those that come later.
            All,
            One($value),
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    Self::All => f.write_str("*"),
                    Self::One(value) => value.fmt(f),
                }
            }
        }

        impl From<$value> for $name {
            fn from(value: $value) -> Self {
                Self::One(value)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self {
                    Self::All => serializer.serialize_str("*"),
                    Self::One(value) => value.serialize(serializer),
                }
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let value = <$value>::deserialize(deserializer)?;
                Ok(if value.as_str() == "*" { Self::All } else { Self::One(value) })
            }
        }
    };
}

scope! {
    /// One NPI, or all NPIs of the organisation (MC-08).
    NpiScope of Npi
}
scope! {
    /// One type of correspondence, or all types of the tenant (MC-08).
    CorrespondenceScope of CorrespondenceType
}

impl NpiScope {
    /// The NPI, unless it is all of them.
    #[must_use]
    pub fn npi(&self) -> Option<&Npi> {
        match self {
            Self::All => None,
            Self::One(npi) => Some(npi),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_stored_as_a_star_or_the_value() {
        let npi = Npi::parse("1234567893").unwrap();
        for (scope, json) in [(NpiScope::All, "\"*\""), (npi.into(), "\"1234567893\"")] {
            assert_eq!(serde_json::to_string(&scope).unwrap(), json);
            assert_eq!(serde_json::from_str::<NpiScope>(json).unwrap(), scope);
        }
    }

    #[test]
    fn stored_names_are_those_of_events_and_read_back() {
        for level in [NpiLevel::None, NpiLevel::Processor, NpiLevel::Admin] {
            assert_eq!(serde_json::to_value(level).unwrap(), level.as_str());
            assert_eq!(NpiLevel::parse(level.as_str()), Some(level));
        }
        for step in [WizardStep::Npi, WizardStep::Correspondence, WizardStep::Organization] {
            assert_eq!(serde_json::to_value(step).unwrap(), step.as_str());
            assert_eq!(WizardStep::parse(step.as_str()), Some(step));
        }
    }

    #[test]
    fn levels_rise_from_none_to_admin() {
        assert!(NpiLevel::None < NpiLevel::Processor && NpiLevel::Processor < NpiLevel::Admin);
    }
}
