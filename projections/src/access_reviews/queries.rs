//! Lists of reviews, newest first.
//!
//! Invariant: whoever was asked to decide about items sees those reviews and nothing else.

use rollcall_domain::{access_reviews::ReviewStatus, kernel::ids::OrganizationId};
use sqlx::{Postgres, QueryBuilder};
use uuid::Uuid;

use super::{AccessReviewRow, THE_PLAN};
use crate::Snapshot;

/// Whose reviews are seen.
#[derive(Clone, Debug)]
pub enum Seen {
    /// All of the tenant.
    All,
    /// All of these organisations.
    Organizations(Vec<Uuid>),
    /// Those of an organisation in which items were delegated to one of these members.
    Delegates(OrganizationId, Vec<Uuid>),
}

/// Which of them.
#[derive(Clone, Debug)]
pub struct ReviewFilter {
    pub seen: Seen,
    pub organization: Option<OrganizationId>,
    pub status: Option<ReviewStatus>,
}

/// A review with the name of its organisation, or of the plan itself.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct ReviewView {
    #[sqlx(flatten)]
    pub row: AccessReviewRow,
    pub organization_name: Option<String>,
}

fn select(tenant: Uuid, seen: Seen) -> QueryBuilder<'static, Postgres> {
    let mut query = QueryBuilder::new(
        "SELECT r.*, o.name AS organization_name FROM read.access_reviews r
           LEFT JOIN read.organizations o ON o.tenant_id = r.tenant_id AND o.id = r.organization_id
          WHERE r.tenant_id = ",
    );
    query.push_bind(tenant);
    match seen {
        Seen::All => {}
        Seen::Organizations(organizations) => {
            query.push(" AND r.organization_id = ANY (").push_bind(organizations).push(")");
        }
        Seen::Delegates(organization, members) => {
            query.push(" AND r.organization_id = ").push_bind(organization.0);
            query.push(" AND r.review_id IN (SELECT d.review_id FROM read.access_review_items d");
            query.push(" WHERE d.tenant_id = ").push_bind(tenant);
            query.push(" AND d.delegated_to = ANY (").push_bind(members).push("))");
        }
    }
    query
}

/// Up to `first` reviews, newest first; `after` is the key after which the page begins.
///
/// # Errors
/// The database did not answer.
pub async fn reviews(
    view: &mut Snapshot,
    filter: ReviewFilter,
    (first, after): (i64, Option<i64>),
) -> Result<Vec<ReviewView>, sqlx::Error> {
    let mut query = select(view.tenant().0, filter.seen);
    if let Some(organization) = filter.organization {
        query.push(" AND r.organization_id = ").push_bind(organization.0);
    }
    if let Some(status) = filter.status {
        query.push(" AND r.status = ").push_bind(status.as_str());
    }
    if let Some(after) = after {
        query.push(" AND r.opened_position < ").push_bind(after);
    }
    query.push(" ORDER BY r.opened_position DESC LIMIT ").push_bind(first);
    let found = query.build_query_as().fetch_all(view.connection()).await?;
    Ok(named(view, found))
}

fn named(view: &Snapshot, mut found: Vec<ReviewView>) -> Vec<ReviewView> {
    for review in &mut found {
        name_plan(view, review.row.organization_id, &mut review.organization_name);
    }
    found
}

/// Names the plan itself, which is no organisation that a table names.
pub(super) fn name_plan(view: &Snapshot, whose: Uuid, name: &mut Option<String>) {
    if whose == view.tenant().plan_itself().0 {
        *name = Some(THE_PLAN.to_owned());
    }
}

/// The reviews of these ids that are seen.
///
/// # Errors
/// The database did not answer.
pub async fn reviews_by_id(
    view: &mut Snapshot,
    seen: Seen,
    ids: &[Uuid],
) -> Result<Vec<ReviewView>, sqlx::Error> {
    let mut query = select(view.tenant().0, seen);
    query.push(" AND r.review_id = ANY (").push_bind(ids.to_vec()).push(")");
    let found = query.build_query_as().fetch_all(view.connection()).await?;
    Ok(named(view, found))
}
