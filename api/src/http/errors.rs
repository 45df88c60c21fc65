//! Top-level GraphQL errors: the closed list of codes and the one place that assigns them.
//!
//! Invariant: no error leaves the transport without a code of this list and a request id, and an
//! error that nobody gave a code is reported as INTERNAL_SERVER_ERROR, logged, and told without
//! detail.

use async_graphql::{ErrorExtensionValues, ServerError, Value};
use axum::http::StatusCode;

/// All that a caller learns of a defect.
const DEFECT: &str = "Something went wrong on our side. Quote the request id when you report it.";

/// Characters of a message that are sent.
const MESSAGE_LENGTH: usize = 500;

/// Values of `errors[].extensions.code` (API conventions, item 7). Refusals by the domain are not
/// here: a mutation reports them as `userErrors`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorCode {
    /// No session, an expired one, or one that contradicts the tenant asked for.
    Unauthenticated,
    /// The caller is known and lacks the right.
    Forbidden,
    /// The thing asked for does not exist for this caller.
    NotFound,
    /// A value or a request that breaks a rule; `extensions.reason` names the rule.
    BadUserInput,
    /// The document is not GraphQL.
    GraphqlParseFailed,
    /// The document does not fit the schema.
    GraphqlValidationFailed,
    /// A persisted document's hash is unknown here; send the document with it.
    PersistedQueryNotFound,
    /// The document exceeds a limit, or a query ran out of time.
    QueryTooComplex,
    /// Too many requests; `extensions.retryAfter` gives seconds where they are known.
    RateLimited,
    /// A defect; `extensions.requestId` finds it in the log.
    InternalServerError,
}

impl ErrorCode {
    /// The whole list, in the order of the documentation.
    pub const ALL: [Self; 10] = [
        Self::Unauthenticated,
        Self::Forbidden,
        Self::NotFound,
        Self::BadUserInput,
        Self::GraphqlParseFailed,
        Self::GraphqlValidationFailed,
        Self::PersistedQueryNotFound,
        Self::QueryTooComplex,
        Self::RateLimited,
        Self::InternalServerError,
    ];

    /// The code as it stands in `extensions.code`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unauthenticated => "UNAUTHENTICATED",
            Self::Forbidden => "FORBIDDEN",
            Self::NotFound => "NOT_FOUND",
            Self::BadUserInput => "BAD_USER_INPUT",
            Self::GraphqlParseFailed => "GRAPHQL_PARSE_FAILED",
            Self::GraphqlValidationFailed => "GRAPHQL_VALIDATION_FAILED",
            Self::PersistedQueryNotFound => "PERSISTED_QUERY_NOT_FOUND",
            Self::QueryTooComplex => "QUERY_TOO_COMPLEX",
            Self::RateLimited => "RATE_LIMITED",
            Self::InternalServerError => "INTERNAL_SERVER_ERROR",
        }
    }

    /// The HTTP status of a response that carries this code and no `data`.
    pub const fn status(self) -> StatusCode {
        match self {
            Self::Unauthenticated => StatusCode::UNAUTHORIZED,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::RateLimited => StatusCode::TOO_MANY_REQUESTS,
            Self::InternalServerError => StatusCode::INTERNAL_SERVER_ERROR,
            Self::BadUserInput
            | Self::GraphqlParseFailed
            | Self::GraphqlValidationFailed
            | Self::PersistedQueryNotFound
            | Self::QueryTooComplex => StatusCode::BAD_REQUEST,
        }
    }

    /// Whether the code speaks about the document, so that `application/json` answers 200
    /// (GraphQL over HTTP, section 6.4.1).
    pub const fn concerns_document(self) -> bool {
        matches!(
            self,
            Self::BadUserInput
                | Self::GraphqlParseFailed
                | Self::GraphqlValidationFailed
                | Self::PersistedQueryNotFound
                | Self::QueryTooComplex
        )
    }

    /// The code that `error` carries, if it is one of the list.
    pub fn of(error: &ServerError) -> Option<Self> {
        let Value::String(code) = error.extensions.as_ref()?.get("code")? else {
            return None;
        };
        Self::ALL.into_iter().find(|known| known.as_str() == code)
    }

    /// Gives `error` this code.
    pub fn mark(self, error: ServerError) -> ServerError {
        with_extension(error, "code", self.as_str())
    }
}

/// An error the transport itself, or the service's caller resolution, answers with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct TransportError {
    /// Goes to `extensions.code`.
    pub code: ErrorCode,
    /// What went wrong and what to do about it, in a sentence.
    pub message: String,
    /// Goes to `extensions.reason`: the rule's own code.
    pub reason: Option<&'static str>,
    /// Seconds until a retry makes sense; `extensions.retryAfter` and the Retry-After header.
    pub retry_after: Option<u64>,
}

impl TransportError {
    /// An error with a code and a sentence.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), reason: None, retry_after: None }
    }

    /// Something that should not happen, whose details are in the log.
    pub fn defect() -> Self {
        Self::new(ErrorCode::InternalServerError, DEFECT)
    }

    /// Names the rule that was broken.
    #[must_use]
    pub fn reason(mut self, reason: &'static str) -> Self {
        self.reason = Some(reason);
        self
    }

    /// Says when to come back, in seconds.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }
}

impl From<TransportError> for ServerError {
    fn from(error: TransportError) -> Self {
        let mut answer = error.code.mark(Self::new(error.message, None));
        if let Some(reason) = error.reason {
            answer = with_extension(answer, "reason", reason);
        }
        if let Some(seconds) = error.retry_after {
            answer = with_extension(answer, "retryAfter", seconds);
        }
        answer
    }
}

/// Gives a validation error its code: a wrong value is the caller's input, all else the document.
pub(super) fn from_validation(error: ServerError) -> ServerError {
    let code = if error.message.starts_with("Invalid value for argument") {
        ErrorCode::BadUserInput
    } else {
        ErrorCode::GraphqlValidationFailed
    };
    code.mark(error)
}

/// Completes every error before it leaves: request id, and a code where none was given.
pub fn complete(errors: Vec<ServerError>, request_id: &str) -> Vec<ServerError> {
    errors
        .into_iter()
        .map(|error| with_extension(coded(error, request_id), "requestId", request_id))
        .map(shortened)
        .collect()
}

/// The parser quotes the line it stumbled over, which may be all of the document.
fn shortened(mut error: ServerError) -> ServerError {
    if let Some((end, _)) = error.message.char_indices().nth(MESSAGE_LENGTH) {
        error.message.truncate(end);
        error.message.push('…');
    }
    error
}

fn coded(error: ServerError, request_id: &str) -> ServerError {
    if ErrorCode::of(&error).is_some() {
        return error;
    }
    if is_input_coercion(&error) {
        return ErrorCode::BadUserInput.mark(error);
    }
    tracing::error!(request_id, path = ?error.path, error = %error.message, "unexpected error");
    let hidden =
        ServerError { message: DEFECT.to_owned(), source: None, extensions: None, ..error };
    ErrorCode::InternalServerError.mark(hidden)
}

/// async-graphql words the errors of `InputType::parse` so, and only those: a scalar or validator
/// that refused a value after validation.
fn is_input_coercion(error: &ServerError) -> bool {
    error.message.starts_with("Failed to parse \"")
        || error.message.starts_with("Expected input type \"")
}

fn with_extension(mut error: ServerError, key: &str, value: impl Into<Value>) -> ServerError {
    error.extensions.get_or_insert_with(ErrorExtensionValues::default).set(key, value);
    error
}
