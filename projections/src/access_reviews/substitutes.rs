//! Who reviews in whose place, as rows.
//!
//! Invariant: a row counts only within its time; one that is over is no harm.

use chrono::{DateTime, Utc};
use rollcall_domain::{
    AnyEvent,
    access_reviews::substitutes::ReviewSubstitutesEvent,
    kernel::ids::{OrganizationId, UserId},
};
use rollcall_journal::Recorded;
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use crate::Snapshot;

/// Takes an event in, if it is about substitutes.
pub(super) async fn take_in(
    tx: &mut PgConnection,
    recorded: &Recorded<AnyEvent>,
) -> Result<(), sqlx::Error> {
    use ReviewSubstitutesEvent as E;
    let AnyEvent::ReviewSubstitutes(event) = &recorded.event else { return Ok(()) };
    let query = match event {
        E::ReviewSubstituteNamed { organization, user, substitute, from, until } => sqlx::query(
            "INSERT INTO review_substitutes (tenant_id, organization_id, user_id, substitute_id,
                                             from_at, until_at)
             VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (tenant_id, organization_id, user_id) DO UPDATE
                SET substitute_id = excluded.substitute_id, from_at = excluded.from_at,
                    until_at = excluded.until_at",
        )
        .bind(recorded.tenant.0)
        .bind(organization.0)
        .bind(user.0)
        .bind(substitute.0)
        .bind(*from)
        .bind(*until),
        E::ReviewSubstitutionEnded { organization, user, .. } => sqlx::query(
            "DELETE FROM review_substitutes
              WHERE tenant_id = $1 AND organization_id = $2 AND user_id = $3",
        )
        .bind(recorded.tenant.0)
        .bind(organization.0)
        .bind(user.0),
    };
    query.execute(tx).await.map(drop)
}

/// Somebody who is or will be away, and who reviews in their place.
#[derive(Clone, Debug, FromRow)]
pub struct ReviewSubstituteRow {
    pub user_id: Uuid,
    pub substitute_id: Uuid,
    pub from_at: DateTime<Utc>,
    pub until_at: DateTime<Utc>,
}

/// Up to `first` of an organisation whose time is not over, those of one member alone where one is named,
/// whichever of the two they are; whoever is back first comes first.
///
/// # Errors
/// The database did not answer.
pub async fn substitutes(
    view: &mut Snapshot,
    (organization, member): (OrganizationId, Option<UserId>),
    now: DateTime<Utc>,
    first: i64,
) -> Result<Vec<ReviewSubstituteRow>, sqlx::Error> {
    sqlx::query_as(
        "SELECT user_id, substitute_id, from_at, until_at FROM read.review_substitutes
          WHERE tenant_id = $1 AND organization_id = $2 AND until_at > $4
            AND ($3::uuid IS NULL OR user_id = $3 OR substitute_id = $3)
          ORDER BY until_at, user_id LIMIT $5",
    )
    .bind(view.tenant().0)
    .bind(organization.0)
    .bind(member.map(|member| member.0))
    .bind(now)
    .bind(first)
    .fetch_all(view.connection())
    .await
}

/// In whose place somebody reviews.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StandsIn {
    pub users: Vec<Uuid>,
    /// Those of them who administer the organisation.
    pub administrators: Vec<Uuid>,
}

/// In whose place somebody reviews now, of those who are active members.
///
/// # Errors
/// The database did not answer.
pub async fn stands_in(
    view: &mut Snapshot,
    (organization, user): (OrganizationId, UserId),
    now: DateTime<Utc>,
) -> Result<StandsIn, sqlx::Error> {
    let found: Vec<(Uuid, bool)> = sqlx::query_as(
        "SELECT s.user_id, m.org_role = 'ADMIN' FROM read.review_substitutes s
           JOIN read.directory_members m ON m.tenant_id = s.tenant_id
                AND m.organization_id = s.organization_id AND m.user_id = s.user_id
                AND m.standing = 'ACTIVE'
          WHERE s.tenant_id = $1 AND s.organization_id = $2 AND s.substitute_id = $3
            AND s.from_at <= $4 AND s.until_at > $4
          ORDER BY s.user_id",
    )
    .bind(view.tenant().0)
    .bind(organization.0)
    .bind(user.0)
    .bind(now)
    .fetch_all(view.connection())
    .await?;
    let administrators = found.iter().filter(|(_, administers)| *administers);
    Ok(StandsIn {
        administrators: administrators.map(|(user, _)| *user).collect(),
        users: found.into_iter().map(|(user, _)| user).collect(),
    })
}
