//! Pages of the timeline, as SQL.
//!
//! Invariant: a page is read in its order by whatever index finds it so, and no further than it goes.

use sqlx::{Postgres, QueryBuilder};
use uuid::Uuid;

use super::{
    Order, PageRequest, Sight,
    filter::{By, Search, Side},
};

pub(super) const fn order(order: Order) -> &'static str {
    match order {
        Order::NewestFirst => "t.position DESC",
        Order::OldestFirst => "t.position",
    }
}

/// The rows of a page, as `t`.
pub(super) fn page_rows(
    query: &mut QueryBuilder<'_, Postgres>,
    of: (Uuid, &Sight),
    search: &Search<'_>,
    request: PageRequest,
) {
    if search.is_of_one() || search.facets.is_some() {
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
