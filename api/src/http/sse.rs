//! Operations over server-sent events: GraphQL over SSE, distinct connections mode.
//!
//! Invariant: a stream ends with one `complete`, unless the client leaves, and within a recheck's
//! interval of its caller losing the right to it.

use std::{convert::Infallible, sync::Arc};

use async_graphql::Request;
use axum::response::{
    IntoResponse, Response,
    sse::{Event, KeepAlive, Sse},
};
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};
use tokio::{sync::mpsc, task::JoinSet, time::Interval};

use super::{
    Gateway, Inbound, Transport,
    errors::{self, TransportError},
    subscriber::{Frame, Outgoing, Subscriber},
    ticks,
};

/// Frames that may wait for a slow client before its operation is held back.
const BACKLOG: usize = 32;

/// Runs the operation and answers what it yields, as events.
pub(super) fn respond<G: Gateway>(
    transport: Transport<G>,
    inbound: Inbound,
    request: Request,
) -> Response {
    let (frames, outgoing) = mpsc::channel(BACKLOG);
    let keep_alive = KeepAlive::new().interval(transport.limits.ping_interval);
    let recheck = ticks(transport.limits.recheck_interval);
    let subscriber = Subscriber {
        transport: transport.clone(),
        inbound: inbound.clone(),
        init: Arc::new(Value::Null),
        id: String::new(),
        serial: 0,
        frames,
    };
    let mut task = JoinSet::new();
    task.spawn(subscriber.serve(request));
    let state = Streaming { transport, inbound, outgoing, recheck, _task: task };
    let events = stream::unfold(Some(state), |state| async move {
        let mut state = state?;
        let (events, more) = state.next().await;
        Some((stream::iter(events), more.then_some(state)))
    });
    Sse::new(events.flatten().map(Ok::<_, Infallible>)).keep_alive(keep_alive).into_response()
}

struct Streaming<G> {
    transport: Transport<G>,
    inbound: Inbound,
    outgoing: mpsc::Receiver<Outgoing>,
    recheck: Interval,
    /// Ends the subscription when the client has left.
    _task: JoinSet<()>,
}

impl<G: Gateway> Streaming<G> {
    /// What goes to the client next, and whether more follows.
    async fn next(&mut self) -> (Vec<Event>, bool) {
        loop {
            tokio::select! {
                outgoing = self.outgoing.recv() => return match outgoing.map(|sent| sent.frame) {
                    Some(Frame::Next(answer)) => (vec![next(&answer)], true),
                    Some(Frame::Error(errors)) => {
                        (vec![next(&json!({ "errors": errors })), complete()], false)
                    }
                    Some(Frame::Complete) | None => (vec![complete()], false),
                },
                _ = self.recheck.tick() => {
                    if let Err(error) = self.transport.still_welcome(&self.inbound, None).await {
                        return (vec![next(&self.refusal(error)), complete()], false);
                    }
                }
            }
        }
    }

    fn refusal(&self, error: TransportError) -> Value {
        json!({ "errors": errors::complete(vec![error.into()], &self.inbound.request_id) })
    }
}

fn next(payload: &impl serde::Serialize) -> Event {
    let text = serde_json::to_string(payload).expect("an answer has string keys only");
    Event::default().event("next").data(text)
}

fn complete() -> Event {
    // Without data a browser's EventSource would not deliver it.
    Event::default().event("complete").data("")
}
