//! One WebSocket: its handshake, its operations, its end.
//!
//! Invariant: an id names at most one operation at a time, and nothing is sent under it after the
//! client completed it.

use std::{collections::HashMap, sync::Arc, time::Duration};

use axum::extract::ws::{CloseFrame, Message, WebSocket};
use serde_json::Value;
use tokio::{
    sync::mpsc,
    task::AbortHandle,
    time::{Instant, timeout, timeout_at},
};

use super::protocol::{ClientMessage, Close, ServerMessage};
use crate::http::{
    Gateway, Inbound, Purpose, Transport,
    errors::{self, ErrorCode, TransportError},
    params,
    subscriber::{Frame, Outgoing, Subscriber},
    ticks,
};

/// Frames that may wait for a slow client before its operations are held back.
const BACKLOG: usize = 32;

/// How long one frame may take to be sent before the client counts as gone.
const SEND_TIMEOUT: Duration = Duration::from_secs(10);

/// How a connection ends.
enum End {
    /// The server closes it with a code.
    Close(Close),
    /// The other side is gone or said goodbye.
    Gone,
}

impl From<Close> for End {
    fn from(close: Close) -> Self {
        Self::Close(close)
    }
}

struct Running {
    /// Tells this operation's frames from those of an earlier one with the same id.
    serial: u64,
    task: AbortHandle,
}

pub(super) struct Connection<G> {
    transport: Transport<G>,
    inbound: Inbound,
    socket: WebSocket,
    running: HashMap<String, Running>,
    serial: u64,
    heard: Instant,
}

impl<G: Gateway> Connection<G> {
    pub fn new(transport: Transport<G>, inbound: Inbound, socket: WebSocket) -> Self {
        let running = HashMap::new();
        Self { transport, inbound, socket, running, serial: 0, heard: Instant::now() }
    }

    /// Serves the socket to its end. `spoken`: the client offered our subprotocol.
    pub async fn serve(mut self, spoken: bool) {
        let end = if spoken {
            match self.handshake().await {
                Ok(init) => self.operate(Arc::new(init)).await,
                Err(end) => end,
            }
        } else {
            End::Close(Close::SubprotocolNotAcceptable)
        };
        for running in self.running.values() {
            running.task.abort();
        }
        if let End::Close(close) = end {
            let frame = CloseFrame { code: close.code(), reason: close.reason().into() };
            // Whoever is gone already need not hear why.
            let _ = self.send(Message::Close(Some(frame))).await;
            let _ = timeout(Duration::from_secs(1), self.drain()).await;
        }
    }

    /// Waits for `connection_init` and acknowledges it; returns its payload.
    async fn handshake(&mut self) -> Result<Value, End> {
        let deadline = Instant::now() + self.transport.limits.init_timeout;
        let init = loop {
            let received = timeout_at(deadline, self.socket.recv()).await;
            let received = received.map_err(|_| Close::InitTimeout)?;
            match self.read(received)? {
                Some(ClientMessage::ConnectionInit { payload }) => break payload,
                Some(ClientMessage::Ping { payload }) => {
                    self.say(&ServerMessage::Pong { payload }).await?;
                }
                Some(ClientMessage::Subscribe { .. }) => return Err(Close::Unauthorized.into()),
                Some(ClientMessage::Pong { .. } | ClientMessage::Complete { .. }) | None => {}
            }
        };
        let init = init.map_or(Value::Null, Value::Object);
        if let Err(error) = self.transport.resolve_caller(&self.inbound, Some(&init)).await {
            tracing::info!(request_id = %self.inbound.request_id, %error, "socket refused");
            return Err(match error.code {
                ErrorCode::RateLimited | ErrorCode::InternalServerError => Close::TryAgainLater,
                ErrorCode::Unauthenticated
                | ErrorCode::Forbidden
                | ErrorCode::NotFound
                | ErrorCode::BadUserInput
                | ErrorCode::GraphqlParseFailed
                | ErrorCode::GraphqlValidationFailed
                | ErrorCode::PersistedQueryNotFound
                | ErrorCode::QueryTooComplex => Close::Forbidden,
            }
            .into());
        }
        self.say(&ServerMessage::ConnectionAck).await?;
        Ok(init)
    }

    async fn operate(&mut self, init: Arc<Value>) -> End {
        let (frames, mut outgoing) = mpsc::channel(BACKLOG);
        let every = self.transport.limits.ping_interval;
        let mut ping = ticks(every);
        let mut recheck = ticks(self.transport.limits.recheck_interval);
        loop {
            let step = tokio::select! {
                received = self.socket.recv() => match self.read(received) {
                    Ok(Some(message)) => self.obey(message, &init, &frames).await,
                    Ok(None) => Ok(()),
                    Err(end) => Err(end),
                },
                // The sender lives in this function, so there is always a next frame.
                Some(frame) = outgoing.recv() => self.pass_on(frame).await,
                _ = ping.tick() => self.keep_alive(every).await,
                _ = recheck.tick() => self.recheck(&init).await,
            };
            if let Err(end) = step {
                return end;
            }
        }
    }

    async fn obey(
        &mut self,
        message: ClientMessage,
        init: &Arc<Value>,
        frames: &mpsc::Sender<Outgoing>,
    ) -> Result<(), End> {
        match message {
            ClientMessage::ConnectionInit { .. } => Err(Close::TooManyInits.into()),
            ClientMessage::Ping { payload } => self.say(&ServerMessage::Pong { payload }).await,
            ClientMessage::Pong { .. } => Ok(()),
            ClientMessage::Complete { id } => {
                if let Some(running) = self.running.remove(&id) {
                    running.task.abort();
                }
                Ok(())
            }
            ClientMessage::Subscribe { id, payload } => {
                if self.running.contains_key(&id) {
                    return Err(Close::SubscriberExists(id).into());
                }
                let request = params::from_json(Value::Object(payload))
                    .map_err(|_| Close::InvalidMessage("the payload is not a GraphQL request"))?;
                self.serial += 1;
                let inbound = Inbound {
                    request_id: format!("{}.{}", self.inbound.request_id, self.serial),
                    purpose: Purpose::Operation,
                    ..self.inbound.clone()
                };
                if self.running.len() >= self.transport.limits.operations_per_socket {
                    return self.too_many(&id, &inbound.request_id).await;
                }
                let subscriber = Subscriber {
                    transport: self.transport.clone(),
                    inbound,
                    init: init.clone(),
                    id: id.clone(),
                    serial: self.serial,
                    frames: frames.clone(),
                };
                let task = tokio::spawn(subscriber.serve(request)).abort_handle();
                self.running.insert(id, Running { serial: self.serial, task });
                Ok(())
            }
        }
    }

    async fn too_many(&mut self, id: &str, request_id: &str) -> Result<(), End> {
        let limit = self.transport.limits.operations_per_socket;
        let error = TransportError::new(
            ErrorCode::RateLimited,
            format!("A connection may have {limit} operations open. Complete one first."),
        )
        .reason("OPERATIONS_PER_CONNECTION");
        let payload = errors::complete(vec![error.into()], request_id);
        self.say(&ServerMessage::Error { id, payload: &payload }).await
    }

    /// Sends an operation's frame, unless the client completed it meanwhile.
    async fn pass_on(&mut self, outgoing: Outgoing) -> Result<(), End> {
        let Outgoing { id, serial, frame } = outgoing;
        if self.running.get(&id).is_none_or(|running| running.serial != serial) {
            return Ok(());
        }
        let message = match &frame {
            Frame::Next(answer) => ServerMessage::Next { id: &id, payload: answer },
            Frame::Error(errors) => ServerMessage::Error { id: &id, payload: errors },
            Frame::Complete => ServerMessage::Complete { id: &id },
        };
        if !matches!(frame, Frame::Next(_)) {
            self.running.remove(&id);
        }
        self.say(&message).await
    }

    /// Drops a silent client, pings the rest.
    async fn keep_alive(&mut self, every: Duration) -> Result<(), End> {
        if self.heard.elapsed() > every * 2 {
            return Err(End::Gone);
        }
        self.send(Message::Ping(Default::default())).await
    }

    /// Ends the socket of one who lost the right to it.
    async fn recheck(&mut self, init: &Value) -> Result<(), End> {
        match self.transport.still_welcome(&self.inbound, Some(init)).await {
            Ok(()) => Ok(()),
            Err(TransportError { code: ErrorCode::Forbidden, .. }) => Err(Close::Forbidden.into()),
            Err(_) => Err(Close::Unauthorized.into()),
        }
    }

    /// Makes a message of what the socket received; none of what the library handled itself.
    fn read(
        &mut self,
        received: Option<Result<Message, axum::Error>>,
    ) -> Result<Option<ClientMessage>, End> {
        let Some(Ok(message)) = received else {
            return Err(End::Gone);
        };
        self.heard = Instant::now();
        match message {
            Message::Text(text) if text.len() > self.transport.limits.body_bytes => {
                Err(Close::MessageTooBig.into())
            }
            Message::Text(text) => Ok(Some(ClientMessage::parse(&text)?)),
            Message::Binary(_) => Err(Close::InvalidMessage("messages are text").into()),
            Message::Ping(_) | Message::Pong(_) => Ok(None),
            Message::Close(_) => Err(End::Gone),
        }
    }

    async fn say(&mut self, message: &ServerMessage<'_>) -> Result<(), End> {
        self.send(Message::Text(message.to_text().into())).await
    }

    async fn send(&mut self, message: Message) -> Result<(), End> {
        match timeout(SEND_TIMEOUT, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(End::Gone),
        }
    }

    /// Reads until the client has answered the close frame.
    async fn drain(&mut self) {
        while let Some(Ok(_)) = self.socket.recv().await {}
    }
}
