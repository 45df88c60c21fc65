//! An evidence bundle: the answer to a question about the log, with all that a third party needs to
//! check it without asking anybody (GN-35).
//!
//! # Form (`rollcall-evidence/1`): a ZIP archive, nothing compressed, of
//! ```text
//! log.jsonl          one line per event of the range, in order: its leaf, the openings the question
//!                    needs of it, and of those that answer the question everything
//! report.csv         the answer, a row per event; follows from log.jsonl
//! checkpoint.txt     the signed head the range is proven under
//! certification.txt  a draft for whoever is to certify the records
//! manifest.json      the question, the proofs, and the SHA-256 of every file above
//! ```
//! The range is every event from one before the first that may answer to one after the last, so that
//! nothing can have been left out. Its proof is the perfect subtrees of the tree before it, and the
//! consistency proof from the tree at its end to the checkpoint.
//!
//! A named report is proven from the log up to the position it holds for, of which the events that bear
//! on it are open but for what is sealed; its rows stand in `report.jsonl`.
//!
//! An auditor who is kept to an organisation gets presence: only the events of that organisation,
//! each with a proof of its own, and nothing from which to learn of others but how many there are.
//!
//! Invariant: only stored bytes and what opens them go in; memory stays flat.

mod archive;
mod certification;
mod lines;
mod question;
mod write;

use std::{collections::BTreeMap, io};

use chrono::{DateTime, Utc};
use rollcall_domain::audit::{EvidenceQuestion, ReportQuestion};
use rollcall_journal::{keys::KeyError, seal::SealError};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use question::{BEARING, answers, bears, recorded_at, row};
pub use write::{Extent, Order, write};

use super::{
    leaf::{Envelope, Hidden, NoForm, Opening},
    store::ProofError,
};
use crate::reports::recount::Unreadable;

/// The only form there is.
pub const FORMAT: &str = "rollcall-evidence/1";
pub const LOG: &str = "log.jsonl";
pub const REPORT: &str = "report.csv";
/// The rows of a named report stand here, one to a line, each the row's one form in JSON.
pub const REPORT_ROWS: &str = "report.jsonl";
pub const CHECKPOINT: &str = "checkpoint.txt";
pub const CERTIFICATION: &str = "certification.txt";
pub const MANIFEST: &str = "manifest.json";
/// The rows of [`REPORT`].
pub const COLUMNS: [&str; 8] = [
    "position",
    "recorded_at",
    "type",
    "actor",
    "organization",
    "subject",
    "subject_organization",
    "npi",
];

/// Who asked, for whom and why; stands in the manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Occasion {
    /// The id of the person who had it made.
    pub requested_by: Uuid,
    pub recipient: String,
    pub purpose: String,
    pub produced_at: DateTime<Utc>,
    /// The version that made it.
    pub build: String,
    /// How often this evidence was taken away, this time included; each is an event of the log.
    pub release: u32,
}

/// A line of [`LOG`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    pub leaf: Envelope,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub open: BTreeMap<Hidden, Opening>,
    /// By the pointer of a sealed field, the secret that opens it, in hexadecimal digits.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub secrets: BTreeMap<String, String>,
    /// Where it is, in a bundle that proves presence alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
}

/// An event's place in the log, with the proof that it is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    pub position: i64,
    /// From the leaf to the checkpoint's root (RFC 6962, 2.1.1); base64.
    pub proof: Vec<String>,
}

/// `manifest.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    pub format: String,
    pub origin: String,
    pub tenant: Uuid,
    /// Whether the log is none of evidence (GN-35).
    pub not_evidence: bool,
    pub question: EvidenceQuestion,
    /// The named report that is answered instead of the question about events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report_question: Option<ReportQuestion>,
    pub occasion: Occasion,
    pub report: Report,
    /// The organisation to which whoever asked is kept: the bundle proves the presence of its events
    /// and shows nothing of others, so it cannot prove that these are all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub presence_of: Option<Uuid>,
    /// Positions of the first and last event of the range, or of those present.
    pub from: i64,
    pub to: i64,
    /// Size of the tree under the checkpoint.
    pub checkpoint: i64,
    /// The perfect subtrees of the tree before the range, largest first; base64, as all hashes here.
    pub before: Vec<String>,
    /// From the tree at the range's end to the checkpoint (RFC 6962, 2.1.2).
    pub consistency: Vec<String>,
    /// From a checkpoint that the recipient holds to this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Since>,
    pub files: BTreeMap<String, String>,
}

impl Manifest {
    /// The file in which the answer's rows stand.
    #[must_use]
    pub const fn rows_file(&self) -> &'static str {
        if self.report_question.is_some() { REPORT_ROWS } else { REPORT }
    }
}

/// The definition of the answer's rows, and how many there are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    pub name: String,
    pub version: u32,
    pub population: u64,
}

/// A proof that the log of an earlier checkpoint is the beginning of this one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Since {
    pub size: i64,
    pub consistency: Vec<String>,
}

/// Why there is no bundle.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    #[error(transparent)]
    Proof(#[from] ProofError),
    #[error(transparent)]
    Keys(#[from] KeyError),
    #[error("nothing of this log is signed yet")]
    NothingSigned,
    #[error("no event recorded so far lies in this range")]
    Nothing,
    #[error(
        "the log is signed up to {signed}, the report holds for {asked}: fetch it again in a second"
    )]
    NotYetSigned { asked: i64, signed: i64 },
    #[error("the report cannot be made: {0}")]
    Unreadable(#[from] Unreadable),
    #[error("a checkpoint of {0} events is none of this log, which is signed up to {1}")]
    UnknownCheckpoint(i64, i64),
    #[error("the bundle could not be written: {0}")]
    Write(#[from] io::Error),
}

impl From<sqlx::Error> for BundleError {
    fn from(error: sqlx::Error) -> Self {
        Self::Proof(error.into())
    }
}
impl From<NoForm> for BundleError {
    fn from(error: NoForm) -> Self {
        Self::Proof(error.into())
    }
}
impl From<SealError> for BundleError {
    fn from(error: SealError) -> Self {
        Self::Keys(error.into())
    }
}
impl From<zip::result::ZipError> for BundleError {
    fn from(error: zip::result::ZipError) -> Self {
        Self::Write(io::Error::other(error))
    }
}
