//! `OpenReviewCampaign` and what follows from it: the same review in many organisations (GN-15).
//!
//! Invariant: an append opens some reviews and says so in the campaign, both or nothing; so whatever stops the
//! work between two of them, the next one goes on, and no organisation gets two.

use async_trait::async_trait;
use rollcall_domain::{
    Code, Refusal,
    access_reviews::{
        AccessReview, Changes, MOST_ITEMS, Opener, Review, ReviewScope, Split,
        campaign::{
            Campaign, NewCampaign, ReviewCampaign, ReviewCampaignCommand, ReviewEnd, SkipReason,
        },
    },
    kernel::ids::{AccessReviewId, CampaignId, OrganizationId},
    organizations::Organization,
    values::{ContentLine, Reason},
};
use uuid::Uuid;

use super::{
    OPEN, REVIEW_STAFF,
    complete::cancel,
    delta::{check_changed_only, split},
    open::{Terms, check_days, open_one, open_until, reviewed},
    open_key,
};
use crate::{Access, Command, Context, Failure, organizations::members::Watch};

/// The most reviews opened or called off in one append.
const ORGANIZATIONS_AT_ONCE: usize = 50;
/// The items after which an append opens no further review.
const ITEMS_AT_ONCE: usize = 5_000;

/// Opens a campaign; its reviews are opened after it, portion by portion.
pub struct OpenReviewCampaign {
    pub name: ContentLine,
    pub scope: ReviewScope,
    /// Whether only what changed since the last signed review of the same is to be decided.
    pub changed_only: bool,
    /// Each once, in the order of the list.
    pub organizations: Vec<OrganizationId>,
    /// The tenant's position as of which these were read.
    pub as_of: i64,
    /// How long its reviews are open; `None`: as the policy has it for the scheduled ones.
    pub open_days: Option<u32>,
}

/// Calls a campaign off, and its reviews that are under way.
pub struct CancelReviewCampaign {
    pub campaign: CampaignId,
    pub reason: Reason,
}

/// The scheduler opens the next reviews of a campaign, or calls off those of a cancelled one.
pub struct ContinueReviewCampaign {
    pub campaign: CampaignId,
}

#[async_trait]
impl Command for OpenReviewCampaign {
    const NAME: &'static str = "OpenReviewCampaign";
    type Output = CampaignId;

    fn access(&self) -> Access {
        Access::Plan(REVIEW_STAFF)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<CampaignId, Failure> {
        check_days(&self.scope)?;
        check_changed_only(&self.scope, self.changed_only)?;
        let campaign = CampaignId(Uuid::now_v7());
        let terms = cx.policy.review();
        let new = NewCampaign {
            campaign,
            name: self.name.clone(),
            scope: self.scope.clone(),
            changed_only: self.changed_only,
            as_of: self.as_of,
            organizations: self.organizations.clone(),
            open_days: self.open_days.unwrap_or(terms.open_days),
            grace_days: terms.grace_days,
            opened_by: None,
            template: None,
        };
        let open = ReviewCampaignCommand::Open(Box::new(new));
        cx.decide::<ReviewCampaign>(campaign, open).await?;
        Ok(campaign)
    }
}

#[async_trait]
impl Command for CancelReviewCampaign {
    const NAME: &'static str = "CancelReviewCampaign";
    type Output = CampaignId;

    fn access(&self) -> Access {
        Access::Plan(REVIEW_STAFF)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<CampaignId, Failure> {
        let cancel = ReviewCampaignCommand::Cancel { reason: self.reason.clone() };
        cx.decide::<ReviewCampaign>(self.campaign, cancel).await?;
        Ok(self.campaign)
    }
}

#[async_trait]
impl Command for ContinueReviewCampaign {
    const NAME: &'static str = "ContinueReviewCampaign";
    type Output = Watch;

    fn access(&self) -> Access {
        Access::System
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<Watch, Failure> {
        let state = cx.load::<ReviewCampaign>(self.campaign).await?;
        let campaign = state.campaign().map_err(Refusal::from)?;
        let is_left = if campaign.is_cancelled() {
            call_off(cx, campaign).await?
        } else {
            open_some(cx, campaign).await?
        };
        Ok(if is_left { Watch::On(Some(cx.now)) } else { Watch::Over })
    }
}

/// Opens the reviews of the next organisations; whether some are left.
async fn open_some(cx: &mut Context<'_>, campaign: &Campaign) -> Result<bool, Failure> {
    let mut items = 0;
    let waiting: Vec<OrganizationId> = campaign.waiting().take(ORGANIZATIONS_AT_ONCE + 1).collect();
    for (nth, organization) in waiting.iter().enumerate() {
        if nth >= ORGANIZATIONS_AT_ONCE || items >= ITEMS_AT_ONCE {
            return Ok(true);
        }
        let done = match review_in(cx, campaign, *organization).await? {
            Ok((review, listed)) => {
                items += listed;
                let items = u32::try_from(listed).unwrap_or(u32::MAX);
                ReviewCampaignCommand::RecordOpened { organization: *organization, review, items }
            }
            Err(reason) => ReviewCampaignCommand::Skip { organization: *organization, reason },
        };
        cx.decide::<ReviewCampaign>(campaign.campaign, done).await?;
    }
    Ok(false)
}

/// Opens the review of an organisation, with so many items, unless there is a reason not to.
async fn review_in(
    cx: &mut Context<'_>,
    campaign: &Campaign,
    organization: OrganizationId,
) -> Result<Result<(AccessReviewId, usize), SkipReason>, Failure> {
    if !cx.load::<Organization>(organization).await?.is_active() {
        return Ok(Err(SkipReason::NotActive));
    }
    let scope = &campaign.scope;
    if let Some(review) = open_one(cx, organization, scope).await? {
        return Ok(Err(SkipReason::OpenAlready { review }));
    }
    let list = reviewed(cx, organization, scope).await?;
    let list = split(cx, (organization, scope), list, campaign.changed_only).await?;
    if let Some(reason) = no_review_of(&list) {
        return Ok(Err(reason));
    }
    let items = list.0.len();
    let review = AccessReviewId(Uuid::now_v7());
    let terms = Terms {
        asks: None,
        second: None,
        campaign: Some(campaign.campaign),
        due_at: campaign.due_at,
        grace_until: campaign.grace_until,
    };
    let by_hand = Opener::ByHand { user: campaign.opened_by };
    let opened_by = if campaign.is_scheduled() { Opener::Scheduled } else { by_hand };
    let of = (organization, scope.clone());
    open_until(cx, (review, opened_by), of, list, terms).await?;
    // Whoever was faster by hand is found at the next try.
    let taken = Refusal::new(Code::VersionConflict, "Somebody opened a review meanwhile.");
    cx.work.reserve(OPEN, &open_key(organization, scope), review.0, taken);
    Ok(Ok((review, items)))
}

/// Why a list makes no review.
fn no_review_of((list, changes): &(Split, Changes)) -> Option<SkipReason> {
    if list.len() > MOST_ITEMS {
        return Some(SkipReason::TooMany);
    }
    list.listed.is_empty().then(|| match changes.since() {
        Some(since) if !list.carried.is_empty() => SkipReason::NothingChanged { since },
        Some(_) | None => SkipReason::NothingToReview,
    })
}

/// Cancels the next of its reviews that are under way; whether some are left.
async fn call_off(cx: &mut Context<'_>, campaign: &Campaign) -> Result<bool, Failure> {
    let reason = Reason::parse("The campaign was cancelled.").map_err(Refusal::from)?;
    let under_way: Vec<AccessReviewId> =
        campaign.under_way().map(|(_, review)| review).take(ORGANIZATIONS_AT_ONCE + 1).collect();
    for review in under_way.iter().take(ORGANIZATIONS_AT_ONCE) {
        let state = cx.load::<AccessReview>(*review).await?;
        if let Ok(review) = state.under_way() {
            cancel(cx, review, reason.clone()).await?;
        }
    }
    Ok(under_way.len() > ORGANIZATIONS_AT_ONCE)
}

/// Tells the campaign of a review that this one is over.
pub(super) async fn tell(
    cx: &mut Context<'_>,
    review: &Review,
    end: ReviewEnd,
) -> Result<(), Failure> {
    let Some(campaign) = review.campaign else { return Ok(()) };
    let over = ReviewCampaignCommand::RecordClosed { organization: review.organization, end };
    cx.decide::<ReviewCampaign>(campaign, over).await?;
    Ok(())
}
