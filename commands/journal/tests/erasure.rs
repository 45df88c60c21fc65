//! Personal data in events: ciphertext in the log, readable with the key, erased without it.

use std::sync::Arc;

use rollcall_domain::{Sealed, kernel::ids::SubjectId};
use rollcall_journal::{
    Journal, JournalConfig, JournalError, Reader, clock::SystemClock, keys::KeyRing,
    secrets::MasterKey, upcast::Upcasters,
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Booked, Database, Ledger, OTHER_TENANT, TENANT, book_all};

const ANN: SubjectId = SubjectId(Uuid::from_u128(0xa));
const BOB: SubjectId = SubjectId(Uuid::from_u128(0xb));

async fn notes(reader: &Reader<Booked>) -> Vec<Booked> {
    let events = reader.tenant_after(TENANT, 0, 100).await.unwrap();
    events.into_iter().map(|recorded| recorded.event).collect()
}

fn erased(subject: SubjectId) -> Booked {
    Booked::Note { text: Sealed::Erased { subject } }
}

#[tokio::test]
async fn without_its_key_a_persons_data_reads_as_erased_and_others_stays() {
    let database = Database::create().await;
    let journal = database.journal().await;
    let written = vec![Booked::note(ANN, "likes tea"), Booked::note(BOB, "likes coffee")];
    book_all(&journal, TENANT, 1, written.clone()).await;
    book_all(&journal, OTHER_TENANT, 2, vec![Booked::note(ANN, "likes tea")]).await;
    let stored = "SELECT count(*) FROM es.events WHERE payload::text ~ 'likes'";
    assert_eq!(database.value::<i64>(stored).await, 0);

    let reader = database.reader(&journal).await;
    assert_eq!(notes(&reader).await, written);
    // A process that has just started finds the keys in the database.
    let ring =
        || async { KeyRing::new(&MasterKey::from_bytes([7; 32]), database.runner_pool().await) };
    let fresh = ring().await;
    let other = Reader::new(database.runner_pool().await, fresh.clone());
    assert_eq!(notes(&other).await, written);

    let destroy = format!(
        "DELETE FROM es.subject_keys WHERE tenant_id = '{TENANT}' AND subject_id = '{ANN}'"
    );
    database.execute(&destroy).await.unwrap();
    assert_eq!(notes(&other).await, written, "still in that process's memory");
    fresh.forget(TENANT, ANN);
    assert_eq!(notes(&other).await, [erased(ANN), written[1].clone()]);
    let elsewhere: Reader<Booked> = Reader::new(database.runner_pool().await, ring().await);
    let kept = elsewhere.tenant_after(OTHER_TENANT, 0, 1).await.unwrap();
    assert_eq!(kept[0].event, Booked::note(ANN, "likes tea"));

    // A new key for the same person does not bring the old data back.
    journal.keys().forget(TENANT, ANN);
    book_all(&journal, TENANT, 1, vec![Booked::note(ANN, "is back")]).await;
    let expected = [erased(ANN), written[1].clone(), Booked::note(ANN, "is back")];
    assert_eq!(notes(&elsewhere).await, expected);
}

#[tokio::test]
async fn a_destroyed_key_is_not_replaced_and_what_comes_after_is_not_stored() {
    let database = Database::create().await;
    let journal = database.journal().await;
    book_all(&journal, TENANT, 1, vec![Booked::note(ANN, "likes tea")]).await;
    let destroy = "UPDATE es.subject_keys SET wrapped = NULL, destroyed_at = now()";
    database.execute(destroy).await.unwrap();
    journal.keys().forget(TENANT, ANN);
    book_all(&journal, TENANT, 1, vec![Booked::note(ANN, "comes too late")]).await;
    let reader = database.reader(&journal).await;
    assert_eq!(notes(&reader).await, [erased(ANN), erased(ANN)]);
    let stored: String =
        database.value("SELECT payload::text FROM es.events WHERE position = 2").await;
    assert_eq!(stored, format!(r#"{{"Note":{{"text":{{"$sealed":{{"subject":"{ANN}"}}}}}}}}"#));
    assert_eq!(database.value::<i64>("SELECT count(*) FROM es.subject_keys").await, 1);
}

#[tokio::test]
async fn keys_do_not_open_under_another_master_key() {
    let database = Database::create().await;
    let journal = database.journal().await;
    book_all(&journal, TENANT, 1, vec![Booked::note(ANN, "likes tea")]).await;
    let wrong = KeyRing::new(&MasterKey::from_bytes([8; 32]), database.runner_pool().await);
    let reader: Reader<Booked> = Reader::new(database.runner_pool().await, wrong);
    let refused = reader.tenant_after(TENANT, 0, 1).await.unwrap_err();
    assert!(refused.to_string().contains("does not open"), "{refused}");
}

#[tokio::test]
async fn upcasters_get_personal_data_opened_so_that_they_may_move_it() {
    let database = Database::create().await;
    book_all(&database.journal().await, TENANT, 1, vec![Booked::note(ANN, "likes tea")]).await;
    let shout = |mut payload: Value| {
        let value = &mut payload["Note"]["text"]["$sealed"]["value"];
        *value = json!(value.as_str().map(str::to_uppercase));
        payload
    };
    let upcasters = Upcasters::default().with("books.ledger.note", "1.0", "2.0", shout);
    let config = JournalConfig {
        writer: database.writer().await,
        master: MasterKey::from_bytes([7; 32]),
        clock: Arc::new(SystemClock),
        injected_time: false,
        cache_states: 10,
    };
    let journal = Journal::open_with(config, upcasters.clone()).await.unwrap();
    let loud = Booked::note(ANN, "LIKES TEA");
    let loaded = journal.events::<Ledger>(TENANT, Uuid::from_u128(1)).await.unwrap();
    assert_eq!(loaded, std::slice::from_ref(&loud));
    let reader = database.reader(&journal).await.with_upcasters(upcasters);
    assert_eq!(notes(&reader).await, [loud]);
}

#[tokio::test]
async fn an_erasure_that_cannot_be_read_is_an_error_and_one_of_an_old_version_is_read() {
    let database = Database::create().await;
    let journal = database.journal().await;
    book_all(&journal, TENANT, 1, vec![Booked::entry(7)]).await;
    for sql in [
        "ALTER TABLE es.events DISABLE TRIGGER ALL",
        "UPDATE es.events SET event_type = 'audit.erasure.person_erased'",
    ] {
        database.execute(sql).await.unwrap();
    }
    assert_eq!(journal.persons_erased().await.unwrap(), [(TENANT, Booked::entry(7))]);
    let unreadable = journal.persons_erased::<u8>().await.unwrap_err();
    assert!(matches!(unreadable, JournalError::Decode { .. }), "{unreadable}");

    let newer = |_| json!({ "Entry": { "amount": 8 } });
    let upcasters = Upcasters::default().with("audit.erasure.person_erased", "1.0", "2.0", newer);
    let config = JournalConfig {
        writer: database.writer().await,
        master: MasterKey::from_bytes([7; 32]),
        clock: Arc::new(SystemClock),
        injected_time: false,
        cache_states: 10,
    };
    let journal = Journal::open_with(config, upcasters).await.unwrap();
    assert_eq!(journal.persons_erased().await.unwrap(), [(TENANT, Booked::entry(8))]);
}
