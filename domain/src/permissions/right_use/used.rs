//! A right as it was used. Invariant: it is told by the same words as the access register's rows, so
//! that a use finds its row.

use serde::{Deserialize, Serialize};

use super::RightKind;
use crate::permissions::Right;
use crate::policies::Feature;
use crate::tenants::PlanRole;
use crate::values::{CorrespondenceType, Npi};
use crate::{Code, Refusal};

/// Which right: the kind, and what of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct UsedRight {
    pub kind: RightKind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub npi: Option<Npi>,
    /// The correspondence type, feature or plan role by its word, the job role, location or tax id by
    /// its id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
}

impl UsedRight {
    /// A right that is one in an organisation.
    #[must_use]
    pub const fn of_kind(kind: RightKind) -> Self {
        Self { kind, npi: None, of: None }
    }

    /// A right to an NPI.
    #[must_use]
    pub fn to_npi(kind: RightKind, npi: &Npi) -> Self {
        Self { kind, npi: Some(npi.clone()), of: None }
    }

    /// A plan role.
    #[must_use]
    pub fn plan_role(role: PlanRole) -> Self {
        Self { kind: RightKind::PlanRole, npi: None, of: Some(role.as_str().to_owned()) }
    }

    /// A right in force, by the words of uses.
    #[must_use]
    pub fn of_right(right: &Right) -> Self {
        let (kind, of) = match right {
            Right::ManageUsers => (RightKind::ManageUsers, None),
            Right::ViewOrganization => (RightKind::ViewOrganization, None),
            Right::ViewNpi(_) => (RightKind::ViewNpi, None),
            Right::ManagePin(_) => (RightKind::ManagePin, None),
            Right::ReadCorrespondence(_, kind) => {
                (RightKind::ReadCorrespondence, Some(kind.to_string()))
            }
            Right::UseFeature(feature) => (RightKind::UseFeature, Some(feature.to_string())),
            Right::HoldJobRole(id) => (RightKind::HoldJobRole, Some(id.to_string())),
            Right::ViewLocation(id) => (RightKind::ViewLocation, Some(id.to_string())),
            Right::ChooseLocation(id) => (RightKind::ChooseLocation, Some(id.to_string())),
            Right::ReadTaxId(id) => (RightKind::ReadTaxId, Some(id.to_string())),
        };
        Self { kind, npi: right.npi().cloned(), of }
    }

    /// A right as an external system reports it: with an NPI where the kind has one, and with what
    /// of it where there are several.
    ///
    /// # Errors
    /// `FIELD_REQUIRED` or `FIELD_INVALID` at `npi` or `of`, and `FIELD_INVALID` at `right` for the
    /// roles of the plan, which no system of an organisation sees.
    pub fn reported(kind: RightKind, npi: Option<Npi>, of: Option<&str>) -> Result<Self, Refusal> {
        let of = of.map(str::trim).filter(|of| !of.is_empty());
        let (with_npi, known): (bool, Option<fn(&str) -> bool>) = match kind {
            RightKind::PlanRole => {
                let message = "Roles of the plan are not reported.";
                return Err(Refusal::new(Code::FieldInvalid, message).at("right"));
            }
            RightKind::ViewOrganization | RightKind::ManageUsers => (false, None),
            RightKind::ViewNpi | RightKind::ManagePin | RightKind::SubmitTransactions => {
                (true, None)
            }
            RightKind::ReadCorrespondence => {
                (true, Some(|word| CorrespondenceType::parse(word).is_ok()))
            }
            RightKind::UseFeature => (false, Some(|word| Feature::parse(word).is_some())),
            RightKind::HoldJobRole
            | RightKind::ViewLocation
            | RightKind::ChooseLocation
            | RightKind::ReadTaxId => (false, Some(|id| id.parse::<uuid::Uuid>().is_ok())),
        };
        fits("npi", with_npi, npi.is_some())?;
        fits("of", known.is_some(), of.is_some())?;
        if known.zip(of).is_some_and(|(known, of)| !known(of)) {
            let message = "Name the type, feature, job role, location or tax id that was used.";
            return Err(Refusal::new(Code::FieldInvalid, message).at("of"));
        }
        Ok(Self { kind, npi, of: of.map(str::to_owned) })
    }
}

fn fits(field: &str, wanted: bool, given: bool) -> Result<(), Refusal> {
    match (wanted, given) {
        (true, false) => {
            let message = "This kind of right takes this field. Fill it in.";
            Err(Refusal::new(Code::FieldRequired, message).at(field))
        }
        (false, true) => {
            let message = "This kind of right does not take this field. Leave it out.";
            Err(Refusal::new(Code::FieldInvalid, message).at(field))
        }
        (true, true) | (false, false) => Ok(()),
    }
}
