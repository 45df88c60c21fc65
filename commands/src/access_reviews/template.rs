//! Templates of campaigns: saved, changed, retired, and opened by hand or when their date comes (GN-15).
//!
//! Invariant: a campaign and the template's fact of it stand in one append, and the id of one that comes by
//! itself follows from its date; so whoever is killed in between, or is second, opens nothing twice.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{NaiveDate, TimeDelta};
use rollcall_domain::{
    Code, Refusal,
    access_reviews::{
        ReviewScope,
        campaign::{
            FromTemplate, MOST_ORGANIZATIONS, NewCampaign, ReviewCampaign, ReviewCampaignCommand,
        },
        template::{
            Covers, ReviewTemplate, ReviewTemplateCommand, Template, TemplateSkip, TemplateTerms,
        },
    },
    kernel::ids::{CampaignId, OrganizationId, ReviewTemplateId, TenantId},
    policies::PolicyHistory,
    values::{CalendarDate, ContentLine},
};
use uuid::Uuid;

use super::{REVIEW_STAFF, delta::check_changed_only, open::check_days};
use crate::{Access, Command, Context, Failure, organizations::members::Watch};

/// How long after nobody could say which organisations there are it is asked again.
const AGAIN_AFTER: TimeDelta = TimeDelta::minutes(1);

/// Which organisations there are at a place of the log.
#[derive(Clone, Debug)]
pub struct CoverageQuestion {
    pub tenant: TenantId,
    pub covers: Covers,
    /// The place that the answer has to have come to.
    pub position: i64,
}

/// The organisations that a campaign covers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Covered {
    /// Each once, in the order of the list.
    pub organizations: Vec<OrganizationId>,
    /// The tenant's position as of which these were read.
    pub as_of: i64,
}

/// What only the reading side knows, as the service around the commands reads it.
#[async_trait]
pub trait Coverage: Send + Sync {
    /// `None` where it has not come so far, or does not answer.
    async fn covered(&self, question: CoverageQuestion) -> Option<Covered>;
}

/// Saves the choice of a campaign.
pub struct CreateReviewTemplate {
    pub terms: TemplateTerms,
}

/// Has a template say something else.
pub struct ChangeReviewTemplate {
    pub template: ReviewTemplateId,
    pub terms: TemplateTerms,
}

/// Has a template open nothing any more.
pub struct RetireReviewTemplate {
    pub template: ReviewTemplateId,
}

/// Opens a campaign by a template now, beside its dates.
pub struct OpenReviewTemplate {
    pub template: ReviewTemplateId,
    pub coverage: Arc<dyn Coverage>,
}

/// The scheduler opens the campaign of a template whose date has come.
pub struct OpenDueReviewTemplate {
    pub template: ReviewTemplateId,
    pub coverage: Arc<dyn Coverage>,
}

/// Whether what it says can be reviewed at all.
fn check(terms: &TemplateTerms) -> Result<(), Refusal> {
    let scope: &ReviewScope = &terms.scope;
    check_days(scope)?;
    check_changed_only(scope, terms.changed_only)
}

#[async_trait]
impl Command for CreateReviewTemplate {
    const NAME: &'static str = "CreateReviewTemplate";
    type Output = ReviewTemplateId;

    fn access(&self) -> Access {
        Access::Plan(REVIEW_STAFF)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<ReviewTemplateId, Failure> {
        check(&self.terms)?;
        let template = ReviewTemplateId(Uuid::now_v7());
        let terms = Box::new(self.terms.clone());
        let create = ReviewTemplateCommand::Create { template, terms };
        cx.decide::<ReviewTemplate>(template, create).await?;
        Ok(template)
    }
}

#[async_trait]
impl Command for ChangeReviewTemplate {
    const NAME: &'static str = "ChangeReviewTemplate";
    type Output = ReviewTemplateId;

    fn access(&self) -> Access {
        Access::Plan(REVIEW_STAFF)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<ReviewTemplateId, Failure> {
        check(&self.terms)?;
        let change = ReviewTemplateCommand::Change(Box::new(self.terms.clone()));
        cx.decide::<ReviewTemplate>(self.template, change).await?;
        Ok(self.template)
    }
}

#[async_trait]
impl Command for RetireReviewTemplate {
    const NAME: &'static str = "RetireReviewTemplate";
    type Output = ReviewTemplateId;

    fn access(&self) -> Access {
        Access::Plan(REVIEW_STAFF)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<ReviewTemplateId, Failure> {
        cx.decide::<ReviewTemplate>(self.template, ReviewTemplateCommand::Retire).await?;
        Ok(self.template)
    }
}

#[async_trait]
impl Command for OpenReviewTemplate {
    const NAME: &'static str = "OpenReviewTemplate";
    type Output = CampaignId;

    fn access(&self) -> Access {
        Access::Plan(REVIEW_STAFF)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<CampaignId, Failure> {
        let state = cx.load::<ReviewTemplate>(self.template).await?;
        let template = state.in_use().map_err(Refusal::from)?;
        let Some(covered) = covered(cx, template, &*self.coverage).await? else {
            let message = "The organizations could not be looked up just now. Try again.";
            return Err(Refusal::new(Code::VersionConflict, message).into());
        };
        let campaign = CampaignId(Uuid::now_v7());
        open(cx, template, (campaign, None), covered).await?;
        Ok(campaign)
    }
}

#[async_trait]
impl Command for OpenDueReviewTemplate {
    const NAME: &'static str = "OpenDueReviewTemplate";
    type Output = Watch;

    fn access(&self) -> Access {
        Access::System
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<Watch, Failure> {
        let state = cx.load::<ReviewTemplate>(self.template).await?;
        let Ok(template) = state.in_use() else { return Ok(Watch::Over) };
        let zone = cx.policy.time_zone();
        let Some(calendar) = template.calendar(zone) else { return Ok(Watch::Over) };
        if let Some(due_on) = calendar.due(cx.now) {
            let Some(covered) = covered(cx, template, &*self.coverage).await? else {
                return Ok(Watch::On(Some(cx.now + AGAIN_AFTER)));
            };
            see_to(cx, template, due_on, covered).await?;
        }
        let state = cx.load::<ReviewTemplate>(self.template).await?;
        let calendar = state.in_use().ok().and_then(|template| template.calendar(zone));
        let next = calendar.and_then(|calendar| calendar.next(cx.now));
        let policies = cx.load::<PolicyHistory>(cx.tenant().policy_stream()).await?;
        let next = next.map(|date| zone.start_of_day(date));
        Ok(Watch::On(next.into_iter().chain(policies.next_change(cx.now)).min()))
    }
}

async fn covered(
    cx: &Context<'_>,
    template: &Template,
    coverage: &dyn Coverage,
) -> Result<Option<Covered>, Failure> {
    let position = cx.journal().tenant_position(cx.tenant()).await?;
    let covers = template.terms.covers.clone();
    Ok(coverage.covered(CoverageQuestion { tenant: cx.tenant(), covers, position }).await)
}

/// Opens the campaign of a date, or puts down why there is none.
async fn see_to(
    cx: &mut Context<'_>,
    template: &Template,
    due_on: NaiveDate,
    covered: Covered,
) -> Result<(), Failure> {
    let id = template.template;
    let reason = match covered.organizations.len() {
        0 => TemplateSkip::NoOrganizations,
        many if many > MOST_ORGANIZATIONS => TemplateSkip::TooMany,
        _ => {
            let campaign = CampaignId(cx.tenant().review_campaign_stream(id, due_on));
            return open(cx, template, (campaign, Some(due_on.into())), covered).await;
        }
    };
    let skip = ReviewTemplateCommand::RecordSkipped { due_on: due_on.into(), reason };
    cx.decide::<ReviewTemplate>(id, skip).await.map(drop)
}

/// Opens a campaign by what the template says now.
async fn open(
    cx: &mut Context<'_>,
    template: &Template,
    (campaign, due_on): (CampaignId, Option<CalendarDate>),
    Covered { organizations, as_of }: Covered,
) -> Result<(), Failure> {
    let (id, terms, policy) = (template.template, &template.terms, cx.policy.review());
    let new = NewCampaign {
        campaign,
        name: name(&terms.name, due_on),
        scope: terms.scope.clone(),
        changed_only: terms.changed_only,
        as_of,
        organizations,
        open_days: terms.open_days.unwrap_or(policy.open_days),
        grace_days: policy.grace_days,
        opened_by: Some(template.set_by),
        template: Some(FromTemplate { template: id, due_on }),
    };
    let begin = ReviewCampaignCommand::Open(Box::new(new));
    cx.decide::<ReviewCampaign>(campaign, begin).await?;
    let opened = ReviewTemplateCommand::RecordOpened { campaign, due_on };
    cx.decide::<ReviewTemplate>(id, opened).await.map(drop)
}

/// The template's name, with the date where there is one and room for it.
fn name(of: &ContentLine, due_on: Option<CalendarDate>) -> ContentLine {
    let dated = due_on.map(|date| ContentLine::parse(&format!("{} {date}", of.as_str())));
    dated.and_then(Result::ok).unwrap_or_else(|| of.clone())
}
