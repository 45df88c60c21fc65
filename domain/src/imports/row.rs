//! A line of the file of people as it stands there. Invariant: it is personal as a whole, and the
//! password's hash never leaves memory by way of it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A person with what they may do in one organisation; blank text where a column is empty. The names
/// of the fields are the names of the columns.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PersonRow {
    /// The plan's own number of the organisation; without one, its tax id.
    pub organization_reference: String,
    /// `EIN` or `SSN`.
    pub tax_id_type: String,
    #[serde(skip_serializing)]
    pub tax_id: String,
    /// What the other portal called the person.
    pub legacy_id: String,
    pub username: String,
    pub email: String,
    pub first_name: String,
    pub last_name: String,
    pub mobile: String,
    pub business_phone: String,
    /// The Argon2 hash of the present password, as a PHC string; without one the person asks for a
    /// reset.
    #[serde(skip_serializing)]
    pub password_hash: String,
    /// `ADMIN`, `PROCESSOR`, or `NONE` (also when blank).
    pub org_role: String,
    /// `NPI=LEVEL` with semicolons between; `*` for all NPIs.
    pub npis: String,
    /// `NPI=TYPE+TYPE` with semicolons between; `*` for all.
    pub correspondence: String,
}

impl fmt::Debug for PersonRow {
    /// Shows nothing personal or secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PersonRow").field("org_role", &self.org_role).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_that_is_stored_or_logged_tells_no_secret() {
        let row = PersonRow {
            tax_id: "12-3456789".into(),
            password_hash: "$argon2id$secret".into(),
            email: "ann@clinic.example".into(),
            ..PersonRow::default()
        };
        let stored = serde_json::to_string(&row).expect("json");
        assert!(!stored.contains("3456789") && !stored.contains("secret"), "{stored}");
        assert!(!format!("{row:?}").contains("ann"));
    }
}
