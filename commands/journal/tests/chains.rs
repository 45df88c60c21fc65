//! Commands that go on from others that are handed in but not written yet.

use std::time::Duration;

use futures_util::future::join_all;
use rollcall_journal::{CommitError, Journal, Work, WorkError};
use serde_json::json;
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::{
    batches::{Dam, Outcome, spawn_booking, stopped_at_the_dam},
    support::{Booked, Database, Ledger, LedgerCommand, TENANT, decision, header, taken},
};

const LEDGER: Uuid = Uuid::from_u128(1);
const NAME: &str = "lee";

/// Booked one by one and gap-free, and to what sum.
const BALANCE: &str = "SELECT sum((payload->'Entry'->>'amount')::bigint)::bigint FROM es.events
                        WHERE aggregate_id = '00000000-0000-0000-0000-000000000001'
                       HAVING max(sequence) = count(*)";

async fn withdraw(journal: &Journal) -> Result<Work, WorkError> {
    let mut work = journal.begin(header(TENANT));
    work.decide::<Ledger>(LEDGER, &decision(), LedgerCommand::Withdraw(1)).await?;
    Ok(work)
}

async fn deposit(journal: &Journal, amount: i64) -> Work {
    let mut work = journal.begin(header(TENANT));
    work.record::<Ledger>(LEDGER, vec![Booked::entry(amount)]).await.unwrap();
    work
}

/// A deposit that stands in the queue until the dam is lowered, and is refused then: its name is
/// somebody else's.
async fn hand_in_a_vain_deposit(journal: &Journal) -> JoinHandle<Outcome> {
    let mut work = deposit(journal, 1).await;
    work.reserve("name", NAME, Uuid::from_u128(2), taken());
    hand_in(work).await
}

async fn hand_in(work: Work) -> JoinHandle<Outcome> {
    let handed_in = tokio::spawn(work.commit(json!({})));
    tokio::time::sleep(Duration::from_millis(50)).await;
    handed_in
}

/// A journal whose appends gather behind one that the dam holds; `NAME` is somebody's.
async fn dammed(database: &Database) -> (Journal, Dam, JoinHandle<Outcome>) {
    let journal = database.journal().await;
    let mut work = journal.begin(header(TENANT));
    work.reserve("name", NAME, Uuid::from_u128(1), taken());
    work.commit(json!({})).await.unwrap();
    let dam = Dam::raise(database).await;
    let first = spawn_booking(&journal, 99);
    stopped_at_the_dam(database, 1).await;
    (journal, dam, first)
}

fn is_orphaned<T>(outcome: &Result<T, CommitError>) -> bool {
    matches!(outcome, Err(CommitError::Orphaned))
}

#[tokio::test]
async fn commands_on_one_stream_share_a_commit() {
    let database = Database::create().await;
    let (journal, dam, first) = dammed(&database).await;
    let opening = hand_in(deposit(&journal, 30).await).await;
    let withdrawals: Vec<_> = (0..40)
        .map(|_| {
            let journal = journal.clone();
            tokio::spawn(async move {
                let work = withdraw(&journal).await.ok()?;
                Some(work.commit(json!({})).await.unwrap())
            })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(200)).await;
    dam.lower().await;

    first.await.unwrap().unwrap();
    opening.await.unwrap().unwrap();
    let withdrawn = join_all(withdrawals).await.into_iter().filter_map(Result::unwrap).count();
    assert_eq!(withdrawn, 30, "ten were refused for want of balance, none for a conflict");
    assert_eq!(database.value::<i64>(BALANCE).await, 0);
    let commits = "SELECT count(DISTINCT recorded_at) FROM es.events
                    WHERE aggregate_id = '00000000-0000-0000-0000-000000000001'";
    assert_eq!(database.value::<i64>(commits).await, 1);
}

#[tokio::test]
async fn who_went_on_from_a_command_that_is_refused_falls_with_it() {
    let database = Database::create().await;
    let (journal, dam, first) = dammed(&database).await;
    let vain = hand_in_a_vain_deposit(&journal).await;
    let writing = hand_in(withdraw(&journal).await.unwrap()).await;
    let mut reading = journal.begin(header(TENANT));
    assert_eq!(reading.load::<Ledger>(LEDGER).await.unwrap().balance, 0);
    reading.record::<Ledger>(Uuid::from_u128(2), vec![Booked::entry(1)]).await.unwrap();
    let reading = hand_in(reading).await;
    let beside = hand_in_beside(&journal).await;
    dam.lower().await;

    first.await.unwrap().unwrap();
    assert!(matches!(vain.await.unwrap(), Err(CommitError::Taken(_))));
    assert!(is_orphaned(&writing.await.unwrap()));
    assert!(is_orphaned(&reading.await.unwrap()));
    beside.await.unwrap().unwrap();
    // The next one finds the stream as it is written.
    assert!(matches!(withdraw(&journal).await, Err(WorkError::Refused(_))));
    deposit(&journal, 5).await.commit(json!({})).await.unwrap();
    assert_eq!(database.value::<i64>(BALANCE).await, 5);
}

/// A command of the same batch that has nothing to do with the others.
async fn hand_in_beside(journal: &Journal) -> JoinHandle<Outcome> {
    let handed_in = spawn_booking(journal, 3);
    tokio::time::sleep(Duration::from_millis(50)).await;
    handed_in
}

#[tokio::test]
async fn what_rests_on_a_command_is_not_answered_before_that_is_written() {
    let database = Database::create().await;
    let (journal, dam, first) = dammed(&database).await;
    let vain = hand_in_a_vain_deposit(&journal).await;
    let looked_at = async || {
        let mut work = journal.begin(header(TENANT));
        work.load::<Ledger>(LEDGER).await.unwrap();
        work
    };
    let (changing_nothing, refusing) = (looked_at().await, looked_at().await);
    let nothing = hand_in(changing_nothing).await;
    assert!(!nothing.is_finished());
    let written = journal.load::<Ledger>(TENANT, LEDGER).await.unwrap();
    assert_eq!(written.version, 0, "what is read for an answer is written");
    dam.lower().await;

    first.await.unwrap().unwrap();
    assert!(!refusing.still_holds().await.unwrap());
    assert!(is_orphaned(&nothing.await.unwrap()));
    assert!(vain.await.unwrap().is_err());

    let database = Database::create().await;
    let (journal, dam, first) = dammed(&database).await;
    let good = hand_in(deposit(&journal, 1).await).await;
    let mut work = journal.begin(header(TENANT));
    assert_eq!(work.load::<Ledger>(LEDGER).await.unwrap().balance, 1);
    dam.lower().await;
    assert!(work.still_holds().await.unwrap());
    good.await.unwrap().unwrap();
    first.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_command_on_an_older_version_than_what_was_handed_in_is_turned_back_at_once() {
    let database = Database::create().await;
    let (journal, dam, first) = dammed(&database).await;
    let mut late = journal.begin(header(TENANT));
    late.load::<Ledger>(LEDGER).await.unwrap();
    late.record::<Ledger>(Uuid::from_u128(2), vec![Booked::entry(1)]).await.unwrap();
    let handed_in = hand_in(deposit(&journal, 1).await).await;
    let outrun = late.commit(json!({})).await;
    assert!(
        matches!(outrun, Err(CommitError::Conflict { aggregate_id, .. }) if aggregate_id == LEDGER)
    );
    dam.lower().await;
    first.await.unwrap().unwrap();
    handed_in.await.unwrap().unwrap();
}

#[tokio::test]
async fn two_processes_on_one_stream_lose_and_double_nothing() {
    let database = Database::create().await;
    let journals = [database.journal().await, database.journal().await];
    let commands = (0..120).map(|n| {
        let journal = journals[n % 2].clone();
        tokio::spawn(async move {
            // Every sixth is refused, whoever comes first.
            let in_vain = n % 6 == 0;
            loop {
                let mut work = deposit(&journal, 1).await;
                if in_vain {
                    work.reserve("name", NAME, Uuid::from_u128(n as u128), taken());
                }
                match work.commit(json!({})).await {
                    Ok(_) => return true,
                    Err(CommitError::Taken(_)) => return false,
                    Err(CommitError::Conflict { .. } | CommitError::Orphaned) => {}
                    Err(other) => panic!("{other}"),
                }
            }
        })
    });
    let commands: Vec<_> = commands.collect();
    let written =
        join_all(commands).await.into_iter().filter(|done| *done.as_ref().unwrap()).count();
    assert_eq!(written, 101, "one of those who wanted the name has it");
    assert_eq!(database.value::<i64>(BALANCE).await, 101);
    for journal in journals {
        let seen = journal.load_fresh::<Ledger>(TENANT, LEDGER).await.unwrap();
        assert_eq!((seen.version, seen.state.balance), (101, 101));
    }
}
