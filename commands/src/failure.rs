//! How a command can fail.

use rollcall_domain::{Code, Refusal};
use rollcall_journal::{JournalError, WorkError};

/// Why a handler did not finish.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Refused; nothing changes.
    #[error(transparent)]
    Refused(Refusal),
    /// Refused, and the refusal itself is a fact: what the handler recorded so far is appended
    /// (a failed sign-in, a wrong passcode), then the caller is refused.
    #[error(transparent)]
    RefusedOnRecord(Refusal),
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error("the database did not answer: {0}")]
    Database(#[from] sqlx::Error),
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<WorkError> for Failure {
    fn from(error: WorkError) -> Self {
        match error {
            WorkError::Refused(refusal) => Self::Refused(refusal),
            WorkError::Journal(error) => Self::Journal(error),
        }
    }
}

/// What dispatch answers instead of a receipt.
#[derive(Debug, thiserror::Error)]
pub enum DispatchError {
    /// A refusal the client can act on.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// A fault of the service; the client learns nothing but a request id.
    #[error("{0}")]
    Fault(String),
}

impl DispatchError {
    /// The stable code, for faults `None`.
    #[must_use]
    pub fn code(&self) -> Option<Code> {
        match self {
            Self::Refused(refusal) => Some(refusal.code),
            Self::Fault(_) => None,
        }
    }
}

impl From<JournalError> for DispatchError {
    fn from(error: JournalError) -> Self {
        Self::Fault(error.to_string())
    }
}

impl From<Failure> for DispatchError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Refused(refusal) | Failure::RefusedOnRecord(refusal) => Self::Refused(refusal),
            Failure::Journal(error) => error.into(),
            Failure::Database(error) => Self::Fault(error.to_string()),
        }
    }
}
