//! `/graphql` over HTTP: which requests are heard, and with which status they are answered.
//!
//! Invariant: GET never changes anything; every answer is JSON or a stream of events with JSON,
//! carries the request id and is not to be stored by what stands between.

use async_graphql::{Request, ServerError, Value, parser::types::OperationType};
use axum::{
    body::{Body, Bytes},
    extract::{FromRequest, Request as HttpRequest, State},
    http::{HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};

use super::{
    Gateway, Inbound, Purpose, Transport,
    errors::{ErrorCode, TransportError},
    media::{Media, accepts_events, is_json, negotiate},
    operation::{self, Answer},
    params, persisted, sse,
    trace::X_REQUEST_ID,
};

/// A request that is not a well-formed GraphQL request, with the status HTTP has for that.
struct Unheard {
    status: StatusCode,
    allow: Option<&'static str>,
    error: TransportError,
}

impl Unheard {
    fn new(status: StatusCode, reason: &'static str, message: impl Into<String>) -> Self {
        let error = TransportError::new(ErrorCode::BadUserInput, message).reason(reason);
        Self { status, allow: None, error }
    }

    fn method(allow: &'static str, message: &'static str) -> Self {
        let unheard = Self::new(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", message);
        Self { allow: Some(allow), ..unheard }
    }
}

impl From<TransportError> for Unheard {
    fn from(error: TransportError) -> Self {
        Self { status: StatusCode::BAD_REQUEST, allow: None, error }
    }
}

pub(super) async fn graphql<G: Gateway>(
    State(transport): State<Transport<G>>,
    request: HttpRequest,
) -> Response {
    let inbound = Inbound::new(request.headers(), request.extensions(), Purpose::Operation);
    let accepted =
        Accepted { media: negotiate(request.headers()), events: accepts_events(request.headers()) };
    let media = accepted.media.unwrap_or(Media::Json);
    if accepted.media.is_none() && !accepted.events {
        let unheard = Unheard::new(
            StatusCode::NOT_ACCEPTABLE,
            "NOT_ACCEPTABLE",
            "Answers come as application/graphql-response+json, application/json or \
             text/event-stream; accept one.",
        );
        return refuse(unheard, media, &inbound);
    }
    let method = request.method().clone();
    let request = match hear(&transport, request).await {
        Ok(request) => request,
        Err(unheard) => return refuse(unheard, media, &inbound),
    };
    match answer(&transport, &inbound, &method, accepted, request).await {
        Ok(Outcome::Answer(answer)) => {
            let status = status(&answer, media);
            if method == Method::GET && status == StatusCode::OK {
                conditional(*answer, media, &inbound)
            } else {
                respond(status, *answer, media, &inbound)
            }
        }
        Ok(Outcome::Events(request)) => {
            let mut response = sse::respond(transport, inbound.clone(), *request);
            stamp(&mut response, &inbound);
            response
        }
        Err(unheard) => refuse(unheard, media, &inbound),
    }
}

/// What a client takes.
#[derive(Clone, Copy)]
struct Accepted {
    media: Option<Media>,
    events: bool,
}

/// What becomes of a request that was heard.
enum Outcome {
    Answer(Box<Answer>),
    /// It is to be answered as a stream.
    Events(Box<Request>),
}

/// Reads the parameters of a GraphQL request off an HTTP request.
async fn hear<G: Gateway>(
    transport: &Transport<G>,
    request: HttpRequest,
) -> Result<Request, Unheard> {
    if request.method() == Method::GET {
        return Ok(params::from_url(request.uri())?);
    }
    if request.method() != Method::POST {
        return Err(Unheard::method("GET, POST", "Send operations by POST, or queries by GET."));
    }
    if !is_json(request.headers()) {
        return Err(Unheard::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "UNSUPPORTED_MEDIA_TYPE",
            "Send the request as application/json in UTF-8, uncompressed.",
        ));
    }
    let limit = transport.limits.body_bytes;
    let body = Bytes::from_request(request, &()).await.map_err(|rejection| {
        if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
            Unheard::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "PAYLOAD_TOO_LARGE",
                format!("The body is larger than {limit} bytes. Files go to their own endpoint."),
            )
        } else {
            Unheard::new(
                StatusCode::BAD_REQUEST,
                "MALFORMED_REQUEST",
                "The body ended before it was complete.",
            )
        }
    })?;
    Ok(params::from_body(&body)?)
}

async fn answer<G: Gateway>(
    transport: &Transport<G>,
    inbound: &Inbound,
    method: &Method,
    accepted: Accepted,
    mut request: Request,
) -> Result<Outcome, Unheard> {
    let answer = |answer: Answer| Ok(Outcome::Answer(Box::new(answer)));
    let refusal = |error: ServerError| Answer::refusal(vec![error], &inbound.request_id);
    let operation = match operation::inspect(&mut request, transport) {
        Ok(operation) => operation,
        Err(error) => return answer(refusal(error)),
    };
    match operation.kind {
        OperationType::Query => {}
        OperationType::Mutation if method == Method::GET => {
            return Err(Unheard::method("POST", "Send mutations by POST."));
        }
        OperationType::Mutation => {}
        OperationType::Subscription if accepted.events => {
            return Ok(Outcome::Events(Box::new(request)));
        }
        OperationType::Subscription => {
            return Err(Unheard::new(
                StatusCode::BAD_REQUEST,
                "SUBSCRIPTION_NEEDS_STREAM",
                "Subscriptions run as events (accept text/event-stream), or over WebSocket at \
                 /graphql/ws (graphql-transport-ws).",
            ));
        }
    }
    if accepted.media.is_none() {
        return Ok(Outcome::Events(Box::new(request)));
    }
    let ran = operation::run(transport, inbound, None, &operation, request);
    answer(ran.await.unwrap_or_else(|error| refusal(error.into())))
}

/// Answers a query by GET, or 304 where the client has the same data already.
///
/// The tag is of the data alone: it stays while others' events move the position on, and the query
/// runs each time, so that a right that has ended is refused whatever the client kept.
fn conditional(answer: Answer, media: Media, inbound: &Inbound) -> Response {
    let (Some(data), true) = (&answer.data, answer.errors.is_empty()) else {
        return respond(StatusCode::OK, answer, media, inbound);
    };
    let text = serde_json::to_string(data).expect("an answer has string keys only");
    let tag = format!("W/\"{}\"", persisted::hash(&text));
    let mut response = if has(inbound, &tag) {
        let mut response = StatusCode::NOT_MODIFIED.into_response();
        stamp(&mut response, inbound);
        response
    } else {
        respond(StatusCode::OK, answer, media, inbound)
    };
    let tag = HeaderValue::from_str(&tag).expect("hexadecimal digits");
    response.headers_mut().insert(header::ETAG, tag);
    response
}

/// Whether the client holds the answer with this tag (RFC 9110, section 13.1.2).
fn has(inbound: &Inbound, tag: &str) -> bool {
    let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    inbound
        .headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|held| held.trim() == "*" || opaque(held) == opaque(tag))
}

/// The status of an answer (GraphQL over HTTP, sections 6.4.1 and 6.4.2).
fn status(answer: &Answer, media: Media) -> StatusCode {
    if answer.data.is_some() {
        return StatusCode::OK;
    }
    match (answer.errors.first().and_then(ErrorCode::of), media) {
        (Some(code), Media::Json) if code.concerns_document() => StatusCode::OK,
        (Some(code), _) => code.status(),
        (None, _) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

fn refuse(unheard: Unheard, media: Media, inbound: &Inbound) -> Response {
    let answer = Answer::refusal(vec![unheard.error.into()], &inbound.request_id);
    let mut response = respond(unheard.status, answer, media, inbound);
    if let Some(methods) = unheard.allow {
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(methods));
    }
    response
}

fn respond(status: StatusCode, answer: Answer, media: Media, inbound: &Inbound) -> Response {
    let body = serde_json::to_vec(&answer).expect("an answer has string keys only");
    let mut response = (status, Body::from(body)).into_response();
    let headers = response.headers_mut();
    headers.extend(answer.headers);
    headers.insert(header::CONTENT_TYPE, media.content_type());
    if status == StatusCode::UNAUTHORIZED {
        let challenge = HeaderValue::from_static("Bearer realm=\"rollcall\"");
        headers.insert(header::WWW_AUTHENTICATE, challenge);
    }
    if let Some(seconds) = retry_after(&answer.errors) {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    stamp(&mut response, inbound);
    response
}

/// The headers that every answer has.
fn stamp(response: &mut Response, inbound: &Inbound) {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::VARY, HeaderValue::from_static("accept"));
    if let Ok(id) = HeaderValue::from_str(&inbound.request_id) {
        headers.insert(X_REQUEST_ID, id);
    }
}

fn retry_after(errors: &[ServerError]) -> Option<u64> {
    let extensions = errors.first()?.extensions.as_ref()?;
    let Value::Number(seconds) = extensions.get("retryAfter")? else {
        return None;
    };
    seconds.as_u64()
}
