//! One operation that streams to its client, in a task of its own.
//!
//! Invariant: it ends with exactly one `error` or `complete`, unless the client ends it.

use std::{panic::AssertUnwindSafe, sync::Arc};

use async_graphql::{Request, ServerError, parser::types::OperationType};
use futures_util::{FutureExt, StreamExt};
use serde_json::Value;
use tokio::sync::mpsc;
use tracing::Instrument;

use super::{
    Gateway, Inbound, Transport,
    errors::{self, TransportError},
    limits::Admission,
    operation::{self, Answer, Operation},
    trace,
};

/// A message of an operation to its client.
pub(super) struct Outgoing {
    pub id: String,
    pub serial: u64,
    pub frame: Frame,
}

pub(super) enum Frame {
    Next(Box<Answer>),
    Error(Vec<ServerError>),
    Complete,
}

/// The client has gone; there is nobody to serve.
struct Left;

pub(super) struct Subscriber<G> {
    pub transport: Transport<G>,
    pub inbound: Inbound,
    pub init: Arc<Value>,
    pub id: String,
    pub serial: u64,
    pub frames: mpsc::Sender<Outgoing>,
}

impl<G: Gateway> Subscriber<G> {
    /// Runs the operation and sends what it yields.
    pub async fn serve(self, request: Request) {
        let end = match AssertUnwindSafe(self.attempt(request)).catch_unwind().await {
            Ok(end) => end,
            // The runtime's hook has reported where.
            Err(_panic) => self.refuse(TransportError::defect().into()).await,
        };
        // Nobody listens any more; the connection has cleared up.
        let _: Result<(), Left> = end;
    }

    async fn attempt(&self, mut request: Request) -> Result<(), Left> {
        let operation = match operation::inspect(&mut request, &self.transport) {
            Ok(operation) => operation,
            Err(error) => return self.refuse(error).await,
        };
        match operation.kind {
            OperationType::Query | OperationType::Mutation => self.once(&operation, request).await,
            OperationType::Subscription => self.many(&operation, request).await,
        }
    }

    async fn once(&self, operation: &Operation, request: Request) -> Result<(), Left> {
        let ran =
            operation::run(&self.transport, &self.inbound, Some(&self.init), operation, request);
        match ran.await {
            Ok(answer) if answer.data.is_some() => {
                self.send(Frame::Next(Box::new(answer))).await?;
                self.send(Frame::Complete).await
            }
            Ok(answer) => self.send(Frame::Error(answer.errors)).await,
            Err(error) => self.refuse(error.into()).await,
        }
    }

    async fn many(&self, operation: &Operation, mut request: Request) -> Result<(), Left> {
        let hash = &operation.document_hash;
        let admitted =
            self.transport.admit(&self.inbound, Some(&self.init), hash, &mut request).await;
        if let Err(error) = admitted {
            return self.refuse(error.into()).await;
        }
        let admission = Admission::default();
        request.data.insert(admission.clone());
        let span = trace::operation_span(&self.inbound, operation);
        let mut responses = span.in_scope(|| self.transport.gateway.subscribe(request));
        let mut first = true;
        while let Some(response) = responses.next().instrument(span.clone()).await {
            let answer = Answer::new(response, admission.admitted(), &self.inbound.request_id);
            // A stream that could not be made yields its errors as the first and only response.
            let none = answer.data.as_ref().is_none_or(|data| *data == async_graphql::Value::Null);
            if first && none && !answer.errors.is_empty() {
                return self.send(Frame::Error(answer.errors)).await;
            }
            first = false;
            self.send(Frame::Next(Box::new(answer))).await?;
        }
        self.send(Frame::Complete).await
    }

    async fn refuse(&self, error: ServerError) -> Result<(), Left> {
        let errors = errors::complete(vec![error], &self.inbound.request_id);
        self.send(Frame::Error(errors)).await
    }

    async fn send(&self, frame: Frame) -> Result<(), Left> {
        let outgoing = Outgoing { id: self.id.clone(), serial: self.serial, frame };
        self.frames.send(outgoing).await.map_err(|_| Left)
    }
}
