//! What an operation leaves in the trace (API conventions, item 17).

use std::{
    io,
    sync::{Arc, Mutex},
};

use serde_json::json;
use tracing_subscriber::fmt::format::FmtSpan;

use super::fixture::{Reply, Server};

/// A log in memory.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().expect("no panic while held").clone()).expect("UTF-8")
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no panic while held").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

// One thread: the subscriber is this thread's, and everything of the test runs on it.
#[tokio::test(flavor = "current_thread")]
async fn a_span_has_the_operations_name_and_hash_and_never_its_variables() {
    let written = Log::default();
    let writer = written.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_span_events(FmtSpan::CLOSE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);

    let server = Server::start().await;
    let body = json!({
        "query": "query Greeting($text: String!) { echo(text: $text) defect }",
        "variables": { "text": "swordfish" },
    });
    let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let request = server.post(&body).header("traceparent", parent).header("x-request-id", "r-1");
    assert_eq!(Reply::of(request).await.status, 200);

    let log = written.text();
    for expected in [
        "graphql.operation.type=\"query\"",
        "graphql.operation.name=\"Greeting\"",
        // sha256sum of the document.
        "graphql.document.hash=631a207dc032c783e2d92b19429340a92d21ff9b8eb78c9362ec340eab3f52af",
        "request_id=r-1",
        "trace_id=\"4bf92f3577b34da6a3ce929d0e0e4736\"",
        "parent_id=\"00f067aa0ba902b7\"",
        "connection to db-7.internal refused",
    ] {
        assert!(log.contains(expected), "{expected} is not in {log}");
    }
    assert!(!log.contains("swordfish"), "{log}");
}
