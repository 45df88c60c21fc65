//! HTTP routes besides GraphQL: health, metrics, and the keys by which others check our signatures.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use axum::{
    Json, Router,
    extract::State,
    http::{
        StatusCode,
        header::{CACHE_CONTROL, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
    routing::get,
};
use rollcall_projections::{ReadStore, proof::Troubles};
use serde_json::{Value, json};

/// What the routes answer from.
#[derive(Clone)]
pub struct Parts {
    pub reads: ReadStore,
    /// What keeps logs from being sealed and signed.
    pub troubles: Troubles,
    /// Whether everything the service is started with is there; a demo says so after seeding.
    pub complete: Arc<AtomicBool>,
    /// The public keys of hand-offs (RFC 7517).
    pub key_set: Arc<Value>,
}

/// `/health/live`, `/health/ready`, `/metrics` and `/.well-known/jwks.json`.
pub fn router(parts: Parts) -> Router {
    Router::new()
        .route("/health/live", get(|| async { Json(json!({ "status": "live" })) }))
        .route("/health/ready", get(ready))
        .route("/metrics", get(metrics))
        .route("/.well-known/jwks.json", get(keys))
        .with_state(parts)
}

async fn keys(State(parts): State<Parts>) -> Response {
    // Short enough for a key that has to be replaced, long enough to spare a look per hand-off.
    let headers =
        [(CACHE_CONTROL, "public, max-age=300"), (CONTENT_TYPE, "application/jwk-set+json")];
    (headers, parts.key_set.to_string()).into_response()
}

async fn metrics(State(parts): State<Parts>) -> Response {
    match parts.reads.progress().lag().await {
        Ok(lags) => ([(CONTENT_TYPE, crate::metrics::CONTENT_TYPE)], crate::metrics::render(&lags))
            .into_response(),
        Err(error) => (StatusCode::SERVICE_UNAVAILABLE, error.to_string()).into_response(),
    }
}

/// Position and lag per projection; 503 until the service is complete, while a projection is
/// stalled, or when nothing can be read.
async fn ready(State(parts): State<Parts>) -> (StatusCode, Json<Value>) {
    match parts.reads.progress().lag().await {
        Ok(lags) => {
            let stalled = lags.iter().any(|lag| lag.is_stalled());
            let complete = parts.complete.load(Ordering::Acquire);
            let (status, word) = match (complete, stalled) {
                (true, false) => (StatusCode::OK, "ready"),
                (true, true) => (StatusCode::SERVICE_UNAVAILABLE, "stalled"),
                (false, _) => (StatusCode::SERVICE_UNAVAILABLE, "seeding"),
            };
            // A log that is not signed further is for somebody to look at; the service goes on.
            let unproven = parts.troubles.all();
            (status, Json(json!({ "status": word, "projections": lags, "unproven": unproven })))
        }
        Err(error) => (
            StatusCode::SERVICE_UNAVAILABLE,
            Json(json!({ "status": "unavailable", "reason": error.to_string() })),
        ),
    }
}
