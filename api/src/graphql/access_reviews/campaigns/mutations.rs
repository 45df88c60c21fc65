//! `openReviewCampaign`, `cancelReviewCampaign` (GN-15). Invariant: a mutation sends one command.

use async_graphql::{Context, ID, InputObject, Object, Result};
use rollcall_commands::access_reviews::{CancelReviewCampaign, OpenReviewCampaign};
use rollcall_domain::{
    Code, Refusal,
    kernel::ids::{CampaignId, OrganizationId},
    values::{ContentLine, Reason},
};
use rollcall_projections::access_reviews::{NAME, PreviewRow};

use super::{
    super::sight::looking_at_all,
    choice::{ReviewCampaignChoice, covered},
    queries::campaign_of,
    types::ReviewCampaign,
};
use crate::graphql::{
    ids::NodeType,
    sending::{MutationMeta, Sent, payload, send},
    vocabulary::field,
};

type Parsed<T> = std::result::Result<T, Refusal>;

/// A campaign of reviews.
#[derive(Debug, InputObject)]
pub struct OpenReviewCampaignInput {
    #[graphql(flatten)]
    meta: MutationMeta,
    /// 1 to 300 characters, such as "Spring 2027".
    name: String,
    /// Which organizations, and what is reviewed there: everybody in all of them if not given.
    choice: Option<ReviewCampaignChoice>,
    /// For how many days its reviews are open, 1 to 366; `review.open_days` of the policy if not given.
    open_days: Option<i32>,
    /// Whether only what changed since the last signed review of the same scope is to be decided in each
    /// organization, and the rest is carried forward. Where nothing changed there is no review. Not for DORMANT.
    changed_only: Option<bool>,
    /// As many as the preview said; refused if there are others by now.
    expected_organizations: Option<i32>,
}

impl OpenReviewCampaignInput {
    fn command(
        &self,
        covered: Option<(Parsed<Vec<PreviewRow>>, i64)>,
    ) -> Parsed<OpenReviewCampaign> {
        // Who sees no campaigns opens none, which the command says.
        let (covered, as_of) = covered.unwrap_or((Ok(Vec::new()), 0));
        let covered = covered?;
        let count = i32::try_from(covered.len()).unwrap_or(i32::MAX);
        if self.expected_organizations.is_some_and(|expected| expected != count) {
            let message = format!("The choice has {count} organizations by now. Look at it again.");
            return Err(Refusal::new(Code::VersionConflict, message).at("expectedOrganizations"));
        }
        Ok(OpenReviewCampaign {
            name: field("name", ContentLine::parse(&self.name))?,
            scope: self.choice.clone().unwrap_or_default().scope.parse_for_many()?,
            changed_only: self.changed_only == Some(true),
            organizations: covered.iter().map(|row| OrganizationId(row.organization_id)).collect(),
            as_of,
            open_days: self.open_days.map(|days| u32::try_from(days).unwrap_or(0)),
        })
    }
}

/// The end of a campaign before its time.
#[derive(Debug, InputObject)]
pub struct CancelReviewCampaignInput {
    #[graphql(flatten)]
    meta: MutationMeta,
    review_campaign_id: ID,
    reason: String,
}

impl CancelReviewCampaignInput {
    fn command(&self) -> Parsed<CancelReviewCampaign> {
        Ok(CancelReviewCampaign {
            campaign: NodeType::ReviewCampaign
                .parse(&self.review_campaign_id, "reviewCampaignId")?,
            reason: field("reason", Reason::parse(&self.reason))?,
        })
    }
}

payload! {
    /// The campaign; its reviews are opened within seconds.
    OpenReviewCampaignPayload { review_campaign: ReviewCampaign }
}

payload! {
    /// The campaign, cancelled.
    CancelReviewCampaignPayload { review_campaign: ReviewCampaign }
}

async fn changed(ctx: &Context<'_>, sent: &Sent<CampaignId>) -> Result<Option<ReviewCampaign>> {
    match sent.output {
        Some(campaign) => {
            let look = ctx.look_ahead().field("reviewCampaign");
            campaign_of(ctx, campaign, sent.position, &look).await
        }
        None => Ok(None),
    }
}

/// Commands on campaigns of reviews.
#[derive(Default)]
pub struct ReviewCampaignMutation;

#[Object]
impl ReviewCampaignMutation {
    /// Opens the same review in many organizations (GN-15), for plan administrators and support who are
    /// there for the whole plan. The organizations are frozen then; their reviews are opened after it, and
    /// where one of the same people is open already, or nobody is to be reviewed, that is written down.
    /// Refusals: FORBIDDEN, NOT_FOUND, FIELD_REQUIRED, FIELD_INVALID (no organization), RANGE_INVALID,
    /// BULK_LIMIT (more than 20,000), VERSION_CONFLICT (`expectedOrganizations`).
    async fn open_review_campaign(
        &self,
        ctx: &Context<'_>,
        input: OpenReviewCampaignInput,
    ) -> Result<OpenReviewCampaignPayload> {
        let covered = match looking_at_all(ctx, None).await? {
            Some(mut looking) => {
                let view = &mut looking.reading.view;
                let choice = input.choice.clone().unwrap_or_default();
                let covered = covered(ctx, view, &choice).await?;
                Some((covered, view.position_of(NAME)))
            }
            None => None,
        };
        let command = input.command(covered);
        let sent = send(ctx, input.meta, command).await?;
        let campaign = changed(ctx, &sent).await?;
        Ok(OpenReviewCampaignPayload::of(sent, campaign))
    }

    /// Calls a campaign off (GN-15): no further review is opened, and those under way are cancelled within
    /// seconds. What was signed stands, and so does what was carried out. Refusals: REVIEW_CLOSED,
    /// FORBIDDEN, NOT_FOUND, REASON_REQUIRED.
    async fn cancel_review_campaign(
        &self,
        ctx: &Context<'_>,
        input: CancelReviewCampaignInput,
    ) -> Result<CancelReviewCampaignPayload> {
        let command = input.command();
        let sent = send(ctx, input.meta, command).await?;
        let campaign = changed(ctx, &sent).await?;
        Ok(CancelReviewCampaignPayload::of(sent, campaign))
    }
}
