//! HTTP routes besides GraphQL: health.

use axum::{Json, Router, extract::State, http::StatusCode, routing::get};
use rollcall_commands::Commands;
use rollcall_projections::ReadStore;
use serde_json::{Value, json};

/// What the routes answer from.
#[derive(Clone)]
pub struct Parts {
    pub commands: Commands,
    pub reads: ReadStore,
}

/// `/health/live` and `/health/ready`.
pub fn router(parts: Parts) -> Router {
    Router::new()
        .route("/health/live", get(|| async { Json(json!({ "status": "live" })) }))
        .route("/health/ready", get(ready))
        .with_state(parts)
}

/// Position and lag per projection; 503 while one is stalled or nothing can be read.
async fn ready(State(parts): State<Parts>) -> (StatusCode, Json<Value>) {
    match parts.reads.progress().lag().await {
        Ok(lags) => {
            let stalled = lags.iter().any(|lag| lag.is_stalled());
            let status = if stalled { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
            let word = if stalled { "stalled" } else { "ready" };
            (status, Json(json!({ "status": word, "projections": lags })))
        }
        Err(error) => (
            StatusCode::SERVICE_UNAVAILABLE,
            Json(json!({ "status": "unavailable", "reason": error.to_string() })),
        ),
    }
}
