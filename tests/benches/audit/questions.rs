//! What auditors ask. Invariant: every question has an answer, and pages are not empty.

use std::time::{Duration, Instant};

use chrono::{DateTime, Duration as Days, Utc};
use serde_json::{Value, json};
use sqlx::{Connection, Executor, PgConnection, postgres::PgConnectOptions};

use super::{
    fill::Years,
    measure::{Measured, drive},
    population::Population,
    portal::{Client, Portal},
    question::{Question, Variables, document},
    report::Report,
};

const EVENTS: &str = "nodes { id position sentence recordedAt actor { name } subject { name }
    organization { name } } pageInfo { hasNextPage endCursor }";
const RIGHTS: &str = "nodes { user { id name } organization { name } npi right level validFrom
    validTo source cause { kind sentence } } pageInfo { hasNextPage endCursor }";
const CHANGES: &str = "nodes { change user { id name } npi right happenedAt cause { kind } }
    pageInfo { hasNextPage endCursor }";
/// Events of a page; the thousandth is that far from the first.
const PAGE: i64 = 25;

struct Asking<'a> {
    report: &'a mut Report,
    client: Client,
    database: PgConnectOptions,
    time: Duration,
}

impl Asking<'_> {
    async fn drive(
        &self,
        document: String,
        page: Option<&'static str>,
        variables: Variables,
    ) -> Measured {
        let client = self.client.clone();
        let question = Question { name: "audit", client, document, variables, page };
        drive(&question, 1, self.time).await
    }

    /// The same, where an answer may never come: a request that is stopped takes for ever.
    async fn try_drive(&self, document: String, variables: Value) -> Measured {
        let answer = self.client.send(&document, &variables).await;
        let answer: Value = serde_json::from_slice(&answer).expect("the answer is JSON");
        if answer["errors"][0]["extensions"]["reason"] == "TIMEOUT" {
            return Measured { per_s: 0.0, p50_ms: f64::INFINITY, p99_ms: f64::INFINITY };
        }
        self.drive(document, None, Box::new(move |_| variables.clone())).await
    }

    /// Asks until the time is over and prints the slowest of a hundred.
    async fn p99(&mut self, what: &str, limit: f64, document: String, variables: Variables) {
        let field = ["auditEvents", "accessRegister", "accessDifference"];
        let page = field.into_iter().find(|field| document.contains(&format!("{field}(")));
        let measured = self.drive(document, page, variables).await;
        self.report.at_most(&format!("{what}, p99"), measured.p99_ms, limit, "ms");
    }

    /// Asks once and gives the answer and the milliseconds it took.
    async fn once(&self, document: &str, variables: &Value) -> (Value, f64) {
        let begun = Instant::now();
        let answer = self.client.ask(document, variables).await;
        (answer, begun.elapsed().as_secs_f64() * 1e3)
    }
}

fn moment(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

pub async fn measure(
    report: &mut Report,
    (portal, database): (&Portal, &PgConnectOptions),
    years: &Years,
    time: Duration,
) {
    let client = portal.client(&portal.population.world.auditor).await;
    let mut asking = Asking { report, client, database: database.clone(), time };
    register(&mut asking, years).await;
    difference(&mut asking, years).await;
    timeline(&mut asking, years).await;
}

fn subjects(years: &Years) -> (Vec<String>, Vec<Value>) {
    let Population { practices, .. } = &years.population;
    let npis = practices.iter().flat_map(|practice| practice.company.npis.clone()).collect();
    let people = practices.iter().flat_map(|practice| &practice.people);
    (npis, people.map(|who| json!(who.user)).collect())
}

/// The whole tenant as of a past date beside now; one NPI, one person.
async fn register(asking: &mut Asking<'_>, years: &Years) {
    let then_at = moment(years.at(75));
    let page = |arguments| document(arguments, "accessRegister", RIGHTS);
    let now = asking
        .drive(page("$first: Int! | first: $first"), None, Box::new(|_| json!({ "first": 100 })))
        .await;
    let at = then_at.clone();
    let then = asking
        .drive(
            page("$at: DateTime! | asOf: $at, first: 100"),
            None,
            Box::new(move |_| json!({ "at": at })),
        )
        .await;
    asking.report.note("whole tenant, first page now, p50", now.p50_ms, "ms");
    let ratio = then.p50_ms / now.p50_ms;
    asking.report.at_most("whole tenant, first page: as of a past date / now", ratio, 1.2, "x");
    whole_tenant(asking, years).await;

    let (npis, people) = subjects(years);
    let at = then_at.clone();
    let of_npi = page("$at: DateTime!, $npi: NPI! | asOf: $at, npi: $npi");
    let variables = move |nth: usize| json!({ "at": at, "npi": npis[nth % npis.len()] });
    asking.p99("register of an NPI", 20.0, of_npi, Box::new(variables)).await;
    let of_person = page("$at: DateTime!, $id: ID! | asOf: $at, userId: $id");
    let variables = move |nth: usize| json!({ "at": then_at, "id": people[nth % people.len()] });
    asking.p99("register of a person", 20.0, of_person, Box::new(variables)).await;
}

/// Every right of everybody, as of a past date beside now. A request would be stopped after ten
/// seconds, so the database is asked what the API asks it, in turns.
async fn whole_tenant(asking: &mut Asking<'_>, years: &Years) {
    let tenant = years.population.world.tenant.0;
    let mut session =
        PgConnection::connect_with(&asking.database).await.expect("the server answers");
    let as_service = format!("SET ROLE rollcall_query; SET rollcall.tenant = '{tenant}'");
    session.execute(as_service.as_str()).await.expect("it may read");
    let mut took = [Vec::new(), Vec::new()];
    for _ in 0..3 {
        for (nth, percent) in [100, 75].into_iter().enumerate() {
            let begun = Instant::now();
            let rights: i64 = sqlx::query_scalar(
                "SELECT count(*) FROM ops.access_page($1, $2, $3, NULL, NULL, NULL, NULL, NULL,
                   NULL, NULL, NULL, NULL, NULL, NULL)",
            )
            .bind(tenant)
            .bind(years.at(percent))
            .bind(years.population.events)
            .fetch_one(&mut session)
            .await
            .expect("a count");
            took[nth].push((begun.elapsed().as_secs_f64(), rights as f64));
        }
    }
    let [now, then] = took.map(|mut times| {
        times.sort_by(|one, other| one.0.total_cmp(&other.0));
        times[1]
    });
    let per_right = |(seconds, rights): (f64, f64)| seconds * 1e6 / rights;
    asking.report.note("whole tenant, every right now", per_right(now), "us a right");
    asking.report.note(
        "whole tenant, every right as of a past date",
        per_right(then),
        "us a right",
    );
    let ratio = then.0 / now.0;
    asking.report.at_most("whole tenant, every right: as of a past date / now", ratio, 1.2, "x");
}

/// A quarter's difference, all of it and of one.
async fn difference(asking: &mut Asking<'_>, years: &Years) {
    let quarter = Days::days(90).min((years.at(100) - years.at(0)) / 10);
    let (from, to) = (moment(years.at(75)), moment(years.at(75) + quarter));
    let whole = "$from: DateTime!, $to: DateTime! | from: $from, to: $to";
    let quarter = json!({ "from": from, "to": to });
    let variables = quarter.clone();
    let page = document(whole, "accessDifference", CHANGES);
    asking
        .p99(
            "difference over a quarter, a page",
            1000.0,
            page,
            Box::new(move |_| variables.clone()),
        )
        .await;
    let (npis, people) = subjects(years);
    let of = "$from: DateTime!, $to: DateTime!, $of: AccessDifferenceFilter!
              | from: $from, to: $to, filter: $of";
    let ask = document(of, "accessDifference", "nodes { change npi right } totalCount");
    let (start, end) = (from.clone(), to.clone());
    let variables = move |nth: usize| json!({ "from": start, "to": end, "of": { "npi": npis[nth % npis.len()] } });
    let one = asking.drive(ask.clone(), None, Box::new(variables)).await;
    asking.report.at_most("difference of an NPI, p99", one.p99_ms, 1000.0, "ms");
    let (start, end) = (from.clone(), to.clone());
    let variables = move |nth: usize| json!({ "from": start, "to": end, "of": { "userId": people[nth % people.len()] } });
    let one = asking.drive(ask.clone(), None, Box::new(variables)).await;
    asking.report.at_most("difference of a person, p99", one.p99_ms, 1000.0, "ms");
    let organization = years.population.practices[0].company.id;
    let counted = json!({ "from": from, "to": to, "of": { "organizationId": organization } });
    let (answer, ms) = asking.once(&ask, &counted).await;
    asking.report.at_most("difference of an organization, counted", ms, 1000.0, "ms");
    let total = answer["accessDifference"]["totalCount"].as_f64().unwrap_or(f64::NAN);
    asking.report.note("rights that differ in it", total, "rights");
}

/// Pages by every two filters, and a deep one.
async fn timeline(asking: &mut Asking<'_>, years: &Years) {
    let filters = filters(years);
    let mut worst: (f64, String) = Default::default();
    let by_filter = document("$of: AuditEventFilter! | filter: $of", "auditEvents", EVENTS);
    let time = asking.time;
    // There are many pairs; the first page of one filter shows what a pair may cost.
    asking.time = Duration::from_millis(300);
    for (nth, (one, first)) in filters.iter().enumerate() {
        for (two, second) in &filters[nth..] {
            let mut filter = first.clone();
            filter
                .as_object_mut()
                .expect("a filter")
                .extend(second.as_object().cloned().expect("one"));
            let variables = json!({ "of": filter });
            let measured = asking.try_drive(by_filter.clone(), variables).await;
            if measured.p99_ms > 50.0 {
                let what = format!("timeline by {one} and {two}, p99");
                asking.report.at_most(&what, measured.p99_ms, 50.0, "ms");
            }
            if measured.p99_ms > worst.0 {
                worst = (measured.p99_ms, format!("{one} and {two}"));
            }
        }
    }
    asking.time = time;
    let what = format!("timeline by any two filters, worst p99 ({})", worst.1);
    asking.report.at_most(&what, worst.0, 50.0, "ms");

    let first = asking
        .drive(format!("{{ auditEvents {{ {EVENTS} }} }}"), None, Box::new(|_| json!({})))
        .await;
    asking.report.note("timeline, page 1, p50", first.p50_ms, "ms");
    // The same events as the first page of then and as the thousandth of now: others are told otherwise.
    let before =
        format!("query($at: Position!) {{ auditEvents(asOfPosition: $at) {{ {EVENTS} }} }}");
    let at = years.population.events - 999 * PAGE;
    let (answer, _) = asking.once(&before, &json!({ "at": at.to_string() })).await;
    let cursor = answer["auditEvents"]["pageInfo"]["endCursor"].clone();
    let then = json!({ "at": (at - PAGE).to_string() });
    let first = asking.drive(before, None, Box::new(move |_| then.clone())).await;
    let deep = document("$after: String! | after: $after", "auditEvents", EVENTS);
    let deep = asking.drive(deep, None, Box::new(move |_| json!({ "after": cursor }))).await;
    asking.report.note("timeline, page 1,000, p50", deep.p50_ms, "ms");
    let what = "timeline, page 1,000 / page 1 of the same events";
    asking.report.at_most(what, deep.p50_ms / first.p50_ms, 1.0, "x");
}

/// One filter of each kind, of somebody who is busy and of somebody who is not.
fn filters(years: &Years) -> Vec<(&'static str, Value)> {
    let Population { practices, .. } = &years.population;
    let (busy, quiet) = (&practices[0], &practices[150]);
    let (from, to) = (years.at(75), years.at(75) + Days::days(1));
    vec![
        ("actor", json!({ "actor": busy.people[0].user })),
        ("a quiet actor", json!({ "actor": quiet.people[3].user })),
        ("subject", json!({ "subject": busy.people[1].user })),
        ("NPI", json!({ "npi": busy.company.npis[0] })),
        ("organization", json!({ "organization": busy.company.id })),
        ("a quiet organization", json!({ "organization": quiet.company.id })),
        ("type", json!({ "types": ["sessions.session.session_started"] })),
        ("a rare type", json!({ "types": ["tenants.tenant.tenant_created"] })),
        ("outcome", json!({ "outcome": "REFUSED" })),
        ("time", json!({ "from": moment(from), "to": moment(to) })),
        ("right", json!({ "right": "MANAGE_PIN" })),
        ("actorKind", json!({ "actorKind": "SYSTEM" })),
        ("command", json!({ "command": "ResetPin" })),
        ("a word", json!({ "text": "pin" })),
        ("a word and a name that many share", json!({ "text": "pin alder" })),
        ("a word and a name that few share", json!({ "text": "pin alderton12" })),
    ]
}
