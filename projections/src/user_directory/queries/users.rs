//! Who belongs to an organisation: `users(search, status, domain, …)` and `user(id)`.
//!
//! Invariant: somebody who has not joined is shown as the organisation's own invitation describes
//! them, never as an account they may have elsewhere does.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use rollcall_domain::kernel::ids::{OrganizationId, UserId};
use uuid::Uuid;

use super::row::{Raw, UserRow, UserStatus};
use crate::Snapshot;

/// Last name, first name (both in lower case) and id: the order of the list.
pub type DirectoryKey = (String, String, Uuid);

/// Which users are asked for.
#[derive(Clone, Debug, Default)]
pub struct UserFilter {
    /// Part of a name, email address or user name.
    pub search: Option<String>,
    /// Without one, everybody but those who never joined.
    pub status: Option<UserStatus>,
    /// Of the email address.
    pub domain: Option<String>,
    pub unassigned: Option<bool>,
    /// Whether the account is locked (AL-06).
    pub locked: Option<bool>,
    /// Only those, or only others than those, who have waited for a first permission since then
    /// (MC-32).
    pub waiting_since: Option<(DateTime<Utc>, bool)>,
}

/// A filtered list at a moment.
#[derive(Clone, Debug)]
pub struct Listing {
    pub organization: OrganizationId,
    pub filter: UserFilter,
    pub now: DateTime<Utc>,
}

/// $1 tenant, $2 now, $3 organisations.
const USERS: &str = "
WITH users AS (
  SELECT m.user_id, m.organization_id,
         CASE m.standing
           WHEN 'INVITED' THEN 'INVITED'
           WHEN 'INACTIVE' THEN 'DEACTIVATED'
           WHEN 'ENDED' THEN 'NEVER_JOINED'
           ELSE CASE WHEN a.has_password THEN 'ACTIVE' ELSE 'REGISTERED' END
         END AS status,
         m.org_role, m.email_domain, m.invited_at, m.joined_at, m.deactivated_at, m.left_on,
         m.last_login_at,
         CASE WHEN m.standing = 'ACTIVE' AND NOT m.was_assigned THEN m.unassigned_since END
           AS unassigned_since,
         m.setup, m.setup_steps, m.roster_facts + m.permission_facts AS version,
         coalesce(a.is_locked AND (a.locked_until IS NULL OR a.locked_until > $2), false)
           AS is_locked,
         a.locked_until,
         CASE WHEN m.standing IN ('ACTIVE', 'INACTIVE') THEN a.email_bounced_at
              ELSE i.email_bounced_at END AS email_bounced_at,
         CASE WHEN m.standing IN ('ACTIVE', 'INACTIVE') THEN a.last_delivery
              ELSE i.last_delivery END AS last_delivery,
         CASE WHEN m.standing IN ('ACTIVE', 'INACTIVE') THEN a.last_delivery_at
              ELSE i.last_delivery_at END AS last_delivery_at,
         m.org_role = 'NONE' AND NOT EXISTS (
           SELECT FROM read.npi_permissions g
            WHERE g.tenant_id = m.tenant_id AND g.organization_id = m.organization_id
              AND g.user_id = m.user_id AND g.level <> 'NONE'
              AND (g.until IS NULL OR g.until > $2))
           AND NOT EXISTS (
           SELECT FROM read.entitlements e
            WHERE e.tenant_id = m.tenant_id AND e.organization_id = m.organization_id
              AND e.user_id = m.user_id AND (e.until IS NULL OR e.until > $2)) AS is_unassigned,
         i.invitation_id, i.sent_at, i.expires_at,
         CASE WHEN i.status IN ('SENT', 'OPENED') AND i.expires_at <= $2 THEN 'EXPIRED'
              ELSE i.status END AS invitation_status,
         coalesce(p.first_name, t.first_name) AS first_name,
         coalesce(p.last_name, t.last_name) AS last_name,
         coalesce(p.email, t.email) AS email,
         coalesce(p.mobile, t.mobile) AS mobile,
         coalesce(p.business_phone, t.business_phone) AS business_phone,
         p.username,
         coalesce(p.email_verified, false) AS email_verified,
         lower(coalesce(p.last_name, t.last_name, '')) AS last_key,
         lower(coalesce(p.first_name, t.first_name, '')) AS first_key
    FROM read.directory_members m
    LEFT JOIN read.directory_accounts a
      ON m.standing IN ('ACTIVE', 'INACTIVE')
     AND a.tenant_id = m.tenant_id AND a.user_id = m.user_id
    LEFT JOIN read.people p
      ON m.standing IN ('ACTIVE', 'INACTIVE')
     AND p.tenant_id = m.tenant_id AND p.user_id = m.user_id
    LEFT JOIN read.invited_people t
      ON m.standing IN ('INVITED', 'ENDED')
     AND t.tenant_id = m.tenant_id AND t.invitation_id = m.invitation_id
    LEFT JOIN read.directory_invitations i
      ON i.tenant_id = m.tenant_id AND i.invitation_id = m.invitation_id
   WHERE m.tenant_id = $1 AND m.organization_id = ANY($3) AND m.standing <> 'UNLISTED'
)";

/// $4 search, $5 status, $6 domain, $7 unassigned, $8 locked, $9 waiting since, $10 or not.
const MATCHING: &str = "
 WHERE ($4::text IS NULL OR strpos(lower(concat_ws(' ', first_name, last_name, email, username)),
                                   lower($4)) > 0)
   AND ($5::text IS NULL AND status <> 'NEVER_JOINED' OR status = $5)
   AND ($6::text IS NULL OR email_domain = lower($6))
   AND ($7::bool IS NULL OR is_unassigned = $7)
   AND ($8::bool IS NULL OR is_locked = $8)
   AND ($9::timestamptz IS NULL OR coalesce(unassigned_since <= $9, false) = $10)";

/// One page by name, and one row more if there is one.
///
/// # Errors
/// The database did not answer.
pub async fn list_users(
    view: &mut Snapshot,
    listing: &Listing,
    first: i64,
    after: Option<&DirectoryKey>,
) -> Result<Vec<(DirectoryKey, UserRow)>, sqlx::Error> {
    let statement = format!(
        "{USERS} SELECT * FROM users {MATCHING}
           AND ($11::text IS NULL OR (last_key, first_key, user_id) > ($11, $12, $13))
         ORDER BY last_key, first_key, user_id LIMIT $14"
    );
    let UserFilter { search, status, domain, unassigned, locked, waiting_since } = &listing.filter;
    let rows: Vec<Raw> = sqlx::query_as(&statement)
        .bind(view.tenant().0)
        .bind(listing.now)
        .bind([listing.organization.0])
        .bind(search)
        .bind(status.map(UserStatus::as_str))
        .bind(domain)
        .bind(unassigned)
        .bind(locked)
        .bind(waiting_since.map(|(since, _)| since))
        .bind(waiting_since.map(|(_, waiting)| waiting))
        .bind(after.map(|(last, _, _)| last))
        .bind(after.map(|(_, first, _)| first))
        .bind(after.map(|(_, _, user)| *user))
        .bind(first + 1)
        .fetch_all(view.connection())
        .await?;
    let keyed = |raw: Raw| {
        let (last, first) = (raw.last_key.clone(), raw.first_key.clone());
        let row = UserRow::from(raw);
        ((last, first, row.person.user_id), row)
    };
    Ok(rows.into_iter().map(keyed).collect())
}

/// How many the list has in all.
///
/// # Errors
/// The database did not answer.
pub async fn count_users(view: &mut Snapshot, listing: &Listing) -> Result<i64, sqlx::Error> {
    let statement = format!("{USERS} SELECT count(*) FROM users {MATCHING}");
    let UserFilter { search, status, domain, unassigned, locked, waiting_since } = &listing.filter;
    sqlx::query_scalar(&statement)
        .bind(view.tenant().0)
        .bind(listing.now)
        .bind([listing.organization.0])
        .bind(search)
        .bind(status.map(UserStatus::as_str))
        .bind(domain)
        .bind(unassigned)
        .bind(locked)
        .bind(waiting_since.map(|(since, _)| since))
        .bind(waiting_since.map(|(_, waiting)| waiting))
        .fetch_one(view.connection())
        .await
}

/// Users of an organisation by their ids; those it has no part in are missing.
///
/// # Errors
/// The database did not answer.
pub async fn users_by_id(
    view: &mut Snapshot,
    organization: OrganizationId,
    users: &[UserId],
    now: DateTime<Utc>,
) -> Result<BTreeMap<UserId, UserRow>, sqlx::Error> {
    let statement = format!("{USERS} SELECT * FROM users WHERE user_id = ANY($4)");
    let rows: Vec<Raw> = sqlx::query_as(&statement)
        .bind(view.tenant().0)
        .bind(now)
        .bind([organization.0])
        .bind(users.iter().map(|user| user.0).collect::<Vec<_>>())
        .fetch_all(view.connection())
        .await?;
    Ok(rows.into_iter().map(UserRow::from).map(|row| (UserId(row.person.user_id), row)).collect())
}

/// People where the plan finds them: each in the organisation they joined last, or else in the one
/// that invited them last; those whom no organisation lists are missing.
///
/// # Errors
/// The database did not answer.
pub async fn users_anywhere(
    view: &mut Snapshot,
    users: &[UserId],
    now: DateTime<Utc>,
    within: Option<&[Uuid]>,
) -> Result<Vec<UserRow>, sqlx::Error> {
    let ids: Vec<Uuid> = users.iter().map(|user| user.0).collect();
    let places: Vec<(Uuid, Uuid)> = sqlx::query_as(
        "SELECT DISTINCT ON (user_id) organization_id, user_id FROM read.directory_members
          WHERE tenant_id = $1 AND user_id = ANY($2) AND standing <> 'UNLISTED'
            AND ($3::uuid[] IS NULL OR organization_id = ANY($3))
          ORDER BY user_id, standing = 'ACTIVE' DESC, joined_at DESC NULLS LAST,
                   invited_at DESC NULLS LAST, organization_id",
    )
    .bind(view.tenant().0)
    .bind(ids)
    .bind(within)
    .fetch_all(view.connection())
    .await?;
    let (organizations, users): (Vec<_>, Vec<_>) = places.into_iter().unzip();
    let statement = format!(
        "{USERS} SELECT * FROM users
          WHERE (organization_id, user_id) IN (SELECT * FROM unnest($3::uuid[], $4::uuid[]))"
    );
    let rows: Vec<Raw> = sqlx::query_as(&statement)
        .bind(view.tenant().0)
        .bind(now)
        .bind(organizations)
        .bind(users)
        .fetch_all(view.connection())
        .await?;
    Ok(rows.into_iter().map(UserRow::from).collect())
}
