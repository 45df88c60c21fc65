//! Order, verdicts and atomicity of the append.

use std::collections::BTreeSet;

use rollcall_journal::CommitError;
use serde_json::json;
use uuid::Uuid;

use crate::support::{
    Booked, Database, Ledger, LedgerCommand, OTHER_TENANT, TENANT, book, decision, header, taken,
};

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_writers_leave_no_gap_and_positions_follow_the_commits() {
    let database = Database::create().await;
    let journals = [database.journal().await, database.journal().await];
    let writers = (0..64_u128).map(|n| {
        let journal = journals[n as usize % 2].clone();
        let tenant = if n % 4 == 0 { OTHER_TENANT } else { TENANT };
        tokio::spawn(async move {
            let mut seen = Vec::new();
            for round in 0..10_u128 {
                let committed = book(&journal, tenant, Uuid::from_u128(n * 100 + round % 3)).await;
                seen.push((committed.global, committed.position, committed.recorded_at));
            }
            assert!(seen.is_sorted_by(|a, b| a.0 < b.0 && a.1 < b.1 && a.2 < b.2), "{seen:?}");
            seen.into_iter().map(|(global, _, _)| global).collect::<Vec<_>>()
        })
    });
    let mut acknowledged = BTreeSet::new();
    for writer in writers.collect::<Vec<_>>() {
        acknowledged.extend(writer.await.unwrap());
    }
    assert!(acknowledged.iter().copied().eq(1..=640));
    let gaps = "SELECT count(*) FROM (SELECT position - lag(position, 1, 0::bigint) OVER (ORDER BY position) AS step,
                  tenant_position - lag(tenant_position, 1, 0::bigint) OVER (PARTITION BY tenant_id ORDER BY position) AS tenant_step,
                  recorded_at < lag(recorded_at) OVER (ORDER BY position) AS back
                  FROM es.events) e WHERE step <> 1 OR tenant_step <> 1 OR back";
    assert_eq!(database.value::<i64>(gaps).await, 0);
    assert_eq!(database.value::<i64>("SELECT position FROM es.head").await, 640);
    assert_eq!(journals[0].tenant_position(OTHER_TENANT).await.unwrap(), 160);
    assert_eq!(journals[0].tenant_position(TENANT).await.unwrap(), 480);
}

#[tokio::test]
async fn a_repeated_command_gets_its_first_answer_and_writes_nothing() {
    let database = Database::create().await;
    let journal = database.journal().await;
    let header = header(TENANT);
    let id = Uuid::from_u128(1);
    let mut work = journal.begin(header.clone());
    work.record::<Ledger>(id, vec![Booked::entry(5), Booked::entry(6)]).await.unwrap();
    let first = work.commit(json!({"answer": 42})).await.unwrap();
    assert_eq!((first.position, first.event_ids.len()), (2, 2));

    let mut work = journal.begin(header.clone());
    work.record::<Ledger>(id, vec![Booked::entry(5)]).await.unwrap();
    let Err(CommitError::Duplicate(stored)) = work.commit(json!({"answer": 0})).await else {
        panic!("not a duplicate");
    };
    assert_eq!((stored.result, stored.position), (json!({"answer": 42}), 2));
    assert_eq!(stored.request_hash, header.request_hash);
    let loaded = journal.load::<Ledger>(TENANT, id).await.unwrap();
    assert_eq!((loaded.version, loaded.state.balance), (2, 11));
}

#[tokio::test]
async fn a_stream_that_moved_on_is_a_conflict_whether_written_or_only_read() {
    let database = Database::create().await;
    let (here, there) = (database.journal().await, database.journal().await);
    let (written, read) = (Uuid::from_u128(1), Uuid::from_u128(2));
    book(&here, TENANT, written).await;
    book(&here, TENANT, read).await;

    for moved in [written, read] {
        let mut work = here.begin(header(TENANT));
        work.load::<Ledger>(read).await.unwrap();
        work.record::<Ledger>(written, vec![Booked::entry(1)]).await.unwrap();
        book(&there, TENANT, moved).await;
        let Err(CommitError::Conflict { aggregate_type, aggregate_id }) =
            work.commit(json!({})).await
        else {
            panic!("no conflict");
        };
        assert_eq!((aggregate_type.as_str(), aggregate_id), ("books.ledger", moved));
    }
    // The conflict has dropped the stale state: the next decision sees the truth.
    assert_eq!(here.load::<Ledger>(TENANT, written).await.unwrap().version, 2);
    book(&here, TENANT, written).await;
    assert_eq!(database.value::<i64>("SELECT count(*) FROM es.events").await, 5);
}

#[tokio::test]
async fn a_process_that_knew_a_stream_notices_that_another_moved_it_on() {
    let database = Database::create().await;
    let (here, there) = (database.journal().await, database.journal().await);
    let (rules, first, second) = (Uuid::from_u128(1), Uuid::from_u128(2), Uuid::from_u128(3));
    let relying = async |stream| {
        let mut work = here.begin(header(TENANT));
        work.load::<Ledger>(rules).await.unwrap();
        work.record::<Ledger>(stream, vec![Booked::entry(1)]).await.unwrap();
        work.commit(json!({})).await
    };
    book(&here, TENANT, rules).await;
    for _ in 0..3 {
        relying(first).await.unwrap();
    }
    // A stream nobody here relies on: what was known is asked for again, and still stands.
    book(&there, TENANT, second).await;
    relying(first).await.unwrap();
    book(&there, TENANT, rules).await;
    assert!(
        matches!(relying(first).await, Err(CommitError::Conflict { aggregate_id, .. }) if aggregate_id == rules)
    );
    relying(first).await.unwrap();
    book(&there, TENANT, first).await;
    assert!(
        matches!(relying(first).await, Err(CommitError::Conflict { aggregate_id, .. }) if aggregate_id == first)
    );
    relying(first).await.unwrap();
    assert_eq!(here.load_fresh::<Ledger>(TENANT, first).await.unwrap().version, 7);
}

#[tokio::test]
async fn a_decision_sees_what_the_same_work_has_buffered() {
    let database = Database::create().await;
    let journal = database.journal().await;
    let id = Uuid::from_u128(1);
    let mut work = journal.begin(header(TENANT));
    work.record::<Ledger>(id, vec![Booked::entry(10)]).await.unwrap();
    work.decide::<Ledger>(id, &decision(), LedgerCommand::Withdraw(4)).await.unwrap();
    let refused = work.decide::<Ledger>(id, &decision(), LedgerCommand::Withdraw(7)).await;
    assert!(refused.is_err());
    assert_eq!(work.load::<Ledger>(id).await.unwrap().balance, 6);
    assert_eq!(work.version::<Ledger>(id), Some(0));
    work.commit(json!({})).await.unwrap();
    assert_eq!(journal.events::<Ledger>(TENANT, id).await.unwrap().len(), 2);
}

#[tokio::test]
async fn several_streams_commit_together_or_not_at_all() {
    let database = Database::create().await;
    let journal = database.journal().await;
    let other = database.journal().await;
    let [from, to] = [1, 2].map(Uuid::from_u128);
    let transfer = async || {
        let mut work = journal.begin(header(TENANT));
        work.record::<Ledger>(from, vec![Booked::entry(-1)]).await.unwrap();
        work.record::<Ledger>(to, vec![Booked::entry(1)]).await.unwrap();
        work
    };
    assert_eq!(transfer().await.commit(json!({})).await.unwrap().position, 2);
    let work = transfer().await;
    book(&other, TENANT, to).await;
    assert!(matches!(work.commit(json!({})).await, Err(CommitError::Conflict { .. })));
    assert_eq!(journal.load::<Ledger>(TENANT, from).await.unwrap().version, 1);
}

#[tokio::test]
async fn a_reserved_key_is_taken_until_its_owner_releases_it() {
    let database = Database::create().await;
    let journal = database.journal().await;
    let [ann, bob] = [1, 2].map(Uuid::from_u128);
    let reserve = async |owner: Uuid| {
        let mut work = journal.begin(header(TENANT));
        work.reserve("name", "lee", owner, taken());
        work.record::<Ledger>(owner, vec![Booked::entry(1)]).await.unwrap();
        work.commit(json!({})).await
    };
    reserve(ann).await.unwrap();
    reserve(ann).await.unwrap();
    assert_eq!(journal.owner_of(TENANT, "name", "lee").await.unwrap(), Some(ann));
    assert_eq!(journal.owner_of(OTHER_TENANT, "name", "lee").await.unwrap(), None);
    let Err(CommitError::Taken(refusal)) = reserve(bob).await else { panic!("not taken") };
    assert_eq!(refusal, taken());
    assert_eq!(journal.load::<Ledger>(TENANT, bob).await.unwrap().version, 0);

    let mut foreign = journal.begin(header(TENANT));
    foreign.release("name", "lee", bob);
    assert!(matches!(foreign.commit(json!({})).await, Err(CommitError::Conflict { .. })));

    // Moving it is one step: nobody can come in between.
    let mut work = journal.begin(header(TENANT));
    work.release("name", "lee", ann);
    work.reserve("name", "lee", bob, taken());
    work.commit(json!({})).await.unwrap();
    assert_eq!(journal.owner_of(TENANT, "name", "lee").await.unwrap(), Some(bob));
    let mut work = journal.begin(header(TENANT));
    work.release("name", "lee", bob);
    work.commit(json!({})).await.unwrap();
    reserve(ann).await.unwrap();
}

#[tokio::test]
async fn a_refused_request_leaves_the_vault_as_it_was() {
    let database = Database::create().await;
    let journal = database.journal().await;
    let id = Uuid::from_u128(1);
    let same = header(TENANT);
    let put = async |plain: &[u8]| {
        let mut work = journal.begin(same.clone());
        work.vault_put("pin", id, plain);
        work.commit(json!({})).await
    };
    put(b"4711").await.unwrap();
    assert!(matches!(put(b"0815").await, Err(CommitError::Duplicate(_))));
    let held = journal.vault_get(TENANT, "pin", id).await.unwrap().unwrap();
    assert_eq!(held.as_slice(), b"4711");
    assert_eq!(journal.vault_get(OTHER_TENANT, "pin", id).await.unwrap(), None);
    let stored: Vec<u8> = database.value("SELECT value FROM es.vault").await;
    assert!(!stored.windows(4).any(|bytes| bytes == b"4711"));

    let mut work = journal.begin(header(TENANT));
    work.vault_delete("pin", id);
    work.commit(json!({})).await.unwrap();
    assert_eq!(journal.vault_get(TENANT, "pin", id).await.unwrap(), None);
}

#[tokio::test]
async fn a_work_that_writes_nothing_leaves_no_trace() {
    let database = Database::create().await;
    let journal = database.journal().await;
    book(&journal, TENANT, Uuid::from_u128(1)).await;
    let mut work = journal.begin(header(TENANT));
    work.load::<Ledger>(Uuid::from_u128(1)).await.unwrap();
    assert!(work.is_empty());
    assert_eq!(work.commit(json!({})).await.unwrap().position, 1);
    assert_eq!(database.value::<i64>("SELECT count(*) FROM es.commands").await, 1);
}
