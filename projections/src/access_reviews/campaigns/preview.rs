//! What a campaign would have, before it is opened (GN-15).
//!
//! Invariant: the organisations are those that the campaign freezes if it is opened at this position; how
//! many people each has is counted as the reading side knows them.

use chrono::{DateTime, Utc};
use rollcall_domain::{access_reviews::ReviewScope, organizations::OrganizationKind};
use sqlx::{FromRow, QueryBuilder};
use uuid::Uuid;

use crate::Snapshot;

/// Which organisations a campaign is to cover.
#[derive(Clone, Debug, Default)]
pub struct CampaignChoice {
    /// These; `None`: all that are registered and not suspended.
    pub organizations: Option<Vec<Uuid>>,
    /// Only those of this kind.
    pub kind: Option<OrganizationKind>,
}

/// An organisation that a campaign would cover.
#[derive(Clone, Debug, FromRow)]
pub struct PreviewRow {
    pub organization_id: Uuid,
    pub organization_name: String,
    /// How many items its review would have.
    pub items: i64,
    /// A review of the same people that is open, by which it would have no other.
    pub open_review: Option<Uuid>,
}

/// The organisations of a choice in the order of their ids, each with what it would have.
///
/// # Errors
/// The database did not answer.
pub async fn preview(
    view: &mut Snapshot,
    (choice, scope): (&CampaignChoice, &ReviewScope),
    (now, since): (DateTime<Utc>, Option<DateTime<Utc>>),
) -> Result<Vec<PreviewRow>, sqlx::Error> {
    let tenant = view.tenant().0;
    let mut query = QueryBuilder::new(
        "SELECT o.id AS organization_id, o.name AS organization_name, coalesce(i.items, 0) AS items,
                r.review_id AS open_review
           FROM read.organizations o
           LEFT JOIN (SELECT m.organization_id, count(*) AS items FROM read.directory_members m
                       WHERE m.standing = 'ACTIVE' AND m.tenant_id = ",
    );
    query.push_bind(tenant);
    match scope {
        ReviewScope::Roster => {}
        ReviewScope::Administrators => {
            query.push(" AND m.org_role = 'ADMIN'");
        }
        ReviewScope::Dormant { .. } => {
            query.push(
                " AND greatest(m.joined_at, (SELECT max(l.last_login_at) FROM read.directory_members l
                    WHERE l.tenant_id = m.tenant_id AND l.user_id = m.user_id)) <= ",
            );
            query.push_bind(since.unwrap_or(now));
        }
        // A campaign reviews people.
        ReviewScope::Rights
        | ReviewScope::Npi { .. }
        | ReviewScope::Feature { .. }
        | ReviewScope::JobRole { .. } => {
            query.push(" AND false");
        }
    }
    query.push(
        " GROUP BY m.organization_id) i ON i.organization_id = o.id
           LEFT JOIN read.access_reviews r ON r.tenant_id = o.tenant_id AND r.organization_id = o.id
                AND r.status IN ('OPEN', 'OVERDUE') AND (r.scope = ",
    );
    query.push_bind(sqlx::types::Json(scope.clone()));
    // Of who does not sign in, one review at a time, whatever its days.
    query
        .push(" OR r.scope ? 'DORMANT' AND ")
        .push_bind(matches!(scope, ReviewScope::Dormant { .. }));
    query.push(") WHERE o.status = 'REGISTERED' AND o.tenant_id = ").push_bind(tenant);
    if let Some(ids) = &choice.organizations {
        query.push(" AND o.id = ANY (").push_bind(ids.clone()).push(")");
    }
    match choice.kind {
        Some(OrganizationKind::Provider) => {
            query.push(" AND o.is_provider");
        }
        Some(OrganizationKind::Submitter) => {
            query.push(" AND o.is_submitter");
        }
        None => {}
    }
    query.push(" ORDER BY o.id");
    query.build_query_as().fetch_all(view.connection()).await
}
