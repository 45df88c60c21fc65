//! Documents: what leaves as a file and not through GraphQL: letters, evidence, parts of the audit
//! timeline, and reviews of access.
//!
//! Invariant: a document is opened by a command, under its right and on record, before its first
//! byte leaves; whoever may not open one learns no more than that there is none.

mod access_review;
mod audit_export;
mod evidence;
mod report_rows;
mod rows;

use std::sync::Arc;

use async_graphql::ID;
use axum::{
    Json, Router,
    extract::{Path, Request, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use rollcall_commands::{
    Access, Caller, Commands, DispatchError, Failure,
    authorization::authorise,
    organizations::{letter::Letter, tokens::OpenRegistrationTokenLetter},
};
use rollcall_domain::{Refusal, kernel::ids::RegistrationTokenId};
use rollcall_journal::keys::KeyRing;
use rollcall_projections::ReadStore;
use serde_json::json;
use uuid::Uuid;

pub use audit_export::{Holds, MANIFEST, file_of, path as audit_export_path};
pub(crate) use rows::{RowError, lines};

use crate::{
    gateway::ServiceGateway,
    graphql::{errors::is_authentication, ids::NodeType},
    http::{ErrorCode, Inbound, Purpose, TransportError},
};

/// What documents are made of.
#[derive(Clone)]
pub struct Parts {
    pub gateway: ServiceGateway,
    pub commands: Commands,
    pub reads: ReadStore,
    /// The beginning of every link, without a slash at its end.
    pub public_url: Arc<str>,
    /// For the sealed fields that evidence discloses.
    pub keys: KeyRing,
    /// The data folder, for files being made.
    pub folder: Arc<std::path::Path>,
}

/// Where the letter of a registration token is opened.
#[must_use]
pub fn letter_path(token: Uuid) -> String {
    format!("/registration-tokens/{token}/letter.pdf")
}

/// Where evidence is fetched.
#[must_use]
pub fn bundle_path(evidence: Uuid) -> String {
    format!("/evidence/{evidence}/bundle.zip")
}

/// `GET /registration-tokens/<id>/letter.pdf`, `GET /evidence/<id>/bundle.zip` and
/// `GET /audit-exports/<id>/<token>/<file>`.
pub fn router(parts: Parts) -> Router {
    // HEAD would put an opening on record that nobody saw.
    let letter = get(letter).head(|| async { StatusCode::METHOD_NOT_ALLOWED });
    let bundle = get(evidence::bundle).head(|| async { StatusCode::METHOD_NOT_ALLOWED });
    let export = get(audit_export::file).head(|| async { StatusCode::METHOD_NOT_ALLOWED });
    Router::new()
        .route("/registration-tokens/{id}/letter.pdf", letter)
        .route("/evidence/{id}/bundle.zip", bundle)
        .route("/audit-exports/{id}/{token}/{file}", export)
        .with_state(parts)
}

async fn letter(State(parts): State<Parts>, Path(id): Path<String>, request: Request) -> Response {
    let inbound = Inbound::new(request.headers(), request.extensions(), Purpose::Operation);
    // In its own task: a client that hangs up tears no command.
    let opened = tokio::spawn(async move {
        let caller = match parts.gateway.caller(&inbound, None).await? {
            Some(caller) if caller.user().is_some() => caller,
            Some(_) | None => return Err(unauthenticated("Sign in first.")),
        };
        let token = NodeType::RegistrationToken.parse(&ID(id), "id").map_err(|_| not_found())?;
        open_letter(&parts, &caller, token).await
    });
    match opened.await {
        Ok(Ok(pdf)) => document(pdf, "registration-token-letter.pdf"),
        Ok(Err(error)) => refuse(&error),
        Err(error) => refuse(&fault(&error)),
    }
}

async fn open_letter(
    parts: &Parts,
    caller: &Caller,
    token: RegistrationTokenId,
) -> Result<Vec<u8>, TransportError> {
    let Parts { commands, public_url, .. } = parts;
    match commands.dispatch(caller, None, &OpenRegistrationTokenLetter { token }).await {
        Ok(_) => {}
        Err(DispatchError::Refused(refusal)) => return Err(told(&refusal, |_| not_found())),
        Err(DispatchError::Fault(error)) => return Err(fault(&error)),
    }
    let letter = Letter::of(&commands.journal, caller.tenant, token, public_url).await;
    // The token may have ended since it was opened.
    letter.map_err(|error| fault(&error))?.map(|letter| letter.render()).ok_or_else(not_found)
}

/// Holds a caller to a right before anything is looked at; `refused` tells those who are known.
async fn hold_to(
    access: Access,
    commands: &Commands,
    caller: &Caller,
    refused: impl Fn(&Refusal) -> TransportError,
) -> Result<(), TransportError> {
    match authorise(&commands.journal, caller, access, commands.journal.now()).await {
        Ok(_) => Ok(()),
        Err(Failure::Refused(refusal) | Failure::RefusedOnRecord(refusal)) => {
            Err(told(&refusal, refused))
        }
        Err(Failure::Journal(error)) => Err(fault(&error)),
        Err(Failure::Database(error)) => Err(fault(&error)),
    }
}

/// A refusal as it leaves: who is not known is told to sign in, the others what `refused` says.
fn told(refusal: &Refusal, refused: impl Fn(&Refusal) -> TransportError) -> TransportError {
    if is_authentication(refusal) {
        return unauthenticated(&refusal.message).reason(refusal.code.as_str());
    }
    refused(refusal)
}

fn unauthenticated(message: &str) -> TransportError {
    TransportError::new(ErrorCode::Unauthenticated, message)
}

fn not_found() -> TransportError {
    TransportError::new(ErrorCode::NotFound, "There is no such document for you.")
}

fn fault(error: &dyn std::fmt::Display) -> TransportError {
    tracing::error!(%error, "a document could not be opened");
    TransportError::defect()
}

fn document(bytes: Vec<u8>, name: &'static str) -> Response {
    let disposition = format!("inline; filename=\"{name}\"");
    let headers = [
        (header::CONTENT_TYPE, "application/pdf"),
        (header::CONTENT_DISPOSITION, &disposition),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    private((StatusCode::OK, headers, bytes).into_response())
}

fn refuse(error: &TransportError) -> Response {
    let body = json!({
        "code": error.code.as_str(), "reason": error.reason, "message": error.message,
    });
    let mut response = (error.code.status(), Json(body)).into_response();
    if error.code == ErrorCode::Unauthenticated {
        let challenge = HeaderValue::from_static("Bearer realm=\"rollcall\"");
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    }
    private(response)
}

/// Neither a browser nor anybody between keeps it.
fn private(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
