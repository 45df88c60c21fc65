//! `npiAccess(npi)`: who has access to an NPI, and why (MC-39).
//!
//! Invariant: only active members with a working account count, and an administrator to whom the
//! policy gives every NPI is on the list without a grant.

use chrono::{DateTime, Utc};
use rollcall_domain::{
    kernel::ids::{OrganizationId, UserId},
    permissions::{NpiLevel, Source},
};
use uuid::Uuid;

use crate::{Snapshot, user_directory::DirectoryKey};

/// Who has access to this NPI of this organisation.
#[derive(Clone, Debug)]
pub struct NpiQuestion {
    pub organization: OrganizationId,
    pub npi: String,
    /// The policy gives administrators every NPI (C-07).
    pub admins_have_all: bool,
    pub now: DateTime<Utc>,
}

/// One person's access.
#[derive(Clone, Debug)]
pub struct AccessRow {
    pub user: UserId,
    pub level: NpiLevel,
    pub source: Source,
    pub until: Option<DateTime<Utc>>,
}

/// The order of the list: as the user directory's.
pub type AccessKey = DirectoryKey;

/// $1 tenant, $2 now, $3 organisation, $4 NPI, $5 administrators have all.
const ACCESS: &str = "
WITH granted AS (
  SELECT m.user_id, m.org_role = 'ADMIN' AND $5 AS is_implied,
         coalesce(own.level, every.level, 'NONE') AS level,
         CASE WHEN own.level IS NULL THEN every.until ELSE own.until END AS until,
         own.level IS NOT NULL AS is_own,
         lower(coalesce(p.last_name, '')) AS last_key,
         lower(coalesce(p.first_name, '')) AS first_key
    FROM read.directory_members m
    JOIN read.directory_accounts a
      ON a.tenant_id = m.tenant_id AND a.user_id = m.user_id AND a.has_password
    LEFT JOIN read.npi_permissions own
      ON own.tenant_id = m.tenant_id AND own.organization_id = m.organization_id
     AND own.user_id = m.user_id AND own.npi = $4 AND (own.until IS NULL OR own.until > $2)
    LEFT JOIN read.npi_permissions every
      ON every.tenant_id = m.tenant_id AND every.organization_id = m.organization_id
     AND every.user_id = m.user_id AND every.npi = '*' AND (every.until IS NULL OR every.until > $2)
    LEFT JOIN read.people p ON p.tenant_id = m.tenant_id AND p.user_id = m.user_id
   WHERE m.tenant_id = $1 AND m.organization_id = $3 AND m.standing = 'ACTIVE'
), access AS (
  SELECT user_id, last_key, first_key,
         CASE WHEN is_implied THEN 'ADMIN' ELSE level END AS level,
         CASE WHEN is_implied AND level <> 'ADMIN' THEN 'IMPLIED_BY_ADMIN'
              WHEN is_own THEN 'DIRECT' ELSE 'ALL_NPIS' END AS source,
         CASE WHEN is_implied AND level <> 'ADMIN' THEN NULL ELSE until END AS until
    FROM granted WHERE is_implied OR level <> 'NONE'
)";

#[derive(sqlx::FromRow)]
struct Raw {
    user_id: Uuid,
    level: String,
    source: String,
    until: Option<DateTime<Utc>>,
    last_key: String,
    first_key: String,
}

/// One page by name, and one row more if there is one.
///
/// # Errors
/// The database did not answer.
pub async fn list_access(
    view: &mut Snapshot,
    question: &NpiQuestion,
    first: i64,
    after: Option<&AccessKey>,
) -> Result<Vec<(AccessKey, AccessRow)>, sqlx::Error> {
    let statement = format!(
        "{ACCESS} SELECT * FROM access
          WHERE $6::text IS NULL OR (last_key, first_key, user_id) > ($6, $7, $8)
          ORDER BY last_key, first_key, user_id LIMIT $9"
    );
    let rows: Vec<Raw> = sqlx::query_as(&statement)
        .bind(view.tenant().0)
        .bind(question.now)
        .bind(question.organization.0)
        .bind(&question.npi)
        .bind(question.admins_have_all)
        .bind(after.map(|(last, _, _)| last))
        .bind(after.map(|(_, first, _)| first))
        .bind(after.map(|(_, _, user)| *user))
        .bind(first + 1)
        .fetch_all(view.connection())
        .await?;
    let keyed = |raw: Raw| {
        let row = AccessRow {
            user: UserId(raw.user_id),
            level: NpiLevel::parse(&raw.level).expect("the table admits no other"),
            source: match raw.source.as_str() {
                "IMPLIED_BY_ADMIN" => Source::ImpliedByAdmin,
                "ALL_NPIS" => Source::AllNpis,
                _ => Source::Direct,
            },
            until: raw.until,
        };
        ((raw.last_key, raw.first_key, raw.user_id), row)
    };
    Ok(rows.into_iter().map(keyed).collect())
}

/// How many have access in all.
///
/// # Errors
/// The database did not answer.
pub async fn count_access(view: &mut Snapshot, question: &NpiQuestion) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar(&format!("{ACCESS} SELECT count(*) FROM access"))
        .bind(view.tenant().0)
        .bind(question.now)
        .bind(question.organization.0)
        .bind(&question.npi)
        .bind(question.admins_have_all)
        .fetch_one(view.connection())
        .await
}
