//! GraphQL over server-sent events, event by event (API conventions, item 11).

use std::{sync::atomic::Ordering, time::Duration};

use serde_json::{Value, json};

use super::fixture::Server;
use crate::http::HttpLimits;

/// A response whose events are read as they come.
struct Events(reqwest::Response, String);

impl Events {
    async fn open(server: &Server, query: &str, accept: &str) -> Self {
        let request = reqwest::Client::new()
            .post(server.url())
            .header("content-type", "application/json")
            .header("accept", accept)
            .body(json!({ "query": query }).to_string());
        Self(request.send().await.expect("a response"), String::new())
    }

    /// The next event's name and data; none at the end of the stream.
    async fn hear(&mut self) -> Option<(String, Value)> {
        loop {
            if let Some((event, rest)) = self.1.split_once("\n\n") {
                let field = |name: &str| {
                    event.lines().find_map(|line| line.strip_prefix(name)).map(str::trim)
                };
                let heard = field("event:").map(|name| {
                    let data = field("data:").unwrap_or_default();
                    (name.to_owned(), serde_json::from_str(data).unwrap_or(Value::Null))
                });
                self.1 = rest.to_owned();
                // What has no name is a comment that keeps the connection alive.
                if heard.is_some() {
                    return heard;
                }
                continue;
            }
            let chunk = tokio::time::timeout(Duration::from_secs(5), self.0.chunk());
            let chunk = chunk.await.expect("an event in time").expect("an open stream")?;
            self.1 += std::str::from_utf8(&chunk).expect("UTF-8");
        }
    }
}

fn next(payload: Value) -> Option<(String, Value)> {
    Some(("next".to_owned(), payload))
}

fn complete() -> Option<(String, Value)> {
    Some(("complete".to_owned(), Value::Null))
}

#[tokio::test]
async fn a_subscription_streams_events_and_completes() {
    let server = Server::start().await;
    // What urql and graphql-sse accept.
    for accept in ["text/event-stream", "application/json, text/event-stream, multipart/mixed"] {
        let mut events = Events::open(&server, "subscription { count(to: 2) }", accept).await;
        let header = |name: &str| events.0.headers()[name].to_str().expect("text").to_owned();
        assert_eq!(
            (events.0.status().as_u16(), header("content-type").as_str()),
            (200, "text/event-stream")
        );
        assert_eq!(header("cache-control"), "no-store");
        assert!(!header("x-request-id").is_empty());
        for n in 1..=2 {
            assert_eq!(events.hear().await, next(json!({ "data": { "count": n } })));
        }
        assert_eq!(events.hear().await, complete());
        assert_eq!(events.hear().await, None);
    }
}

#[tokio::test]
async fn queries_and_mutations_are_one_event() {
    let server = Server::start().await;
    let mut events = Events::open(&server, "mutation { bump }", "text/event-stream").await;
    assert_eq!(events.hear().await, next(json!({ "data": { "bump": 1 } })));
    assert_eq!(events.hear().await, complete());
    // Who takes JSON as well gets JSON.
    let accept = "text/event-stream, application/json";
    let plain = Events::open(&server, "{ thing { name } }", accept).await;
    assert_eq!(plain.0.headers()["content-type"], "application/json; charset=utf-8");
}

#[tokio::test]
async fn what_cannot_run_is_an_error_and_the_end() {
    let server = Server::start().await;
    let mut events = Events::open(&server, "subscription { closed }", "text/event-stream").await;
    let (name, payload) = events.hear().await.expect("an event");
    assert_eq!(
        (name.as_str(), &payload["errors"][0]["extensions"]["code"]),
        ("next", &json!("FORBIDDEN"))
    );
    assert_eq!(events.hear().await, complete());
}

#[tokio::test]
async fn gn_11_a_stream_ends_with_the_session_it_was_opened_in() {
    let limits =
        HttpLimits { recheck_interval: Duration::from_millis(50), ..HttpLimits::default() };
    let server = Server::with(limits).await;
    let mut events = Events::open(&server, "subscription { silence }", "text/event-stream").await;
    server.fate.revoked.store(true, Ordering::SeqCst);
    let (name, payload) = events.hear().await.expect("an event");
    assert_eq!(name, "next");
    assert_eq!(payload["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
    assert_eq!(events.hear().await, complete());
    assert_eq!(events.hear().await, None);
}
