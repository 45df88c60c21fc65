//! `/graphql/ws`: operations over WebSocket, by the graphql-transport-ws protocol.
//!
//! Invariant: a page of another origin cannot open a socket, because a browser would send this
//! service's cookies along and no preflight asks first.

mod connection;
mod protocol;

use axum::{
    body::Body,
    extract::FromRequestParts,
    extract::{State, ws::WebSocketUpgrade},
    http::{HeaderMap, Request, StatusCode, header},
    response::{IntoResponse, Response},
};

use self::connection::Connection;
use super::{Gateway, Inbound, Purpose, Transport};

/// The subprotocol (graphql-over-http, rfcs/GraphQLOverWebSocket.md).
const SUBPROTOCOL: &str = "graphql-transport-ws";

pub(super) async fn upgrade<G: Gateway>(
    State(transport): State<Transport<G>>,
    request: Request<Body>,
) -> Response {
    let (mut parts, _) = request.into_parts();
    if !same_origin(&parts.headers, &transport.limits.trusted_origins) {
        return (StatusCode::FORBIDDEN, "Sockets are not opened for pages of other origins.\n")
            .into_response();
    }
    let inbound = Inbound::new(&parts.headers, &parts.extensions, Purpose::Connect);
    let socket = match WebSocketUpgrade::from_request_parts(&mut parts, &()).await {
        Ok(socket) => socket,
        Err(rejection) => return rejection.into_response(),
    };
    let socket = socket.protocols([SUBPROTOCOL]);
    let spoken = socket.selected_protocol().is_some();
    // One byte more than is allowed reaches us, so that the close code can say why.
    let ceiling = transport.limits.body_bytes * 2;
    socket
        .max_message_size(ceiling)
        .max_frame_size(ceiling)
        .on_upgrade(move |socket| Connection::new(transport, inbound, socket).serve(spoken))
}

/// Whether the page that opens the socket, if any, is this service's own or trusted.
fn same_origin(headers: &HeaderMap, trusted: &[String]) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else {
        return true;
    };
    let Ok(origin) = origin.to_str() else {
        return false;
    };
    let Some((scheme, authority)) = origin.split_once("://") else {
        return false;
    };
    let default_port = match scheme {
        "https" => ":443",
        "http" => ":80",
        _ => return false,
    };
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let bare = |authority: &str| {
        authority.strip_suffix(default_port).unwrap_or(authority).to_ascii_lowercase()
    };
    (!host.is_empty() && bare(authority) == bare(host))
        || trusted.iter().any(|known| known.eq_ignore_ascii_case(origin))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn allowed(origin: &str, host: &str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, HeaderValue::from_str(host).expect("a header"));
        headers.insert(header::ORIGIN, HeaderValue::from_str(origin).expect("a header"));
        same_origin(&headers, &["https://portal.example.org".to_owned()])
    }

    #[test]
    fn only_the_own_host_and_trusted_origins_may_open_sockets() {
        assert!(same_origin(&HeaderMap::new(), &[]));
        assert!(allowed("http://127.0.0.1:8080", "127.0.0.1:8080"));
        assert!(allowed("https://Rollcall.example.org", "rollcall.example.org"));
        assert!(allowed("https://rollcall.example.org", "rollcall.example.org:443"));
        assert!(allowed("https://portal.example.org", "10.0.0.1:8080"));
        assert!(!allowed("https://rollcall.example.org.evil.test", "rollcall.example.org"));
        assert!(!allowed("http://127.0.0.1:9090", "127.0.0.1:8080"));
        assert!(!allowed("null", "127.0.0.1:8080"));
        assert!(!allowed("https://", ""));
    }
}
