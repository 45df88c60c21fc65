//! What can go wrong between a command and the log, told apart by what the caller can do about it:
//! [`JournalError::Unavailable`] may be tried again later, a conflict is decided anew, the rest is a
//! defect or an operator's business.

use rollcall_domain::Refusal;
use serde_json::Value;
use uuid::Uuid;

use crate::{keys::KeyError, subscriber::is_passing};

/// The log could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The database does not answer. Of an append it may be unknown whether it happened; repeating
    /// the command with the same id is safe.
    #[error("the database is not available: {0}")]
    Unavailable(String),
    #[error("the database refused: {0}")]
    Database(#[from] sqlx::Error),
    /// A statement for several requests failed as a whole, without a verdict: a defect.
    #[error("the database refused: {0}")]
    Refused(String),
    #[error("event {event_id} ({event_type}) cannot be read: {source}")]
    Decode { event_id: Uuid, event_type: String, source: serde_json::Error },
    #[error("not representable as JSON: {0}")]
    Encode(#[from] serde_json::Error),
    #[error(transparent)]
    Key(#[from] KeyError),
}

impl JournalError {
    /// Whether it says nothing about what was asked for, only about the database at that time.
    pub(crate) fn is_passing(&self) -> bool {
        match self {
            Self::Unavailable(_) => true,
            Self::Database(error) | Self::Key(KeyError::Database(error)) => is_passing(error),
            Self::Key(KeyError::Seal(_) | KeyError::Unreadable(_))
            | Self::Refused(_)
            | Self::Decode { .. }
            | Self::Encode(_) => false,
        }
    }

    /// Sorts a database error by whether waiting may help.
    pub(crate) fn of(error: sqlx::Error) -> Self {
        if connection_lost(&error) || timed_out(&error) {
            Self::Unavailable(error.to_string())
        } else {
            Self::Database(error)
        }
    }

    /// As [`JournalError::of`], for each of those who waited for one statement.
    pub(crate) fn for_each(error: &sqlx::Error) -> impl Fn() -> Self {
        let waiting_may_help = connection_lost(error) || timed_out(error);
        let kind = if waiting_may_help { Self::Unavailable } else { Self::Refused };
        let message = error.to_string();
        move || kind(message.clone())
    }
}

/// Whether the connection, not the statement, failed: then nobody knows what the server did.
pub(crate) fn connection_lost(error: &sqlx::Error) -> bool {
    match error.as_database_error() {
        // 08: connection; 57P: the server is stopping, crashed or starting.
        Some(database) => {
            database.code().is_some_and(|code| code.starts_with("08") || code.starts_with("57P"))
        }
        None => matches!(
            error,
            sqlx::Error::Io(_)
                | sqlx::Error::Tls(_)
                | sqlx::Error::Protocol(_)
                | sqlx::Error::PoolTimedOut
                | sqlx::Error::PoolClosed
                | sqlx::Error::WorkerCrashed
        ),
    }
}

/// Whether the server gave the statement up for taking too long; it was rolled back then.
pub(crate) fn timed_out(error: &sqlx::Error) -> bool {
    const QUERY_CANCELED: &str = "57014";
    let code = error.as_database_error().and_then(|database| database.code());
    code.is_some_and(|code| code == QUERY_CANCELED)
}

/// The stored answer of a command that was committed before.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredResult {
    /// To tell a repetition from another command under the same id.
    pub request_hash: [u8; 32],
    pub result: Value,
    /// The tenant's position after the command.
    pub position: i64,
}

/// Why a unit of work did not commit. Nothing of it was written.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    #[error("this command was committed before")]
    Duplicate(StoredResult),
    /// Something read or written has changed since: load and decide again.
    #[error("{aggregate_type} {aggregate_id} has changed meanwhile")]
    Conflict { aggregate_type: String, aggregate_id: Uuid },
    /// A command on whose outcome this one went on was not written: decide again.
    #[error("a command that this one relied on was not written")]
    Orphaned,
    /// A natural key belongs to somebody else; the refusal that was given for that case.
    #[error("a reserved key is taken: {0:?}")]
    Taken(Refusal),
    #[error(transparent)]
    Journal(#[from] JournalError),
}

/// Why a decision was not recorded.
#[derive(Debug, thiserror::Error)]
pub enum WorkError {
    #[error("refused: {0:?}")]
    Refused(Refusal),
    #[error(transparent)]
    Journal(#[from] JournalError),
}
