//! Rebuilding: the same rows as the incremental run, beside it, without anybody noticing.

use std::{sync::Arc, time::Duration};

use rollcall_journal::{
    Journal, Projection,
    rebuild::{Difference, drop_retired, rebuild, verify_rebuild},
};

use crate::support::{
    Balances, Booked, Database, OTHER_TENANT, Running, TENANT, book_all, entries,
};

async fn followed(database: &Database) -> (Journal, Running) {
    database.make_tables().await;
    let journal = database.journal().await;
    for ledger in 0..5 {
        book_all(&journal, TENANT, ledger, entries(300)).await;
    }
    book_all(&journal, OTHER_TENANT, 9, entries(3)).await;
    let running = Running::start(database.runner(&journal, &Arc::new(Balances::new())).await);
    running.reaches("balances", TENANT, 1_500).await;
    running.reaches("balances", OTHER_TENANT, 3).await;
    (journal, running)
}

fn balances(version: i32) -> Arc<dyn Projection<Booked>> {
    Arc::new(Balances { version, ..Balances::new() })
}

#[tokio::test]
async fn a_rebuild_gives_the_same_rows_and_finds_those_that_are_wrong() {
    let database = Database::create().await;
    let (journal, running) = followed(&database).await;
    let reader = database.reader(&journal).await;
    let owner = database.owner();
    assert_eq!(verify_rebuild(&owner, &reader, &balances(1)).await.unwrap(), []);

    database.execute("UPDATE read.balances SET balance = 0 WHERE events = 3").await.unwrap();
    let wrong = Difference { table: "balances", live_rows: 6, rebuilt_rows: 6 };
    let found = verify_rebuild(&owner, &reader, &balances(1)).await.unwrap();
    assert_eq!(found, std::slice::from_ref(&wrong));
    assert_eq!(database.totals().await, (1_500, 1_503), "a comparison changes nothing");

    let rebuilt = rebuild(&owner, &reader, &balances(1)).await.unwrap();
    assert_eq!((rebuilt.events, rebuilt.differences), (1_503, vec![wrong]));
    assert_eq!(database.totals().await, (1_503, 1_503));
    let retired = "SELECT sum(balance)::bigint FROM retired_balances.balances";
    assert_eq!(database.value::<i64>(retired).await, 1_500);

    book_all(&journal, TENANT, 1, entries(2)).await;
    running.reaches("balances", TENANT, 1_502).await;
    assert_eq!(database.totals().await, (1_505, 1_505), "the runner goes on in the new tables");
    assert_eq!(verify_rebuild(&owner, &reader, &balances(1)).await.unwrap(), []);

    drop_retired(&owner, "balances").await.unwrap();
    let left = "SELECT count(*) FROM pg_namespace WHERE nspname ~ '^(retired|rebuild)_'";
    assert_eq!(database.value::<i64>(left).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_while_events_keep_coming() {
    let database = Database::create().await;
    let (journal, running) = followed(&database).await;
    let reader = database.reader(&journal).await;
    let writing = tokio::spawn(async move {
        for _ in 0..60 {
            book_all(&journal, TENANT, 3, entries(5)).await;
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    for _ in 0..3 {
        let rebuilt = rebuild(&database.owner(), &reader, &balances(1)).await.unwrap();
        assert_eq!(rebuilt.differences, []);
    }
    writing.await.unwrap();
    running.reaches("balances", TENANT, 1_800).await;
    assert_eq!(database.totals().await, (1_803, 1_803));
}

#[tokio::test]
async fn rebuilt_tables_are_as_protected_and_indexed_as_before() {
    let database = Database::create().await;
    let (journal, _running) = followed(&database).await;
    let shape = "SELECT concat_ws(E'\\n', c.relrowsecurity, c.relforcerowsecurity, c.relacl, c.relowner,
           (SELECT string_agg(concat(policyname, roles, cmd, qual, with_check), ',' ORDER BY policyname)
              FROM pg_policies p WHERE p.schemaname = 'read' AND p.tablename = c.relname),
           (SELECT string_agg(indexdef, ',' ORDER BY indexname) FROM pg_indexes i
             WHERE i.schemaname = 'read' AND i.tablename = c.relname),
           (SELECT string_agg(conname || pg_get_constraintdef(k.oid), ',' ORDER BY conname)
              FROM pg_constraint k WHERE k.conrelid = c.oid))
      FROM pg_class c WHERE c.oid = 'read.balances'::regclass";
    let before: String = database.value(shape).await;
    assert!(before.contains("balances_by_size") && before.contains("balances_key"), "{before}");
    let reader = database.reader(&journal).await;
    rebuild(&database.owner(), &reader, &balances(1)).await.unwrap();
    assert_eq!(database.value::<String>(shape).await, before);
    let left = "SELECT count(*) FROM pg_namespace WHERE nspname = 'rebuild_balances'";
    assert_eq!(database.value::<i64>(left).await, 0);
}

#[tokio::test]
async fn a_new_version_waits_for_its_rebuild() {
    let database = Database::create().await;
    let (journal, running) = followed(&database).await;
    running.kill().await;
    // Version 2 counts everything twice.
    let second = Arc::new(Balances { version: 2, ..Balances::new() });
    let running = Running::start(database.runner(&journal, &second).await);
    book_all(&journal, TENANT, 1, entries(1)).await;
    let waited = running.progress.wait(&["balances"], TENANT, 1_501, Duration::from_secs(2)).await;
    assert_eq!(waited.unwrap_err().position, 1_500);
    assert_eq!((second.batches(), database.totals().await), (0, (1_503, 1_503)));

    let reader = database.reader(&journal).await;
    let rebuilt = rebuild(&database.owner(), &reader, &balances(2)).await.unwrap();
    assert_eq!((rebuilt.events, rebuilt.differences), (1_503, vec![]));
    running.reaches("balances", TENANT, 1_501).await;
    assert_eq!(database.totals().await, (3_008, 1_504));
}

#[tokio::test]
async fn a_projection_that_fails_leaves_the_running_one_alone() {
    let database = Database::create().await;
    let (journal, running) = followed(&database).await;
    let subject = rollcall_domain::kernel::ids::SubjectId(uuid::Uuid::from_u128(5));
    book_all(&journal, TENANT, 1, vec![Booked::note(subject, "x")]).await;
    running.reaches("balances", TENANT, 1_501).await;
    let failing = Balances::new();
    failing.refuses_notes.store(true, std::sync::atomic::Ordering::SeqCst);
    let failing: Arc<dyn Projection<Booked>> = Arc::new(failing);
    let reader = database.reader(&journal).await;
    rebuild(&database.owner(), &reader, &failing).await.unwrap_err();
    assert_eq!(database.totals().await, (1_503, 1_504));
    rebuild(&database.owner(), &reader, &balances(1)).await.unwrap();
    assert_eq!(database.totals().await, (1_503, 1_504));
}
