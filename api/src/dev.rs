//! Development aids under `/dev`: what was sent, and the clock that drives everything.
//!
//! Invariant: mounted only with `--dev` or `--demo`, which are refused in production.

mod duration;

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Query, State},
    http::StatusCode,
    routing::{get, post},
};
use rollcall_commands::{post::Item, processes::Background};
use rollcall_journal::{Clock, InjectedClock};
use serde::Deserialize;
use serde_json::{Value, json};

/// What the aids work on.
#[derive(Clone)]
pub struct Parts {
    pub background: Background,
    pub clock: Arc<InjectedClock>,
}

/// `GET /dev/mailbox?to=` and `POST /dev/clock`.
pub fn router(parts: Parts) -> Router {
    Router::new()
        .route("/dev/mailbox", get(mailbox))
        .route("/dev/clock", post(advance))
        .with_state(parts)
}

#[derive(Deserialize)]
struct Recipient {
    to: Option<String>,
}

/// What was sent to an address, or everything, oldest first.
async fn mailbox(
    State(parts): State<Parts>,
    Query(recipient): Query<Recipient>,
) -> Json<Vec<Item>> {
    Json(parts.background.mailbox().items(recipient.to.as_deref()))
}

#[derive(Deserialize)]
struct Advance {
    /// An ISO 8601 duration such as `PT168H` or `P7D`.
    advance: String,
}

/// Moves the clock forward and answers its time; whatever is due then is carried out.
async fn advance(
    State(parts): State<Parts>,
    Json(request): Json<Advance>,
) -> (StatusCode, Json<Value>) {
    match duration::parse(&request.advance) {
        Some(by) => {
            parts.clock.advance(by);
            parts.background.wake();
            (StatusCode::OK, Json(json!({ "now": parts.clock.now() })))
        }
        None => (
            StatusCode::BAD_REQUEST,
            Json(json!({ "error": "give an ISO 8601 duration, such as PT168H or P7DT30M" })),
        ),
    }
}
