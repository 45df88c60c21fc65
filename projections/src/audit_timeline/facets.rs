//! What few values have of an event, as one number (`read.audit_timeline.facet`).
//!
//! Invariant: a tenant's facets are found by as many probes of an index as there are, some hundreds.

use sqlx::QueryBuilder;

use super::{Filter, rights};
use crate::Snapshot;

/// The facets that fit a filter, each with its type of event; `None` where it asks for none of what they
/// tell apart.
pub(super) async fn wanted(
    view: &mut Snapshot,
    filter: &Filter,
) -> Result<Option<Vec<(i64, String)>>, sqlx::Error> {
    let Filter { types, command, actor_kind, outcome, right, .. } = filter;
    if types.is_empty()
        && command.is_none()
        && actor_kind.is_none()
        && outcome.is_none()
        && right.is_none()
    {
        return Ok(None);
    }
    let mut query = QueryBuilder::new("SELECT f.facet, f.event_type FROM ops.audit_facets(");
    query.push_bind(view.tenant().0).push(") f WHERE true");
    if !types.is_empty() {
        query.push(" AND f.event_type = ANY (").push_bind(types).push(")");
    }
    if let Some(command) = command {
        query.push(" AND f.command = ").push_bind(command);
    }
    if let Some(kind) = actor_kind {
        query.push(" AND f.actor_kind = ").push_bind(kind.as_str());
    }
    if let Some(outcome) = outcome {
        query.push(" AND f.outcome = ").push_bind(outcome.as_str());
    }
    if let Some(right) = right {
        query.push(" AND f.event_type = ANY (").push_bind(rights::all_types(*right)).push(")");
    }
    query.push(" ORDER BY 1");
    query.build_query_as().fetch_all(view.connection()).await.map(Some)
}
