//! Messages and close codes of graphql-transport-ws.
//!
//! Invariant: what does not match a message type exactly closes the socket with 4400; nothing is
//! guessed.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::http::operation::Answer;

/// Why the server closes a socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Close {
    InvalidMessage(&'static str),
    Unauthorized,
    Forbidden,
    SubprotocolNotAcceptable,
    InitTimeout,
    SubscriberExists(String),
    TooManyInits,
    MessageTooBig,
    TryAgainLater,
}

impl Close {
    /// The code of the protocol; 1009 and 1013 are those of the WebSocket
    /// registry. After 1013 and 4403 clients try again, after the others they do not.
    pub fn code(&self) -> u16 {
        match self {
            Self::InvalidMessage(_) => 4400,
            Self::Unauthorized => 4401,
            Self::Forbidden => 4403,
            Self::SubprotocolNotAcceptable => 4406,
            Self::InitTimeout => 4408,
            Self::SubscriberExists(_) => 4409,
            Self::TooManyInits => 4429,
            Self::MessageTooBig => 1009,
            Self::TryAgainLater => 1013,
        }
    }

    /// The reason phrase; a close frame has room for 123 bytes.
    pub fn reason(&self) -> String {
        match self {
            Self::InvalidMessage(problem) => format!("Invalid message: {problem}"),
            Self::Unauthorized => "Unauthorized".to_owned(),
            Self::Forbidden => "Forbidden".to_owned(),
            Self::SubprotocolNotAcceptable => "Subprotocol not acceptable".to_owned(),
            Self::InitTimeout => "Connection initialisation timeout".to_owned(),
            Self::SubscriberExists(id) => {
                let shown: String = id.chars().filter(|c| !c.is_control()).take(16).collect();
                format!("Subscriber for {shown} already exists")
            }
            Self::TooManyInits => "Too many initialisation requests".to_owned(),
            Self::MessageTooBig => "Message too big".to_owned(),
            Self::TryAgainLater => "Try again later".to_owned(),
        }
    }
}

/// What a client may send.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum ClientMessage {
    ConnectionInit {
        #[serde(default)]
        payload: Option<Map<String, Value>>,
    },
    Ping {
        #[serde(default)]
        payload: Option<Map<String, Value>>,
    },
    Pong {
        #[serde(default, rename = "payload")]
        _payload: Option<Map<String, Value>>,
    },
    Subscribe {
        id: String,
        payload: Map<String, Value>,
    },
    Complete {
        id: String,
    },
}

impl ClientMessage {
    /// Reads a text frame.
    pub fn parse(text: &str) -> Result<Self, Close> {
        let message = serde_json::from_str(text)
            .map_err(|_| Close::InvalidMessage("not a message of graphql-transport-ws"))?;
        match &message {
            Self::Subscribe { id, .. } | Self::Complete { id } if id.is_empty() => {
                Err(Close::InvalidMessage("the id is empty"))
            }
            Self::Subscribe { .. }
            | Self::Complete { .. }
            | Self::ConnectionInit { .. }
            | Self::Ping { .. }
            | Self::Pong { .. } => Ok(message),
        }
    }
}

/// What the server sends.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum ServerMessage<'a> {
    ConnectionAck,
    Pong {
        #[serde(skip_serializing_if = "Option::is_none")]
        payload: Option<Map<String, Value>>,
    },
    Next {
        id: &'a str,
        payload: &'a Answer,
    },
    /// Ends the operation: nothing was executed.
    Error {
        id: &'a str,
        payload: &'a [async_graphql::ServerError],
    },
    Complete {
        id: &'a str,
    },
}

impl ServerMessage<'_> {
    pub fn to_text(&self) -> String {
        serde_json::to_string(self).expect("a message has string keys only")
    }
}
