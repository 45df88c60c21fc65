//! A client of graphql-transport-ws.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Message, client::IntoClientRequest},
};

use super::{Client, Portal};

/// One subscription on a socket of its own.
pub struct Subscription(WebSocketStream<TcpStream>);

impl Portal {
    /// Subscribes as `client`, through the process that it talks to.
    pub async fn subscribe(
        &self,
        client: &Client,
        document: &str,
        variables: Value,
    ) -> Subscription {
        let address = client.address();
        let mut request =
            format!("ws://{address}/graphql/ws").into_client_request().expect("a request");
        let protocol = "graphql-transport-ws".parse().expect("a header");
        request.headers_mut().insert("sec-websocket-protocol", protocol);
        let stream = TcpStream::connect(address).await.expect("a connection");
        let (socket, _) = client_async(request, stream).await.expect("an open socket");
        let mut subscription = Subscription(socket);
        let token = client.token.as_ref().map(|token| format!("Bearer {token}"));
        let init = json!({ "tenant": client.tenant, "authorization": token });
        subscription.say(json!({ "type": "connection_init", "payload": init })).await;
        assert_eq!(subscription.hear().await["type"], "connection_ack");
        let payload = json!({ "query": document, "variables": variables });
        subscription.say(json!({ "type": "subscribe", "id": "1", "payload": payload })).await;
        subscription
    }
}

impl Subscription {
    async fn say(&mut self, message: Value) {
        self.0.send(Message::text(message.to_string())).await.expect("an open socket");
    }

    /// The next message, pings aside.
    pub async fn hear(&mut self) -> Value {
        loop {
            let frame = tokio::time::timeout(Duration::from_secs(8), self.0.next()).await;
            let frame = frame.expect("a frame in time").expect("an open socket").expect("a frame");
            if let Message::Text(text) = &frame {
                return serde_json::from_str(text).expect("JSON");
            }
            assert!(frame.is_ping() || frame.is_pong(), "expected a message, got {frame:?}");
        }
    }

    /// The data of the next event.
    pub async fn next(&mut self) -> Value {
        let message = self.hear().await;
        assert_eq!(message["type"], "next", "{message}");
        assert!(message["payload"].get("errors").is_none(), "{message}");
        message["payload"]["data"].clone()
    }
}
