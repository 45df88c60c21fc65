//! Personal data in the log, its keys, and erasure.

use rollcall_domain::{Sealed, kernel::ids::SubjectId};
use rollcall_journal::Journal;
use serde_json::json;
use uuid::Uuid;

use crate::support::{Booked, Database, Ledger, TENANT, eventually, header};

const ANN: SubjectId = SubjectId(Uuid::from_u128(0xa));
const BOB: SubjectId = SubjectId(Uuid::from_u128(0xb));

async fn note(journal: &Journal, stream: u128, subject: SubjectId, text: &str) {
    let mut header = header(TENANT);
    header.client_address = Some(Sealed::new(subject, "192.0.2.7".to_owned()));
    let mut work = journal.begin(header);
    let events = vec![Booked::note(subject, text)];
    work.record::<Ledger>(Uuid::from_u128(stream), events).await.unwrap();
    work.commit(json!({})).await.unwrap();
}

async fn notes(journal: &Journal, stream: u128) -> Vec<Option<String>> {
    let loaded = journal.load::<Ledger>(TENANT, Uuid::from_u128(stream)).await.unwrap();
    loaded.state.notes.iter().map(|note| note.get().cloned()).collect()
}

#[tokio::test]
async fn what_is_stored_tells_nothing_and_every_process_can_open_it() {
    let database = Database::create().await;
    let (here, there) = (database.journal().await, database.journal().await);
    note(&here, 1, ANN, "allergic to bees").await;
    note(&there, 1, BOB, "afraid of bees").await;
    let stored = "SELECT string_agg(payload::text || metadata::text, '') FROM es.events";
    let stored: String = database.value(stored).await;
    assert!(!stored.contains("bees") && !stored.contains("192.0.2.7"), "{stored}");
    for journal in [&here, &there, &database.journal().await] {
        let read = journal.load_fresh::<Ledger>(TENANT, Uuid::from_u128(1)).await.unwrap();
        assert_eq!(read.version, 2);
        let opened = ["allergic to bees", "afraid of bees"].map(|text| Some(text.to_owned()));
        assert_eq!(notes(journal, 1).await, opened);
    }
}

#[tokio::test]
async fn an_erased_subject_reads_as_erased_everywhere() {
    let database = Database::create().await;
    let (here, there) = (database.journal().await, database.journal().await);
    note(&here, 1, ANN, "secret").await;
    note(&here, 1, BOB, "kept").await;
    assert_eq!(notes(&there, 1).await, [Some("secret".to_owned()), Some("kept".to_owned())]);

    let mut work = here.begin(header(TENANT));
    work.erase(ANN);
    work.commit(json!({})).await.unwrap();
    let erased = [None, Some("kept".to_owned())];
    assert_eq!(notes(&here, 1).await, erased);
    eventually(async || notes(&there, 1).await == erased).await;
    let keys =
        "SELECT count(*) FROM es.subject_keys WHERE destroyed_at IS NOT NULL AND wrapped IS NULL";
    assert_eq!(database.value::<i64>(keys).await, 1);

    // What is said about them later is not kept either.
    note(&there, 1, ANN, "again").await;
    assert_eq!(notes(&database.journal().await, 1).await, [None, Some("kept".to_owned()), None]);
}

#[tokio::test]
async fn a_key_destroyed_by_another_process_is_not_sealed_under() {
    let database = Database::create().await;
    let (here, there) = (database.journal().await, database.journal().await);
    note(&here, 1, ANN, "one").await;
    // Behind the back of this process: without a notification its cached key stays.
    let destroy = "UPDATE es.subject_keys SET wrapped = NULL, destroyed_at = now()";
    assert_eq!(database.execute(destroy).await.unwrap(), 1);
    note(&here, 2, ANN, "two").await;
    assert_eq!(notes(&there, 2).await, [None]);
    let markers = "SELECT payload->'Note'->'text'->'$sealed'->>'ct' IS NULL FROM es.events WHERE position = 2";
    assert!(database.value::<bool>(markers).await, "nothing may be sealed under a lost key");
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_that_make_the_same_key_at_once_agree_on_one() {
    let database = Database::create().await;
    let journals = [database.journal().await, database.journal().await];
    let writers = (0..16).map(|n| {
        let journal = journals[n % 2].clone();
        let subject = if n % 4 < 2 { ANN } else { BOB };
        tokio::spawn(async move { note(&journal, 100 + n as u128, subject, "text").await })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    let fresh = database.journal().await;
    for n in 0..16 {
        assert_eq!(notes(&fresh, 100 + n).await, [Some("text".to_owned())]);
    }
    assert_eq!(database.value::<i64>("SELECT count(*) FROM es.tenant_keys").await, 1);
    assert_eq!(database.value::<i64>("SELECT count(*) FROM es.subject_keys").await, 2);
}
