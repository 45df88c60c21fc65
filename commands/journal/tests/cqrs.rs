//! cqrs-es runs on our log, and postgres-es reads it.

use std::{collections::HashMap, sync::Arc};

use cqrs_es::{
    AggregateError, CqrsFramework, EventStore,
    persist::{PersistedEventRepository, PersistedEventStore},
};
use postgres_es::PostgresEventRepository;
use rollcall_domain::{Actor, policies::Policy};
use rollcall_journal::{
    clock::SystemClock,
    es::{Es, EsServices, EsStore, Stored},
};
use serde_json::json;
use uuid::Uuid;

use crate::support::{Booked, Database, Ledger, LedgerCommand, TENANT, book, header};

#[tokio::test]
async fn the_stock_repository_reads_our_events() {
    let database = Database::create().await;
    let journal = database.journal().await;
    let id = Uuid::from_u128(1);
    let mut work = journal.begin(header(TENANT));
    work.record::<Ledger>(id, vec![Booked::entry(5), Booked::entry(-2)]).await.unwrap();
    work.commit(json!({})).await.unwrap();
    book(&journal, TENANT, Uuid::from_u128(2)).await;

    let pool = database.writer().await;
    let stock = || PostgresEventRepository::new(pool.clone()).with_tables("es.events", "unused");
    let events = stock().get_events::<Es<Ledger>>(&id.to_string()).await.unwrap();
    let read: Vec<_> = events.iter().map(|e| (e.sequence, e.payload.clone())).collect();
    let amount = |amount| json!({"Entry": {"amount": amount}});
    assert_eq!(read, [(1, amount(5)), (2, amount(-2))]);

    let store = PersistedEventStore::<_, Es<Ledger>>::new_event_store(stock());
    let loaded = store.load_aggregate(&id.to_string()).await.unwrap();
    assert_eq!(loaded.aggregate.state().balance, 3);
    assert_eq!(loaded.current_sequence, 2);
}

#[tokio::test]
async fn the_framework_executes_commands_on_our_log() {
    let database = Database::create().await;
    let journal = database.journal().await;
    let id = Uuid::from_u128(1);
    book(&journal, TENANT, id).await;
    let store = || EsStore::<Ledger>::new(journal.clone(), || header(TENANT));
    let services = EsServices {
        clock: Arc::new(SystemClock),
        actor: Actor::SYSTEM,
        policy: Policy::default(),
    };
    let framework = CqrsFramework::new(store(), Vec::new(), services);
    framework.execute(&id.to_string(), LedgerCommand::Withdraw(1)).await.unwrap();
    let refused = framework.execute(&id.to_string(), LedgerCommand::Withdraw(1)).await;
    assert!(matches!(refused, Err(AggregateError::UserError(_))));

    let stale = store().load_aggregate(&id.to_string()).await.unwrap();
    book(&database.journal().await, TENANT, id).await;
    let events = vec![Stored(Booked::entry(7))];
    let conflict = store().commit(events.clone(), stale, HashMap::new()).await;
    assert!(matches!(conflict, Err(AggregateError::AggregateConflict)));

    let fresh = store().load_aggregate(&id.to_string()).await.unwrap();
    let envelopes = store().commit(events, fresh, HashMap::new()).await.unwrap();
    assert_eq!((envelopes[0].sequence, envelopes[0].metadata["position"].as_str()), (4, "4"));
    assert_eq!(store().load_events(&id.to_string()).await.unwrap().len(), 4);
}

#[test]
fn states_are_never_stored() {
    let refused = serde_json::to_value(Es::<Ledger>::default()).unwrap_err().to_string();
    assert!(refused.contains("without snapshots"), "{refused}");
}
