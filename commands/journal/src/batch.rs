//! A batch of requests as one call of `es.append`: columns in, verdicts out.
//!
//! Invariant: the verdicts come in the order of the requests, one each.

use std::{collections::HashMap, sync::LazyLock};

use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgConnection, Row, postgres::PgRow};
use uuid::Uuid;

use crate::{
    envelope::Guard,
    known::Known,
    request::{KeyRow, Request},
};

/// What the database decided about one request.
#[derive(Debug)]
pub(crate) enum Verdict {
    Appended(Appended),
    Duplicate,
    /// The stream of the request's own guard has moved on.
    Conflict(Guard),
    /// What was handed in before has written the guard's stream already.
    Outrun(Guard),
    /// A request whose outcome it relied on was not written.
    Orphaned,
    /// A subject's or the tenant's key was made or destroyed by somebody else.
    KeyChanged,
    /// The key of the request's n-th reservation belongs to somebody else.
    Taken(usize),
    /// The log was restored from a backup since this process read its epoch.
    Restored(Uuid),
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Appended {
    pub position: i64,
    pub global: i64,
    pub recorded_at: DateTime<Utc>,
}

const ARGUMENTS: usize = 57;
static APPEND: LazyLock<String> = LazyLock::new(|| {
    let arguments: Vec<_> = (1..=ARGUMENTS).map(|n| format!("${n}")).collect();
    format!("SELECT * FROM es.append({})", arguments.join(", "))
});

/// Calls `es.append` until every request is either written or refused; with an injected clock the
/// events are recorded at `now`. A request falls with the one it relies on, which stands before it.
pub(crate) async fn append(
    connection: &mut PgConnection,
    epoch: Uuid,
    now: Option<DateTime<Utc>>,
    known: &mut Known,
    requests: &[&Request],
) -> Result<Vec<Verdict>, sqlx::Error> {
    let mut verdicts: Vec<Option<Verdict>> = requests.iter().map(|_| None).collect();
    let mut thorough = false;
    loop {
        for (request, verdict) in requests.iter().zip(&mut verdicts) {
            if verdict.is_none() && request.is_orphaned() {
                request.settling.settle(false);
                *verdict = Some(Verdict::Orphaned);
            }
        }
        let open: Vec<_> = (0..requests.len()).filter(|n| verdicts[*n].is_none()).collect();
        if open.is_empty() {
            return Ok(verdicts.into_iter().flatten().collect());
        }
        let asked: Vec<_> = open.iter().map(|n| requests[*n]).collect();
        if thorough {
            known.forget();
        }
        let columns = Columns::of(&asked, known, thorough);
        let call = sqlx::query(&APPEND).bind(epoch).bind(known.position()).bind(thorough).bind(now);
        let answer = match columns.bind(call).fetch_one(&mut *connection).await {
            Ok(row) => Answer::from_row(&row)?,
            Err(error) if !thorough && is_taken(&error) => {
                thorough = true;
                continue;
            }
            Err(error) => return Err(error),
        };
        match answer.recorded_at {
            Some(_) if answer.refused.is_empty() => known.learn(answer.base, &asked),
            Some(_) => {}
            // Nothing was decided: others have appended, or the log was restored.
            None => {
                known.forget();
                if answer.epoch == epoch {
                    continue;
                }
            }
        }
        for (n, verdict) in answer.verdicts(&columns) {
            let written = matches!(verdict, Verdict::Appended(_));
            asked[n].settling.settle(written);
            verdicts[open[n]] = Some(verdict);
        }
    }
}

/// Whether a unique index holds the command or the next event of a stream already.
fn is_taken(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(sqlx::error::DatabaseError::is_unique_violation)
}

/// The arguments, an array per column; fields as in the SQL function.
#[derive(Default)]
struct Columns<'a> {
    t: TenantColumns,
    r: RequestColumns<'a>,
    e: EventColumns<'a>,
    g: GuardColumns,
    s: ReservationColumns<'a>,
    v: VaultColumns<'a>,
    k: KeyColumns<'a>,
}

#[derive(Default)]
struct TenantColumns {
    nth: HashMap<Uuid, i32>,
    tenant: Vec<Uuid>,
    events: Vec<i32>,
}

#[derive(Default)]
struct RequestColumns<'a> {
    tenant: Vec<Uuid>,
    command: Vec<Uuid>,
    attempt: Vec<Uuid>,
    hash: Vec<&'a [u8]>,
    result: Vec<&'a str>,
    tenant_nth: Vec<i32>,
    tenant_offset: Vec<i32>,
    last_event: Vec<i32>,
}

#[derive(Default)]
struct EventColumns<'a> {
    tenant_nth: Vec<i32>,
    tenant_offset: Vec<i32>,
    aggregate_type: Vec<&'a str>,
    stream: Vec<String>,
    sequence: Vec<i64>,
    event: Vec<Uuid>,
    event_type: Vec<&'a str>,
    event_version: Vec<&'a str>,
    payload: Vec<&'a str>,
    metadata: Vec<&'a str>,
    actor_kind: Vec<&'a str>,
    actor: Vec<Option<Uuid>>,
    organization: Vec<Option<Uuid>>,
    subject: Vec<Option<Uuid>>,
    subject_organization: Vec<Option<Uuid>>,
    npi: Vec<Option<&'a str>>,
    correlation: Vec<Uuid>,
    causation: Vec<Option<Uuid>>,
    command: Vec<Uuid>,
    occurred: Vec<DateTime<Utc>>,
    effective: Vec<DateTime<Utc>>,
    salt: Vec<&'a [u8]>,
}

#[derive(Default)]
struct GuardColumns {
    /// Policies and memberships repeat within a batch: each is probed once.
    distinct: HashMap<Guard, i32>,
    guards: Vec<Guard>,
    aggregate_type: Vec<&'static str>,
    stream: Vec<String>,
    version: Vec<i64>,
    request: Vec<i32>,
    guard: Vec<i32>,
}

#[derive(Default)]
struct ReservationColumns<'a> {
    request: Vec<i32>,
    tenant: Vec<Uuid>,
    kind: Vec<&'a str>,
    key: Vec<&'a [u8]>,
    expected: Vec<Option<Uuid>>,
    owner: Vec<Option<Uuid>>,
    /// Which of its request's reservations each is.
    nth: Vec<usize>,
}

#[derive(Default)]
struct VaultColumns<'a> {
    tenant: Vec<Uuid>,
    kind: Vec<&'a str>,
    id: Vec<Uuid>,
    value: Vec<Option<&'a [u8]>>,
}

#[derive(Default)]
struct KeyColumns<'a> {
    request: Vec<i32>,
    tenant: Vec<Uuid>,
    subject: Vec<Option<Uuid>>,
    version: Vec<Option<i32>>,
    wrapped: Vec<Option<&'a [u8]>>,
    action: Vec<&'static str>,
}

type Query<'q> = sqlx::query::Query<'q, sqlx::Postgres, sqlx::postgres::PgArguments>;

/// Counts from 1, as SQL does.
fn ordinal(index: usize) -> i32 {
    small(index + 1)
}

/// A column, if it has elements.
fn some<T>(column: &[T]) -> Option<&[T]> {
    (!column.is_empty()).then_some(column)
}

/// A column, if something is known in it.
fn known<T>(column: &[Option<T>]) -> Option<&[Option<T>]> {
    column.iter().any(Option::is_some).then_some(column)
}

fn small(count: usize) -> i32 {
    i32::try_from(count).expect("a batch has fewer than two billion elements")
}

impl<'a> Columns<'a> {
    /// With guards for what has to be probed: for the streams written only if `thorough`.
    fn of(requests: &[&'a Request], known: &Known, thorough: bool) -> Self {
        let mut columns = Self::default();
        for (index, request) in requests.iter().copied().enumerate() {
            columns.add(ordinal(index), request);
            let open = |guard: &&Guard| thorough || !request.writes(guard);
            let guards = request.guards.iter().filter(open);
            for guard in guards.filter(|guard| !known.vouches_for(guard)) {
                columns.g.add(ordinal(index), guard);
            }
        }
        columns
    }

    fn add(&mut self, nth: i32, request: &'a Request) {
        let tenant_nth = self.t.nth(request.tenant);
        let offset = self.t.count(tenant_nth, request.events.len());
        self.e.add(tenant_nth, offset, request);
        self.r.tenant.push(request.tenant);
        self.r.command.push(request.command);
        self.r.attempt.push(request.attempt);
        self.r.hash.push(&request.hash);
        self.r.result.push(&request.result);
        self.r.tenant_nth.push(tenant_nth);
        self.r.tenant_offset.push(offset + small(request.events.len()));
        self.r.last_event.push(small(self.e.event.len()));
        self.s.add(nth, request);
        self.v.add(request);
        for key in &request.keys {
            self.k.add(nth, request.tenant, key);
        }
    }

    fn bind<'q>(&'q self, query: Query<'q>) -> Query<'q> {
        let Self { t, r, e, g, s, v, k } = self;
        let query = query.bind(&t.tenant).bind(&t.events);
        let query = query.bind(&r.tenant).bind(&r.command).bind(&r.attempt);
        let query = query.bind(&r.hash).bind(&r.result);
        let query = query.bind(&r.tenant_nth).bind(&r.tenant_offset).bind(&r.last_event);
        let query = e.bind(query);
        let query = query.bind(some(&g.aggregate_type)).bind(some(&g.stream));
        let query = query.bind(some(&g.version)).bind(some(&g.request)).bind(some(&g.guard));
        let query = query.bind(some(&s.request)).bind(some(&s.tenant)).bind(some(&s.kind));
        let query = query.bind(some(&s.key)).bind(some(&s.expected)).bind(some(&s.owner));
        let query = query.bind(some(&v.tenant)).bind(some(&v.kind));
        let query = query.bind(some(&v.id)).bind(some(&v.value));
        let query = query.bind(some(&k.request)).bind(some(&k.tenant)).bind(some(&k.subject));
        query.bind(some(&k.version)).bind(some(&k.wrapped)).bind(some(&k.action))
    }
}

impl TenantColumns {
    fn nth(&mut self, tenant: Uuid) -> i32 {
        let next = ordinal(self.tenant.len());
        let nth = *self.nth.entry(tenant).or_insert(next);
        if nth == next {
            self.tenant.push(tenant);
            self.events.push(0);
        }
        nth
    }

    /// Counts `more` events of the tenant; gives how many it had before.
    fn count(&mut self, nth: i32, more: usize) -> i32 {
        let events = &mut self.events[element(nth)];
        let before = *events;
        *events += small(more);
        before
    }
}

impl<'a> EventColumns<'a> {
    /// `before`: events of the same tenant earlier in the batch.
    fn add(&mut self, tenant_nth: i32, before: i32, request: &'a Request) {
        for (index, event) in request.events.iter().enumerate() {
            self.tenant_nth.push(tenant_nth);
            self.tenant_offset.push(before + ordinal(index));
            self.aggregate_type.push(event.aggregate_type);
            self.stream.push(event.stream.to_string());
            self.sequence.push(event.sequence);
            self.event.push(event.event_id);
            self.event_type.push(event.event_type);
            self.event_version.push(event.event_version);
            self.payload.push(&event.payload);
            self.metadata.push(&event.metadata);
            self.actor_kind.push(request.actor.kind.as_str());
            self.actor.push(request.actor.id);
            self.organization.push(request.organization);
            self.subject.push(event.facets.subject.map(|id| id.0));
            self.subject_organization.push(event.facets.organization.map(|id| id.0));
            self.npi.push(event.facets.npi.as_deref());
            self.correlation.push(request.correlation);
            self.causation.push(request.causation);
            self.command.push(request.command);
            self.occurred.push(request.occurred_at);
            self.effective.push(event.facets.effective_at.unwrap_or(request.occurred_at));
            self.salt.push(&event.salt);
        }
    }

    fn bind<'q>(&'q self, query: Query<'q>) -> Query<'q> {
        query
            .bind(&self.tenant_nth)
            .bind(&self.tenant_offset)
            .bind(&self.aggregate_type)
            .bind(&self.stream)
            .bind(&self.sequence)
            .bind(&self.event)
            .bind(&self.event_type)
            .bind(&self.event_version)
            .bind(&self.payload)
            .bind(&self.metadata)
            .bind(&self.actor_kind)
            .bind(known(&self.actor))
            .bind(known(&self.organization))
            .bind(known(&self.subject))
            .bind(known(&self.subject_organization))
            .bind(known(&self.npi))
            .bind(&self.correlation)
            .bind(known(&self.causation))
            .bind(&self.command)
            .bind(&self.occurred)
            .bind(&self.effective)
            .bind(&self.salt)
    }
}

impl GuardColumns {
    fn add(&mut self, nth: i32, guard: &Guard) {
        let next = ordinal(self.guards.len());
        let element = *self.distinct.entry(*guard).or_insert(next);
        if element == next {
            self.guards.push(*guard);
            self.aggregate_type.push(guard.aggregate_type);
            self.stream.push(guard.id.to_string());
            self.version.push(guard.version);
        }
        self.request.push(nth);
        self.guard.push(element);
    }
}

impl<'a> ReservationColumns<'a> {
    fn add(&mut self, nth: i32, request: &'a Request) {
        for (index, row) in request.reservations.iter().enumerate() {
            self.request.push(nth);
            self.tenant.push(request.tenant);
            self.kind.push(row.kind);
            self.key.push(&row.key);
            self.expected.push(row.expected);
            self.owner.push(row.owner);
            self.nth.push(index);
        }
    }
}

impl<'a> VaultColumns<'a> {
    fn add(&mut self, request: &'a Request) {
        for row in &request.vault {
            self.tenant.push(request.tenant);
            self.kind.push(row.kind);
            self.id.push(row.id);
            self.value.push(row.value.as_deref());
        }
    }
}

impl<'a> KeyColumns<'a> {
    fn add(&mut self, nth: i32, tenant: Uuid, key: &'a KeyRow) {
        let (action, subject, version, wrapped) = match key {
            KeyRow::CreateTenant { wrapped } => ("create-tenant", None, None, Some(wrapped)),
            KeyRow::Create { subject, version, wrapped } => {
                ("create", Some(*subject), Some(*version), Some(wrapped))
            }
            KeyRow::Use { subject, version } => ("use", Some(*subject), Some(*version), None),
            KeyRow::Destroy { subject } => ("destroy", Some(*subject), None, None),
        };
        self.request.push(nth);
        self.tenant.push(tenant);
        self.subject.push(subject);
        self.version.push(version);
        self.wrapped.push(wrapped.map(Vec::as_slice));
        self.action.push(action);
    }
}

struct Answer {
    epoch: Uuid,
    recorded_at: Option<DateTime<Utc>>,
    base: i64,
    tenant_bases: Vec<i64>,
    refused: Vec<i32>,
    reasons: Vec<String>,
    elements: Vec<i32>,
}

impl FromRow<'_, PgRow> for Answer {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        // What the database had nothing to put into is null.
        Ok(Self {
            epoch: row.try_get("epoch")?,
            recorded_at: row.try_get("recorded")?,
            base: row.try_get::<Option<_>, _>("base")?.unwrap_or_default(),
            tenant_bases: row.try_get::<Option<_>, _>("tenant_bases")?.unwrap_or_default(),
            refused: row.try_get::<Option<_>, _>("refused")?.unwrap_or_default(),
            reasons: row.try_get::<Option<_>, _>("reasons")?.unwrap_or_default(),
            elements: row.try_get::<Option<_>, _>("elements")?.unwrap_or_default(),
        })
    }
}

impl Answer {
    /// What became of the requests it tells of, by index: of all, or of the refused where it refused
    /// some and wrote none.
    fn verdicts(&self, columns: &Columns<'_>) -> Vec<(usize, Verdict)> {
        let RequestColumns { tenant_nth, tenant_offset, last_event, .. } = &columns.r;
        let requests = 0..tenant_nth.len();
        let Some(recorded_at) = self.recorded_at else {
            return requests.map(|n| (n, Verdict::Restored(self.epoch))).collect();
        };
        if self.refused.is_empty() {
            let appended = |n: usize| Appended {
                position: self.tenant_bases[element(tenant_nth[n])] + i64::from(tenant_offset[n]),
                global: self.base + i64::from(last_event[n]),
                recorded_at,
            };
            return requests.map(|n| (n, Verdict::Appended(appended(n)))).collect();
        }
        let refusals = self.refused.iter().zip(self.reasons.iter().zip(&self.elements));
        let verdict = |reason: &str, n: i32| match reason {
            "duplicate" => Verdict::Duplicate,
            "conflict" => Verdict::Conflict(columns.g.guards[element(n)]),
            "taken" => Verdict::Taken(columns.s.nth[element(n)]),
            _ => Verdict::KeyChanged,
        };
        refusals.map(|(request, (reason, n))| (element(*request), verdict(reason, *n))).collect()
    }
}

fn element(ordinal: i32) -> usize {
    usize::try_from(ordinal - 1).expect("elements count from 1")
}
