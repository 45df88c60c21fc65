//! Decoding a stored event without knowing its aggregate beforehand.

use serde_json::Value;

/// Why a stored payload could not be read.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    #[error("no aggregate type {0} is known to this version")]
    UnknownAggregate(String),
    #[error("the payload does not fit {event_type}: {source}")]
    Payload { event_type: String, source: serde_json::Error },
}

/// A closed set of events, such as all events of the domain.
pub trait EventSet: Clone + Send + Sync + 'static {
    /// Reads a payload (personal data already opened) by its aggregate and event type.
    ///
    /// # Errors
    /// An unknown aggregate type, or a payload that does not fit.
    fn decode(aggregate_type: &str, event_type: &str, payload: Value) -> Result<Self, DecodeError>;
}
