//! The service on the population's database, and people signed in to it.
//!
//! Invariant: when it is handed over, every projection holds everything, and nothing is under way.

use std::{path::Path, sync::Arc};

use rollcall_api::{
    config::Config,
    service::{self, Ground, Service, ServiceClock},
};
use rollcall_commands::processes;
use rollcall_domain::policies::Preset;
use rollcall_journal::SystemClock;
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
    pub async fn start(database: PgConnectOptions, folder: &Path, population: Population) -> Self {
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
            smtp: None,
            telephone: None,
            trusted_documents: Default::default(),
        };
        let ground = Ground {
            config,
            database,
            folder: folder.to_owned(),
            master_key: population.master.clone(),
            clock: ServiceClock::System(Arc::new(SystemClock)),
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
    sqlx::query("INSERT INTO ops.projections (name, version) SELECT unnest($1::text[]), 1")
        .bind(processes::NAMES)
        .execute(&mut *session)
        .await?;
    sqlx::query(
        "INSERT INTO ops.checkpoints (name, version, tenant_id, position)
         SELECT p.name, p.version, h.tenant_id, h.position
           FROM ops.projections p CROSS JOIN es.tenant_heads h WHERE p.name = ANY ($1)",
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
