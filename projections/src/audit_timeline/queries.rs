//! Questions to the timeline: pages by filter and sight, single entries, counts.
//!
//! Invariant: a page costs four statements however long it is, one more where words are looked for and
//! where it is longer than questions may be, and shows no event outside the viewer's sight.

use std::collections::{HashMap, HashSet};

use sqlx::{Postgres, QueryBuilder, postgres::PgRow};
use uuid::Uuid;

use super::{
    Filter, NAME, Sight,
    entries::{COLUMNS, Columns, Entry, ITS_EVENT, Row, SOURCE, Source, TellError, Untold, both},
    filter::{By, Search, Side},
    names::{self, KnownNames},
    pages::{self, order, page_rows, push_found},
};
use crate::Snapshot;

/// In which order positions follow each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    #[default]
    NewestFirst,
    OldestFirst,
}

/// A keyset page: up to `limit` entries beyond position `after`.
#[derive(Clone, Copy, Debug)]
pub struct PageRequest {
    pub order: Order,
    pub after: Option<i64>,
    pub limit: i64,
}

/// From so many entries on, what the log holds of them is read by itself, in one stretch where they
/// lie close together: to look up each costs as much as all else.
const MANY: i64 = 500;

/// Entries in sight, to be picked by what is demanded next.
async fn entries(
    view: &mut Snapshot,
    sight: &Sight,
) -> Result<QueryBuilder<'static, Postgres>, sqlx::Error> {
    let mut query = QueryBuilder::new(format!(
        "SELECT {COLUMNS}, {SOURCE} FROM read.audit_timeline t {ITS_EVENT} WHERE t.tenant_id = "
    ));
    let (tenant, all) = (view.tenant().0, Filter::default());
    let search = Search::of(view, &all).await?;
    search.demand(&mut query, (tenant, sight), (Side::Either, By::Any));
    Ok(query)
}

/// One page, `limit` entries at most.
///
/// # Errors
/// See [`TellError`].
pub async fn page(
    view: &mut Snapshot,
    sight: &Sight,
    filter: &Filter,
    request: PageRequest,
) -> Result<Vec<Entry>, TellError> {
    let mut known = KnownNames::default();
    untold_page(view, sight, filter, request, &mut known).await?.tell().collect()
}

/// One page, to be told elsewhere. What `known` holds is not looked up again.
///
/// # Errors
/// The database's.
pub async fn untold_page(
    view: &mut Snapshot,
    sight: &Sight,
    filter: &Filter,
    request: PageRequest,
    known: &mut KnownNames,
) -> Result<Untold, sqlx::Error> {
    let search = Search::of(view, filter).await?;
    let of = (view.tenant().0, sight);
    let order = order(request.order);
    let found = pages::found(view, of, &search, request).await?;
    let rows = if request.limit > MANY {
        let mut query = QueryBuilder::new(format!("SELECT {COLUMNS} FROM "));
        page_rows(&mut query, of, &search, request, found);
        query.push(format_args!(" ORDER BY {order}"));
        let read = |row: PgRow| Columns::of(&row).row();
        let rows = query.build().try_map(read).fetch_all(view.connection()).await?;
        with_sources(view, rows).await?
    } else {
        // The page first, then its events: joined before, the log is read from its end to a deep page.
        let mut query = QueryBuilder::new(format!("SELECT {COLUMNS}, {SOURCE} FROM "));
        page_rows(&mut query, of, &search, request, found);
        query.push(format_args!(" {ITS_EVENT} ORDER BY {order}"));
        query.build().try_map(both).fetch_all(view.connection()).await?
    };
    untold(view, sight, rows, known).await
}

/// The rows, with what the log holds of each.
async fn with_sources(
    view: &mut Snapshot,
    rows: Vec<Row>,
) -> Result<Vec<(Row, Source)>, sqlx::Error> {
    let positions = rows.iter().map(|row| row.position);
    let (Some(first), Some(last)) = (positions.clone().min(), positions.clone().max()) else {
        return Ok(Vec::new());
    };
    let mut query = QueryBuilder::new(format!(
        "SELECT {SOURCE}, e.tenant_position FROM es.events e WHERE e.tenant_id = "
    ));
    query.push_bind(view.tenant().0);
    if last - first < 2 * rows.len() as i64 {
        query.push(" AND e.tenant_position BETWEEN ").push_bind(first);
        query.push(" AND ").push_bind(last);
    } else {
        let positions: Vec<i64> = positions.collect();
        query.push(" AND e.tenant_position = ANY (").push_bind(positions).push(")");
    }
    let read = |row: PgRow| {
        let mut columns = Columns::of(&row);
        let source = columns.source()?;
        Ok((columns.next::<i64>()?, source))
    };
    let sources = query.build().try_map(read).fetch_all(view.connection()).await?;
    let mut sources: HashMap<i64, Source> = sources.into_iter().collect();
    let with = rows.into_iter().map(|row| {
        // A row without its event is no row of the timeline, as a join would have it.
        let source = sources.remove(&row.position);
        source.map(|source| (row, source))
    });
    Ok(with.flatten().collect())
}

/// The positions of all that fits, oldest first; eight bytes of memory for each.
///
/// # Errors
/// The database's.
pub async fn positions(
    view: &mut Snapshot,
    sight: &Sight,
    filter: &Filter,
) -> Result<Vec<i64>, sqlx::Error> {
    let mut query = all(view, "t.position", sight, filter).await?;
    query.push(" ORDER BY t.position");
    query.build_query_scalar().fetch_all(view.connection()).await
}

/// How many entries there are in all.
///
/// # Errors
/// The database's.
pub async fn count(
    view: &mut Snapshot,
    sight: &Sight,
    filter: &Filter,
) -> Result<i64, sqlx::Error> {
    let mut query = all(view, "count(*)", sight, filter).await?;
    query.build_query_scalar().fetch_one(view.connection()).await
}

/// All that fits, of which `what` is told.
async fn all(
    view: &mut Snapshot,
    what: &str,
    sight: &Sight,
    filter: &Filter,
) -> Result<QueryBuilder<'static, Postgres>, sqlx::Error> {
    let search = Search::of(view, filter).await?;
    let mut query = QueryBuilder::new(format!("SELECT {what} FROM "));
    let mut by = By::Any;
    if let Some(terms) = search.terms(sight) {
        push_found(&mut query, &terms, search.range(view.position_of(NAME)), false, None);
        query.push(" JOIN read.audit_timeline t USING (position) WHERE t.tenant_id = ");
        by = By::Found;
    } else {
        query.push("read.audit_timeline t WHERE t.tenant_id = ");
    }
    search.demand(&mut query, (view.tenant().0, sight), (Side::Either, by));
    Ok(query)
}

/// Entries by their events' ids, as far as they are in sight.
///
/// # Errors
/// See [`TellError`].
pub async fn by_event_ids(
    view: &mut Snapshot,
    sight: &Sight,
    event_ids: &[Uuid],
) -> Result<Vec<Entry>, TellError> {
    let mut query = entries(view, sight).await?;
    query.push(" AND t.event_id = ANY (").push_bind(event_ids.to_vec()).push(")");
    let rows = query.build().try_map(both).fetch_all(view.connection()).await?;
    untold(view, sight, rows, &mut KnownNames::default()).await?.tell().collect()
}

/// Entries by position, as far as they are in sight.
///
/// # Errors
/// See [`TellError`].
pub async fn told_at(
    view: &mut Snapshot,
    sight: &Sight,
    positions: &[i64],
) -> Result<Vec<Entry>, TellError> {
    let mut query = entries(view, sight).await?;
    query.push(" AND t.position = ANY (").push_bind(positions.to_vec()).push(")");
    let rows = query.build().try_map(both).fetch_all(view.connection()).await?;
    untold(view, sight, rows, &mut KnownNames::default()).await?.tell().collect()
}

async fn untold(
    view: &mut Snapshot,
    sight: &Sight,
    mut rows: Vec<(Row, Source)>,
    known: &mut KnownNames,
) -> Result<Untold, sqlx::Error> {
    let mut ids = HashSet::new();
    // An answer that is pinned to a place has nothing in it that an erasure takes away.
    let addresses = sight.of_addresses();
    for (row, source) in &mut rows {
        if view.pinned().is_some()
            || !addresses.reaches([row.organization_id, row.subject_organization_id])
        {
            row.client_address = None;
        }
        names::mentioned(source.payload.get(), &mut ids);
        let around =
            [row.actor_id, row.subject_id, row.organization_id, row.subject_organization_id];
        ids.extend(around.into_iter().flatten());
    }
    let names = known.of(view, &ids).await?;
    Ok(Untold { rows, names, upcasters: view.upcasters().clone() })
}
