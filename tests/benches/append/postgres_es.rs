//! The baseline: cqrs-es with postgres-es as shipped, on its schema and its pool of ten, loading
//! each stream anew for each command. Same decider, same events; no order, idempotency or guards.

use std::{collections::HashMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use cqrs_es::{CqrsFramework, persist::PersistedEventStore};
use postgres_es::{PostgresCqrs, PostgresEventRepository, postgres_cqrs};
use rollcall_domain::{
    Actor, Event,
    kernel::ids::{OrganizationId, UserId},
    policies::Policy,
};
use rollcall_journal::{
    SystemClock,
    es::{Es, EsServices},
};
use serde_json::Value;
use sqlx::{PgPool, postgres::PgPoolOptions};
use uuid::Uuid;

use super::{
    clients::{Load, Measured, Variant, drive},
    ground::Ground,
    register::{Enter, Register, RegisterEvent},
};

/// Of postgres-es 0.5.
const TABLE: &str = "
    CREATE TABLE events (
      aggregate_type text NOT NULL,
      aggregate_id text NOT NULL,
      sequence bigint CHECK (sequence >= 0) NOT NULL,
      event_type text NOT NULL,
      event_version text NOT NULL,
      payload json NOT NULL,
      metadata json NOT NULL,
      PRIMARY KEY (aggregate_type, aggregate_id, sequence))";
/// Of `default_postgress_pool`, which takes a URL.
const CONNECTIONS: u32 = 10;

pub struct PostgresEs {
    pool: PgPool,
    framework: Arc<PostgresCqrs<Es<Register>>>,
}

impl PostgresEs {
    pub async fn prepare(ground: &Ground) -> Self {
        let options = ground.database("postgres_es", TABLE).await;
        let pool = PgPoolOptions::new().max_connections(CONNECTIONS).connect_with(options);
        let pool = pool.await.expect("the server answers");
        let services = EsServices {
            clock: Arc::new(SystemClock),
            actor: Actor::user(person()),
            policy: Policy::default(),
        };
        let framework = Arc::new(postgres_cqrs(pool.clone(), Vec::new(), services));
        Self { pool, framework }
    }

    /// Writes streams of `prior` events, in one statement instead of one per event.
    async fn fill(&self, streams: &[Uuid], prior: usize) {
        let events = RegisterEvent::lines(prior, person(), organization());
        let payloads: Vec<_> = events.iter().map(payload).collect();
        let ids: Vec<_> = streams.iter().map(Uuid::to_string).collect();
        sqlx::query(
            "INSERT INTO events
             SELECT 'bench.register', s.id, p.nth, $3, '1.0', p.payload, '{}'
               FROM unnest($1::text[]) s(id),
                    unnest($2::json[]) WITH ORDINALITY p(payload, nth)",
        )
        .bind(ids)
        .bind(payloads)
        .bind(events[0].event_type())
        .execute(&self.pool)
        .await
        .expect("the streams are filled");
    }
}

#[async_trait]
impl Variant for PostgresEs {
    fn name(&self) -> &'static str {
        "postgres-es"
    }

    fn describe(&self) -> String {
        format!("cqrs-es and postgres-es 0.5 as shipped, {CONNECTIONS} connections")
    }

    async fn run(&self, load: Load, time: Duration) -> Measured {
        let streams = load.streams();
        if load.prior > 0 {
            self.fill(&streams, load.prior).await;
        }
        let framework = Arc::clone(&self.framework);
        drive(load, time, streams, move |sent| enter(Arc::clone(&framework), sent.stream)).await
    }
}

type Store = PersistedEventStore<PostgresEventRepository, Es<Register>>;

async fn enter(framework: Arc<CqrsFramework<Es<Register>, Store>>, stream: Uuid) {
    let metadata = HashMap::from([
        ("actor".to_owned(), person().to_string()),
        ("correlation_id".to_owned(), stream.to_string()),
    ]);
    let command = Enter { user: person(), organization: organization() };
    let done = framework.execute_with_metadata(&stream.to_string(), command, metadata).await;
    done.expect("the command is carried out");
}

fn payload(event: &RegisterEvent) -> Value {
    serde_json::to_value(event).expect("an event is JSON")
}

fn person() -> UserId {
    UserId(Uuid::from_u128(0xac))
}

fn organization() -> OrganizationId {
    OrganizationId(Uuid::from_u128(0x0f))
}
