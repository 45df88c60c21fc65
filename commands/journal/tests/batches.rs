//! What happens inside a batch, and to a batch whose outcome is unknown.

use std::time::Duration;

use futures_util::future::join_all;
use rollcall_journal::{CommitError, Committed, Journal, JournalError};
use serde_json::json;
use sqlx::{Connection, PgConnection};
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::support::LedgerCommand;
use crate::support::{Booked, Database, Ledger, TENANT, book, decision, eventually, header, taken};

pub type Outcome = Result<Committed, CommitError>;

/// Holds the head, so that one append waits in the database and all others gather behind it.
pub struct Dam(PgConnection);

impl Dam {
    pub async fn raise(database: &Database) -> Self {
        let mut connection = PgConnection::connect_with(&database.superuser()).await.unwrap();
        sqlx::query("BEGIN").execute(&mut connection).await.unwrap();
        let hold = "SELECT FROM es.head FOR UPDATE";
        sqlx::query(hold).execute(&mut connection).await.unwrap();
        Self(connection)
    }

    pub async fn lower(mut self) {
        sqlx::query("COMMIT").execute(&mut self.0).await.unwrap();
    }
}

/// Waits until `count` connections wait for the head.
pub async fn stopped_at_the_dam(database: &Database, count: i64) {
    let waiting = "SELECT count(*) FROM pg_stat_activity
                    WHERE datname = current_database() AND wait_event_type = 'Lock'";
    eventually(async || database.value::<i64>(waiting).await == count).await;
}

pub fn spawn_booking(journal: &Journal, stream: u128) -> JoinHandle<Outcome> {
    let journal = journal.clone();
    tokio::spawn(async move {
        let mut work = journal.begin(header(TENANT));
        work.record::<Ledger>(Uuid::from_u128(stream), vec![Booked::entry(1)]).await.unwrap();
        work.commit(json!({})).await
    })
}

#[tokio::test]
async fn commands_on_one_stream_queue_behind_each_other() {
    let database = Database::create().await;
    let journal = database.journal().await;
    let id = Uuid::from_u128(1);
    let mut work = journal.begin(header(TENANT));
    work.record::<Ledger>(id, vec![Booked::entry(30)]).await.unwrap();
    work.commit(json!({})).await.unwrap();

    let withdrawals = join_all((0..40).map(|_| async {
        let mut work = journal.begin(header(TENANT));
        work.decide::<Ledger>(id, &decision(), LedgerCommand::Withdraw(1)).await.ok()?;
        Some(work.commit(json!({})).await.unwrap())
    }))
    .await;
    // Ten were refused for want of balance, none for a conflict.
    assert_eq!(withdrawals.iter().flatten().count(), 30);
    assert_eq!(journal.load::<Ledger>(TENANT, id).await.unwrap().state.balance, 0);
}

#[tokio::test]
async fn requests_that_collide_are_judged_one_after_the_other() {
    let database = Database::create().await;
    let journal = database.journal().await;
    let dam = Dam::raise(&database).await;
    let first = spawn_booking(&journal, 1);
    stopped_at_the_dam(&database, 1).await;

    let owners = (0..20).map(|n| {
        let journal = journal.clone();
        tokio::spawn(async move {
            let mut work = journal.begin(header(TENANT));
            work.reserve("name", "lee", Uuid::from_u128(n), taken());
            work.commit(json!({})).await
        })
    });
    let same = header(TENANT);
    let repetitions = (0..20).map(|n| {
        let (journal, header) = (journal.clone(), same.clone());
        tokio::spawn(async move {
            let mut work = journal.begin(header);
            work.vault_put("pin", Uuid::from_u128(n), b"4711");
            work.commit(json!({})).await
        })
    });
    let (owners, repetitions): (Vec<_>, Vec<_>) = (owners.collect(), repetitions.collect());
    tokio::time::sleep(Duration::from_millis(100)).await;
    dam.lower().await;

    first.await.unwrap().unwrap();
    let owners: Vec<_> = join_all(owners).await.into_iter().map(Result::unwrap).collect();
    let refused = |outcome: &&Outcome| matches!(outcome, Err(CommitError::Taken(_)));
    assert_eq!(owners.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    assert_eq!(owners.iter().filter(refused).count(), 19);
    let repetitions: Vec<_> = join_all(repetitions).await.into_iter().map(Result::unwrap).collect();
    let repeated = |outcome: &&Outcome| matches!(outcome, Err(CommitError::Duplicate(_)));
    assert_eq!(repetitions.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    assert_eq!(repetitions.iter().filter(repeated).count(), 19);
    assert_eq!(database.value::<i64>("SELECT count(*) FROM es.vault").await, 1);
}

#[tokio::test]
async fn requests_that_wait_together_share_a_commit() {
    let database = Database::create().await;
    let journal = database.journal().await;
    let mut works = Vec::new();
    for n in 1..50 {
        let mut work = journal.begin(header(TENANT));
        work.record::<Ledger>(Uuid::from_u128(n), vec![Booked::entry(1)]).await.unwrap();
        works.push(work);
    }
    let dam = Dam::raise(&database).await;
    let lower = async {
        stopped_at_the_dam(&database, 1).await;
        dam.lower().await;
    };
    let committed = join_all(works.into_iter().map(|work| work.commit(json!({}))));
    let (committed, ()) = tokio::join!(committed, lower);
    assert!(committed.iter().all(Result::is_ok));
    let commits = "SELECT count(DISTINCT recorded_at) FROM es.events";
    assert_eq!(database.value::<i64>(commits).await, 2);
}

#[tokio::test]
async fn a_bad_request_does_not_spoil_its_batch() {
    let database = Database::create().await;
    let journal = database.journal().await;
    let dam = Dam::raise(&database).await;
    let first = spawn_booking(&journal, 1);
    stopped_at_the_dam(&database, 1).await;
    let good = spawn_booking(&journal, 2);
    let bad = tokio::spawn({
        let mut work = journal.begin(header(TENANT));
        work.vault_put("no text \0 in PostgreSQL", Uuid::nil(), b"x");
        work.commit(json!({}))
    });
    tokio::time::sleep(Duration::from_millis(100)).await;
    dam.lower().await;
    first.await.unwrap().unwrap();
    assert_eq!(good.await.unwrap().unwrap().position, 2);
    let refused = bad.await.unwrap();
    assert!(matches!(refused, Err(CommitError::Journal(JournalError::Refused(_)))), "{refused:?}");
}

#[tokio::test]
async fn a_caller_who_goes_away_takes_nobody_along() {
    let database = Database::create().await;
    let journal = database.journal().await;
    let dam = Dam::raise(&database).await;
    let leader = spawn_booking(&journal, 1);
    stopped_at_the_dam(&database, 1).await;
    let follower = spawn_booking(&journal, 2);
    tokio::time::sleep(Duration::from_millis(50)).await;
    leader.abort();
    assert!(leader.await.unwrap_err().is_cancelled());
    dam.lower().await;

    follower.await.unwrap().unwrap();
    book(&journal, TENANT, Uuid::from_u128(3)).await;
    // Whether the abandoned request went through was for the database to say; it did, once.
    assert_eq!(database.value::<i64>("SELECT count(*) FROM es.events").await, 3);
    assert_eq!(journal.load::<Ledger>(TENANT, Uuid::from_u128(1)).await.unwrap().version, 1);
}

#[tokio::test]
async fn a_runtime_that_shuts_down_during_an_append_ends_and_leaves_a_sound_journal() {
    let database = Database::create().await;
    let dam = Dam::raise(&database).await;
    let other = tokio::runtime::Runtime::new().unwrap();
    let journal = {
        let database = database.clone();
        other.spawn(async move { database.journal().await }).await.unwrap()
    };
    // The leader's flight and those waiting behind it belong to the runtime that goes.
    let leaving: Vec<_> = (1..=3)
        .map(|n| {
            let journal = journal.clone();
            other.spawn(async move { book(&journal, TENANT, Uuid::from_u128(n)).await })
        })
        .collect();
    stopped_at_the_dam(&database, 1).await;
    let shut_down = tokio::task::spawn_blocking(move || drop(other));
    tokio::time::timeout(Duration::from_secs(10), shut_down).await.expect("it ends").unwrap();
    for task in leaving {
        assert!(task.await.unwrap_err().is_cancelled());
    }
    dam.lower().await;
    stopped_at_the_dam(&database, 0).await;

    // The database alone says whether the append went through; those behind it were never sent.
    let committed = book(&database.journal().await, TENANT, Uuid::from_u128(9)).await;
    let events: i64 = database.value("SELECT count(*) FROM es.events").await;
    assert!((1..=2).contains(&events), "{events}");
    assert_eq!((committed.position, committed.global), (events, events));
}

#[tokio::test]
async fn a_connection_cut_during_the_append_costs_nothing_but_time() {
    let database = Database::create().await;
    let journal = database.journal().await;
    let dam = Dam::raise(&database).await;
    let cut = spawn_booking(&journal, 1);
    stopped_at_the_dam(&database, 1).await;
    let terminate = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                      WHERE datname = current_database() AND wait_event_type = 'Lock'";
    assert!(database.value::<bool>(terminate).await);
    dam.lower().await;
    assert_eq!(cut.await.unwrap().unwrap().position, 1);
    assert_eq!(database.value::<i64>("SELECT count(*) FROM es.events").await, 1);
}

#[tokio::test]
async fn an_append_whose_answer_is_lost_is_found_and_not_repeated() {
    let database = Database::create().await;
    let (journal, proxy) = database.journal_behind_a_proxy().await;
    let id = Uuid::from_u128(1);
    book(&journal, TENANT, id).await;
    let mut work = journal.begin(header(TENANT));
    work.record::<Ledger>(id, vec![Booked::entry(1)]).await.unwrap();
    proxy.lose_next_answer();
    let committed = work.commit(json!({})).await.unwrap();
    assert!(proxy.has_struck());
    assert_eq!((committed.position, committed.global), (2, 2));
    let stored: Vec<Uuid> =
        database.value("SELECT array_agg(event_id ORDER BY position) FROM es.events").await;
    assert_eq!(stored.len(), 2);
    assert_eq!(stored[1..], committed.event_ids);
    assert_eq!(journal.load::<Ledger>(TENANT, id).await.unwrap().version, 2);
}

#[tokio::test]
async fn an_append_that_is_cut_off_each_time_is_said_to_be_unknown() {
    let database = Database::create().await;
    let journal = database.journal().await;
    let die = "CREATE FUNCTION es.die() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS
               $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$";
    database.execute(die).await.unwrap();
    let on_append =
        "CREATE TRIGGER die AFTER INSERT ON es.events FOR EACH ROW EXECUTE FUNCTION es.die()";
    database.execute(on_append).await.unwrap();
    let cut = spawn_booking(&journal, 1).await.unwrap();
    assert!(matches!(cut, Err(CommitError::Journal(JournalError::Unavailable(_)))), "{cut:?}");
    database.execute("DROP TRIGGER die ON es.events").await.unwrap();
    assert_eq!(book(&journal, TENANT, Uuid::from_u128(1)).await.position, 1);
}

#[tokio::test]
async fn after_a_restore_what_was_known_before_is_not_relied_on() {
    let database = Database::create().await;
    let journal = database.journal().await;
    let id = Uuid::from_u128(1);
    book(&journal, TENANT, id).await;
    database.execute("UPDATE es.head SET epoch = gen_random_uuid()").await.unwrap();
    let refused = spawn_booking(&journal, 1).await.unwrap();
    assert!(matches!(refused, Err(CommitError::Conflict { .. })), "{refused:?}");
    assert_eq!(book(&journal, TENANT, id).await.position, 2);
}
