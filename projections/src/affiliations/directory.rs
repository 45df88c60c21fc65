//! The Submitter Directory: open organisations that submit, and what they offer (MC-61 to MC-63).
//!
//! Invariant: it tells a name and transaction types, nothing else about the organisation; who hides
//! is listed to those affiliated with it and to nobody else.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use rollcall_domain::{
    affiliations::{TransactionState, TransactionTestResult},
    kernel::ids::OrganizationId,
};
use sqlx::{FromRow, Postgres, QueryBuilder};
use uuid::Uuid;

use crate::{Snapshot, search::contains};

/// A row's place in the list: name in lower case, then id.
pub type DirectoryKey = (String, Uuid);

/// A submitter.
#[derive(Clone, Debug, FromRow)]
pub struct Submitter {
    pub id: Uuid,
    pub name: String,
    /// In lower case, for order.
    pub sort_name: String,
}

/// A transaction type of a submitter.
#[derive(Clone, Debug)]
pub struct SubmitterType {
    pub code: String,
    pub state: TransactionState,
    /// When its newest test was recorded.
    pub tested_at: Option<DateTime<Utc>>,
}

/// What to look for.
#[derive(Clone, Copy, Debug)]
pub struct DirectoryFilter<'a> {
    /// Who looks, and is not listed to itself.
    pub viewer: OrganizationId,
    /// Part of a name.
    pub search: Option<&'a str>,
    /// A type that is offered and not suspended.
    pub transaction_type: Option<&'a str>,
    pub now: DateTime<Utc>,
}

fn push_filter(query: &mut QueryBuilder<'_, Postgres>, tenant: Uuid, filter: &DirectoryFilter<'_>) {
    query.push(" FROM read.organizations o WHERE o.tenant_id = ").push_bind(tenant);
    query.push(" AND o.is_submitter AND o.status = 'REGISTERED' AND o.id <> ");
    query.push_bind(filter.viewer.0);
    if let Some(search) = filter.search {
        query.push(" AND lower(o.name) LIKE ").push_bind(contains(search));
    }
    if let Some(code) = filter.transaction_type {
        query.push(
            " AND EXISTS (SELECT FROM read.submitter_types t
                           WHERE t.tenant_id = o.tenant_id AND t.organization_id = o.id
                             AND t.offered AND t.result IS DISTINCT FROM 'SUSPENDED'
                             AND t.transaction_type = ",
        );
        query.push_bind(code.to_owned()).push(")");
    }
    query.push(
        " AND (NOT EXISTS (SELECT FROM read.submitter_profiles p
                            WHERE p.tenant_id = o.tenant_id AND p.organization_id = o.id
                              AND NOT p.visible)
               OR EXISTS (SELECT FROM read.affiliations a
                           WHERE a.tenant_id = o.tenant_id AND a.submitter_id = o.id
                             AND a.provider_id = ",
    );
    query.push_bind(filter.viewer.0);
    query.push(" AND (a.status = 'ACTIVE' OR a.status = 'TERMINATED' AND a.ends_at > ");
    query.push_bind(filter.now).push(")))");
}

/// Up to `first` submitters after `after`, by name.
///
/// # Errors
/// The database did not answer.
pub async fn submitters(
    view: &mut Snapshot,
    filter: &DirectoryFilter<'_>,
    (first, after): (i64, Option<&DirectoryKey>),
) -> Result<Vec<Submitter>, sqlx::Error> {
    let mut query = QueryBuilder::new("SELECT o.id, o.name, lower(o.name) AS sort_name");
    push_filter(&mut query, view.tenant().0, filter);
    if let Some((name, id)) = after {
        query.push(" AND (lower(o.name), o.id) > (").push_bind(name.clone());
        query.push(", ").push_bind(*id).push(")");
    }
    query.push(" ORDER BY lower(o.name), o.id LIMIT ").push_bind(first);
    query.build_query_as().fetch_all(view.connection()).await
}

/// How many there are in all.
///
/// # Errors
/// The database did not answer.
pub async fn count_submitters(
    view: &mut Snapshot,
    filter: &DirectoryFilter<'_>,
) -> Result<i64, sqlx::Error> {
    let mut query = QueryBuilder::new("SELECT count(*)");
    push_filter(&mut query, view.tenant().0, filter);
    query.build_query_scalar().fetch_one(view.connection()).await
}

/// Whether the directory lists a submitter to everybody.
///
/// # Errors
/// The database did not answer.
pub async fn is_listed(
    view: &mut Snapshot,
    organization: OrganizationId,
) -> Result<bool, sqlx::Error> {
    let visible: Option<bool> = sqlx::query_scalar(
        "SELECT visible FROM read.submitter_profiles WHERE tenant_id = $1 AND organization_id = $2",
    )
    .bind(view.tenant().0)
    .bind(organization.0)
    .fetch_optional(view.connection())
    .await?;
    Ok(visible.unwrap_or(true))
}

#[derive(FromRow)]
struct TypeRow {
    organization_id: Uuid,
    transaction_type: String,
    offered: bool,
    result: Option<String>,
    tested_at: Option<DateTime<Utc>>,
}

/// The types that these submitters offer, by code.
///
/// # Errors
/// The database did not answer.
pub async fn submitter_types(
    view: &mut Snapshot,
    organizations: &[Uuid],
) -> Result<HashMap<Uuid, Vec<SubmitterType>>, sqlx::Error> {
    let rows: Vec<TypeRow> = sqlx::query_as(
        "SELECT organization_id, transaction_type, offered, result, tested_at
           FROM read.submitter_types
          WHERE tenant_id = $1 AND organization_id = ANY($2) AND offered
          ORDER BY organization_id, transaction_type",
    )
    .bind(view.tenant().0)
    .bind(organizations)
    .fetch_all(view.connection())
    .await?;
    let mut types: HashMap<Uuid, Vec<SubmitterType>> = HashMap::new();
    for row in rows {
        let result = row.result.as_deref().and_then(TransactionTestResult::parse);
        let state = TransactionState::of(row.offered, result);
        let kind = SubmitterType { code: row.transaction_type, state, tested_at: row.tested_at };
        types.entry(row.organization_id).or_default().push(kind);
    }
    Ok(types)
}
