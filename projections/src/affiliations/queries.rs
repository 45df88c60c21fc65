//! Lists of affiliations, newest request first.
//!
//! Invariant: what ran out by the clock is shown as over, whether or not its end was recorded; what
//! has a last day ahead is shown as in force.

use chrono::{DateTime, Utc};
use rollcall_domain::{affiliations::Side, kernel::ids::OrganizationId};
use sqlx::{Postgres, QueryBuilder};
use uuid::Uuid;

use super::{AffiliationRow, AffiliationStatus};
use crate::Snapshot;

/// Who looks.
#[derive(Clone, Copy, Debug)]
pub enum Viewpoint {
    /// One of the two organisations.
    Party(OrganizationId),
    /// The plan, which sees all ("disclosure of those relationships", GN-18).
    Plan,
}

/// Which affiliations.
#[derive(Clone, Debug)]
pub struct AffiliationFilter {
    pub viewpoint: Viewpoint,
    /// Only those in which the viewer stands on this side.
    pub side: Option<Side>,
    pub status: Option<AffiliationStatus>,
    /// Only requests that the viewer is to decide (MC-59).
    pub to_decide: bool,
    /// Only those of these organisations, for plan staff kept to them (GN-31).
    pub within: Option<Vec<Uuid>>,
}

impl AffiliationFilter {
    /// All that the viewer sees.
    #[must_use]
    pub fn all(viewpoint: Viewpoint) -> Self {
        Self { viewpoint, side: None, status: None, to_decide: false, within: None }
    }
}

/// An affiliation with the names of its organisations; `status` is that of the moment asked for.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct AffiliationView {
    #[sqlx(flatten)]
    pub row: AffiliationRow,
    pub submitter_name: String,
    pub provider_name: String,
}

/// The status at a moment bound later: `push_status` pushes it three times.
fn push_status(query: &mut QueryBuilder<'_, Postgres>, now: DateTime<Utc>) {
    query.push("CASE WHEN a.status = 'REQUESTED' AND a.expires_at <= ").push_bind(now);
    query.push(" THEN 'EXPIRED' WHEN a.status = 'TERMINATED' AND a.ends_at > ").push_bind(now);
    query.push(" THEN 'ACTIVE' ELSE a.status END");
}

fn select(now: DateTime<Utc>) -> QueryBuilder<'static, Postgres> {
    let mut query = QueryBuilder::new(
        "SELECT a.tenant_id, a.affiliation_id, a.submitter_id, a.provider_id, a.initiator_id,
                a.npis, a.transaction_types, a.requested_position, a.requested_at, a.expires_at,
                a.submitter_signed_at, a.provider_signed_at, a.submitter_version,
                a.provider_version, a.effective_from, a.ends_on, a.ends_at,
                a.closed_at, a.version, coalesce(s.name, '') AS submitter_name,
                coalesce(p.name, '') AS provider_name, ",
    );
    push_status(&mut query, now);
    query.push(
        " AS status FROM read.affiliations a
          LEFT JOIN read.organizations s ON s.tenant_id = a.tenant_id AND s.id = a.submitter_id
          LEFT JOIN read.organizations p ON p.tenant_id = a.tenant_id AND p.id = a.provider_id",
    );
    query
}

fn push_filter(
    query: &mut QueryBuilder<'_, Postgres>,
    tenant: Uuid,
    filter: &AffiliationFilter,
    now: DateTime<Utc>,
) {
    query.push(" WHERE a.tenant_id = ").push_bind(tenant);
    if let Viewpoint::Party(OrganizationId(viewer)) = filter.viewpoint {
        let column = match filter.side {
            Some(Side::Submitter) => Some("a.submitter_id"),
            Some(Side::Provider) => Some("a.provider_id"),
            None => None,
        };
        match column {
            Some(column) => query.push(" AND ").push(column).push(" = ").push_bind(viewer),
            None => query
                .push(" AND (a.submitter_id = ")
                .push_bind(viewer)
                .push(" OR a.provider_id = ")
                .push_bind(viewer)
                .push(")"),
        };
        // Before the side that asked has signed, the other has nothing to see.
        query.push(" AND (a.initiator_id = ").push_bind(viewer);
        query.push(
            " OR CASE WHEN a.initiator_id = a.submitter_id
                      THEN a.submitter_signed_at ELSE a.provider_signed_at END IS NOT NULL)",
        );
        if filter.to_decide {
            query.push(" AND a.initiator_id <> ").push_bind(viewer);
        }
    }
    if let Some(within) = &filter.within {
        query.push(" AND (a.submitter_id = ANY(").push_bind(within.clone());
        query.push(") OR a.provider_id = ANY(").push_bind(within.clone()).push("))");
    }
    let status = if filter.to_decide { Some(AffiliationStatus::Requested) } else { filter.status };
    if let Some(status) = status {
        query.push(" AND ");
        push_status(query, now);
        query.push(" = ").push_bind(status.as_str());
    }
}

/// Up to `first` affiliations, newest request first; `before` is the key after which the page
/// begins.
///
/// # Errors
/// The database did not answer.
pub async fn affiliations(
    view: &mut Snapshot,
    filter: &AffiliationFilter,
    (first, before): (i64, Option<i64>),
    now: DateTime<Utc>,
) -> Result<Vec<AffiliationView>, sqlx::Error> {
    let mut query = select(now);
    push_filter(&mut query, view.tenant().0, filter, now);
    if let Some(before) = before {
        query.push(" AND a.requested_position < ").push_bind(before);
    }
    query.push(" ORDER BY a.requested_position DESC LIMIT ").push_bind(first);
    query.build_query_as().fetch_all(view.connection()).await
}

/// How many there are in all.
///
/// # Errors
/// The database did not answer.
pub async fn count_affiliations(
    view: &mut Snapshot,
    filter: &AffiliationFilter,
    now: DateTime<Utc>,
) -> Result<i64, sqlx::Error> {
    let mut query = QueryBuilder::new("SELECT count(*) FROM read.affiliations a");
    push_filter(&mut query, view.tenant().0, filter, now);
    query.build_query_scalar().fetch_one(view.connection()).await
}

/// The affiliations of these ids that the viewer sees.
///
/// # Errors
/// The database did not answer.
pub async fn affiliations_by_id(
    view: &mut Snapshot,
    filter: &AffiliationFilter,
    ids: &[Uuid],
    now: DateTime<Utc>,
) -> Result<Vec<AffiliationView>, sqlx::Error> {
    let mut query = select(now);
    push_filter(&mut query, view.tenant().0, filter, now);
    query.push(" AND a.affiliation_id = ANY(").push_bind(ids.to_vec()).push(")");
    query.build_query_as().fetch_all(view.connection()).await
}
