//! `activityReviews` and `completeActivityReview` (GN-34). Invariant: what a review found is opened only
//! for those who may review.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use rollcall_commands::{
    Access, Commands,
    audit::{ACTIVITY_REVIEWERS, CompleteActivityReview},
};
use rollcall_domain::{
    Refusal,
    audit::{ATTESTATION, ATTESTATION_VERSION, ActivityReviews, CompletedReview, NextReview},
    kernel::ids::{ActivityReviewId, TenantId},
    values::{Findings, PersonName, Reason},
};
use rollcall_projections::people;

use super::definitions::AuditReportName;
use crate::graphql::{
    audit::PersonReference,
    errors::{fault, top_level},
    paging::{Page, Rows, connection},
    reading::{policy, read},
    scalars::DateTime,
    sending::{MutationMeta, payload, send},
    vocabulary::field,
};

/// A period of time.
#[derive(Debug, InputObject)]
pub struct ReviewPeriodInput {
    pub from: DateTime,
    /// The first moment after it; now at the latest.
    pub to: DateTime,
}

/// Something that was asked of the records.
#[derive(Debug, InputObject)]
pub struct ReviewedQuestionInput {
    /// The report; `auditEvents` if not given.
    pub report: Option<AuditReportName>,
    /// The filter or parameters, in words.
    pub filter: Option<String>,
}

/// A signature.
#[derive(Debug, InputObject)]
pub struct ReviewSignatureInput {
    /// The reviewer's name, as they sign.
    pub name: String,
    /// The statement of `activityReviewStatus` was read and is confirmed.
    pub attested: bool,
}

/// A review to sign.
#[derive(Debug, InputObject)]
pub struct CompleteActivityReviewInput {
    pub period: ReviewPeriodInput,
    /// Reports and filters used, a hundred at most.
    pub questions: Vec<ReviewedQuestionInput>,
    /// What was found, or that nothing was.
    pub findings: String,
    pub signature: ReviewSignatureInput,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

impl CompleteActivityReviewInput {
    fn command(&self) -> std::result::Result<CompleteActivityReview, Refusal> {
        let question = |(nth, asked): (usize, &ReviewedQuestionInput)| {
            let at = format!("questions.{nth}.filter");
            let filter = asked.filter.as_ref().map(|filter| field(&at, Reason::parse(filter)));
            Ok((asked.report.map(Into::into), filter.transpose()?))
        };
        let period = rollcall_domain::audit::ReviewPeriod {
            from: self.period.from.parse("period.from")?,
            to: self.period.to.parse("period.to")?,
        };
        let questions = self.questions.iter().enumerate().map(question);
        Ok(CompleteActivityReview {
            period,
            questions: questions.collect::<std::result::Result<_, Refusal>>()?,
            findings: field("findings", Findings::parse(&self.findings))?,
            name: field("signature.name", PersonName::parse(&self.signature.name))?,
            attested: self.signature.attested,
        })
    }
}

/// Something that was asked of the records.
#[derive(Clone, Debug, SimpleObject)]
pub struct ReviewedQuestion {
    /// Absent for the timeline itself.
    pub report: Option<AuditReportName>,
    pub filter: Option<String>,
}

/// A review of what happened in the portal, signed (GN-34).
#[derive(Clone, Debug, SimpleObject)]
pub struct ActivityReview {
    pub id: ID,
    pub from: DateTime,
    /// The first moment after the period.
    pub to: DateTime,
    pub questions: Vec<ReviewedQuestion>,
    /// Absent once erased.
    pub findings: Option<String>,
    /// The name as it was signed.
    pub signed_name: Option<String>,
    /// The version of the statement that was signed.
    pub statement_version: String,
    pub completed_by: PersonReference,
    pub completed_at: DateTime,
}

impl ActivityReview {
    fn of(done: &CompletedReview, name: Option<String>) -> Self {
        let questions = done.questions.iter().map(|asked| ReviewedQuestion {
            report: asked.report.map(Into::into),
            filter: asked.filter.as_ref().and_then(|it| it.get()).map(|it| it.as_str().to_owned()),
        });
        Self {
            id: ID(done.review.to_string()),
            from: done.period.from.into(),
            to: done.period.to.into(),
            questions: questions.collect(),
            findings: done.findings.get().map(|findings| findings.as_str().to_owned()),
            signed_name: done.signature.name.get().map(|name| name.as_str().to_owned()),
            statement_version: done.signature.statement.clone(),
            completed_by: PersonReference::new(done.by.0, name),
            completed_at: done.completed_at.into(),
        }
    }
}

connection!(ActivityReviewConnection, ActivityReviewEdge, ActivityReview);

/// A period that is to be reviewed.
#[derive(Clone, Debug, SimpleObject)]
pub struct DueActivityReview {
    pub from: DateTime,
    pub to: DateTime,
    /// How many periods of the policy's length it is.
    pub periods: i32,
    /// From when on it is overdue.
    pub due_at: DateTime,
}

impl From<NextReview> for DueActivityReview {
    fn from(next: NextReview) -> Self {
        Self {
            from: next.period.from.into(),
            to: next.period.to.into(),
            periods: i32::try_from(next.periods).unwrap_or(i32::MAX),
            due_at: next.due_at.into(),
        }
    }
}

/// How the reviews stand.
#[derive(Clone, Debug, SimpleObject)]
pub struct ActivityReviewStatus {
    /// Up to where everything was reviewed since the records began.
    pub reviewed_until: DateTime,
    /// What nobody reviewed in time; absent where nothing is overdue.
    pub overdue: Option<DueActivityReview>,
    /// What is due next; absent where the policy asks for no reviews.
    pub next: Option<DueActivityReview>,
    /// What is signed, and its version.
    pub statement: &'static str,
    pub statement_version: &'static str,
}

async fn reviews(commands: &Commands, tenant: TenantId) -> Result<std::sync::Arc<ActivityReviews>> {
    let stream = tenant.activity_reviews_stream();
    let loaded = commands.journal.load_fresh::<ActivityReviews>(tenant, stream).await;
    Ok(loaded.map_err(|error| fault(&error))?.state)
}

/// Reviews of activity.
#[derive(Default)]
pub struct ActivityReviewQuery;

#[Object]
impl ActivityReviewQuery {
    /// The reviews signed, newest period first (GN-34), for auditors and administrators of the whole
    /// plan.
    #[graphql(complexity = "crate::graphql::paging::cost(first, child_complexity)")]
    async fn activity_reviews(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "1 to 100; 25 if not given.")] first: Option<i32>,
        after: Option<String>,
    ) -> Result<ActivityReviewConnection> {
        let page = Page::<ActivityReviewId>::new(first, after).map_err(top_level)?;
        let mut reading = read(ctx, Access::Plan(ACTIVITY_REVIEWERS), None).await?;
        let tenant = reading.view.tenant();
        let state = reviews(ctx.data::<Commands>()?, tenant).await?;
        let all = state.completed();
        let newest_first = all.iter().rev();
        let beyond: Vec<&CompletedReview> = match page.after {
            None => newest_first.collect(),
            Some(after) => newest_first.skip_while(|it| it.review != after).skip(1).collect(),
        };
        let wanted = usize::try_from(page.first + 1).unwrap_or(0);
        let shown: Vec<&CompletedReview> = beyond.into_iter().take(wanted).collect();
        let by: Vec<_> = shown.iter().map(|done| done.by).collect();
        let people = people::persons(&mut reading.view, &by).await;
        let people = people.map_err(|error| fault(&error))?;
        let rows = shown.into_iter().map(|done| {
            let name = people.get(&done.by).and_then(people::Person::full_name);
            (done.review, ActivityReview::of(done, name))
        });
        let total = i64::try_from(all.len()).ok();
        Ok(ActivityReviewConnection::of(&page, Rows { rows: rows.collect(), total }))
    }

    /// What was reviewed, what is overdue and what is due next (GN-34), for auditors and administrators
    /// of the whole plan.
    async fn activity_review_status(&self, ctx: &Context<'_>) -> Result<ActivityReviewStatus> {
        let reading = read(ctx, Access::Plan(ACTIVITY_REVIEWERS), None).await?;
        let (tenant, commands) = (reading.view.tenant(), ctx.data::<Commands>()?);
        drop(reading);
        let state = reviews(commands, tenant).await?;
        let now = commands.journal.now();
        let began = commands.journal.records_begin(tenant).await.map_err(|error| fault(&error))?;
        let began = began.unwrap_or(now);
        let (overdue, next) = state.due(&*policy(ctx).await?, (began, now));
        Ok(ActivityReviewStatus {
            reviewed_until: state.reviewed_until(began).into(),
            overdue: overdue.map(Into::into),
            next: next.map(Into::into),
            statement: ATTESTATION,
            statement_version: ATTESTATION_VERSION,
        })
    }
}

payload! {
    /// The review, signed.
    CompleteActivityReviewPayload {
        activity_review: ActivityReview,
    }
}

/// Commands on reviews.
#[derive(Default)]
pub struct ActivityReviewMutation;

#[Object]
impl ActivityReviewMutation {
    /// Signs a review of what happened in a period (GN-34; 45 CFR 164.308(a)(1)(ii)(D)), for auditors
    /// and administrators of the whole plan. A signed review never changes. Refusals: FORBIDDEN,
    /// DATE_INVALID, RANGE_INVALID (not over, or reversed), BEFORE_RECORDS, ALREADY_SIGNED (a part of it
    /// was reviewed), FIELD_REQUIRED, FIELD_TOO_LONG, NAME_INVALID, REASON_REQUIRED, BOX_NOT_TICKED.
    async fn complete_activity_review(
        &self,
        ctx: &Context<'_>,
        input: CompleteActivityReviewInput,
    ) -> Result<CompleteActivityReviewPayload> {
        let command = input.command();
        let sent = send(ctx, input.meta, command).await?;
        let Some(id) = sent.output else {
            return Ok(CompleteActivityReviewPayload::of(sent, None));
        };
        let mut reading = read(ctx, Access::Plan(ACTIVITY_REVIEWERS), sent.position).await?;
        let tenant = reading.view.tenant();
        let state = reviews(ctx.data::<Commands>()?, tenant).await?;
        let done = state.completed().iter().find(|done| done.review == id);
        let by: Vec<_> = done.iter().map(|done| done.by).collect();
        let people = people::persons(&mut reading.view, &by).await;
        let people = people.map_err(|error| fault(&error))?;
        let review = done.map(|done| {
            let name = people.get(&done.by).and_then(people::Person::full_name);
            ActivityReview::of(done, name)
        });
        Ok(CompleteActivityReviewPayload::of(sent, review))
    }
}
