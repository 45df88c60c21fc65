//! What is granted to a person beside NPIs: features, job roles, locations, tax ids.
//!
//! Invariant: the stored kinds never change; a key is what tells two grants of a kind apart.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::Cause;
use crate::kernel::ids::{JobRoleId, LocationId, TaxIdId};
use crate::policies::Feature;

/// Something that a member is granted as such.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Entitlement {
    /// A feature (CC-08).
    Feature(Feature),
    /// A bundle of features (CC-09).
    JobRole(JobRoleId),
    /// A branch or site (CX-12).
    Location(LocationId),
    /// A tax id of the organisation (CC-02).
    TaxId(TaxIdId),
}

/// The kinds of grants, as rows name them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EntitlementKind {
    Feature,
    JobRole,
    Location,
    TaxId,
}

impl EntitlementKind {
    /// All kinds.
    pub const ALL: [Self; 4] = [Self::Feature, Self::JobRole, Self::Location, Self::TaxId];

    /// The stored name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Feature => "FEATURE",
            Self::JobRole => "JOB_ROLE",
            Self::Location => "LOCATION",
            Self::TaxId => "TAX_ID",
        }
    }

    /// Reads a stored name back.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

impl Entitlement {
    #[must_use]
    pub const fn kind(&self) -> EntitlementKind {
        match self {
            Self::Feature(_) => EntitlementKind::Feature,
            Self::JobRole(_) => EntitlementKind::JobRole,
            Self::Location(_) => EntitlementKind::Location,
            Self::TaxId(_) => EntitlementKind::TaxId,
        }
    }

    /// What tells it from others of its kind: a feature's word, or an id.
    #[must_use]
    pub fn key(&self) -> String {
        match self {
            Self::Feature(feature) => feature.as_str().to_owned(),
            Self::JobRole(id) => id.to_string(),
            Self::Location(id) => id.to_string(),
            Self::TaxId(id) => id.to_string(),
        }
    }

    /// Reads kind and key back.
    #[must_use]
    pub fn parse(kind: EntitlementKind, key: &str) -> Option<Self> {
        match kind {
            EntitlementKind::Feature => Feature::parse(key).map(Self::Feature),
            EntitlementKind::JobRole => key.parse().ok().map(Self::JobRole),
            EntitlementKind::Location => key.parse().ok().map(Self::Location),
            EntitlementKind::TaxId => key.parse().ok().map(Self::TaxId),
        }
    }

    /// Reads what `Display` wrote.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let (kind, key) = text.split_once(':')?;
        Self::parse(EntitlementKind::parse(kind)?, key)
    }
}

impl fmt::Display for Entitlement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind().as_str(), self.key())
    }
}

/// A grant with its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntitlementGrant {
    pub entitlement: Entitlement,
    /// It ends here by itself (GN-13); `None` for a lasting one.
    pub until: Option<DateTime<Utc>>,
}

/// What a fact says about one of a member's grants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntitlementChange {
    /// It is held from now on, and before its end.
    Granted { grant: EntitlementGrant, cause: Cause },
    /// It was taken back.
    Revoked { entitlement: Entitlement, cause: Cause },
    /// Its time was over.
    Expired { entitlement: Entitlement, effective_at: DateTime<Utc> },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::scenario::id;

    #[test]
    fn grants_are_read_back_from_their_text() {
        for entitlement in [
            Entitlement::Feature(Feature::EopReports),
            Entitlement::JobRole(id(1)),
            Entitlement::Location(id(2)),
            Entitlement::TaxId(id(3)),
        ] {
            assert_eq!(Entitlement::read(&entitlement.to_string()), Some(entitlement));
        }
        assert_eq!(Entitlement::read("WEATHER:sun"), None);
    }
}
