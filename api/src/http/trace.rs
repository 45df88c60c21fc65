//! Request ids, W3C trace context and the span of an operation.
//!
//! Invariant: a span holds names and hashes, never variables, documents or headers.

use async_graphql::parser::types::OperationType;
use axum::http::{HeaderMap, HeaderName};
use tracing::{Span, field};
use uuid::Uuid;

use super::{Inbound, operation::Operation};

/// Carries the request id both ways.
pub(super) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Characters of an operation's name that the trace keeps.
const NAME_LENGTH: usize = 100;

/// The client's request id where it is harmless to repeat, or a new one.
pub(super) fn request_id(headers: &HeaderMap) -> String {
    headers
        .get(X_REQUEST_ID)
        .and_then(|value| value.to_str().ok())
        .filter(|id| {
            (1..=128).contains(&id.len())
                && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte))
        })
        .map_or_else(|| Uuid::now_v7().to_string(), str::to_owned)
}

/// The parts of a `traceparent` header that identify the caller's span.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceParent {
    /// 32 hexadecimal digits.
    pub trace_id: String,
    /// 16 hexadecimal digits.
    pub parent_id: String,
}

impl TraceParent {
    /// Reads the header; a malformed one is ignored (W3C Trace Context, section 4.3).
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let mut parts = headers.get("traceparent")?.to_str().ok()?.split('-');
        let (version, trace_id, parent_id, flags) =
            (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        // A later version may append fields; version 00 has exactly four, ff is forbidden.
        let well_formed = lower_hex(version, 2)
            && version != "ff"
            && (version != "00" || parts.next().is_none())
            && lower_hex(flags, 2)
            && lower_hex(trace_id, 32)
            && lower_hex(parent_id, 16)
            && [trace_id, parent_id].iter().all(|id| id.bytes().any(|byte| byte != b'0'));
        well_formed.then(|| Self { trace_id: trace_id.to_owned(), parent_id: parent_id.to_owned() })
    }
}

fn lower_hex(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// The span an operation runs in.
pub(super) fn operation_span(inbound: &Inbound, operation: &Operation) -> Span {
    let kind = match operation.kind {
        OperationType::Query => "query",
        OperationType::Mutation => "mutation",
        OperationType::Subscription => "subscription",
    };
    let span = tracing::info_span!(
        "graphql",
        graphql.operation.type = kind,
        graphql.operation.name = field::Empty,
        graphql.document.hash = %operation.document_hash,
        request_id = %inbound.request_id,
        trace_id = field::Empty,
        parent_id = field::Empty,
    );
    if let Some(name) = &operation.name {
        span.record("graphql.operation.name", &name[..name.len().min(NAME_LENGTH)]);
    }
    if let Some(parent) = &inbound.trace_parent {
        span.record("trace_id", &parent.trace_id);
        span.record("parent_id", &parent.parent_id);
    }
    span
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn parent(header: &str) -> Option<TraceParent> {
        let value = HeaderValue::from_str(header).expect("a header of this test");
        TraceParent::of(&HeaderMap::from_iter([(HeaderName::from_static("traceparent"), value)]))
    }

    #[test]
    fn the_trace_context_examples_are_read() {
        let read = parent("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
        assert_eq!(
            read,
            Some(TraceParent {
                trace_id: "4bf92f3577b34da6a3ce929d0e0e4736".to_owned(),
                parent_id: "00f067aa0ba902b7".to_owned(),
            })
        );
        assert!(parent("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what").is_some());
    }

    #[test]
    fn malformed_trace_contexts_are_ignored() {
        for header in [
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736",
            "",
        ] {
            assert_eq!(parent(header), None, "{header}");
        }
    }
}
