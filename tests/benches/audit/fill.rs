//! Years of a portal in a database.
//!
//! Invariant: positions are gap-free, times never run backwards, and the read tables hold what the
//! events say, as if they had been projected.

use std::path::Path;

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::join_all;
use sqlx::{Connection, Executor, PgConnection, postgres::PgConnectOptions};

use super::{population::Population, portal::Portal};

/// What the domain decides, at most; the rest is multiplied.
const SEED: i64 = 100_000;
/// Sessions that copy at the same time.
const AT_ONCE: i64 = 2;
/// Filled without their indexes, which are made afterwards.
const TABLES: [&str; 3] = ["es.events", "read.audit_timeline", "read.access_intervals"];

/// A portal with years of history, and when these began and ended.
pub struct Years {
    pub population: Population,
    begins: DateTime<Utc>,
    ends: DateTime<Utc>,
}

impl Years {
    /// The moment at which so many hundredths of it were over.
    pub fn at(&self, percent: i32) -> DateTime<Utc> {
        self.begins + (self.ends - self.begins) * percent / 100
    }
}

/// Fills an empty database with about as many events and intervals.
pub async fn fill(
    database: &PgConnectOptions,
    folder: &Path,
    events: i64,
    intervals: i64,
) -> Years {
    let seed = SEED.min(events / 10);
    let copies = events / seed - 1;
    // The seed takes some sixteen days, and so does each copy of it; the last ends before now.
    let begins = Utc::now() - TimeDelta::days(16 * copies);
    let mut population = Population::record(database, seed, begins).await;
    let at = Some(begins + TimeDelta::minutes(1));
    let portal = Portal::start(database.clone(), folder, population.clone(), at).await;
    portal.service.stop().await;

    let tenant = population.world.tenant.to_string();
    let mut session = PgConnection::connect_with(database).await.expect("the server answers");
    let count = "SELECT count(*) FROM read.access_intervals";
    let of_seed: i64 = sqlx::query_scalar(count).fetch_one(&mut session).await.expect("a count");
    let clones = (intervals / of_seed).clamp(1, copies);
    let settings = format!(
        "SET bench.tenant = '{tenant}'; SET bench.copies = {copies}; SET bench.clones = {clones};
         SET maintenance_work_mem = '1GB'; SET work_mem = '256MB'; SET synchronous_commit = off;"
    );
    run(&mut session, &settings).await;
    run(&mut session, include_str!("multiply.sql")).await;
    let indexes = without_indexes(&mut session).await;
    join_all((0..AT_ONCE).map(|nth| {
        let (from, to) = (copies * nth / AT_ONCE + 1, copies * (nth + 1) / AT_ONCE);
        let script = format!(
            "{settings} SET bench.first = {from}; SET bench.last = {to}; {}",
            include_str!("copies.sql")
        );
        async move {
            let mut session =
                PgConnection::connect_with(database).await.expect("the server answers");
            run(&mut session, &script).await;
        }
    }))
    .await;
    eprintln!("  {copies} copies, {clones} clones");
    run(&mut session, include_str!("clones.sql")).await;
    for index in indexes {
        run(&mut session, &index).await;
    }
    // What the filling left to do is not measured.
    run(&mut session, "VACUUM ANALYZE").await;
    run(&mut session, "CHECKPOINT").await;
    let head = "SELECT position FROM es.tenant_heads";
    population.events = sqlx::query_scalar(head).fetch_one(&mut session).await.expect("a head");
    let era = "SELECT begins, begins + span * (copies + 1) FROM bench.seed";
    let (begins, ends) = sqlx::query_as(era).fetch_one(&mut session).await.expect("an era");
    Years { population, begins, ends }
}

async fn run(session: &mut PgConnection, script: &str) {
    session.execute(script).await.unwrap_or_else(|error| panic!("{error}: {script}"));
}

/// Takes the tables' indexes away and gives the statements that make them again.
async fn without_indexes(session: &mut PgConnection) -> Vec<String> {
    let all: Vec<(String, String)> = sqlx::query_as(
        "SELECT CASE WHEN c.oid IS NULL THEN format('DROP INDEX %s', i.indexrelid::regclass)
                ELSE format('ALTER TABLE %s DROP CONSTRAINT %s', i.indrelid::regclass, quote_ident(c.conname)) END,
                CASE WHEN c.oid IS NULL THEN pg_get_indexdef(i.indexrelid)
                ELSE format('ALTER TABLE %s ADD CONSTRAINT %s %s', i.indrelid::regclass, quote_ident(c.conname),
                            pg_get_constraintdef(c.oid)) END
           FROM pg_index i
           LEFT JOIN pg_constraint c ON c.conindid = i.indexrelid
          WHERE i.indrelid = ANY ($1::text[]::regclass[])
          ORDER BY i.indexrelid",
    )
    .bind(TABLES.map(str::to_owned).to_vec())
    .fetch_all(&mut *session)
    .await
    .expect("the indexes are listed");
    let mut again = Vec::new();
    for (away, make) in all {
        run(session, &away).await;
        again.push(make);
    }
    again
}
