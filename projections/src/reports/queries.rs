//! Pages of reports from read tables.
//!
//! Invariant: what is read grows with the page and not with the tenant; rows come of the same functions
//! as those of a recount, and nothing of today answers for another day.

mod load;

use std::collections::HashSet;

use rollcall_domain::audit::{ReportName, ReportQuestion};
use sqlx::Row as _;
use uuid::Uuid;

use super::{
    happenings,
    people::Ground,
    recount::{Unreadable, recorded},
    row::{Row, key_at},
};
use crate::{
    Snapshot,
    audit_timeline::sentences::Names,
    proof::leaf::{COLUMNS, StoredEvent},
};

pub use load::noted_since;

/// How many people, affiliations or events are looked at together at first, from and to.
const LEAST: i64 = 16;
const BATCH: i64 = 200;
/// The same where only rows are counted, and where the rows of a page are few and far between.
const COUNTED: i64 = 2_000;

/// Why a report cannot be answered.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
}

/// Up to `limit` rows whose keys come after `after`, in the order of their keys.
///
/// # Errors
/// See [`ReportError`].
pub async fn page(
    view: &mut Snapshot,
    question: &ReportQuestion,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Row>, ReportError> {
    let wanted = usize::try_from(limit).unwrap_or(0);
    let mut walk = Walk::new(question, after, limit.clamp(LEAST, BATCH));
    let mut rows = Vec::new();
    while rows.len() < wanted && walk.goes_on {
        let found = walk.next(view).await?;
        // Where rows come of few, the next ones are looked for among more.
        walk.batch = COUNTED.min(2 * walk.batch);
        rows.extend(
            found.into_iter().filter(|row| after.is_none_or(|after| row.key.as_str() > after)),
        );
    }
    rows.truncate(wanted);
    Ok(rows)
}

/// How many rows there are in all.
///
/// # Errors
/// See [`ReportError`].
pub async fn count(view: &mut Snapshot, question: &ReportQuestion) -> Result<i64, ReportError> {
    let mut walk = Walk::new(question, None, COUNTED);
    walk.counts_only = true;
    let mut rows = 0;
    while walk.goes_on {
        rows += i64::try_from(walk.next(view).await?.len()).unwrap_or(0);
    }
    Ok(rows)
}

/// Today's names of the people and organisations in some rows.
///
/// # Errors
/// The database's.
pub async fn names(view: &mut Snapshot, rows: &[Row]) -> Result<Names, sqlx::Error> {
    let cells = rows.iter().flat_map(|row| row.cells.iter());
    let ids: HashSet<Uuid> = cells
        .filter(|(column, _)| column.ends_with("Id"))
        .filter_map(|(_, cell)| cell.as_str()?.parse().ok())
        .collect();
    crate::audit_timeline::names_of(view, &ids).await
}

/// A walk over what rows come of, batch by batch.
struct Walk<'a> {
    question: &'a ReportQuestion,
    /// The person or affiliation to begin at, or the position to begin after.
    from: From,
    batch: i64,
    /// What only a shown row needs is left out.
    counts_only: bool,
    goes_on: bool,
}

#[derive(Clone, Copy)]
enum From {
    /// This one included: a page may have ended among its rows.
    Subject(Uuid),
    Position(i64),
}

impl<'a> Walk<'a> {
    fn new(question: &'a ReportQuestion, after: Option<&str>, batch: i64) -> Self {
        let first = after.and_then(|key| key.split('|').next());
        let from = if question.report.is_of_events() {
            From::Position(first.and_then(|key| key.parse().ok()).unwrap_or(0))
        } else {
            From::Subject(first.and_then(|key| key.parse().ok()).unwrap_or_default())
        };
        Self { question, from, batch, counts_only: false, goes_on: true }
    }

    /// The rows of the next batch.
    async fn next(&mut self, view: &mut Snapshot) -> Result<Vec<Row>, ReportError> {
        match self.from {
            From::Position(after) => self.events(view, after).await,
            From::Subject(from) if self.question.report == ReportName::AffiliationsInForce => {
                self.affiliations(view, from).await
            }
            From::Subject(from) => self.people(view, from).await,
        }
    }

    async fn people(&mut self, view: &mut Snapshot, from: Uuid) -> Result<Vec<Row>, ReportError> {
        let people = load::people(view, self.question, from, self.batch).await?;
        self.step(people.last().map(|user| user.0), people.len());
        if people.is_empty() {
            return Ok(Vec::new());
        }
        let held = load::held(view, self.question, &people).await?;
        let facts = load::facts(view, self.question, (&held, &people), self.counts_only).await?;
        let ground = Ground { held: &held, facts: &facts, question: self.question };
        Ok(people.into_iter().flat_map(|user| ground.of_person(user)).collect())
    }

    async fn affiliations(
        &mut self,
        view: &mut Snapshot,
        from: Uuid,
    ) -> Result<Vec<Row>, ReportError> {
        let (ids, scopes) = load::affiliations(view, self.question, from, self.batch).await?;
        self.step(ids.last().map(|id| id.0), ids.len());
        let held = load::held_by(view, self.question, &ids).await?;
        let facts = super::facts::Facts { scopes, ..Default::default() };
        let ground = Ground { held: &held, facts: &facts, question: self.question };
        Ok(ids.into_iter().filter_map(|id| ground.affiliation(id)).collect())
    }

    /// Goes on behind the last subject; ids are followed by others, as whole numbers are.
    fn step(&mut self, last: Option<Uuid>, found: usize) {
        let more = i64::try_from(found).unwrap_or(0) >= self.batch;
        match last.and_then(|last| last.as_u128().checked_add(1)).filter(|_| more) {
            Some(next) => self.from = From::Subject(Uuid::from_u128(next)),
            None => self.goes_on = false,
        }
    }

    async fn events(&mut self, view: &mut Snapshot, after: i64) -> Result<Vec<Row>, ReportError> {
        let positions = self.positions(view, after).await?;
        match positions.last() {
            Some(last) if i64::try_from(positions.len()).unwrap_or(0) >= self.batch => {
                self.from = From::Position(*last);
            }
            Some(_) | None => self.goes_on = false,
        }
        let statement = format!(
            "SELECT {COLUMNS} FROM es.events WHERE tenant_id = $1 AND tenant_position = ANY ($2)
              ORDER BY tenant_position"
        );
        let tenant = view.tenant().0;
        let stored: Vec<StoredEvent> = sqlx::query_as(&statement)
            .bind(tenant)
            .bind(&positions)
            .fetch_all(view.connection())
            .await?;
        let mut rows = Vec::new();
        for event in &stored {
            let event = recorded(event, view.upcasters())?;
            rows.extend(happenings::row(self.question, &event));
        }
        debug_assert!(rows.iter().all(|row| row.key > key_at(after)));
        Ok(rows)
    }

    /// The next positions of events that rows may come of, by one look into the index for each type.
    async fn positions(&self, view: &mut Snapshot, after: i64) -> Result<Vec<i64>, sqlx::Error> {
        let ReportQuestion { report, known_at, from, to, within, npi, .. } = self.question;
        let tenant = view.tenant().0;
        let within = within.as_ref().map(|it| it.iter().map(|id| id.0).collect::<Vec<_>>());
        let found = sqlx::query(
            "WITH bounds AS MATERIALIZED (
               -- Positions follow the times at which events were recorded.
               SELECT coalesce((SELECT t.position - 1 FROM read.audit_timeline t
                        WHERE t.tenant_id = $1 AND t.recorded_at >= $2
                        ORDER BY t.recorded_at, t.position LIMIT 1),
                        CASE WHEN $2::timestamptz IS NULL THEN 0 ELSE 9223372036854775807 END) AS low,
                      coalesce((SELECT t.position FROM read.audit_timeline t
                        WHERE t.tenant_id = $1 AND t.recorded_at < $3
                        ORDER BY t.recorded_at DESC, t.position DESC LIMIT 1),
                        CASE WHEN $3::timestamptz IS NULL THEN 9223372036854775807 ELSE 0 END) AS high)
             SELECT p.position FROM bounds b
              CROSS JOIN unnest($4::text[]) types(type)
              CROSS JOIN LATERAL (
                SELECT t.position FROM read.audit_timeline t
                 WHERE t.tenant_id = $1 AND t.event_type = types.type
                   AND t.position > greatest($5, b.low) AND t.position <= least($6, b.high)
                   AND ($7::uuid[] IS NULL OR t.subject_organization_id = ANY ($7))
                   AND ($8::text IS NULL OR t.npi = $8)
                 ORDER BY t.position LIMIT $9) p
              ORDER BY p.position LIMIT $9",
        )
        .bind(tenant)
        .bind(from)
        .bind(to)
        .bind(happenings::types(*report))
        .bind(after)
        .bind(known_at)
        .bind(within)
        .bind(npi.as_ref().map(ToString::to_string))
        .bind(self.batch)
        .fetch_all(view.connection())
        .await?;
        found.iter().map(|row| row.try_get(0)).collect()
    }
}
