//! Following the log: exactly once in effect, nothing skipped, one leader.

use std::{sync::Arc, sync::atomic::Ordering, time::Duration};

use rollcall_domain::kernel::ids::SubjectId;
use rollcall_journal::Runner;
use uuid::Uuid;

use crate::support::{
    Balances, Booked, Database, Notary, OTHER_TENANT, Running, TENANT, book_all, entries,
    eventually,
};

fn note() -> Booked {
    Booked::note(SubjectId(Uuid::from_u128(0x5b)), "private")
}

/// A tenant whose fourth event is a note, and one with two entries.
async fn with_a_note(database: &Database) -> rollcall_journal::Journal {
    database.make_tables().await;
    let journal = database.journal().await;
    let mut events = entries(6);
    events[3] = note();
    book_all(&journal, TENANT, 1, events).await;
    book_all(&journal, OTHER_TENANT, 2, entries(2)).await;
    journal
}

#[tokio::test]
async fn who_waits_for_a_position_finds_its_rows() {
    let database = Database::create().await;
    database.make_tables().await;
    let journal = database.journal().await;
    let balances = Arc::new(Balances::new());
    let runner = database.runner(&journal, &balances).await.woken_by(journal.appended());
    let running = Running::start(runner);
    book_all(&journal, TENANT, 1, entries(5)).await;
    running.reaches("balances", TENANT, 5).await;
    assert_eq!(database.totals().await, (5, 5));

    // At once from memory, and in a process that does not lead from the table.
    let elsewhere = database.runner(&journal, &balances).await.handle();
    for progress in [&running.progress, &elsewhere] {
        progress.wait(&["balances"], TENANT, 5, Duration::ZERO).await.unwrap();
        let lagging = progress.wait(&["balances"], TENANT, 6, Duration::from_millis(50)).await;
        let lagging = lagging.unwrap_err();
        assert_eq!((lagging.position, lagging.at_least, lagging.error), (5, 6, None));
    }
    let waiting = tokio::spawn(async move {
        elsewhere.wait(&["balances"], TENANT, 6, Duration::from_secs(10)).await
    });
    book_all(&journal, TENANT, 1, entries(1)).await;
    waiting.await.unwrap().unwrap();
    assert_eq!(database.totals().await, (6, 6));
}

#[tokio::test]
async fn a_poison_event_stalls_its_tenant_only_and_recovers_when_fixed() {
    let database = Database::create().await;
    let journal = with_a_note(&database).await;
    for (at_fault, complaint) in [(0, "a note"), (1, "cannot take notes")] {
        let balances = Arc::new(Balances::new());
        let switch = [&balances.refuses_notes, &balances.panics_at_notes][at_fault];
        switch.store(true, Ordering::SeqCst);
        let running = Running::start(database.runner(&journal, &balances).await);
        running.reaches("balances", OTHER_TENANT, 2).await;
        running.reaches("balances", TENANT, 3).await;
        eventually(async || {
            let lag = running.progress.lag().await.unwrap();
            let lag = lag.into_iter().find(|lag| lag.tenant == TENANT).unwrap();
            assert_eq!((lag.position, lag.head), (3, 6));
            lag.error.is_some_and(|error| error.contains("at 4") && error.contains(complaint))
                && lag.status == "STALLED"
        })
        .await;
        assert_eq!(database.totals().await, (5, 5));
        running.kill().await;
    }

    let running = Running::start(database.runner(&journal, &Arc::new(Balances::new())).await);
    running.reaches("balances", TENANT, 6).await;
    assert_eq!(database.totals().await, (7, 8));
    let lag = running.progress.lag().await.unwrap();
    assert!(lag.iter().all(|lag| lag.status == "RUNNING" && lag.error.is_none()), "{lag:?}");
}

#[tokio::test]
async fn a_projection_is_given_what_it_reads_and_passes_over_the_rest() {
    let database = Database::create().await;
    let journal = with_a_note(&database).await;
    let balances = Arc::new(Balances::new());
    balances.skips_notes.store(true, Ordering::SeqCst);
    balances.refuses_notes.store(true, Ordering::SeqCst);
    let running = Running::start(database.runner(&journal, &balances).await);
    running.reaches("balances", TENANT, 6).await;
    running.reaches("balances", OTHER_TENANT, 2).await;
    assert_eq!(database.totals().await, (7, 7));

    let applied = balances.batches();
    book_all(&journal, TENANT, 1, vec![note(), note()]).await;
    running.reaches("balances", TENANT, 8).await;
    assert_eq!((database.totals().await, balances.batches()), ((7, 7), applied));
    book_all(&journal, TENANT, 1, entries(1)).await;
    running.reaches("balances", TENANT, 9).await;
    assert_eq!((database.totals().await, balances.batches()), ((8, 8), applied + 1));
    let lag = running.progress.lag().await.unwrap();
    assert!(lag.iter().all(|lag| lag.status == "RUNNING" && lag.position == lag.head), "{lag:?}");
}

#[tokio::test]
async fn a_stalled_subscriber_goes_on_by_itself() {
    let database = Database::create().await;
    let journal = with_a_note(&database).await;
    let balances = Arc::new(Balances::new());
    balances.refuses_notes.store(true, Ordering::SeqCst);
    let running = Running::start(database.runner(&journal, &balances).await);
    running.reaches("balances", TENANT, 3).await;
    balances.refuses_notes.store(false, Ordering::SeqCst);
    running.reaches("balances", TENANT, 6).await;
    running.reaches("balances", OTHER_TENANT, 2).await;
    assert_eq!(database.totals().await, (7, 8));
}

#[tokio::test]
async fn a_gap_stalls_its_tenant_only_until_it_is_filled() {
    let database = Database::create().await;
    let journal = with_a_note(&database).await;
    let events = "tenant_position = 2 AND tenant_id = '00000000-0000-0000-0000-00000000007e'";
    let lose = [
        format!("CREATE TABLE public.lost AS SELECT * FROM es.events WHERE {events}"),
        "ALTER TABLE es.events DISABLE TRIGGER ALL".to_owned(),
        format!("DELETE FROM es.events WHERE {events}"),
    ];
    for statement in &lose {
        database.execute(statement).await.unwrap();
    }
    let running = Running::start(database.runner(&journal, &Arc::new(Balances::new())).await);
    running.reaches("balances", OTHER_TENANT, 2).await;
    running.reaches("balances", TENANT, 1).await;
    eventually(async || {
        let lagging = running.progress.wait(&["balances"], TENANT, 6, Duration::ZERO).await;
        let lagging = lagging.unwrap_err();
        assert_eq!(lagging.position, 1);
        lagging.error.is_some_and(|error| error.contains("expected the event at 2"))
    })
    .await;
    database.execute("INSERT INTO es.events SELECT * FROM public.lost").await.unwrap();
    running.reaches("balances", TENANT, 6).await;
    assert_eq!(database.totals().await, (7, 8));
}

#[tokio::test]
async fn of_two_runners_one_leads_and_the_other_takes_over() {
    let database = Database::create().await;
    database.make_tables().await;
    let journal = database.journal().await;
    let (first, second) = (Arc::new(Balances::new()), Arc::new(Balances::new()));
    let leader = Running::start(database.runner(&journal, &first).await);
    book_all(&journal, TENANT, 1, entries(3)).await;
    leader.reaches("balances", TENANT, 3).await;

    let standby = Running::start(database.runner(&journal, &second).await);
    for position in 4..10 {
        book_all(&journal, TENANT, 1, entries(1)).await;
        standby.reaches("balances", TENANT, position).await;
    }
    assert_eq!(second.batches(), 0);

    let before = first.batches();
    leader.kill().await;
    book_all(&journal, TENANT, 1, entries(3)).await;
    standby.reaches("balances", TENANT, 12).await;
    assert_eq!(first.batches(), before);
    assert_eq!(database.totals().await, (12, 12));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_runner_killed_at_any_moment_applies_each_event_once() {
    let database = Database::create().await;
    database.make_tables().await;
    let journal = database.journal().await;
    for ledger in 0..4 {
        let tenant = if ledger % 2 == 0 { TENANT } else { OTHER_TENANT };
        book_all(&journal, tenant, ledger, entries(1_300)).await;
    }
    let slow = Balances { pause: Duration::from_millis(30), ..Balances::new() };
    let slow = Arc::new(slow);
    for round in 0..12 {
        let running = Running::start(database.runner(&journal, &slow).await);
        tokio::time::sleep(Duration::from_millis(60 + 45 * round)).await;
        running.kill().await;
    }
    let running = Running::start(database.runner(&journal, &slow).await);
    running.reaches("balances", TENANT, 2_600).await;
    running.reaches("balances", OTHER_TENANT, 2_600).await;
    assert_eq!(database.totals().await, (5_200, 5_200));
    assert!(slow.batches() > 6, "no batch was ever interrupted: {}", slow.batches());
}

#[tokio::test]
async fn an_append_by_anybody_wakes_the_runner() {
    let database = Database::create().await;
    database.make_tables().await;
    let journal = database.journal().await;
    let running = Running::start(database.runner(&journal, &Arc::new(Balances::new())).await);
    book_all(&journal, TENANT, 1, entries(1)).await;
    running.reaches("balances", TENANT, 1).await;
    // Ten polls would take ten seconds.
    let elsewhere = database.journal().await;
    let rounds = async {
        for position in 2..12 {
            book_all(&elsewhere, TENANT, 1, entries(1)).await;
            running.reaches("balances", TENANT, position).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(6), rounds).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn runners_survive_the_loss_of_all_connections() {
    let database = Database::create().await;
    database.make_tables().await;
    book_all(&database.journal().await, TENANT, 1, entries(2_500)).await;
    let slow = Balances { pause: Duration::from_millis(200), ..Balances::new() };
    let (journal, balances) = (database.journal().await, Arc::new(slow));
    let runners = [
        Running::start(database.runner(&journal, &balances).await),
        Running::start(database.runner(&journal, &balances).await),
    ];
    tokio::time::sleep(Duration::from_millis(300)).await;
    let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE datname = current_database() AND pid <> pg_backend_pid()";
    assert!(database.execute(cut).await.unwrap() > 4);
    for running in &runners {
        running.reaches("balances", TENANT, 2_500).await;
    }
    assert_eq!(database.totals().await, (2_500, 2_500));
    book_all(&database.journal().await, TENANT, 1, entries(1)).await;
    runners[0].reaches("balances", TENANT, 2_501).await;
}

#[tokio::test]
async fn a_runner_stops_when_told() {
    let database = Database::create().await;
    database.make_tables().await;
    let journal = database.journal().await;
    let running = Running::start(database.runner(&journal, &Arc::new(Balances::new())).await);
    book_all(&journal, TENANT, 1, entries(1)).await;
    running.reaches("balances", TENANT, 1).await;
    running.shutdown.send_replace(true);
    tokio::time::timeout(Duration::from_secs(5), running.task).await.unwrap().unwrap();
}

#[tokio::test]
async fn what_a_process_writes_commits_with_its_checkpoint() {
    let database = Database::create().await;
    let journal = with_a_note(&database).await;
    let notary = Arc::new(Notary::default());
    notary.fails.store(true, Ordering::SeqCst);
    let reader = database.reader(&journal).await;
    let runner = Runner::new(database.runner_pool().await, reader, Vec::new());
    let running = Running::start(runner.with_processes(vec![Arc::clone(&notary) as _]));
    eventually(async || {
        let lag = running.progress.lag().await.unwrap();
        lag.iter().filter(|lag| lag.status == "STALLED").count() == 2
    })
    .await;
    assert_eq!(database.value::<i64>("SELECT count(*) FROM ops.notarised").await, 0);
    notary.fails.store(false, Ordering::SeqCst);
    running.reaches("notary", TENANT, 6).await;
    running.reaches("notary", OTHER_TENANT, 2).await;
    let once = "SELECT count(*) = 8 AND count(DISTINCT event_id) = 8 FROM ops.notarised";
    assert!(database.value::<bool>(once).await);
}

#[tokio::test]
#[should_panic(expected = "two subscribers are called notary")]
async fn two_subscribers_of_one_name_are_refused() {
    let database = Database::create().await;
    let journal = database.journal().await;
    let runner =
        Runner::new(database.runner_pool().await, database.reader(&journal).await, Vec::new());
    let notary = || Arc::new(Notary::default()) as _;
    Running::start(runner.with_processes(vec![notary(), notary()]));
}
