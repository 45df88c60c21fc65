//! One GraphQL operation from an admissible document to a complete answer, whichever way it came.
//!
//! Invariant: a mutation, once started, runs to its end; a caller who leaves or a time-out stops
//! waiting for it but never tears it off in the middle.

use std::time::Duration;

use async_graphql::{
    Request, Response, ServerError, Value,
    parser::types::{DocumentOperations, ExecutableDocument, OperationDefinition, OperationType},
};
use serde::Serialize;
use tokio::task::JoinSet;
use tracing::Instrument;

use super::{
    Gateway, Inbound, Transport,
    errors::{self, ErrorCode, TransportError},
    limits::{Admission, check_text},
    trace,
};

/// What the transport has to know of an operation before it runs.
#[derive(Clone, Debug)]
pub(super) struct Operation {
    pub kind: OperationType,
    /// The name in the document, for the trace.
    pub name: Option<String>,
    /// SHA-256 of the document in hexadecimal, for the trace.
    pub document_hash: String,
}

/// The body of a response (GraphQL specification, section 7.1). `data` is absent, not null, where
/// nothing was executed.
#[derive(Debug, Serialize)]
pub(super) struct Answer {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<ServerError>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<Value>,
    #[serde(skip_serializing_if = "std::collections::BTreeMap::is_empty")]
    pub extensions: std::collections::BTreeMap<String, Value>,
    /// Headers that resolvers set, such as a session's cookie.
    #[serde(skip)]
    pub headers: axum::http::HeaderMap,
}

impl Answer {
    /// An answer to what was not executed.
    pub fn refusal(errors: Vec<ServerError>, request_id: &str) -> Self {
        Self {
            errors: errors::complete(errors, request_id),
            data: None,
            extensions: Default::default(),
            headers: Default::default(),
        }
    }

    pub fn new(response: Response, executed: bool, request_id: &str) -> Self {
        Self {
            errors: errors::complete(response.errors, request_id),
            data: executed.then_some(response.data),
            extensions: response.extensions,
            headers: response.http_headers,
        }
    }
}

/// Finds and parses the request's document and the operation it names.
pub(super) fn inspect<G>(
    request: &mut Request,
    transport: &Transport<G>,
) -> Result<Operation, ServerError> {
    let document_hash = transport.documents.resolve(request)?;
    check_text(&request.query, &transport.limits.document)?;
    let wanted = request.operation_name.clone();
    let document =
        request.parsed_query().map_err(|error| ErrorCode::GraphqlParseFailed.mark(error))?;
    let (name, operation) = select(document, wanted.as_deref())?;
    let (kind, name) = (operation.ty, name.map(str::to_owned));
    Ok(Operation { kind, name, document_hash })
}

/// The operation that `name` names, or the only one (GraphQL specification, GetOperation).
pub(super) fn select<'a>(
    document: &'a ExecutableDocument,
    name: Option<&str>,
) -> Result<(Option<&'a str>, &'a OperationDefinition), TransportError> {
    let found = match (&document.operations, name) {
        (DocumentOperations::Single(only), None) => Some((None, &only.node)),
        (DocumentOperations::Single(_), Some(_)) => None,
        (DocumentOperations::Multiple(all), None) if all.len() != 1 => {
            return Err(TransportError::new(
                ErrorCode::BadUserInput,
                "The document holds several operations. Name one in operationName.",
            )
            .reason("OPERATION_NAME_REQUIRED"));
        }
        (DocumentOperations::Multiple(all), None) => {
            all.iter().next().map(|(name, one)| (Some(name.as_str()), &one.node))
        }
        (DocumentOperations::Multiple(all), Some(name)) => {
            all.get_key_value(name).map(|(name, one)| (Some(name.as_str()), &one.node))
        }
    };
    found.ok_or_else(|| {
        TransportError::new(
            ErrorCode::BadUserInput,
            format!("The document has no operation named \"{}\".", name.unwrap_or_default()),
        )
        .reason("OPERATION_UNKNOWN")
    })
}

/// Resolves the caller and executes a query or mutation within the time limit.
pub(super) async fn run<G: Gateway>(
    transport: &Transport<G>,
    inbound: &Inbound,
    init: Option<&serde_json::Value>,
    operation: &Operation,
    mut request: Request,
) -> Result<Answer, TransportError> {
    transport.admit(inbound, init, &operation.document_hash, &mut request).await?;
    let admission = Admission::default();
    request.data.insert(admission.clone());
    let execution = {
        let gateway = transport.gateway.clone();
        let span = trace::operation_span(inbound, operation);
        async move { gateway.execute(request).await }.instrument(span)
    };
    let limit = transport.limits.timeout;
    let response = match operation.kind {
        OperationType::Mutation => to_the_end(execution, limit).await,
        OperationType::Query | OperationType::Subscription => while_awaited(execution, limit).await,
    }?;
    Ok(Answer::new(response, admission.admitted(), &inbound.request_id))
}

/// Runs a query in a task of its own, so that a panic stays there; dropped with the caller.
async fn while_awaited(
    execution: impl Future<Output = Response> + Send + 'static,
    limit: Duration,
) -> Result<Response, TransportError> {
    let mut task = JoinSet::new();
    task.spawn(execution);
    match tokio::time::timeout(limit, task.join_next()).await {
        Ok(Some(Ok(response))) => Ok(response),
        Ok(Some(Err(_)) | None) => Err(TransportError::defect()),
        Err(_) => Err(TransportError::new(
            ErrorCode::QueryTooComplex,
            format!(
                "The query ran longer than {} s and was stopped. Ask for less.",
                limit.as_secs()
            ),
        )
        .reason("TIMEOUT")),
    }
}

async fn to_the_end(
    execution: impl Future<Output = Response> + Send + 'static,
    limit: Duration,
) -> Result<Response, TransportError> {
    match tokio::time::timeout(limit, tokio::spawn(execution)).await {
        Ok(Ok(response)) => Ok(response),
        Ok(Err(_)) => Err(TransportError::defect()),
        Err(_) => Err(TransportError::new(
            ErrorCode::InternalServerError,
            "The mutation is still running and its outcome is unknown. Repeat it with the same \
             idempotencyKey to learn it.",
        )
        .reason("TIMEOUT")),
    }
}
