//! People of the health plan with the roles they hold or are invited to.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::Snapshot;

/// A person of the health plan; names are absent once erased.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct PlanStaffRow {
    pub user_id: Uuid,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub email: Option<String>,
    pub invitation_id: Option<Uuid>,
    /// Roles that begin when the invitation is completed.
    pub invited_roles: Vec<String>,
    pub invited_until: Option<DateTime<Utc>>,
    pub invited_at: Option<DateTime<Utc>>,
    /// For which they will count; none for the whole plan.
    pub invited_organizations: Vec<Uuid>,
    pub version: i64,
}

/// A role not ended by an event; whether it is in force is asked with a time.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct PlanRoleRow {
    pub user_id: Uuid,
    pub role: String,
    pub valid_from: DateTime<Utc>,
    pub valid_until: Option<DateTime<Utc>>,
    /// None for the whole plan.
    pub organizations: Vec<Uuid>,
}

const COLUMNS: &str = "s.user_id, p.first_name, p.last_name, p.email, s.invitation_id,
    s.invited_roles, s.invited_until, s.invited_at, s.invited_organizations, s.version";

/// Staff by id, after `after`, with all their roles.
///
/// # Errors
/// The database did not answer.
pub async fn plan_staff(
    view: &mut Snapshot,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<(PlanStaffRow, Vec<PlanRoleRow>)>, sqlx::Error> {
    let rows: Vec<PlanStaffRow> = sqlx::query_as(&format!(
        "SELECT {COLUMNS} FROM read.plan_staff s
           LEFT JOIN read.people p ON p.tenant_id = s.tenant_id AND p.user_id = s.user_id
          WHERE $1::uuid IS NULL OR s.user_id > $1 ORDER BY s.user_id LIMIT $2"
    ))
    .bind(after)
    .bind(limit)
    .fetch_all(view.connection())
    .await?;
    with_roles(view, rows).await
}

/// Those of the people who are or will be staff.
///
/// # Errors
/// The database did not answer.
pub async fn plan_staff_by_id(
    view: &mut Snapshot,
    users: &[Uuid],
) -> Result<Vec<(PlanStaffRow, Vec<PlanRoleRow>)>, sqlx::Error> {
    let rows: Vec<PlanStaffRow> = sqlx::query_as(&format!(
        "SELECT {COLUMNS} FROM read.plan_staff s
           LEFT JOIN read.people p ON p.tenant_id = s.tenant_id AND p.user_id = s.user_id
          WHERE s.user_id = ANY($1)"
    ))
    .bind(users)
    .fetch_all(view.connection())
    .await?;
    with_roles(view, rows).await
}

async fn with_roles(
    view: &mut Snapshot,
    rows: Vec<PlanStaffRow>,
) -> Result<Vec<(PlanStaffRow, Vec<PlanRoleRow>)>, sqlx::Error> {
    let users: Vec<Uuid> = rows.iter().map(|row| row.user_id).collect();
    let roles: Vec<PlanRoleRow> = sqlx::query_as(
        "SELECT user_id, role, valid_from, valid_until, organizations FROM read.plan_roles
          WHERE user_id = ANY($1) ORDER BY role",
    )
    .bind(users)
    .fetch_all(view.connection())
    .await?;
    let of = |user: Uuid| roles.iter().filter(|role| role.user_id == user).cloned().collect();
    Ok(rows.into_iter().map(|row| (row.clone(), of(row.user_id))).collect())
}
