//! The service on the population's database, and people signed in to it.
//!
//! Invariant: when it is handed over, every projection holds everything, and nothing is under way.

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};
use rollcall_api::{
    config::Config,
    service::{self, Ground, Service, ServiceClock},
};
use rollcall_commands::processes;
use rollcall_domain::policies::Preset;
use rollcall_journal::{InjectedClock, SystemClock};
use serde_json::{Value, json};
use sqlx::{Connection, Executor, PgConnection, postgres::PgConnectOptions};

use super::{
    population::Population,
    seed::{self, Person},
};

pub struct Portal {
    pub service: Service,
    pub population: Population,
}

impl Portal {
    /// With `at`, the service's clock stands there; else it is the machine's.
    pub async fn start(
        database: PgConnectOptions,
        folder: &Path,
        population: Population,
        at: Option<DateTime<Utc>>,
    ) -> Self {
        let mut session = PgConnection::connect_with(&database).await.expect("the server answers");
        told_already(&mut session).await.expect("the processes are put to the end of the log");
        let config = Config {
            database_url: None,
            data_dir: None,
            listen: "127.0.0.1:0".parse().expect("an address"),
            public_url: "https://portal.example".to_owned(),
            production: false,
            allow_managed: true,
            demo: false,
            dev: false,
            tenant_hosts: Default::default(),
            trusted_proxies: Default::default(),
            smtp: None,
            telephone: None,
            trusted_documents: Default::default(),
            witnesses: Vec::new(),
        };
        let ground = Ground {
            config,
            database,
            folder: folder.to_owned(),
            master_key: population.master.clone(),
            clock: match at {
                Some(at) => ServiceClock::Injected(Arc::new(InjectedClock::starting_at(at))),
                None => ServiceClock::System(Arc::new(SystemClock)),
            },
            upcasters: service::upcasters(),
        };
        let service = Service::start(ground).await.expect("the service starts");
        while let Err(lagging) = service.caught_up().await {
            eprintln!("  {lagging}");
        }
        // What autovacuum does within some minutes.
        session.execute("VACUUM ANALYZE").await.expect("statistics are gathered");
        Self { service, population }
    }

    /// Somebody, signed in.
    pub async fn client(&self, who: &Person) -> Client {
        let (journal, world) = (&self.service.commands.journal, &self.population.world);
        let token = seed::sign_in(journal, world.tenant, Preset::MediCal, who).await;
        Client {
            http: reqwest::Client::new(),
            url: format!("http://{}/graphql", self.service.address),
            token,
        }
    }
}

/// The population's events were made in bulk: nobody is sent mail about them now.
async fn told_already(session: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO ops.projections (name, version) SELECT unnest($1::text[]), 1
         ON CONFLICT DO NOTHING",
    )
    .bind(processes::NAMES)
    .execute(&mut *session)
    .await?;
    sqlx::query(
        "INSERT INTO ops.checkpoints (name, version, tenant_id, position)
         SELECT p.name, p.version, h.tenant_id, h.position
           FROM ops.projections p CROSS JOIN es.tenant_heads h WHERE p.name = ANY ($1)
         ON CONFLICT DO NOTHING",
    )
    .bind(processes::NAMES)
    .execute(session)
    .await?;
    Ok(())
}

/// Somebody who asks.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    url: String,
    token: String,
}

impl Client {
    /// The whole answer, unread.
    pub async fn send(&self, document: &str, variables: &Value) -> Vec<u8> {
        let answer = self
            .http
            .post(&self.url)
            .header("accept", "application/graphql-response+json")
            .bearer_auth(&self.token)
            .json(&json!({ "query": document, "variables": variables }))
            .send()
            .await
            .expect("the service answers");
        answer.bytes().await.expect("an answer has a body").into()
    }

    /// A document of the service, whole.
    pub async fn fetch(&self, path: &str) -> Vec<u8> {
        self.get(path).await.bytes().await.expect("a document has a body").into()
    }

    /// Reads a document of the service away: how long it took, its bytes, and the most that `gauge`
    /// showed meanwhile.
    pub async fn drain(&self, path: &str, gauge: impl Fn() -> f64) -> (Duration, usize, f64) {
        let begun = Instant::now();
        let mut document = self.get(path).await;
        let (mut bytes, mut peak) = (0, gauge());
        while let Some(chunk) = document.chunk().await.expect("the document comes whole") {
            bytes += chunk.len();
            peak = peak.max(gauge());
        }
        (begun.elapsed(), bytes, peak)
    }

    async fn get(&self, path: &str) -> reqwest::Response {
        let url = self.url.replace("/graphql", path);
        let answer = self.http.get(url).bearer_auth(&self.token).send().await;
        let answer = answer.expect("the service answers");
        assert!(answer.status().is_success(), "{}: {:?}", path, answer.status());
        answer
    }

    /// The answer's data.
    pub async fn ask(&self, document: &str, variables: &Value) -> Value {
        data(&self.send(document, variables).await)
    }
}

/// What an answer without errors holds.
///
/// # Panics
/// When it has errors.
pub fn data(answer: &[u8]) -> Value {
    let mut answer: Value = serde_json::from_slice(answer).expect("the answer is JSON");
    assert!(answer.get("errors").is_none(), "{answer}");
    answer["data"].take()
}
