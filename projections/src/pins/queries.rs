//! The PIN tile, its full page, and who was shown a PIN.
//!
//! Invariant: a list holds only the NPIs that the caller's rights name; the rights come from the
//! write side.

use chrono::{DateTime, TimeDelta, Utc};
use rollcall_domain::kernel::ids::OrganizationId;
use uuid::Uuid;

use crate::{Snapshot, search::contains};

/// What happened to a PIN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PinFact {
    Issued,
    Reset,
    Revealed,
}

impl PinFact {
    const ALL: [Self; 3] = [Self::Issued, Self::Reset, Self::Revealed];

    /// The stored name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Issued => "ISSUED",
            Self::Reset => "RESET",
            Self::Revealed => "REVEALED",
        }
    }
}

impl TryFrom<String> for PinFact {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        Self::ALL.into_iter().find(|fact| fact.as_str() == name).ok_or(name)
    }
}

/// Whose PINs, and which of them.
#[derive(Clone, Copy, Debug)]
pub struct PinFilter<'a> {
    pub organization: OrganizationId,
    /// The NPIs the caller is assigned.
    pub npis: &'a [String],
    /// Part of a provider's name or of an NPI (MC-51).
    pub search: Option<&'a str>,
}

/// A row's place in the list: provider name in lower case, then NPI.
pub type PinKey = (String, String);

/// An NPI with what is known of its PIN.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct PinRow {
    pub npi: String,
    pub provider_name: String,
    pub sort_name: String,
    /// 0 while there is no PIN.
    pub version: i32,
    pub issued_at: Option<DateTime<Utc>>,
    pub last_reset_at: Option<DateTime<Utc>>,
    /// Until when dependent files may lag behind the newest PIN; absent when they have it.
    pub propagation_due_at: Option<DateTime<Utc>>,
    /// Of the last two days, which hold the current local day in every zone.
    pub recent_resets: Vec<DateTime<Utc>>,
}

impl PinRow {
    /// Its place in the list.
    #[must_use]
    pub fn key(&self) -> PinKey {
        (self.sort_name.clone(), self.npi.clone())
    }
}

/// One thing that happened to a PIN.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct PinHistoryRow {
    pub position: i64,
    #[sqlx(try_from = "String")]
    pub fact: PinFact,
    pub version: i32,
    /// Who did it; the service itself has no id.
    pub actor_id: Option<Uuid>,
    pub by_support: bool,
    pub at: DateTime<Utc>,
}

const COLUMNS: &str =
    "p.npi, p.provider_name, p.sort_name, p.version, p.issued_at, p.last_reset_at,
    p.propagation_due_at,
    ARRAY(SELECT h.at FROM read.pin_history h
           WHERE h.tenant_id = p.tenant_id AND h.organization_id = p.organization_id
             AND h.npi = p.npi AND h.fact = 'RESET' AND h.at >= p.issued_at AND h.at > $4
           ORDER BY h.position) AS recent_resets";

/// Resets before this count for no local day of now.
fn two_days_before(now: DateTime<Utc>) -> DateTime<Utc> {
    now - TimeDelta::hours(48)
}

/// Up to `first` rows after `after`, by provider name.
///
/// # Errors
/// The database did not answer.
pub async fn pins(
    view: &mut Snapshot,
    filter: PinFilter<'_>,
    (first, after): (i64, Option<&PinKey>),
    now: DateTime<Utc>,
) -> Result<Vec<PinRow>, sqlx::Error> {
    let tenant = view.tenant().0;
    sqlx::query_as(&format!(
        "SELECT {COLUMNS} FROM read.pins p
          WHERE p.tenant_id = $1 AND p.organization_id = $2 AND p.npi = ANY($3)
            AND ($5::text IS NULL OR p.npi LIKE $5 OR p.sort_name LIKE $5)
            AND ($6::text IS NULL OR (p.sort_name, p.npi) > ($6, $7))
          ORDER BY p.sort_name, p.npi LIMIT $8"
    ))
    .bind(tenant)
    .bind(filter.organization.0)
    .bind(filter.npis)
    .bind(two_days_before(now))
    .bind(filter.search.map(contains))
    .bind(after.map(|(name, _)| name))
    .bind(after.map(|(_, npi)| npi))
    .bind(first)
    .fetch_all(view.connection())
    .await
}

/// How many there are in all.
///
/// # Errors
/// The database did not answer.
pub async fn count_pins(view: &mut Snapshot, filter: PinFilter<'_>) -> Result<i64, sqlx::Error> {
    let tenant = view.tenant().0;
    sqlx::query_scalar(
        "SELECT count(*) FROM read.pins p
          WHERE p.tenant_id = $1 AND p.organization_id = $2 AND p.npi = ANY($3)
            AND ($4::text IS NULL OR p.npi LIKE $4 OR p.sort_name LIKE $4)",
    )
    .bind(tenant)
    .bind(filter.organization.0)
    .bind(filter.npis)
    .bind(filter.search.map(contains))
    .fetch_one(view.connection())
    .await
}

/// One NPI of an organisation.
///
/// # Errors
/// The database did not answer.
pub async fn pin(
    view: &mut Snapshot,
    organization: OrganizationId,
    npi: &str,
    now: DateTime<Utc>,
) -> Result<Option<PinRow>, sqlx::Error> {
    let tenant = view.tenant().0;
    sqlx::query_as(&format!(
        "SELECT {COLUMNS} FROM read.pins p
          WHERE p.tenant_id = $1 AND p.organization_id = $2 AND p.npi = $3"
    ))
    .bind(tenant)
    .bind(organization.0)
    .bind(npi)
    .bind(two_days_before(now))
    .fetch_optional(view.connection())
    .await
}

/// What happened to an NPI's PIN while this organisation held it, newest first; `before` is the
/// position after which the page begins.
///
/// # Errors
/// The database did not answer.
pub async fn pin_history(
    view: &mut Snapshot,
    organization: OrganizationId,
    npi: &str,
    (first, before): (i64, Option<i64>),
) -> Result<Vec<PinHistoryRow>, sqlx::Error> {
    let tenant = view.tenant().0;
    sqlx::query_as(
        "SELECT position, fact, version, actor_id, by_support, at FROM read.pin_history
          WHERE tenant_id = $1 AND organization_id = $2 AND npi = $3
            AND ($4::bigint IS NULL OR position < $4)
          ORDER BY position DESC LIMIT $5",
    )
    .bind(tenant)
    .bind(organization.0)
    .bind(npi)
    .bind(before)
    .bind(first)
    .fetch_all(view.connection())
    .await
}
