//! Which right is asked about. Invariant: what a right is of is named in full, so that of each person
//! in an organisation there is one such right.

use rollcall_domain::{
    Code, Refusal,
    kernel::ids::{JobRoleId, LocationId, TaxIdId},
    permissions::right_use::RightKind,
    policies::Feature,
    tenants::PlanRole,
    values::{CorrespondenceType, Npi},
};

/// What of a right that is not one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Of {
    Nothing,
    /// A type, or `*` for all of them.
    Correspondence(String),
    Feature(Feature),
    JobRole(JobRoleId),
    Location(LocationId),
    TaxId(TaxIdId),
    PlanRole(PlanRole),
}

/// A right, whosever.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AskedRight {
    kind: RightKind,
    npi: Option<String>,
    of: Of,
}

impl AskedRight {
    /// Reads it; `of` is what it is a right to, by the register's words.
    ///
    /// # Errors
    /// `FIELD_REQUIRED` or `FIELD_INVALID` at `npi` or `of`.
    pub fn parse(kind: RightKind, npi: Option<&Npi>, of: Option<&str>) -> Result<Self, Refusal> {
        let npi = match (needs_npi(kind), npi) {
            (true, None) => return Err(required("Name the NPI that the right is about.", "npi")),
            (false, Some(_)) => return Err(invalid("This right is about no NPI.", "npi")),
            (_, npi) => npi.map(ToString::to_string),
        };
        Ok(Self { kind, npi, of: read(kind, of)? })
    }

    #[must_use]
    pub const fn kind(&self) -> RightKind {
        self.kind
    }

    #[must_use]
    pub fn npi(&self) -> Option<&str> {
        self.npi.as_deref()
    }

    #[must_use]
    pub const fn of(&self) -> &Of {
        &self.of
    }

    /// What it is of, as stored.
    #[must_use]
    pub fn word(&self) -> Option<String> {
        match &self.of {
            Of::Nothing => None,
            Of::Correspondence(kind) => Some(kind.clone()),
            Of::Feature(feature) => Some(feature.as_str().to_owned()),
            Of::JobRole(id) => Some(id.to_string()),
            Of::Location(id) => Some(id.to_string()),
            Of::TaxId(id) => Some(id.to_string()),
            Of::PlanRole(role) => Some(role.as_str().to_owned()),
        }
    }
}

const fn needs_npi(kind: RightKind) -> bool {
    match kind {
        RightKind::ViewNpi
        | RightKind::ManagePin
        | RightKind::ReadCorrespondence
        | RightKind::SubmitTransactions => true,
        RightKind::ViewOrganization
        | RightKind::ManageUsers
        | RightKind::UseFeature
        | RightKind::HoldJobRole
        | RightKind::ViewLocation
        | RightKind::ChooseLocation
        | RightKind::ReadTaxId
        | RightKind::PlanRole => false,
    }
}

fn read(kind: RightKind, of: Option<&str>) -> Result<Of, Refusal> {
    let (parsed, what) = match kind {
        RightKind::ViewOrganization
        | RightKind::ManageUsers
        | RightKind::ViewNpi
        | RightKind::ManagePin
        | RightKind::SubmitTransactions => {
            let known = of.map_or(Ok(Of::Nothing), |_| {
                Err(invalid("Leave this out: the right is one thing.", "of"))
            });
            return known;
        }
        RightKind::ReadCorrespondence => {
            let read = |word: &str| word == "*" || CorrespondenceType::parse(word).is_ok();
            let parsed = of.filter(|word| read(word)).map(|it| Of::Correspondence(it.to_owned()));
            (parsed, "Name the type of correspondence by its key, or * for all types.")
        }
        RightKind::UseFeature => {
            (of.and_then(Feature::parse).map(Of::Feature), "Name the feature by its word.")
        }
        RightKind::HoldJobRole => {
            (of.and_then(|id| id.parse().ok()).map(Of::JobRole), "Name the job role by its id.")
        }
        RightKind::ViewLocation | RightKind::ChooseLocation => {
            (of.and_then(|id| id.parse().ok()).map(Of::Location), "Name the location by its id.")
        }
        RightKind::ReadTaxId => {
            (of.and_then(|id| id.parse().ok()).map(Of::TaxId), "Name the tax id by its id.")
        }
        RightKind::PlanRole => {
            (of.and_then(PlanRole::parse).map(Of::PlanRole), "Name the plan role, such as AU.")
        }
    };
    let missing = || if of.is_none() { required(what, "of") } else { invalid(what, "of") };
    parsed.ok_or_else(missing)
}

fn required(message: &str, field: &str) -> Refusal {
    Refusal::new(Code::FieldRequired, message).at(field)
}

fn invalid(message: &str, field: &str) -> Refusal {
    Refusal::new(Code::FieldInvalid, message).at(field)
}
