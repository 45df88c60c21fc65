//! Sealing beside appending, proofs of single events, and checking a bundle.
//!
//! Invariant: the log that is sealed is the one that is appended to, by the service's own parts.

use std::{
    io::Cursor,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::{StreamExt, future::join_all, stream};
use rollcall_domain::{
    kernel::ids::{SessionId, TenantId},
    policies::Preset,
    sessions::{LoginMethod, Session, SessionCommand},
};
use rollcall_journal::{Journal, JournalConfig, SystemClock, pools, secrets::Secrets};
use rollcall_projections::proof::{
    Sealer, SealerConfig, Signer,
    verify::{Policy, TrustedLog, verify},
};
use serde_json::json;
use sqlx::{PgPool, postgres::PgConnectOptions};
use tokio::sync::watch;

use super::{
    measure::drive,
    population::Population,
    portal::{Client, Portal},
    question::{Question, document},
    report::Report,
    seed::{Person, Seeder},
};

/// Events appended per second while the sealing is timed.
const PER_SECOND: u32 = 2_000;
/// Rounds without and with the sealer, in turns.
const ROUNDS: usize = 3;
/// Clients that append without pause.
const CLIENTS: usize = 64;
const LOOK: Duration = Duration::from_millis(5);
/// Events of a bundle.
const BUNDLE: i64 = 100_000;
/// Events of which each is proven by itself.
const PROVEN: i64 = 500;
const REQUEST: &str = "mutation($input: RequestEvidenceInput!) { requestEvidence(input: $input)
    { evidence { url } userErrors { code message } } }";
const LOG: &str = "{ transparencyLog { origin verifierKeys checkpointPosition } }";

struct Log {
    journal: Journal,
    sealer: PgPool,
    folder: std::path::PathBuf,
    tenant: TenantId,
    people: Vec<Person>,
}

/// Seals what there is, then what is being appended.
pub async fn sealing(
    report: &mut Report,
    database: &PgConnectOptions,
    folder: &Path,
    population: &Population,
    time: Duration,
) {
    let config = JournalConfig {
        writer: pools::writer(database.clone(), 16).await.expect("the server answers"),
        master: population.master.clone(),
        clock: Arc::new(SystemClock),
        injected_time: false,
        cache_states: 100_000,
    };
    let log = Log {
        journal: Journal::open(config).await.expect("the log opens"),
        sealer: pools::sealer(database.clone(), 2).await.expect("the server answers"),
        folder: folder.join("log"),
        tenant: population.world.tenant,
        people: population.practices.iter().flat_map(|it| it.people.clone()).collect(),
    };
    let (stop, stopping) = watch::channel(false);
    let begun = Instant::now();
    let sealer = log.sealer(population).spawn(stopping);
    let before = log.sealed().await;
    while log.sealed().await < population.events {
        tokio::time::sleep(LOOK * 20).await;
    }
    let per_s = (population.events - before) as f64 / begun.elapsed().as_secs_f64();
    report.note("sealing a log that was never sealed", per_s, "events/s");
    stop.send_replace(true);
    sealer.await.expect("the sealer ends");

    let (mut without, mut with, mut lags) = (Vec::new(), Vec::new(), Vec::new());
    let (mut resting, mut sealing) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        without.push(log.append(None, time).await.0);
        resting.extend(log.append(Some(PER_SECOND), time).await.1);
        let (stop, stopping) = watch::channel(false);
        let sealer = log.sealer(population).spawn(stopping);
        log.caught_up().await;
        with.push(log.append(None, time).await.0);
        log.caught_up().await;
        // Nobody watches meanwhile, as nobody does while the sealer rests.
        sealing.extend(log.append(Some(PER_SECOND), time).await.1);
        log.caught_up().await;
        lags.extend(log.lags(time).await);
        stop.send_replace(true);
        sealer.await.expect("the sealer ends");
    }
    let (without, with) = (median(&mut without), median(&mut with));
    report.note("appends by 64 clients, sealer at rest", without, "events/s");
    report.note("appends by 64 clients, sealed meanwhile", with, "events/s");
    let (resting, sealing) = (median(&mut resting), median(&mut sealing));
    report.note("an append at 2,000 events/s, sealer at rest, p50", resting, "ms");
    report.note("an append at 2,000 events/s, sealed meanwhile, p50", sealing, "ms");
    report.at_most("an append at 2,000 events/s, sealed / at rest", sealing / resting, 1.05, "x");
    lags.sort_unstable();
    let p99 = lags[lags.len() * 99 / 100].num_microseconds().unwrap_or(i64::MAX) as f64 / 1e3;
    report.at_most("sealing lag at 2,000 events/s, p99", p99, 1000.0, "ms");
}

fn median(figures: &mut [f64]) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

impl Log {
    fn sealer(&self, population: &Population) -> Sealer {
        let secrets = Arc::new(Secrets::new(&population.master));
        Sealer::new(SealerConfig {
            pool: self.sealer.clone(),
            signer: Signer::new(secrets, self.folder.clone()),
            clock: Arc::new(SystemClock),
            origins: "portal.example".to_owned(),
            appended: self.journal.appended(),
            witnesses: Vec::new(),
        })
    }

    async fn sealed(&self) -> i64 {
        let size = sqlx::query_scalar("SELECT coalesce(max(size), 0) FROM es.trees");
        size.fetch_one(&self.sealer).await.expect("the log answers")
    }

    async fn caught_up(&self) {
        let head = self.journal.tenant_position(self.tenant).await.expect("the log answers");
        while self.sealed().await < head {
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Appends for `time`, `per_second` times or as often as it goes; gives the events per second and
    /// the milliseconds each took.
    async fn append(&self, per_second: Option<u32>, time: Duration) -> (f64, Vec<f64>) {
        let begun = Instant::now();
        let each = join_all((0..CLIENTS).map(|client| async move {
            let mut took = Vec::new();
            while begun.elapsed() < time {
                if let Some(per_second) = per_second {
                    let before = took.len() * CLIENTS + client;
                    let due = Duration::from_secs_f64(before as f64 / f64::from(per_second));
                    tokio::time::sleep(due.saturating_sub(begun.elapsed())).await;
                }
                let sent = Instant::now();
                self.starts_a_session(client).await;
                took.push(sent.elapsed().as_secs_f64() * 1e3);
            }
            took
        }))
        .await;
        let took = each.concat();
        (took.len() as f64 / begun.elapsed().as_secs_f64(), took)
    }

    async fn starts_a_session(&self, client: usize) {
        let who = &self.people[client % self.people.len()];
        let mut seeder = Seeder::begin(&self.journal, self.tenant, Preset::MediCal);
        let start = SessionCommand::StartSession {
            user: who.user,
            method: LoginMethod::Password,
            organization: who.organization,
            must_change_password: false,
            must_enrol: false,
            absolute_expires_at: self.journal.now() + TimeDelta::hours(12),
        };
        seeder.decide::<Session>(SessionId(uuid::Uuid::new_v4()).0, start).await;
        seeder.commit().await;
    }

    /// How long each event appended meanwhile waited for its leaf.
    async fn lags(&self, time: Duration) -> Vec<TimeDelta> {
        let over = AtomicBool::new(false);
        let watching = async {
            let mut seen = self.sealed().await;
            let mut lags = Vec::new();
            while !over.load(Ordering::Relaxed) {
                tokio::time::sleep(LOOK).await;
                let sealed = self.sealed().await;
                let now = Utc::now();
                let recorded: Vec<DateTime<Utc>> = sqlx::query_scalar(
                    "SELECT recorded_at FROM es.events
                      WHERE tenant_id = $1 AND tenant_position > $2 AND tenant_position <= $3",
                )
                .bind(self.tenant.0)
                .bind(seen)
                .bind(sealed)
                .fetch_all(&self.sealer)
                .await
                .expect("the log answers");
                lags.extend(recorded.into_iter().map(|at| now - at));
                seen = sealed;
            }
            lags
        };
        let appending = async {
            self.append(Some(PER_SECOND), time).await;
            over.store(true, Ordering::Relaxed);
        };
        tokio::join!(watching, appending).0
    }
}

/// The proof of one event, and a bundle of many, checked.
pub async fn bundles(report: &mut Report, portal: &Portal, time: Duration) {
    let client = portal.client(&portal.population.world.auditor).await;
    let log = loop {
        let log = client.ask(LOG, &json!({})).await["transparencyLog"].take();
        let signed = log["checkpointPosition"].as_str().and_then(|at| at.parse().ok());
        if signed.unwrap_or(0) >= portal.population.events {
            break log;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    inclusion(report, portal, &client, time).await;
    // Two events beside the hundred thousand show that none was left out.
    let times: Vec<DateTime<Utc>> = stream::iter([0, BUNDLE - 3])
        .then(|nth| {
            let at = portal.population.events / 2 + nth;
            let query = format!(
                "{{ auditEvents(asOfPosition: \"{at}\", first: 1) {{ nodes {{ recordedAt }} }} }}"
            );
            let client = &client;
            async move {
                let answer = client.ask(&query, &json!({})).await;
                let at = answer["auditEvents"]["nodes"][0]["recordedAt"].as_str().expect("a time");
                at.parse::<DateTime<Utc>>().expect("a time")
            }
        })
        .collect()
        .await;
    let question = json!({ "from": times[0], "to": times[1], "types": ["permissions.membership.npi_permission_set"] });
    let input = json!({ "question": question, "recipient": "A court", "purpose": "A benchmark" });
    let asked = client.ask(REQUEST, &json!({ "input": input })).await;
    let url = asked["requestEvidence"]["evidence"]["url"].as_str().expect("a url").to_owned();
    let begun = Instant::now();
    let bundle = client.fetch(&url).await;
    report.note("bundle of 100,000 events, made and fetched", begun.elapsed().as_secs_f64(), "s");
    report.note("its size", bundle.len() as f64 / 1e6, "MB");
    let text = |value: &serde_json::Value| value.as_str().expect("text").to_owned();
    let keys = log["verifierKeys"].as_array().expect("keys").iter().map(text).collect();
    let policy = Policy {
        logs: vec![TrustedLog { origin: text(&log["origin"]), keys }],
        witnesses: Vec::new(),
        quorum: 0,
    };
    let begun = Instant::now();
    let proven = verify(Cursor::new(&bundle), &policy, None, &rollcall_api::service::upcasters())
        .expect("a good bundle");
    assert!(proven.manifest.report.population > 0);
    report.at_most("bundle of 100,000 events, checked", begun.elapsed().as_secs_f64(), 5.0, "s");
}

/// Proofs of single events, anywhere in the log.
async fn inclusion(report: &mut Report, portal: &Portal, client: &Client, time: Duration) {
    let events = portal.population.events;
    let ask = document("$id: ID! | eventId: $id", "inclusionProof", "leaf tlogProof");
    let mut ids = Vec::new();
    for nth in 1..=PROVEN {
        let at = (events * nth / PROVEN).to_string();
        let document =
            "query($at: Position!) { auditEvents(asOfPosition: $at, first: 1) { nodes { id } } }";
        let mut answer = client.ask(document, &json!({ "at": at })).await;
        let id = answer["auditEvents"]["nodes"][0]["id"].take();
        let proof = client.ask(&ask, &json!({ "id": id })).await;
        assert!(proof["inclusionProof"].is_object(), "{proof}");
        ids.push(id);
    }
    let question = Question {
        name: "inclusion proof",
        client: client.clone(),
        document: ask,
        variables: Box::new(move |nth| json!({ "id": ids[nth % ids.len()] })),
        page: None,
    };
    let measured = drive(&question, 1, time).await;
    report.at_most("inclusion proof, p99", measured.p99_ms, 5.0, "ms");
}
