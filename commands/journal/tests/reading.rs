//! Loading, freshness, time and upcasters.

use std::sync::Arc;

use chrono::TimeDelta;
use rollcall_domain::kernel::ids::{SubjectId, UserId};
use rollcall_journal::{
    Guard, Journal, JournalConfig,
    clock::{Clock, SystemClock},
    secrets::MasterKey,
    upcast::Upcasters,
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{
    Booked, Database, Ledger, OTHER_TENANT, TENANT, book, book_all, eventually, frozen_clock,
    header,
};

#[tokio::test]
async fn a_cached_state_is_told_from_a_fresh_one() {
    let database = Database::create().await;
    let (here, there) = (database.journal().await, database.journal().await);
    let id = Uuid::from_u128(1);
    book(&here, TENANT, id).await;
    book(&there, TENANT, id).await;
    let cached = here.load::<Ledger>(TENANT, id).await.unwrap();
    assert_eq!(cached.version, 1);
    let guard = |version| [Guard { aggregate_type: "books.ledger", id, version }];
    assert!(here.verify(TENANT, &guard(2)).await.unwrap());
    assert!(!here.verify(TENANT, &guard(1)).await.unwrap());
    // The failed check has dropped it.
    assert_eq!(here.load::<Ledger>(TENANT, id).await.unwrap().version, 2);
    book(&there, TENANT, id).await;
    let fresh = here.load_fresh::<Ledger>(TENANT, id).await.unwrap();
    assert_eq!((fresh.version, fresh.state.balance), (3, 3));
}

#[tokio::test]
async fn streams_about_a_person_are_found_by_type_within_the_tenant() {
    let database = Database::create().await;
    let journal = database.journal().await;
    let person = Uuid::from_u128(7);
    for stream in [2, 1, 2] {
        let note = Booked::note(SubjectId(person), "a note");
        book_all(&journal, TENANT, stream, vec![note]).await;
    }
    book(&journal, TENANT, Uuid::from_u128(3)).await;
    let about = async |tenant, subject, aggregate_type| {
        journal.streams_about(tenant, UserId(subject), aggregate_type).await.unwrap()
    };
    let found = about(TENANT, person, "books.ledger").await;
    assert_eq!(found, [Uuid::from_u128(1), Uuid::from_u128(2)]);
    assert!(about(TENANT, person, "books.journal").await.is_empty());
    assert!(about(TENANT, Uuid::from_u128(8), "books.ledger").await.is_empty());
    assert!(about(OTHER_TENANT, person, "books.ledger").await.is_empty());
}

#[tokio::test]
async fn appends_of_one_process_are_announced_to_the_others() {
    let database = Database::create().await;
    let (here, there) = (database.journal().await, database.journal().await);
    let mut heard = there.appended();
    book(&here, TENANT, Uuid::from_u128(1)).await;
    assert_eq!(*here.appended().borrow(), 1);
    heard.wait_for(|position| *position == 1).await.unwrap();
    eventually(async || *there.appended().borrow() == 1).await;
}

#[tokio::test]
async fn times_follow_the_injected_clock_and_never_run_backwards() {
    let database = Database::create().await;
    let start = "2024-03-01T09:00:00Z";
    let clock = frozen_clock(start);
    let journal = database.journal_at(clock.clone(), true).await;
    let first = book(&journal, TENANT, Uuid::from_u128(1)).await.recorded_at;
    assert_eq!(first, clock.now());
    clock.set("2023-01-01T00:00:00Z".parse().unwrap());
    let second = book(&journal, TENANT, Uuid::from_u128(1)).await.recorded_at;
    assert_eq!(second - first, TimeDelta::microseconds(1));

    // A log of the real time asks the database, whatever the process thinks.
    let database = Database::create().await;
    let journal = database.journal_at(clock, false).await;
    let recorded_at = book(&journal, TENANT, Uuid::from_u128(1)).await.recorded_at;
    assert!((SystemClock.now() - recorded_at).abs() < TimeDelta::minutes(1));
}

#[tokio::test]
async fn the_envelope_holds_who_what_and_when() {
    let database = Database::create().await;
    let journal = database.journal().await;
    let mut header = header(TENANT);
    header.causation_id = Some(Uuid::from_u128(9));
    let mut work = journal.begin(header.clone());
    let id = Uuid::from_u128(1);
    work.record::<Ledger>(id, vec![crate::support::Booked::entry(5)]).await.unwrap();
    let committed = work.commit(json!({})).await.unwrap();
    let row: Value = database
        .value("SELECT to_jsonb(e) - 'payload' - 'salt' - 'recorded_at' - 'occurred_at' - 'effective_at' FROM es.events e")
        .await;
    let expected = json!({
        "position": 1, "tenant_id": TENANT, "tenant_position": 1,
        "aggregate_type": "books.ledger", "aggregate_id": id, "sequence": 1,
        "event_id": committed.event_ids[0], "event_type": "books.ledger.entry", "event_version": "1.0",
        "metadata": {"policy_version": "3", "command": "Book"},
        "actor_kind": "USER", "actor_id": header.actor.id, "organization_id": null,
        "subject_id": null, "subject_organization_id": null, "npi": "1234567893",
        "correlation_id": header.correlation_id, "causation_id": Uuid::from_u128(9),
        "command_id": header.command_id,
    });
    assert_eq!(row, expected);
    assert_eq!(committed.event_ids[0].get_version_num(), 7);
    let payload: String = database.value("SELECT payload::text FROM es.events").await;
    assert_eq!(payload, r#"{"Entry":{"amount":5}}"#);
    let times = "SELECT occurred_at = effective_at AND octet_length(salt) = 16 FROM es.events";
    assert!(database.value::<bool>(times).await);
}

#[tokio::test]
async fn old_events_are_read_through_upcasters() {
    let database = Database::create().await;
    let id = Uuid::from_u128(1);
    book(&database.journal().await, TENANT, id).await;
    // As if amounts had been whole dollars once.
    let cents = |mut payload: Value| {
        payload["Entry"]["amount"] = json!(payload["Entry"]["amount"].as_i64().unwrap() * 100);
        payload
    };
    let config = JournalConfig {
        writer: database.writer().await,
        master: MasterKey::from_bytes([7; 32]),
        clock: Arc::new(SystemClock),
        injected_time: false,
        cache_states: 10,
    };
    let upcasters = Upcasters::default().with("books.ledger.entry", "1.0", "2.0", cents);
    let journal = Journal::open_with(config, upcasters).await.unwrap();
    assert_eq!(journal.load::<Ledger>(TENANT, id).await.unwrap().state.balance, 100);
}

#[tokio::test]
async fn streams_loaded_together_are_as_each_alone_and_checked_at_the_commit() {
    let database = Database::create().await;
    let (here, there) = (database.journal().await, database.journal().await);
    let [outdated, unread, empty, known] = [1, 2, 3, 4].map(Uuid::from_u128);
    for stream in [outdated, unread, known] {
        book(&there, TENANT, stream).await;
    }
    for stream in [outdated, known] {
        here.load::<Ledger>(TENANT, stream).await.unwrap();
    }
    book(&there, TENANT, outdated).await;
    here.invalidate(TENANT, "books.ledger", outdated);
    let begun = here.begun(TENANT, "books.ledger", &[outdated, empty]).await.unwrap();
    assert_eq!(begun.into_iter().collect::<Vec<_>>(), [outdated]);
    assert!(here.begun(OTHER_TENANT, "books.ledger", &[outdated]).await.unwrap().is_empty());

    let all = [outdated, unread, empty, known];
    let mut work = here.begin(header(TENANT));
    work.record::<Ledger>(known, vec![Booked::entry(5)]).await.unwrap();
    let loaded = work.load_all::<Ledger>(&all).await.unwrap();
    let balances: Vec<_> = loaded.iter().map(|state| state.balance).collect();
    assert_eq!(balances, [2, 1, 0, 6], "with what this work has buffered");
    let versions = all.map(|id| work.version::<Ledger>(id));
    assert_eq!(versions, [Some(2), Some(1), Some(0), Some(1)]);
    assert_eq!(here.load::<Ledger>(TENANT, unread).await.unwrap().version, 1);

    book(&there, TENANT, empty).await;
    let Err(rollcall_journal::CommitError::Conflict { aggregate_id, .. }) =
        work.commit(json!(null)).await
    else {
        panic!("what was read has moved on");
    };
    assert_eq!(aggregate_id, empty);
}
