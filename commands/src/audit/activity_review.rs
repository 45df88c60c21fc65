//! `CompleteActivityReview`, and the look whether one is overdue (GN-34).
//!
//! Invariant: what was found is sealed under the review's own key: it may name people, and the erasure
//! of whoever signed it must not take it away.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rollcall_domain::{
    Refusal, Sealed,
    audit::{
        ATTESTATION_VERSION, ActivityReviews, ActivityReviewsCommand, CompletedReview, ReportName,
        ReviewPeriod, ReviewSignature, ReviewedQuestion,
    },
    kernel::ids::ActivityReviewId,
    policies::PolicyHistory,
    tenants::PlanRole,
    values::{Findings, PersonName, Reason},
};
use uuid::Uuid;

use crate::{Access, Command, Context, Failure};

/// Who reviews what happened in the portal, for the whole plan.
pub const ACTIVITY_REVIEWERS: &[PlanRole] = &[PlanRole::Au, PlanRole::Pa];

/// Signs a review of a period.
pub struct CompleteActivityReview {
    pub period: ReviewPeriod,
    /// Reports, or the timeline where none is named, each with its filter in words.
    pub questions: Vec<(Option<ReportName>, Option<Reason>)>,
    pub findings: Findings,
    /// As typed.
    pub name: PersonName,
    /// Whether the statement was confirmed.
    pub attested: bool,
}

/// Looks whether a review is overdue.
pub struct WatchActivityReview;

/// When the tenant's records begin.
async fn records_begin(cx: &Context<'_>) -> Result<DateTime<Utc>, Failure> {
    let began = cx.journal().records_begin(cx.tenant()).await?;
    Ok(began.ok_or_else(|| Refusal::not_found("period"))?)
}

#[async_trait]
impl Command for CompleteActivityReview {
    const NAME: &'static str = "CompleteActivityReview";
    type Output = ActivityReviewId;

    fn access(&self) -> Access {
        Access::Plan(ACTIVITY_REVIEWERS)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<ActivityReviewId, Failure> {
        let review = ActivityReviewId(Uuid::now_v7());
        let questions = self.questions.iter().map(|(report, filter)| ReviewedQuestion {
            report: *report,
            filter: filter.clone().map(|filter| Sealed::new(review, filter)),
        });
        let done = CompletedReview {
            review,
            by: cx.person()?,
            period: self.period,
            questions: questions.collect(),
            findings: Sealed::new(review, self.findings.clone()),
            signature: ReviewSignature {
                name: Sealed::new(review, self.name.clone()),
                statement: ATTESTATION_VERSION.to_owned(),
            },
            completed_at: cx.now,
        };
        let complete = ActivityReviewsCommand::Complete {
            done: Box::new(done),
            attested: self.attested,
            began: records_begin(cx).await?,
        };
        cx.decide::<ActivityReviews>(cx.tenant().activity_reviews_stream(), complete).await?;
        Ok(review)
    }
}

#[async_trait]
impl Command for WatchActivityReview {
    const NAME: &'static str = "WatchActivityReview";
    /// When to look again; without a time, when the policy changes.
    type Output = Option<DateTime<Utc>>;

    fn access(&self) -> Access {
        Access::System
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<Option<DateTime<Utc>>, Failure> {
        let began = records_begin(cx).await?;
        let stream = cx.tenant().activity_reviews_stream();
        cx.decide::<ActivityReviews>(stream, ActivityReviewsCommand::Watch { began }).await?;
        let reviews = cx.load::<ActivityReviews>(stream).await?;
        let (_, next) = reviews.due(&cx.policy, (began, cx.now));
        let policies = cx.load::<PolicyHistory>(cx.tenant().policy_stream()).await?;
        let change = policies.next_change(cx.now);
        Ok(next.map(|next| next.due_at).into_iter().chain(change).min())
    }
}
