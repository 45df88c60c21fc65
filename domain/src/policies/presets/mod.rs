//! The presets: one table of values per portal, and the hardened one.
//!
//! Invariant: a preset is data. Its name is never asked for by a rule; what a table does not list
//! has the parameter's default.

mod alliance;
mod carecentrix;
mod cencal;
mod hardened;
mod medi_cal;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::PolicyKey;
use super::spec::Literal;
use crate::Code;
use crate::values::Invalid;

/// A set of parameter values to begin a tenant with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Preset {
    /// DHCS Medi-Cal Provider Portal.
    MediCal,
    /// CenCal Health.
    Cencal,
    /// Central California Alliance for Health.
    Alliance,
    /// CareCentrix.
    Carecentrix,
    /// NIST SP 800-63B-4: length instead of composition and rotation, no SMS.
    Hardened,
}

impl Preset {
    /// All presets.
    pub const ALL: &'static [Self] =
        &[Self::MediCal, Self::Cencal, Self::Alliance, Self::Carecentrix, Self::Hardened];

    /// Parses a stored name such as `medi-cal`.
    ///
    /// # Errors
    /// `FIELD_INVALID`, listing the names.
    pub fn parse(name: &str) -> Result<Self, Invalid> {
        Self::ALL.iter().copied().find(|preset| preset.name() == name).ok_or_else(|| {
            let names: Vec<_> = Self::ALL.iter().map(|preset| preset.name()).collect();
            Invalid::new(Code::FieldInvalid, format!("Choose one of {}.", names.join(", ")))
        })
    }

    /// The stored name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::MediCal => "medi-cal",
            Self::Cencal => "cencal",
            Self::Alliance => "alliance",
            Self::Carecentrix => "carecentrix",
            Self::Hardened => "hardened",
        }
    }

    /// The values that differ from, or confirm, the defaults.
    pub const fn values(self) -> &'static [(PolicyKey, Literal)] {
        match self {
            Self::MediCal => medi_cal::VALUES,
            Self::Cencal => cencal::VALUES,
            Self::Alliance => alliance::VALUES,
            Self::Carecentrix => carecentrix::VALUES,
            Self::Hardened => hardened::VALUES,
        }
    }
}

impl fmt::Display for Preset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Preset {
    type Err = Invalid;

    fn from_str(name: &str) -> Result<Self, Invalid> {
        Self::parse(name)
    }
}

#[cfg(test)]
mod tests;
