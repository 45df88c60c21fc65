//! The matrix of some people in one organisation (MC-39, MC-42, MC-45).
//!
//! Invariant: an entry for one NPI overrides the one for all NPIs, as in the domain.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use rollcall_domain::{
    kernel::ids::{OrganizationId, UserId},
    permissions::{NpiLevel, correspondence_types::offered_keys},
};
use uuid::Uuid;

use crate::Snapshot;

/// "All NPIs", "all types".
const ALL: &str = "*";

/// An NPI the organisation holds.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct NpiRow {
    pub npi: String,
    pub name: String,
}

/// What one person was granted.
#[derive(Clone, Debug, Default)]
pub struct GrantRow {
    levels: BTreeMap<String, (NpiLevel, Option<DateTime<Utc>>)>,
    types: BTreeMap<String, Vec<String>>,
}

/// What was granted for one NPI.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MatrixRow {
    /// `*` for all NPIs.
    pub npi: String,
    /// The provider's; absent for all NPIs.
    pub name: Option<String>,
    pub level: NpiLevel,
    pub until: Option<DateTime<Utc>>,
    /// The level comes from the grant for all NPIs.
    pub from_all: bool,
    pub correspondence: Vec<String>,
}

/// The NPIs an organisation holds at `now`, in order.
///
/// # Errors
/// The database did not answer.
pub async fn held_npis(
    view: &mut Snapshot,
    organization: OrganizationId,
    now: DateTime<Utc>,
) -> Result<Vec<NpiRow>, sqlx::Error> {
    sqlx::query_as(
        "SELECT npi, name FROM read.organization_npis
          WHERE tenant_id = $1 AND organization_id = $2
            AND attached_at <= $3 AND (detached_at IS NULL OR detached_at > $3)
          ORDER BY npi",
    )
    .bind(view.tenant().0)
    .bind(organization.0)
    .bind(now)
    .fetch_all(view.connection())
    .await
}

/// What each of the users was granted and still holds at `now`.
///
/// # Errors
/// The database did not answer.
pub async fn grants_of(
    view: &mut Snapshot,
    organization: OrganizationId,
    users: &[UserId],
    now: DateTime<Utc>,
) -> Result<BTreeMap<UserId, GrantRow>, sqlx::Error> {
    let ids: Vec<Uuid> = users.iter().map(|user| user.0).collect();
    let mut found: BTreeMap<UserId, GrantRow> = BTreeMap::new();
    let levels: Vec<(Uuid, String, String, Option<DateTime<Utc>>)> = sqlx::query_as(
        "SELECT user_id, npi, level, until FROM read.npi_permissions
          WHERE tenant_id = $1 AND organization_id = $2 AND user_id = ANY($3)
            AND (until IS NULL OR until > $4)",
    )
    .bind(view.tenant().0)
    .bind(organization.0)
    .bind(&ids)
    .bind(now)
    .fetch_all(view.connection())
    .await?;
    for (user, npi, level, until) in levels {
        let level = NpiLevel::parse(&level).expect("the table admits no other");
        found.entry(UserId(user)).or_default().levels.insert(npi, (level, until));
    }
    let types: Vec<(Uuid, String, Vec<String>)> = sqlx::query_as(
        "SELECT user_id, npi, types FROM read.correspondence_permissions
          WHERE tenant_id = $1 AND organization_id = $2 AND user_id = ANY($3)",
    )
    .bind(view.tenant().0)
    .bind(organization.0)
    .bind(&ids)
    .fetch_all(view.connection())
    .await?;
    for (user, npi, types) in types {
        found.entry(UserId(user)).or_default().types.insert(npi, types);
    }
    Ok(found)
}

/// The matrix of one person: a row per NPI held, and before them the grant for all NPIs if there is
/// one.
#[must_use]
pub fn matrix_rows(npis: &[NpiRow], granted: &GrantRow) -> Vec<MatrixRow> {
    let all = granted.levels.contains_key(ALL).then(|| granted.row(ALL, None));
    let each = npis.iter().map(|npi| granted.row(&npi.npi, Some(npi.name.clone())));
    all.into_iter().chain(each).collect()
}

impl GrantRow {
    fn row(&self, npi: &str, name: Option<String>) -> MatrixRow {
        let own = self.levels.get(npi);
        let granted = own.or_else(|| self.levels.get(ALL));
        let (level, until) = granted.copied().unwrap_or((NpiLevel::None, None));
        let correspondence = if level == NpiLevel::None { Vec::new() } else { self.types_for(npi) };
        let from_all = own.is_none() && granted.is_some();
        MatrixRow { npi: npi.to_owned(), name, level, until, from_all, correspondence }
    }

    fn types_for(&self, npi: &str) -> Vec<String> {
        let types = self.types.get(npi).or_else(|| self.types.get(ALL));
        match types {
            Some(types) if types.iter().any(|kind| kind == ALL) => {
                offered_keys().iter().map(ToString::to_string).collect()
            }
            Some(types) => types.clone(),
            None => Vec::new(),
        }
    }
}
