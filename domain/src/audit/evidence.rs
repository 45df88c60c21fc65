//! Evidence about the log: asked for, and taken away (GN-35).
//!
//! Invariant: what was asked, for whom and why is on record before anything leaves, and so is each
//! time that it leaves.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::ReportQuestion;
use crate::kernel::ids::{AccessReviewId, EvidenceId, OrganizationId, UserId};
use crate::values::{Npi, Reason};
use crate::{Code, Decider, Decision, Event, Facets, Refusal, Sealed};

/// For how long a bundle may be fetched after it was asked for.
pub const FETCHED_WITHIN: TimeDelta = TimeDelta::hours(24);

/// What is asked of the log: every field given must fit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EvidenceQuestion {
    /// Stored names of events; empty: all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub types: Vec<String>,
    /// The person or machine's key that acted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<UserId>,
    /// The organisation acted for, or acted on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization: Option<OrganizationId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub npi: Option<Npi>,
    /// The review of access whose events they are (GN-15).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_review: Option<AccessReviewId>,
    /// Recorded at or after.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<DateTime<Utc>>,
    /// Recorded before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<DateTime<Utc>>,
}

/// An event of stream `audit.evidence`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum EvidenceEvent {
    /// Somebody wants to take evidence away.
    EvidenceRequested {
        evidence: EvidenceId,
        requested_by: UserId,
        question: Box<EvidenceQuestion>,
        /// Whom it is for, and what for.
        recipient: Sealed<Reason>,
        purpose: Sealed<Reason>,
        /// Size of a checkpoint that the recipient holds.
        since: Option<i64>,
        /// Until when it may be fetched.
        expires_at: DateTime<Utc>,
        /// The organisation to which the auditor is kept: the presence of its events is proven.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        kept_to: Option<OrganizationId>,
        /// The report that is asked for instead of events.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        report: Option<Box<ReportQuestion>>,
    },
    /// A bundle was made and is leaving.
    EvidenceOpened {
        evidence: EvidenceId,
        requested_by: UserId,
        /// Size of the checkpoint it is proven under, and how many events answer the question.
        checkpoint: i64,
        population: u64,
        /// Of the file.
        sha256: String,
    },
}

/// A command to stream `audit.evidence`.
#[derive(Clone, Debug)]
pub enum EvidenceCommand {
    Request {
        evidence: EvidenceId,
        requested_by: UserId,
        question: EvidenceQuestion,
        recipient: Reason,
        purpose: Reason,
        since: Option<i64>,
        kept_to: Option<OrganizationId>,
        report: Option<Box<ReportQuestion>>,
    },
    /// By whoever asked for it.
    Open { evidence: EvidenceId, by: UserId, checkpoint: i64, population: u64, sha256: String },
}

/// Why evidence is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EvidenceRefusal {
    #[error("Give an end of the range that lies after its beginning.")]
    RangeReversed,
    #[error("There is no such evidence for you.")]
    NotYours,
    #[error("It was to be fetched within a day. Ask for it again.")]
    Expired,
}

impl From<EvidenceRefusal> for Refusal {
    fn from(refusal: EvidenceRefusal) -> Self {
        let message = refusal.to_string();
        match refusal {
            EvidenceRefusal::RangeReversed => {
                Self::new(Code::RangeInvalid, message).at("question.to")
            }
            EvidenceRefusal::NotYours => Self::new(Code::NotFound, message),
            EvidenceRefusal::Expired => Self::new(Code::LinkExpired, message),
        }
    }
}

/// What was asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct RequestedEvidence {
    pub requested_by: UserId,
    pub question: EvidenceQuestion,
    pub recipient: Sealed<Reason>,
    pub purpose: Sealed<Reason>,
    pub since: Option<i64>,
    pub expires_at: DateTime<Utc>,
    pub kept_to: Option<OrganizationId>,
    pub report: Option<Box<ReportQuestion>>,
    /// How often it was taken away.
    pub released: u32,
}

/// One bundle.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Evidence {
    requested: Option<RequestedEvidence>,
}

impl Evidence {
    /// What was asked for, while the one who asked may fetch it.
    ///
    /// # Errors
    /// It is somebody else's or nobody's, or its time is over.
    pub fn fetched_by(
        &self,
        user: UserId,
        now: DateTime<Utc>,
    ) -> Result<&RequestedEvidence, EvidenceRefusal> {
        let requested = self.requested.as_ref().filter(|asked| asked.requested_by == user);
        let requested = requested.ok_or(EvidenceRefusal::NotYours)?;
        if now < requested.expires_at { Ok(requested) } else { Err(EvidenceRefusal::Expired) }
    }
}

impl Event for EvidenceEvent {
    fn event_type(&self) -> &'static str {
        match self {
            Self::EvidenceRequested { .. } => "audit.evidence.evidence_requested",
            Self::EvidenceOpened { .. } => "audit.evidence.evidence_opened",
        }
    }

    fn facets(&self) -> Facets {
        match self {
            Self::EvidenceRequested { requested_by, .. }
            | Self::EvidenceOpened { requested_by, .. } => Facets::default().subject(*requested_by),
        }
    }
}

impl Decider for Evidence {
    const TYPE: &'static str = "audit.evidence";
    type Command = EvidenceCommand;
    type Event = EvidenceEvent;
    type Refusal = EvidenceRefusal;

    fn decide(
        &self,
        decision: &Decision<'_>,
        command: EvidenceCommand,
    ) -> Result<Vec<EvidenceEvent>, EvidenceRefusal> {
        match command {
            EvidenceCommand::Request {
                evidence,
                requested_by,
                question,
                recipient,
                purpose,
                since,
                kept_to,
                report,
            } => {
                if question.from.zip(question.to).is_some_and(|(from, to)| to <= from) {
                    return Err(EvidenceRefusal::RangeReversed);
                }
                Ok(vec![EvidenceEvent::EvidenceRequested {
                    evidence,
                    requested_by,
                    question: Box::new(question),
                    recipient: Sealed::new(requested_by, recipient),
                    purpose: Sealed::new(requested_by, purpose),
                    since,
                    expires_at: decision.now + FETCHED_WITHIN,
                    kept_to,
                    report,
                }])
            }
            EvidenceCommand::Open { evidence, by, checkpoint, population, sha256 } => {
                self.fetched_by(by, decision.now)?;
                Ok(vec![EvidenceEvent::EvidenceOpened {
                    evidence,
                    requested_by: by,
                    checkpoint,
                    population,
                    sha256,
                }])
            }
        }
    }

    fn evolve(&mut self, event: &EvidenceEvent) {
        match event {
            EvidenceEvent::EvidenceRequested {
                requested_by,
                question,
                recipient,
                purpose,
                since,
                expires_at,
                kept_to,
                report,
                ..
            } => {
                self.requested = Some(RequestedEvidence {
                    requested_by: *requested_by,
                    question: EvidenceQuestion::clone(question),
                    recipient: recipient.clone(),
                    purpose: purpose.clone(),
                    since: *since,
                    expires_at: *expires_at,
                    kept_to: *kept_to,
                    report: report.clone(),
                    released: 0,
                });
            }
            EvidenceEvent::EvidenceOpened { .. } => {
                if let Some(requested) = &mut self.requested {
                    requested.released += 1;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone;

    use super::*;
    use crate::kernel::scenario::{given, id, start};

    fn request(question: EvidenceQuestion) -> EvidenceCommand {
        EvidenceCommand::Request {
            evidence: id(7),
            requested_by: id(1),
            question,
            recipient: Reason::parse("Office for Civil Rights").unwrap(),
            purpose: Reason::parse("Investigation 12").unwrap(),
            since: Some(40),
            kept_to: None,
            report: None,
        }
    }

    fn question() -> EvidenceQuestion {
        EvidenceQuestion {
            types: vec!["permissions.membership.npi_permission_set".to_owned()],
            actor: Some(Uuid::from_u128(2)),
            subject: Some(id(3)),
            organization: Some(id(10)),
            npi: Some(Npi::parse("1234567893").unwrap()),
            access_review: None,
            from: Some(Utc.with_ymd_and_hms(2026, 1, 1, 0, 0, 0).unwrap()),
            to: Some(Utc.with_ymd_and_hms(2026, 4, 1, 0, 0, 0).unwrap()),
        }
    }

    fn requested(expires_at: DateTime<Utc>) -> EvidenceEvent {
        EvidenceEvent::EvidenceRequested {
            evidence: id(7),
            requested_by: id(1),
            question: Box::new(question()),
            recipient: Sealed::new(
                UserId(Uuid::from_u128(1)),
                Reason::parse("Office for Civil Rights").unwrap(),
            ),
            purpose: Sealed::new(
                UserId(Uuid::from_u128(1)),
                Reason::parse("Investigation 12").unwrap(),
            ),
            since: Some(40),
            expires_at,
            kept_to: None,
            report: None,
        }
    }

    fn open(by: u128) -> EvidenceCommand {
        EvidenceCommand::Open {
            evidence: id(7),
            by: id(by),
            checkpoint: 90,
            population: 3,
            sha256: "ab".repeat(32),
        }
    }

    #[test]
    fn gn_35_what_is_asked_for_is_fetched_within_a_day() {
        given::<Evidence>(&[])
            .when(request(question()))
            .then(&[requested(start() + TimeDelta::hours(24))]);
        let opened = EvidenceEvent::EvidenceOpened {
            evidence: id(7),
            requested_by: id(1),
            checkpoint: 90,
            population: 3,
            sha256: "ab".repeat(32),
        };
        let soon = requested(start() + TimeDelta::seconds(1));
        given::<Evidence>(std::slice::from_ref(&soon)).when(open(1)).then(&[opened]);
        given::<Evidence>(&[soon]).when(open(2)).refused(Code::NotFound);
        given::<Evidence>(&[requested(start())]).when(open(1)).refused(Code::LinkExpired);
        given::<Evidence>(&[]).when(open(1)).refused(Code::NotFound);
    }

    #[test]
    fn gn_35_a_reversed_range_is_refused() {
        let EvidenceQuestion { from, to, .. } = question();
        let reversed = EvidenceQuestion { from: to, to: from, ..question() };
        given::<Evidence>(&[]).when(request(reversed)).refused(Code::RangeInvalid);
    }
}
