//! `createReviewTemplate`, `changeReviewTemplate`, `openReviewTemplate`, `retireReviewTemplate` (GN-15).
//! Invariant: a mutation sends one command.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, Result};
use rollcall_commands::{
    Entity,
    access_reviews::{
        ChangeReviewTemplate, CreateReviewTemplate, OpenReviewTemplate, RetireReviewTemplate,
    },
};
use rollcall_domain::{Refusal, kernel::ids::ReviewTemplateId};
use rollcall_projections::ReadStore;

use super::{
    super::campaigns::{ReviewCampaign, campaign_of},
    input::ReviewTemplateTermsInput,
    queries::template_of,
    types::ReviewTemplate,
};
use crate::{
    coverage::CoverageOfViews,
    graphql::{
        ids::NodeType,
        sending::{MutationMeta, Sent, as_seen, payload, send},
    },
};

type Parsed<T> = std::result::Result<T, Refusal>;

fn template(id: &ID) -> Parsed<ReviewTemplateId> {
    NodeType::ReviewTemplate.parse(id, "reviewTemplateId")
}

/// A template.
#[derive(Debug, InputObject)]
pub struct CreateReviewTemplateInput {
    #[graphql(flatten)]
    meta: MutationMeta,
    #[graphql(flatten)]
    terms: ReviewTemplateTermsInput,
}

/// What a template is to say from now on, as a whole.
#[derive(Debug, InputObject)]
pub struct ChangeReviewTemplateInput {
    #[graphql(flatten)]
    meta: MutationMeta,
    review_template_id: ID,
    #[graphql(flatten)]
    terms: ReviewTemplateTermsInput,
    /// The template's version that was seen.
    expected_version: Option<i32>,
}

impl ChangeReviewTemplateInput {
    fn command(&self) -> Parsed<ChangeReviewTemplate> {
        let template = template(&self.review_template_id)?;
        Ok(ChangeReviewTemplate { template, terms: self.terms.parse()? })
    }
}

/// Which template.
#[derive(Debug, InputObject)]
pub struct OpenReviewTemplateInput {
    #[graphql(flatten)]
    meta: MutationMeta,
    review_template_id: ID,
    /// The template's version that was seen.
    expected_version: Option<i32>,
}

/// Which template.
#[derive(Debug, InputObject)]
pub struct RetireReviewTemplateInput {
    #[graphql(flatten)]
    meta: MutationMeta,
    review_template_id: ID,
    /// The template's version that was seen.
    expected_version: Option<i32>,
}

payload! {
    /// The template.
    CreateReviewTemplatePayload { review_template: ReviewTemplate }
}

payload! {
    /// The template as it is now.
    ChangeReviewTemplatePayload { review_template: ReviewTemplate }
}

payload! {
    /// The campaign; its reviews are opened within seconds.
    OpenReviewTemplatePayload { review_campaign: ReviewCampaign }
}

payload! {
    /// The template, retired.
    RetireReviewTemplatePayload { review_template: ReviewTemplate }
}

async fn changed(
    ctx: &Context<'_>,
    sent: &Sent<ReviewTemplateId>,
) -> Result<Option<ReviewTemplate>> {
    match sent.output {
        Some(template) => template_of(ctx, template, sent.position).await,
        None => Ok(None),
    }
}

/// Commands on templates of campaigns.
#[derive(Default)]
pub struct ReviewTemplateMutation;

#[Object]
impl ReviewTemplateMutation {
    /// Saves the choice of a campaign of reviews (GN-15), for plan administrators and support who are there for
    /// the whole plan. With a recurrence a campaign is opened at the beginning of each of its days; a date that
    /// is today counts, and of those missed the last. Refusals: FORBIDDEN, NOT_FOUND, FIELD_REQUIRED,
    /// FIELD_INVALID, RANGE_INVALID, DATE_INVALID, NPI_INVALID.
    async fn create_review_template(
        &self,
        ctx: &Context<'_>,
        input: CreateReviewTemplateInput,
    ) -> Result<CreateReviewTemplatePayload> {
        let command = input.terms.parse().map(|terms| CreateReviewTemplate { terms });
        let sent = send(ctx, input.meta, command).await?;
        let template = changed(ctx, &sent).await?;
        Ok(CreateReviewTemplatePayload::of(sent, template))
    }

    /// Has a template say something else, from its next opening on (GN-15); campaigns that it opened stay as they
    /// are. Refusals: as of `createReviewTemplate`, ALREADY_INACTIVE (retired), VERSION_CONFLICT.
    async fn change_review_template(
        &self,
        ctx: &Context<'_>,
        input: ChangeReviewTemplateInput,
    ) -> Result<ChangeReviewTemplatePayload> {
        let entity = |command: &ChangeReviewTemplate| Entity::ReviewTemplate(command.template);
        let command = as_seen(input.command(), input.expected_version, entity);
        let sent = send(ctx, input.meta, command).await?;
        let template = changed(ctx, &sent).await?;
        Ok(ChangeReviewTemplatePayload::of(sent, template))
    }

    /// Opens a campaign by a template now, beside its dates (GN-15). Refusals: FORBIDDEN, NOT_FOUND,
    /// ALREADY_INACTIVE (retired), FIELD_INVALID (no organization is covered), BULK_LIMIT, VERSION_CONFLICT.
    async fn open_review_template(
        &self,
        ctx: &Context<'_>,
        input: OpenReviewTemplateInput,
    ) -> Result<OpenReviewTemplatePayload> {
        let coverage = Arc::new(CoverageOfViews(ctx.data::<ReadStore>()?.clone()));
        let command = template(&input.review_template_id);
        let command = command.map(|template| OpenReviewTemplate { template, coverage });
        let entity = |command: &OpenReviewTemplate| Entity::ReviewTemplate(command.template);
        let sent = send(ctx, input.meta, as_seen(command, input.expected_version, entity)).await?;
        let campaign = match sent.output {
            Some(campaign) => {
                let look = ctx.look_ahead().field("reviewCampaign");
                campaign_of(ctx, campaign, sent.position, &look).await?
            }
            None => None,
        };
        Ok(OpenReviewTemplatePayload::of(sent, campaign))
    }

    /// Has a template open nothing any more (GN-15); campaigns that it opened go on. Refusals: FORBIDDEN,
    /// NOT_FOUND, ALREADY_INACTIVE, VERSION_CONFLICT.
    async fn retire_review_template(
        &self,
        ctx: &Context<'_>,
        input: RetireReviewTemplateInput,
    ) -> Result<RetireReviewTemplatePayload> {
        let command = template(&input.review_template_id);
        let command = command.map(|template| RetireReviewTemplate { template });
        let entity = |command: &RetireReviewTemplate| Entity::ReviewTemplate(command.template);
        let sent = send(ctx, input.meta, as_seen(command, input.expected_version, entity)).await?;
        let template = changed(ctx, &sent).await?;
        Ok(RetireReviewTemplatePayload::of(sent, template))
    }
}
