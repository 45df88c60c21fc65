//! Lists of requests, newest first; the plan's queue, oldest first.
//!
//! Invariant: what ran out by the clock is shown as over, whether or not its end was recorded.

use chrono::{DateTime, Utc};
use rollcall_domain::{
    access_requests::RequestKind,
    kernel::ids::{OrganizationId, UserId},
};
use sqlx::{Postgres, QueryBuilder};
use uuid::Uuid;

use super::{AccessRequestRow, RequestStatus};
use crate::Snapshot;

/// Whose requests are seen.
#[derive(Clone, Debug)]
pub enum Seen {
    /// All of an organisation.
    Organization(OrganizationId),
    /// A person's own in an organisation.
    Own(OrganizationId, UserId),
    /// All of the tenant, for the plan; only of these organisations for staff kept to them (GN-31).
    Plan(Option<Vec<Uuid>>),
}

/// Which of them.
#[derive(Clone, Debug)]
pub struct RequestFilter {
    pub seen: Seen,
    pub status: Option<RequestStatus>,
    pub kind: Option<RequestKind>,
    /// Not those of this person, which they cannot decide.
    pub not_of: Option<UserId>,
    /// Those made before this moment.
    pub before: Option<DateTime<Utc>>,
    pub oldest_first: bool,
}

/// A request with names; `status` is that of the moment asked for.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct RequestView {
    #[sqlx(flatten)]
    pub row: AccessRequestRow,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub organization_name: Option<String>,
}

fn push_status(query: &mut QueryBuilder<'_, Postgres>, now: DateTime<Utc>) {
    query.push("CASE WHEN r.status IN ('OPEN', 'ROUTED') AND r.expires_at <= ").push_bind(now);
    query.push(" THEN 'EXPIRED' ELSE r.status END");
}

fn select(tenant: Uuid, now: DateTime<Utc>) -> QueryBuilder<'static, Postgres> {
    let mut query = QueryBuilder::new(
        "SELECT r.tenant_id, r.request_id, r.organization_id, r.user_id, r.kind, r.items,
                r.routed_because, r.access_until, r.requested_position, r.requested_at,
                r.routed_at, r.closed_at, r.decided_by, r.expires_at, r.version,
                p.first_name, p.last_name, o.name AS organization_name, ",
    );
    push_status(&mut query, now);
    query.push(
        " AS status FROM read.access_requests r
          LEFT JOIN read.people p ON p.tenant_id = r.tenant_id AND p.user_id = r.user_id
          LEFT JOIN read.organizations o ON o.tenant_id = r.tenant_id AND o.id = r.organization_id
         WHERE r.tenant_id = ",
    );
    query.push_bind(tenant);
    query
}

fn push_seen(query: &mut QueryBuilder<'_, Postgres>, seen: Seen) {
    match seen {
        Seen::Organization(organization) => {
            query.push(" AND r.organization_id = ").push_bind(organization.0);
        }
        Seen::Own(organization, user) => {
            query.push(" AND r.organization_id = ").push_bind(organization.0);
            query.push(" AND r.user_id = ").push_bind(user.0);
        }
        Seen::Plan(None) => {}
        Seen::Plan(Some(within)) => {
            query.push(" AND r.organization_id = ANY(").push_bind(within).push(")");
        }
    }
}

/// Up to `first` requests; `after` is the key after which the page begins.
///
/// # Errors
/// The database did not answer.
pub async fn access_requests(
    view: &mut Snapshot,
    filter: RequestFilter,
    (first, after): (i64, Option<i64>),
    now: DateTime<Utc>,
) -> Result<Vec<RequestView>, sqlx::Error> {
    let mut query = select(view.tenant().0, now);
    push_seen(&mut query, filter.seen);
    if let Some(status) = filter.status {
        query.push(" AND ");
        push_status(&mut query, now);
        query.push(" = ").push_bind(status.as_str());
    }
    if let Some(kind) = filter.kind {
        query.push(" AND r.kind = ").push_bind(kind.as_str());
    }
    if let Some(user) = filter.not_of {
        query.push(" AND r.user_id IS DISTINCT FROM ").push_bind(user.0);
    }
    if let Some(before) = filter.before {
        query.push(" AND r.requested_at <= ").push_bind(before);
    }
    let (beyond, order) = if filter.oldest_first { (" > ", "ASC") } else { (" < ", "DESC") };
    if let Some(after) = after {
        query.push(" AND r.requested_position").push(beyond).push_bind(after);
    }
    query.push(" ORDER BY r.requested_position ").push(order).push(" LIMIT ").push_bind(first);
    query.build_query_as().fetch_all(view.connection()).await
}

/// The requests of these ids that are seen.
///
/// # Errors
/// The database did not answer.
pub async fn access_requests_by_id(
    view: &mut Snapshot,
    seen: Seen,
    ids: &[Uuid],
    now: DateTime<Utc>,
) -> Result<Vec<RequestView>, sqlx::Error> {
    let mut query = select(view.tenant().0, now);
    push_seen(&mut query, seen);
    query.push(" AND r.request_id = ANY(").push_bind(ids.to_vec()).push(")");
    query.build_query_as().fetch_all(view.connection()).await
}
