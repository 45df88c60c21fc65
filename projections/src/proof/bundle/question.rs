//! Which events answer a question, and what is told of them. Invariant: both follow from openings
//! alone, so whoever checks a bundle comes to the same.

use chrono::{DateTime, Utc};
use rollcall_domain::{
    Decider,
    access_reviews::AccessReview,
    audit::{EvidenceQuestion, ReportQuestion},
};

use super::{COLUMNS, Line};
use crate::{
    proof::leaf::{Envelope, Hidden},
    reports::recount,
};

/// The hidden fields that tell whether an event answers a question.
#[must_use]
pub fn fields_of(question: &EvidenceQuestion) -> Vec<Hidden> {
    let mut fields = Vec::new();
    if question.actor.is_some() {
        fields.push(Hidden::Actor);
    }
    if question.organization.is_some() {
        fields.extend([Hidden::Organization, Hidden::SubjectOrganization]);
    }
    if question.subject.is_some() {
        fields.push(Hidden::Subject);
    }
    if question.npi.is_some() {
        fields.push(Hidden::Npi);
    }
    fields
}

/// Whether an event answers a question; `None` where a field that tells is not open.
#[must_use]
pub fn answers(line: &Line, question: &EvidenceQuestion) -> Option<bool> {
    let EvidenceQuestion { types, actor, subject, organization, npi, access_review, from, to } =
        question;
    let recorded = recorded_at(&line.leaf)?;
    let value = |field| line.open.get(&field).map(|opening| opening.value.as_str());
    let mut fits = types.is_empty() || types.contains(&line.leaf.event_type);
    fits &= from.is_none_or(|from| recorded >= from) && to.is_none_or(|to| recorded < to);
    if let Some(review) = access_review {
        let leaf = &line.leaf;
        fits &= leaf.stream_type == AccessReview::TYPE && leaf.stream_id == review.to_string();
    }
    if let Some(actor) = actor {
        let acted = value(Hidden::Actor)?;
        fits &= acted.split_once(':').is_some_and(|(_, id)| id == actor.to_string());
    }
    if let Some(organization) = organization.map(|id| id.to_string()) {
        let (by, of) = (value(Hidden::Organization)?, value(Hidden::SubjectOrganization)?);
        fits &= by == organization || of == organization;
    }
    if let Some(subject) = subject {
        fits &= value(Hidden::Subject)? == subject.to_string();
    }
    if let Some(npi) = npi {
        fits &= value(Hidden::Npi)? == npi.to_string();
    }
    Some(fits)
}

/// What is open of an event that bears on a report.
pub const BEARING: [Hidden; 6] = [
    Hidden::Actor,
    Hidden::Organization,
    Hidden::Subject,
    Hidden::SubjectOrganization,
    Hidden::Npi,
    Hidden::Payload,
];

/// Whether the event at a position bears on a report; the first one tells when the records begin.
#[must_use]
pub fn bears(question: &ReportQuestion, position: i64, event_type: &str) -> bool {
    position == 1 || recount::reads(question.report, event_type)
}

/// When an event was recorded, as its leaf says.
#[must_use]
pub fn recorded_at(leaf: &Envelope) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(&leaf.recorded_at).ok().map(|at| at.to_utc())
}

/// The report's row of an event that answers the question; `value` is what its leaf hides.
#[must_use]
pub fn row(
    position: i64,
    (recorded_at, event_type): (&str, &str),
    value: impl Fn(Hidden) -> String,
) -> [String; COLUMNS.len()] {
    [
        position.to_string(),
        recorded_at.to_owned(),
        event_type.to_owned(),
        value(Hidden::Actor),
        value(Hidden::Organization),
        value(Hidden::Subject),
        value(Hidden::SubjectOrganization),
        value(Hidden::Npi),
    ]
}
