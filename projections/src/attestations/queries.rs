//! Holders of the attestation feature in an organisation and whoever signed there, by person.
//!
//! Invariant: whoever signed stays listed when the feature is gone, so a signature is never lost
//! from sight.

use chrono::{DateTime, Utc};
use rollcall_domain::kernel::ids::{OrganizationId, UserId};
use serde::Deserialize;
use sqlx::types::Json;
use uuid::Uuid;

use crate::{Snapshot, access_register};

/// Whose standing is asked for.
#[derive(Clone, Debug)]
pub struct AttestationFilter {
    pub organization: OrganizationId,
    /// The version whose signature is asked about; `None` where none is published.
    pub version: Option<String>,
    /// Only those who have signed it, or only holders who have not.
    pub signed: Option<bool>,
    /// Only this person.
    pub only: Option<UserId>,
    /// Whether every active member holds the feature, as where the portal grants none one by one.
    pub everybody_holds: bool,
    pub now: DateTime<Utc>,
}

/// A signature.
#[derive(Clone, Debug, Deserialize)]
pub struct Signature {
    pub version: String,
    pub sha256: String,
    pub boxes: Vec<String>,
    pub signed_at: DateTime<Utc>,
    pub position: i64,
}

/// One person's standing.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct AttestationRow {
    pub user_id: Uuid,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    /// Whether the person holds the feature now.
    pub holds: bool,
    /// Whether the version asked about is among the signatures.
    pub signed: bool,
    /// Newest first.
    pub signatures: Json<Vec<Signature>>,
}

/// $1 tenant, $2 organisation, $3 now, $4 the register's position, $5 everybody holds it, $6 version,
/// $7 signed or not, $8 only person. Whoever was granted the feature or a job role is a candidate;
/// what counts of it the register says.
const LISTED: &str = "WITH holders AS (
  SELECT DISTINCT a.user_id
    FROM ops.effective_access($1, $3, $4, ARRAY(
           SELECT DISTINCT e.user_id FROM read.entitlements e
            WHERE e.tenant_id = $1 AND e.organization_id = $2
              AND (e.kind = 'JOB_ROLE' OR e.kind = 'FEATURE' AND e.key = 'ATTESTATION')), $2, NULL) a
   WHERE a.access_right = 'USE_FEATURE' AND a.level = 'ATTESTATION'
  UNION
  SELECT m.user_id FROM read.directory_members m
   WHERE $5 AND m.tenant_id = $1 AND m.organization_id = $2 AND m.standing = 'ACTIVE'
), signed AS (
  SELECT s.user_id, bool_or(s.version = $6) AS signed,
         jsonb_agg(jsonb_build_object('version', s.version, 'sha256', s.sha256, 'boxes', s.boxes,
                                      'signed_at', s.signed_at, 'position', s.position)
                   ORDER BY s.position DESC) AS signatures
    FROM read.attestations s WHERE s.tenant_id = $1 AND s.organization_id = $2 GROUP BY s.user_id
), listed AS (
  SELECT user_id, h.user_id IS NOT NULL AS holds, coalesce(s.signed, false) AS signed,
         coalesce(s.signatures, '[]') AS signatures
    FROM holders h FULL JOIN signed s USING (user_id)
), wanted AS (
  SELECT * FROM listed l
   WHERE ($7::boolean IS NULL OR CASE WHEN $7 THEN l.signed ELSE l.holds AND NOT l.signed END)
     AND ($8::uuid IS NULL OR l.user_id = $8)
)";

/// A page of people in the order of their ids, one more than `first`.
///
/// # Errors
/// The database did not answer.
pub async fn attestations(
    view: &mut Snapshot,
    filter: &AttestationFilter,
    (first, after): (i64, Option<Uuid>),
) -> Result<Vec<AttestationRow>, sqlx::Error> {
    let sql = format!(
        "{LISTED} SELECT w.*, p.first_name, p.last_name FROM wanted w
          LEFT JOIN read.people p ON p.tenant_id = $1 AND p.user_id = w.user_id
          WHERE $9::uuid IS NULL OR w.user_id > $9
          ORDER BY w.user_id LIMIT $10"
    );
    let known_at = view.position_of(access_register::NAME);
    sqlx::query_as(&sql)
        .bind(view.tenant().0)
        .bind(filter.organization.0)
        .bind(filter.now)
        .bind(known_at)
        .bind(filter.everybody_holds)
        .bind(filter.version.as_deref())
        .bind(filter.signed)
        .bind(filter.only.map(|user| user.0))
        .bind(after)
        .bind(first + 1)
        .fetch_all(view.connection())
        .await
}

/// How many there are in all.
///
/// # Errors
/// The database did not answer.
pub async fn count_attestations(
    view: &mut Snapshot,
    filter: &AttestationFilter,
) -> Result<i64, sqlx::Error> {
    let known_at = view.position_of(access_register::NAME);
    sqlx::query_scalar(&format!("{LISTED} SELECT count(*) FROM wanted"))
        .bind(view.tenant().0)
        .bind(filter.organization.0)
        .bind(filter.now)
        .bind(known_at)
        .bind(filter.everybody_holds)
        .bind(filter.version.as_deref())
        .bind(filter.signed)
        .bind(filter.only.map(|user| user.0))
        .fetch_one(view.connection())
        .await
}
