//! graphql-transport-ws, message by message and close code by close code.

use std::{sync::atomic::Ordering, time::Duration};

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Message, client::IntoClientRequest},
};

use super::fixture::Server;
use crate::http::HttpLimits;

struct Client(WebSocketStream<TcpStream>);

impl Client {
    async fn open(server: &Server) -> Self {
        let headers = [("sec-websocket-protocol", "graphql-transport-ws")];
        Self(handshake(server, &headers).await.expect("an open socket"))
    }

    /// A socket whose `connection_init` was acknowledged.
    async fn ready(server: &Server) -> Self {
        let mut client = Self::open(server).await;
        client.say(json!({ "type": "connection_init" })).await;
        assert_eq!(client.hear().await, json!({ "type": "connection_ack" }));
        client
    }

    async fn say(&mut self, message: Value) {
        self.0.send(Message::text(message.to_string())).await.expect("an open socket");
    }

    async fn subscribe(&mut self, id: &str, query: &str) {
        let payload = json!({ "query": query });
        self.say(json!({ "type": "subscribe", "id": id, "payload": payload })).await;
    }

    async fn hear(&mut self) -> Value {
        loop {
            let frame = self.frame().await;
            if let Message::Text(text) = &frame {
                return serde_json::from_str(text).expect("JSON");
            }
            assert!(frame.is_ping() || frame.is_pong(), "expected a message, got {frame:?}");
        }
    }

    async fn frame(&mut self) -> Message {
        let frame = tokio::time::timeout(Duration::from_secs(5), self.0.next()).await;
        frame.expect("a frame in time").expect("an open socket").expect("a frame")
    }

    /// The code the server closes with, past whatever it still sends.
    async fn close_code(&mut self) -> u16 {
        loop {
            if let Message::Close(frame) = self.frame().await {
                return frame.expect("a close code").code.into();
            }
        }
    }
}

async fn handshake(
    server: &Server,
    headers: &[(&'static str, &str)],
) -> Result<WebSocketStream<TcpStream>, tokio_tungstenite::tungstenite::Error> {
    let url = format!("ws://{}/graphql/ws", server.address);
    let mut request = url.into_client_request().expect("a request");
    for (name, value) in headers {
        request.headers_mut().insert(*name, value.parse().expect("a header"));
    }
    let stream = TcpStream::connect(server.address).await.expect("a connection");
    client_async(request, stream).await.map(|(socket, _)| socket)
}

fn quick(change: impl FnOnce(&mut HttpLimits)) -> HttpLimits {
    let mut limits = HttpLimits::default();
    change(&mut limits);
    limits
}

#[tokio::test]
async fn a_subscription_streams_and_completes() {
    let server = Server::start().await;
    let mut client = Client::ready(&server).await;
    client.subscribe("1", "subscription { count(to: 2) }").await;
    for n in 1..=2 {
        let payload = json!({ "data": { "count": n } });
        let expected = json!({ "type": "next", "id": "1", "payload": payload });
        assert_eq!(client.hear().await, expected);
    }
    assert_eq!(client.hear().await, json!({ "type": "complete", "id": "1" }));
    // The id is free again.
    client.subscribe("1", "mutation { bump }").await;
    assert_eq!(client.hear().await["payload"]["data"]["bump"], 1);
    assert_eq!(client.hear().await, json!({ "type": "complete", "id": "1" }));
}

#[tokio::test]
async fn every_result_of_a_subscription_has_its_own_errors() {
    let server = Server::start().await;
    let mut client = Client::ready(&server).await;
    client.subscribe("1", "subscription { things { name maybe { required } } }").await;
    for _ in 0..2 {
        let message = client.hear().await;
        let things = json!({ "things": { "name": "thing", "maybe": null } });
        assert_eq!((&message["type"], &message["payload"]["data"]), (&json!("next"), &things));
        assert_eq!(message["payload"]["errors"].as_array().map(Vec::len), Some(1), "{message}");
    }
    assert_eq!(client.hear().await["type"], "complete");
}

#[tokio::test]
async fn what_is_not_executed_ends_in_an_error_message() {
    let server = Server::start().await;
    let mut client = Client::ready(&server).await;
    for (query, code) in [
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { closed }", "FORBIDDEN"),
        ("subscription($to: Int!) { count(to: $to) }", "BAD_USER_INPUT"),
    ] {
        client.subscribe("1", query).await;
        let message = client.hear().await;
        assert_eq!((&message["type"], &message["id"]), (&json!("error"), &json!("1")), "{query}");
        assert_eq!(message["payload"][0]["extensions"]["code"], code, "{query}");
        assert!(message["payload"][0]["extensions"]["requestId"].is_string(), "{query}");
    }
    client.subscribe("1", "{ refused }").await;
    let message = client.hear().await;
    assert_eq!(message["type"], "next");
    assert_eq!(message["payload"]["errors"][0]["extensions"]["code"], "FORBIDDEN");
}

#[tokio::test]
async fn a_defect_ends_its_operation_and_no_other() {
    let server = Server::start().await;
    let mut client = Client::ready(&server).await;
    client.subscribe("1", "subscription { panic }").await;
    assert_eq!(client.hear().await["payload"]["data"]["panic"], 1);
    let message = client.hear().await;
    assert_eq!((&message["type"], &message["id"]), (&json!("error"), &json!("1")));
    assert_eq!(message["payload"][0]["extensions"]["code"], "INTERNAL_SERVER_ERROR");
    client.subscribe("1", "{ echo(text: \"still here\") }").await;
    assert_eq!(client.hear().await["payload"]["data"]["echo"], "still here");
}

#[tokio::test]
async fn a_completed_operation_sends_nothing_more() {
    let server = Server::start().await;
    let mut client = Client::ready(&server).await;
    client.subscribe("1", "subscription { silence }").await;
    client.say(json!({ "type": "complete", "id": "1" })).await;
    // Not a duplicate any more.
    client.subscribe("1", "{ echo(text: \"b\") }").await;
    assert_eq!(client.hear().await["payload"]["data"]["echo"], "b");
}

#[tokio::test]
async fn pings_are_answered_with_their_payload() {
    let server = Server::start().await;
    let mut client = Client::open(&server).await;
    client.say(json!({ "type": "ping", "payload": { "n": 1 } })).await;
    assert_eq!(client.hear().await, json!({ "type": "pong", "payload": { "n": 1 } }));
    client.say(json!({ "type": "connection_init" })).await;
    assert_eq!(client.hear().await, json!({ "type": "connection_ack" }));
    client.say(json!({ "type": "ping" })).await;
    assert_eq!(client.hear().await, json!({ "type": "pong" }));
}

#[tokio::test]
async fn breaches_of_the_protocol_have_their_close_codes() {
    let server = Server::with(quick(|limits| limits.body_bytes = 4096)).await;

    let mut client = Client::ready(&server).await;
    client.say(json!({ "type": "connection_init" })).await;
    assert_eq!(client.close_code().await, 4429, "double init");

    let mut client = Client::open(&server).await;
    client.say(json!({ "type": "connection_init", "payload": { "token": "expired" } })).await;
    assert_eq!(client.close_code().await, 4403, "failed init");

    let mut client = Client::open(&server).await;
    client.say(json!({ "type": "connection_init", "payload": { "token": "hasty" } })).await;
    assert_eq!(client.close_code().await, 1013, "refused for now");

    let mut client = Client::open(&server).await;
    client.subscribe("1", "{ __typename }").await;
    assert_eq!(client.close_code().await, 4401, "subscribe before init");

    let mut client = Client::ready(&server).await;
    client.subscribe("1", "subscription { silence }").await;
    client.subscribe("1", "subscription { silence }").await;
    assert_eq!(client.close_code().await, 4409, "duplicate id");

    for message in [
        "not JSON",
        "{}",
        "{\"type\":\"start\",\"id\":\"1\",\"payload\":{\"query\":\"{a}\"}}",
        "{\"type\":\"subscribe\",\"payload\":{\"query\":\"{a}\"}}",
        "{\"type\":\"subscribe\",\"id\":\"\",\"payload\":{\"query\":\"{a}\"}}",
        "{\"type\":\"subscribe\",\"id\":\"1\",\"payload\":{}}",
        "{\"type\":\"connection_ack\"}",
    ] {
        let mut client = Client::ready(&server).await;
        client.0.send(Message::text(message)).await.expect("an open socket");
        assert_eq!(client.close_code().await, 4400, "{message}");
    }
    let mut client = Client::ready(&server).await;
    client.0.send(Message::binary(vec![1])).await.expect("an open socket");
    assert_eq!(client.close_code().await, 4400, "binary");

    let mut client = Client::ready(&server).await;
    client.subscribe("1", &" ".repeat(5000)).await;
    assert_eq!(client.close_code().await, 1009, "too big");

    let mut client = Client(handshake(&server, &[]).await.expect("an open socket"));
    assert_eq!(client.close_code().await, 4406, "no subprotocol");
}

#[tokio::test]
async fn a_socket_without_init_times_out() {
    let limits = quick(|limits| limits.init_timeout = Duration::from_millis(100));
    let server = Server::with(limits).await;
    let mut client = Client::open(&server).await;
    assert_eq!(client.close_code().await, 4408);
}

#[tokio::test]
async fn the_server_pings_and_checks_the_session() {
    let limits = quick(|limits| {
        limits.ping_interval = Duration::from_millis(300);
        limits.recheck_interval = Duration::from_millis(300);
    });
    let server = Server::with(limits).await;
    let mut client = Client::ready(&server).await;
    client.subscribe("1", "subscription { silence }").await;
    assert!(matches!(client.frame().await, Message::Ping(_)));
    assert!(matches!(client.frame().await, Message::Ping(_)));
    server.fate.revoked.store(true, Ordering::SeqCst);
    assert_eq!(client.close_code().await, 4401);
}

#[tokio::test]
async fn a_session_that_ended_executes_nothing_more() {
    let server = Server::start().await;
    let mut client = Client::ready(&server).await;
    server.fate.revoked.store(true, Ordering::SeqCst);
    for query in ["mutation { bump }", "subscription { count(to: 1) }"] {
        client.subscribe("1", query).await;
        let message = client.hear().await;
        assert_eq!(message["payload"][0]["extensions"]["code"], "UNAUTHENTICATED", "{query}");
    }
    assert_eq!(server.fate.bumps.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_socket_has_a_limited_number_of_operations() {
    let server = Server::with(quick(|limits| limits.operations_per_socket = 2)).await;
    let mut client = Client::ready(&server).await;
    for id in ["1", "2", "3"] {
        client.subscribe(id, "subscription { silence }").await;
    }
    let message = client.hear().await;
    assert_eq!((&message["type"], &message["id"]), (&json!("error"), &json!("3")));
    assert_eq!(message["payload"][0]["extensions"]["code"], "RATE_LIMITED");
}

#[tokio::test]
async fn pages_of_other_origins_cannot_open_a_socket() {
    let server = Server::start().await;
    let own = format!("http://{}", server.address);
    let protocol = ("sec-websocket-protocol", "graphql-transport-ws");
    assert!(handshake(&server, &[protocol, ("origin", &own)]).await.is_ok());
    let foreign = handshake(&server, &[protocol, ("origin", "https://evil.test")]).await;
    let Err(tokio_tungstenite::tungstenite::Error::Http(response)) = foreign else {
        panic!("a foreign origin opened a socket");
    };
    assert_eq!(response.status(), 403);
}
