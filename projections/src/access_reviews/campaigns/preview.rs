//! What a campaign would have, before it is opened (GN-15).
//!
//! Invariant: the organisations are those that the campaign freezes if it is opened at this position; how
//! many people each has is counted as the reading side knows them.

use chrono::{DateTime, Utc};
use rollcall_domain::{
    access_reviews::{ReviewScope, campaign::MOST_ORGANIZATIONS, template::Covers},
    organizations::OrganizationKind,
};
use sqlx::{FromRow, Postgres, QueryBuilder};
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

/// The projection that knows which organisations there are.
pub const ORGANIZATIONS: &str = "organizations";

impl From<&Covers> for CampaignChoice {
    fn from(covers: &Covers) -> Self {
        let only = covers.only.as_ref();
        let organizations = only.map(|ids| ids.iter().map(|id| id.0).collect());
        Self { organizations, kind: covers.kind }
    }
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
           LEFT JOIN (",
    );
    items(&mut query, (scope, tenant), (now, since));
    query.push(
        ") i ON i.organization_id = o.id
           LEFT JOIN read.access_reviews r ON r.tenant_id = o.tenant_id AND r.organization_id = o.id
                AND r.status IN ('OPEN', 'OVERDUE') AND (r.scope = ",
    );
    query.push_bind(sqlx::types::Json(scope.clone()));
    // Of who does not sign in, one review at a time, whatever its days.
    query
        .push(" OR r.scope ? 'DORMANT' AND ")
        .push_bind(matches!(scope, ReviewScope::Dormant { .. }));
    query.push(")");
    within(&mut query, choice, tenant);
    query.build_query_as().fetch_all(view.connection()).await
}

/// How many items each organisation has.
fn items(
    query: &mut QueryBuilder<'_, Postgres>,
    (scope, tenant): (&ReviewScope, Uuid),
    (now, since): (DateTime<Utc>, Option<DateTime<Utc>>),
) {
    if *scope == ReviewScope::ApiKeys {
        query.push(
            "SELECT k.organization_id, count(*) AS items FROM read.api_keys k
              WHERE k.revoked_at IS NULL AND k.expires_at > ",
        );
        query.push_bind(now).push(" AND k.tenant_id = ").push_bind(tenant);
        query.push(" GROUP BY k.organization_id");
        return;
    }
    query.push("SELECT m.organization_id, count(*) AS items FROM read.directory_members m");
    if scope.is_of_rights() {
        rights(query, scope, now);
    }
    query.push(" WHERE m.standing = 'ACTIVE' AND m.tenant_id = ").push_bind(tenant);
    match scope {
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
        ReviewScope::Roster
        | ReviewScope::Rights
        | ReviewScope::Npi { .. }
        | ReviewScope::Feature { .. }
        | ReviewScope::JobRole { .. }
        | ReviewScope::Location { .. }
        | ReviewScope::Affiliations { .. }
        | ReviewScope::People { .. }
        | ReviewScope::ApiKeys
        | ReviewScope::PlanStaff => {}
    }
    query.push(" GROUP BY m.organization_id");
}

/// The organisations of a choice in the order of their ids, up to one more than a campaign covers.
///
/// # Errors
/// The database did not answer.
pub async fn covered(
    view: &mut Snapshot,
    choice: &CampaignChoice,
) -> Result<Vec<Uuid>, sqlx::Error> {
    let mut query = QueryBuilder::new("SELECT o.id FROM read.organizations o");
    within(&mut query, choice, view.tenant().0);
    let most = i64::try_from(MOST_ORGANIZATIONS).unwrap_or(i64::MAX);
    query.push(" LIMIT ").push_bind(most + 1);
    query.build_query_scalar().fetch_all(view.connection()).await
}

/// Those of `read.organizations o` that a choice is about, in order.
fn within(query: &mut QueryBuilder<'_, Postgres>, choice: &CampaignChoice, tenant: Uuid) {
    query.push(" WHERE o.status = 'REGISTERED' AND o.tenant_id = ").push_bind(tenant);
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
}

/// Joins what each member `m` was granted of the choice; job roles that bundle a feature are not looked
/// into.
fn rights(query: &mut QueryBuilder<'_, Postgres>, scope: &ReviewScope, now: DateTime<Utc>) {
    query.push(
        " JOIN read.access_intervals a ON a.tenant_id = m.tenant_id AND a.user_id = m.user_id
            AND a.organization_id = m.organization_id AND a.known_to IS NULL AND a.valid_from <= ",
    );
    query.push_bind(now).push(" AND a.valid_to > ").push_bind(now).push(" AND a.kind IN (");
    match scope {
        ReviewScope::Npi { npi } => {
            query.push("'NPI_LEVEL', 'CORRESPONDENCE')");
            if let Some(npi) = npi {
                query.push(" AND a.npi IN ('*', ").push_bind(npi.as_str().to_owned()).push(")");
            }
        }
        ReviewScope::Feature { feature } => {
            query.push("'FEATURE')");
            if let Some(feature) = feature {
                query.push(" AND a.name = ").push_bind(feature.as_str());
            }
        }
        ReviewScope::JobRole { role } => {
            query.push("'JOB_ROLE')");
            if let Some(role) = role {
                query.push(" AND a.name = ").push_bind(role.to_string());
            }
        }
        ReviewScope::Location { location } => {
            query.push("'LOCATION')");
            if let Some(location) = location {
                query.push(" AND a.name = ").push_bind(location.to_string());
            }
        }
        ReviewScope::Affiliations { affiliation } => {
            query.push("'SUBMISSION') AND ops.submission_counts(a.tenant_id, a.holder_id, a.npi, ");
            query.push_bind(now).push(")");
            if let Some(affiliation) = affiliation {
                query.push(" AND a.holder_id = ").push_bind(affiliation.0);
            }
        }
        ReviewScope::Rights
        | ReviewScope::Roster
        | ReviewScope::Administrators
        | ReviewScope::Dormant { .. }
        | ReviewScope::People { .. }
        | ReviewScope::ApiKeys
        | ReviewScope::PlanStaff => {
            query.push(
                "'NPI_LEVEL', 'CORRESPONDENCE', 'FEATURE', 'JOB_ROLE', 'LOCATION', 'TAX_ID', 'SUBMISSION')
                  AND (a.kind <> 'SUBMISSION' OR ops.submission_counts(a.tenant_id, a.holder_id, a.npi, ",
            );
            query.push_bind(now).push("))");
        }
    }
}
