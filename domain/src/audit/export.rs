//! A part of the audit timeline that somebody takes away as a file (GN-26).
//!
//! Invariant: what was asked is on record before anything leaves; what left is on record with its
//! hash, each time it was given; the words somebody looked for are sealed, since they may name people.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::ReportQuestion;
use crate::kernel::ActorKind;
use crate::kernel::ids::{AccessReviewId, AuditExportId, OrganizationId, SubjectId, UserId};
use crate::permissions::right_use::RightKind;
use crate::values::Npi;
use crate::{Code, Decider, Decision, Event, Facets, Refusal, Sealed};

/// How the file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ExportFormat {
    /// RFC 4180, with a header.
    Csv,
    /// One JSON object a line.
    JsonLines,
    /// One event of OCSF a line.
    Ocsf,
    /// One AuditEvent of HL7 FHIR R4 a line.
    Fhir,
    /// One JSON object.
    Json,
    /// A document to be filed.
    Pdf,
}

impl ExportFormat {
    /// Whether a review of access is written so; all else that leaves is rows or lines.
    const fn is_of_reviews(self) -> bool {
        match self {
            Self::Csv | Self::Json | Self::Pdf => true,
            Self::JsonLines | Self::Ocsf | Self::Fhir => false,
        }
    }

    /// Whether rows or lines are written so.
    const fn is_of_rows(self) -> bool {
        match self {
            Self::Csv | Self::JsonLines | Self::Ocsf | Self::Fhir => true,
            Self::Json | Self::Pdf => false,
        }
    }
}

/// Which events are asked for; every field that is set must fit. Words are not here, but sealed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ExportFilter {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor_kind: Option<ActorKind>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<UserId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub npi: Option<Npi>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization: Option<OrganizationId>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub types: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// What was refused, or what was done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<bool>,
    /// Recorded at or after.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<DateTime<Utc>>,
    /// Recorded before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correlation: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub causation: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub right: Option<RightKind>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub causes_of: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consequences_of: Option<Uuid>,
}

impl ExportFilter {
    /// The most types that are named, and the longest name.
    const MOST: usize = 100;

    /// Names of events and commands are all that is typed freely and kept open, so nothing else may
    /// stand there.
    pub(super) fn names_only(&self) -> bool {
        let is_letter = |letter: char| letter.is_ascii_alphanumeric() || "_.".contains(letter);
        let is_name = |name: &str| name.len() <= Self::MOST && name.chars().all(is_letter);
        self.types.len() <= Self::MOST
            && self.types.iter().chain(&self.command).all(|name| is_name(name))
    }
}

/// What left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Given {
    pub rows: u64,
    /// The lowest position of a row; absent where there is none.
    pub from_position: Option<i64>,
    /// The highest.
    pub to_position: Option<i64>,
    pub bytes: u64,
    /// Of the whole file, in hexadecimal.
    pub sha256: String,
}

/// An event of stream `audit.export`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum AuditExportEvent {
    /// Somebody asked for a file and got a link to it.
    AuditExportRequested {
        export: AuditExportId,
        by: UserId,
        /// As whose administrator; `None` for the plan's people and for one's own.
        organization: Option<OrganizationId>,
        format: ExportFormat,
        filter: Box<ExportFilter>,
        words: Option<Sealed<Vec<String>>>,
        /// The report whose rows were asked for, in place of events.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        report: Option<Box<ReportQuestion>>,
        /// The review of access that was asked for, in place of events (GN-15).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        review: Option<AccessReviewId>,
        /// Nothing after this position.
        up_to: i64,
        /// The link works until then.
        expires_at: DateTime<Utc>,
    },
    /// The whole file was given.
    AuditExportGiven { export: AuditExportId, by: UserId, given: Given },
}

impl Event for AuditExportEvent {
    fn event_type(&self) -> &'static str {
        match self {
            Self::AuditExportRequested { .. } => "audit.export.audit_export_requested",
            Self::AuditExportGiven { .. } => "audit.export.audit_export_given",
        }
    }

    fn facets(&self) -> Facets {
        match self {
            Self::AuditExportRequested { organization, .. } => {
                Facets { organization: *organization, ..Facets::default() }
            }
            Self::AuditExportGiven { .. } => Facets::default(),
        }
    }
}

/// A command to stream `audit.export`.
#[derive(Clone, Debug)]
pub enum AuditExportCommand {
    Request {
        export: AuditExportId,
        by: UserId,
        organization: Option<OrganizationId>,
        format: ExportFormat,
        filter: Box<ExportFilter>,
        words: Vec<String>,
        report: Option<Box<ReportQuestion>>,
        review: Option<AccessReviewId>,
        up_to: i64,
    },
    RecordGiven {
        by: UserId,
        given: Given,
    },
}

/// Why an export refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuditExportRefusal {
    #[error("There is no such export for you.")]
    Unknown,
    #[error("This export was asked for already. Try again.")]
    Exists,
    #[error(
        "Give stored names of events and of a command, such as pins.pin.pin_reset and ResetPin."
    )]
    NotNames,
    #[error(
        "A review of access is written as CSV, JSON or PDF, and what has rows as CSV or lines."
    )]
    OtherFormat,
}

impl From<AuditExportRefusal> for Refusal {
    fn from(refusal: AuditExportRefusal) -> Self {
        let message = refusal.to_string();
        match refusal {
            AuditExportRefusal::Unknown => Self::not_found("exportId"),
            AuditExportRefusal::Exists => Self::new(Code::VersionConflict, message),
            AuditExportRefusal::NotNames => Self::new(Code::FieldInvalid, message).at("filter"),
            AuditExportRefusal::OtherFormat => Self::new(Code::FieldInvalid, message).at("format"),
        }
    }
}

/// One export.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum AuditExport {
    /// The id is not in use.
    #[default]
    NotRequested,
    /// It may be fetched, until its link has run out.
    Requested(Box<Export>),
}

/// What was asked for, and what was given last.
#[derive(Clone, Debug, PartialEq)]
pub struct Export {
    pub id: AuditExportId,
    pub by: UserId,
    pub organization: Option<OrganizationId>,
    pub format: ExportFormat,
    pub filter: ExportFilter,
    /// Absent where none were given, or whoever gave them was erased.
    pub words: Option<Sealed<Vec<String>>>,
    /// The report whose rows were asked for, in place of events.
    pub report: Option<Box<ReportQuestion>>,
    /// The review of access that was asked for, in place of events.
    pub review: Option<AccessReviewId>,
    pub up_to: i64,
    pub expires_at: DateTime<Utc>,
    pub given: Option<Given>,
}

/// For how long a link works.
pub const LINK_WORKS_FOR: TimeDelta = TimeDelta::minutes(15);

impl AuditExport {
    /// What `by` may fetch at `now`.
    ///
    /// # Errors
    /// `NOT_FOUND` for anybody else, and once the link has run out.
    pub fn open_to(&self, by: UserId, now: DateTime<Utc>) -> Result<&Export, AuditExportRefusal> {
        match self {
            Self::Requested(export) if export.by == by && now < export.expires_at => Ok(export),
            Self::Requested(_) | Self::NotRequested => Err(AuditExportRefusal::Unknown),
        }
    }
}

impl Decider for AuditExport {
    const TYPE: &'static str = "audit.export";
    type Command = AuditExportCommand;
    type Event = AuditExportEvent;
    type Refusal = AuditExportRefusal;

    fn decide(
        &self,
        decision: &Decision<'_>,
        command: AuditExportCommand,
    ) -> Result<Vec<AuditExportEvent>, AuditExportRefusal> {
        match command {
            AuditExportCommand::Request {
                export,
                by,
                organization,
                format,
                filter,
                words,
                report,
                review,
                up_to,
            } => {
                if *self != Self::NotRequested {
                    return Err(AuditExportRefusal::Exists);
                }
                if !filter.names_only() {
                    return Err(AuditExportRefusal::NotNames);
                }
                let is_written_so = match review {
                    Some(_) => format.is_of_reviews(),
                    None => format.is_of_rows(),
                };
                if !is_written_so {
                    return Err(AuditExportRefusal::OtherFormat);
                }
                let words = Some(words).filter(|words| !words.is_empty());
                Ok(vec![AuditExportEvent::AuditExportRequested {
                    export,
                    by,
                    organization,
                    format,
                    filter,
                    words: words.map(|words| Sealed::new(SubjectId::from(by), words)),
                    report,
                    review,
                    up_to,
                    expires_at: decision.now + LINK_WORKS_FOR,
                }])
            }
            // Whoever began in time is not cut off: what is recorded is what left.
            AuditExportCommand::RecordGiven { by, given } => match self {
                Self::Requested(export) if export.by == by => {
                    let export = export.id;
                    Ok(vec![AuditExportEvent::AuditExportGiven { export, by, given }])
                }
                Self::Requested(_) | Self::NotRequested => Err(AuditExportRefusal::Unknown),
            },
        }
    }

    fn evolve(&mut self, event: &AuditExportEvent) {
        match event {
            AuditExportEvent::AuditExportRequested {
                export,
                by,
                organization,
                format,
                filter,
                words,
                report,
                review,
                up_to,
                expires_at,
            } => {
                *self = Self::Requested(Box::new(Export {
                    id: *export,
                    by: *by,
                    organization: *organization,
                    format: *format,
                    filter: (**filter).clone(),
                    words: words.clone(),
                    report: report.clone(),
                    review: *review,
                    up_to: *up_to,
                    expires_at: *expires_at,
                    given: None,
                }));
            }
            AuditExportEvent::AuditExportGiven { given, .. } => {
                if let Self::Requested(export) = self {
                    export.given = Some(given.clone());
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
