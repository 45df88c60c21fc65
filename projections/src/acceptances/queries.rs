//! What somebody accepted, newest first.

use chrono::{DateTime, Utc};
use rollcall_domain::kernel::ids::{OrganizationId, UserId};
use uuid::Uuid;

use crate::Snapshot;

/// In which course an agreement was accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occasion {
    /// Registering an organisation (MC-06).
    Registration,
    /// Following an invitation (MC-18).
    Invitation,
    /// Signed in, of one's own accord.
    Account,
}

impl Occasion {
    const ALL: [Self; 3] = [Self::Registration, Self::Invitation, Self::Account];

    /// The stored name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Registration => "REGISTRATION",
            Self::Invitation => "INVITATION",
            Self::Account => "ACCOUNT",
        }
    }
}

impl TryFrom<String> for Occasion {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        Self::ALL.into_iter().find(|occasion| occasion.as_str() == name).ok_or(name)
    }
}

/// One acceptance.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct AcceptanceRow {
    pub position: i64,
    pub organization_id: Option<Uuid>,
    #[sqlx(try_from = "String")]
    pub occasion: Occasion,
    pub kind: String,
    pub version: String,
    pub boxes: Vec<String>,
    pub accepted_at: DateTime<Utc>,
}

/// $1 tenant, $2 person, $3 the only organisation to tell of.
const OF: &str = "FROM read.acceptances
  WHERE tenant_id = $1 AND user_id = $2 AND ($3::uuid IS NULL OR organization_id = $3)";

/// A page of a person's acceptances, newest first, one more than `first`; `of` limits them to what
/// was accepted for one organisation.
///
/// # Errors
/// The database did not answer.
pub async fn acceptances(
    view: &mut Snapshot,
    user: UserId,
    of: Option<OrganizationId>,
    (first, before): (i64, Option<i64>),
) -> Result<Vec<AcceptanceRow>, sqlx::Error> {
    sqlx::query_as(&format!(
        "SELECT position, organization_id, occasion, kind, version, boxes, accepted_at {OF}
            AND ($4::bigint IS NULL OR position < $4)
          ORDER BY position DESC LIMIT $5"
    ))
    .bind(view.tenant().0)
    .bind(user.0)
    .bind(of.map(|organization| organization.0))
    .bind(before)
    .bind(first + 1)
    .fetch_all(view.connection())
    .await
}

/// How many there are in all.
///
/// # Errors
/// The database did not answer.
pub async fn count_acceptances(
    view: &mut Snapshot,
    user: UserId,
    of: Option<OrganizationId>,
) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar(&format!("SELECT count(*) {OF}"))
        .bind(view.tenant().0)
        .bind(user.0)
        .bind(of.map(|organization| organization.0))
        .fetch_one(view.connection())
        .await
}
