//! The regular review of what happened in the portal (GN-34; 45 CFR 164.308(a)(1)(ii)(D)).
//!
//! Invariant: one stream per tenant; no moment is reviewed twice, and a period that nobody reviewed in
//! time is told once, however many of them there are.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::ReportName;
use crate::kernel::ids::{ActivityReviewId, UserId};
use crate::policies::Policy;
use crate::values::{Findings, PersonName, Reason};
use crate::{Code, Decider, Decision, Event, Facets, Refusal, Sealed};

/// The version of [`ATTESTATION`].
pub const ATTESTATION_VERSION: &str = "1";
/// What a reviewer signs.
pub const ATTESTATION: &str = "I reviewed the records of information system activity of this \
    period, such as audit logs and access reports, and what I found is stated here completely and to \
    the best of my knowledge.";

/// From when to when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewPeriod {
    pub from: DateTime<Utc>,
    /// The first moment after it.
    pub to: DateTime<Utc>,
}

/// Something that was asked of the records.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReviewedQuestion {
    /// The report; none for the timeline itself.
    pub report: Option<ReportName>,
    /// The filter or parameters, in the reviewer's words.
    pub filter: Option<Sealed<Reason>>,
}

/// Who signed what.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReviewSignature {
    /// As typed.
    pub name: Sealed<PersonName>,
    /// The version of the statement that was signed.
    pub statement: String,
}

/// A review that was done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CompletedReview {
    pub review: ActivityReviewId,
    pub by: UserId,
    pub period: ReviewPeriod,
    pub questions: Vec<ReviewedQuestion>,
    pub findings: Sealed<Findings>,
    pub signature: ReviewSignature,
    pub completed_at: DateTime<Utc>,
}

/// An event of stream `audit.activity_reviews`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ActivityReviewsEvent {
    /// Somebody reviewed a period and signed what they found.
    ActivityReviewCompleted(Box<CompletedReview>),
    /// Nobody reviewed `period` until `due_at`; it is so many periods of the policy's length.
    ActivityReviewOverdue { period: ReviewPeriod, periods: u32, due_at: DateTime<Utc> },
}

impl Event for ActivityReviewsEvent {
    fn event_type(&self) -> &'static str {
        match self {
            Self::ActivityReviewCompleted(_) => "audit.activity_reviews.activity_review_completed",
            Self::ActivityReviewOverdue { .. } => "audit.activity_reviews.activity_review_overdue",
        }
    }

    fn facets(&self) -> Facets {
        Facets::default()
    }
}

/// A command to stream `audit.activity_reviews`.
#[derive(Clone, Debug)]
pub enum ActivityReviewsCommand {
    /// `began` is when the tenant's records begin.
    Complete { done: Box<CompletedReview>, attested: bool, began: DateTime<Utc> },
    /// Look whether a review is overdue.
    Watch { began: DateTime<Utc> },
}

/// Why a review is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ActivityReviewsRefusal {
    #[error("Give a period whose end lies after its beginning.")]
    Reversed,
    #[error("This period is not over yet. Review it up to now at most.")]
    NotOver,
    #[error("Give a period within the records, which begin at {0}.")]
    BeforeRecords(DateTime<Utc>),
    #[error("{} to {} was reviewed. Begin where that review ends, or end where it begins.", .0.from, .0.to)]
    Reviewed(ReviewPeriod),
    #[error("Say what was asked of the records: at least one report or filter, a hundred at most.")]
    NothingAsked,
    #[error("Confirm the statement that you sign.")]
    NotAttested,
}

impl From<ActivityReviewsRefusal> for Refusal {
    fn from(refusal: ActivityReviewsRefusal) -> Self {
        use ActivityReviewsRefusal as R;
        let message = refusal.to_string();
        match refusal {
            R::Reversed | R::NotOver => Self::new(Code::RangeInvalid, message).at("period.to"),
            R::BeforeRecords(_) => Self::new(Code::BeforeRecords, message).at("period.from"),
            R::Reviewed(_) => Self::new(Code::AlreadySigned, message).at("period"),
            R::NothingAsked => Self::new(Code::FieldRequired, message).at("questions"),
            R::NotAttested => Self::new(Code::BoxNotTicked, message).at("signature.attested"),
        }
    }
}

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NextReview {
    /// All that is to be reviewed by then.
    pub period: ReviewPeriod,
    /// How many periods of the policy's length it is.
    pub periods: u32,
    /// From when on it is overdue.
    pub due_at: DateTime<Utc>,
}

/// The tenant's reviews.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ActivityReviews {
    /// In the order of their periods.
    completed: Vec<CompletedReview>,
    /// Up to where it was told that nobody reviewed.
    told_until: Option<DateTime<Utc>>,
}

impl ActivityReviews {
    /// The reviews done, in the order of their periods.
    #[must_use]
    pub fn completed(&self) -> &[CompletedReview] {
        &self.completed
    }

    /// Up to where everything was reviewed since the records began.
    #[must_use]
    pub fn reviewed_until(&self, began: DateTime<Utc>) -> DateTime<Utc> {
        let periods = self.completed.iter().map(|review| review.period);
        periods.fold(
            began,
            |until, next| {
                if next.from <= until { until.max(next.to) } else { until }
            },
        )
    }

    /// What is overdue at `now`, and what is due after that; neither where the policy asks for none.
    #[must_use]
    pub fn due(
        &self,
        policy: &Policy,
        (began, now): (DateTime<Utc>, DateTime<Utc>),
    ) -> (Option<NextReview>, Option<NextReview>) {
        let Some(cadence) = policy.activity_review() else { return (None, None) };
        let grace = policy.activity_review_grace();
        let from = self.reviewed_until(began);
        let after = |periods: u32| {
            let length =
                TimeDelta::days(i64::from(cadence)) * i32::try_from(periods).unwrap_or(i32::MAX);
            let to = from + length;
            NextReview { period: ReviewPeriod { from, to }, periods, due_at: to + grace }
        };
        let missed = (now - grace - from).num_seconds().max(0)
            / TimeDelta::days(i64::from(cadence)).num_seconds();
        let missed = u32::try_from(missed).unwrap_or(u32::MAX - 1);
        ((missed > 0).then(|| after(missed)), Some(after(missed + 1)))
    }

    fn check(
        &self,
        now: DateTime<Utc>,
        (done, attested, began): (&CompletedReview, bool, DateTime<Utc>),
    ) -> Result<(), ActivityReviewsRefusal> {
        use ActivityReviewsRefusal as R;
        let ReviewPeriod { from, to } = done.period;
        if to <= from {
            return Err(R::Reversed);
        }
        if to > now {
            return Err(R::NotOver);
        }
        if from < began {
            return Err(R::BeforeRecords(began));
        }
        let periods = self.completed.iter().map(|review| review.period);
        if let Some(other) = periods.into_iter().find(|other| other.from < to && from < other.to) {
            return Err(R::Reviewed(other));
        }
        if !(1..=100).contains(&done.questions.len()) {
            return Err(R::NothingAsked);
        }
        if attested { Ok(()) } else { Err(R::NotAttested) }
    }
}

impl Decider for ActivityReviews {
    const TYPE: &'static str = "audit.activity_reviews";
    type Command = ActivityReviewsCommand;
    type Event = ActivityReviewsEvent;
    type Refusal = ActivityReviewsRefusal;

    fn decide(
        &self,
        decision: &Decision<'_>,
        command: ActivityReviewsCommand,
    ) -> Result<Vec<ActivityReviewsEvent>, ActivityReviewsRefusal> {
        let now = decision.now;
        match command {
            ActivityReviewsCommand::Complete { done, attested, began } => {
                self.check(now, (&done, attested, began))?;
                Ok(vec![ActivityReviewsEvent::ActivityReviewCompleted(done)])
            }
            ActivityReviewsCommand::Watch { began } => {
                let (overdue, _) = self.due(decision.policy, (began, now));
                let untold =
                    |next: &NextReview| self.told_until.is_none_or(|until| until < next.period.to);
                let told = overdue.filter(untold).map(|next| {
                    let NextReview { period, periods, due_at } = next;
                    ActivityReviewsEvent::ActivityReviewOverdue { period, periods, due_at }
                });
                Ok(told.into_iter().collect())
            }
        }
    }

    fn evolve(&mut self, event: &ActivityReviewsEvent) {
        match event {
            ActivityReviewsEvent::ActivityReviewCompleted(done) => {
                let at = self.completed.partition_point(|it| it.period.from < done.period.from);
                self.completed.insert(at, (**done).clone());
            }
            ActivityReviewsEvent::ActivityReviewOverdue { period, .. } => {
                self.told_until = Some(period.to);
            }
        }
    }
}

#[cfg(test)]
#[path = "activity_review_tests.rs"]
mod tests;
