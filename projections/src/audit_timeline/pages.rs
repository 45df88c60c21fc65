//! Pages of the timeline, as SQL.
//!
//! Invariant: a page is read in its order by whatever index finds it so, and no further than it goes.

use sqlx::{Postgres, QueryBuilder};
use uuid::Uuid;

use super::{
    NAME, Order, PageRequest, Sight,
    filter::{By, Search, Side},
};
use crate::Snapshot;

/// The most events looked at by one statement, beyond twice a page, where few of them fit.
const MOST_AT_ONCE: usize = 20_000;

pub(super) const fn order(order: Order) -> &'static str {
    match order {
        Order::NewestFirst => "t.position DESC",
        Order::OldestFirst => "t.position",
    }
}

/// The positions of a page where the index of terms finds them.
pub(super) async fn found(
    view: &mut Snapshot,
    (tenant, sight): (Uuid, &Sight),
    search: &Search<'_>,
    request: PageRequest,
) -> Result<Option<Vec<i64>>, sqlx::Error> {
    let Some(terms) = search.terms(sight) else { return Ok(None) };
    let (mut from, mut before) = search.range(view.position_of(NAME));
    let newest_first = matches!(request.order, Order::NewestFirst);
    let mut beyond = request.after;
    let wanted = usize::try_from(request.limit).unwrap_or(0);
    let mut at_once = 2 * wanted + 100;
    let mut positions = Vec::new();
    loop {
        match beyond {
            Some(last) if newest_first => before = before.min(last),
            Some(last) => from = from.max(last.saturating_add(1)),
            None => {}
        }
        let mut query = QueryBuilder::new("SELECT p.position, t.position IS NOT NULL FROM ");
        push_found(&mut query, &terms, (from, before), newest_first, Some(at_once));
        // One by one: of an organisation it would read all that happened there.
        query.push(" LEFT JOIN LATERAL (SELECT t.position FROM read.audit_timeline t");
        query.push(" WHERE t.position = p.position AND t.tenant_id = ");
        search.demand(&mut query, (tenant, sight), (Side::Either, By::Found));
        query.push(" OFFSET 0) t ON true ORDER BY 1");
        query.push(if newest_first { " DESC" } else { "" });
        let looked_at: Vec<(i64, bool)> =
            query.build_query_as().fetch_all(view.connection()).await?;
        positions.extend(looked_at.iter().filter(|(_, fits)| *fits).map(|(position, _)| position));
        beyond = looked_at.last().map(|(position, _)| *position);
        if positions.len() >= wanted || looked_at.len() < at_once {
            positions.truncate(wanted);
            return Ok(Some(positions));
        }
        at_once = (2 * at_once).min(MOST_AT_ONCE.max(2 * wanted));
    }
}

/// What the index of terms finds, as `p(position)`.
pub(super) fn push_found(
    query: &mut QueryBuilder<'_, Postgres>,
    terms: &[String],
    (from, before): (i64, i64),
    newest_first: bool,
    limit: Option<usize>,
) {
    query.push("ops.audit_found(").push_bind(terms.to_vec()).push(", ");
    query.push_bind(from).push(", ").push_bind(before).push(", ").push_bind(newest_first);
    query.push(", ").push_bind(limit.map(|limit| limit as i64)).push(") p(position)");
}

/// The rows of a page, as `t`; `found` are their positions where these are known.
pub(super) fn page_rows(
    query: &mut QueryBuilder<'_, Postgres>,
    of: (Uuid, &Sight),
    search: &Search<'_>,
    request: PageRequest,
    found: Option<Vec<i64>>,
) {
    if let Some(positions) = found {
        query.push("(SELECT t.* FROM read.audit_timeline t WHERE t.tenant_id = ");
        query.push_bind(of.0).push(" AND t.position = ANY (").push_bind(positions).push(")) t");
    } else if search.is_of_one() || search.facets.is_some() {
        query.push("(SELECT t.* FROM (");
        page_positions(query, of, search, request);
        query.push(") p JOIN read.audit_timeline t ON t.position = p.position AND t.tenant_id = ");
        query.push_bind(of.0).push(") t");
    } else {
        query.push("(SELECT * ");
        first_of(query, of, search, (Side::Either, By::Any), request);
        query.push(") t");
    }
}

/// The beginning of what is demanded in one way, as long as the page.
fn first_of(
    query: &mut QueryBuilder<'_, Postgres>,
    of: (Uuid, &Sight),
    search: &Search<'_>,
    how: (Side, By),
    request: PageRequest,
) {
    query.push("FROM read.audit_timeline t WHERE t.tenant_id = ");
    search.demand(query, of, how);
    if let Some(after) = request.after {
        let beyond = match request.order {
            Order::NewestFirst => " AND t.position < ",
            Order::OldestFirst => " AND t.position > ",
        };
        query.push(beyond).push_bind(after);
    }
    query.push(format_args!(" ORDER BY {} LIMIT ", order(request.order)));
    query.push_bind(request.limit);
}

/// The positions of a page. Where something finds them in order, that is read as far as the page
/// goes: either side of an organisation, what is somebody's, each facet.
fn page_positions(
    query: &mut QueryBuilder<'_, Postgres>,
    of: (Uuid, &Sight),
    search: &Search<'_>,
    request: PageRequest,
) {
    let one = |query: &mut QueryBuilder<'_, Postgres>, side, by| {
        query.push("(SELECT t.position ");
        first_of(query, of, search, (side, by), request);
        query.push(")");
    };
    query.push("SELECT t.position FROM (");
    if search.is_of_an_organization() {
        one(query, Side::Acting, By::Aside);
        query.push(" UNION ");
        one(query, Side::Concerned, By::Aside);
    } else if let Some(facets) = search.facets.as_ref().filter(|_| !search.is_of_one()) {
        query.push("SELECT t.position FROM unnest(").push_bind(facets.clone());
        query.push(") f(facet) CROSS JOIN LATERAL ");
        one(query, Side::Either, By::Each);
        query.push(" t");
    } else {
        one(query, Side::Either, By::Aside);
    }
    query.push(format_args!(") t ORDER BY {} LIMIT ", order(request.order)));
    query.push_bind(request.limit);
}
