//! Golden events: one stored payload of every event a test has seen, in `tests/golden/events`.
//!
//! Invariant: a golden file is never changed once merged. A changed payload is a new version with an
//! upcaster, and the old file must still load. `ROLLCALL_GOLDEN=write` adds the missing ones.

use std::{fs, path::PathBuf};

use serde_json::{Value, json};

use super::{Decider, Event, EventSet};
use crate::AnyEvent;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/golden/events")
}

/// Asserts that an event of this type and version is kept.
#[track_caller]
pub(super) fn assert_kept<A: Decider>(event: &A::Event) {
    let name = format!("{}.v{}.json", event.event_type(), event.event_version());
    let file = folder().join(&name);
    if file.exists() || A::TYPE.starts_with("test.") {
        return;
    }
    assert!(
        std::env::var_os("ROLLCALL_GOLDEN").is_some_and(|value| value == "write"),
        "no golden event {name}: run the tests once with ROLLCALL_GOLDEN=write and commit it"
    );
    let golden = json!({
        "aggregate_type": A::TYPE,
        "event_type": event.event_type(),
        "event_version": event.event_version(),
        "payload": event,
    });
    let text = serde_json::to_string_pretty(&golden).expect("an event serialises");
    fs::create_dir_all(folder()).expect("the folder can be made");
    fs::write(file, text + "\n").expect("the file can be written");
}

#[test]
fn every_golden_event_loads_and_says_the_same() {
    let files = fs::read_dir(folder()).expect("the golden events are there");
    let mut seen = 0;
    for file in files.flatten() {
        let text = fs::read_to_string(file.path()).expect("a golden event is text");
        let golden: Value = serde_json::from_str(&text).expect("a golden event is JSON");
        let name = |field: &str| golden[field].as_str().expect("a name");
        let event =
            AnyEvent::decode(name("aggregate_type"), name("event_type"), golden["payload"].clone())
                .unwrap_or_else(|error| panic!("{}: {error}", file.path().display()));
        assert_eq!(event.payload().expect("an event serialises"), golden["payload"]);
        let text = golden["payload"].to_string();
        let read = AnyEvent::decode_text(name("aggregate_type"), name("event_type"), &text);
        assert_eq!(read.expect("it reads as text"), event);
        seen += 1;
    }
    assert!(seen > 50, "only {seen} golden events");
}
