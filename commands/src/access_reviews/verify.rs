//! `VerifyReviewItem`: what was decided is looked up before it counts as done (GN-15).
//!
//! Invariant: it counts once the streams that every decision about the person's access is made on
//! refuse them, or give them the role or level decided; a session that acts for the organisation
//! contradicts the end of a membership.

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use rollcall_domain::{
    access_reviews::{
        AccessReview, AccessReviewCommand, Item, ItemDecision, RecordExecution, Review,
        ReviewDecision, ReviewedAccess,
    },
    kernel::ids::{AccessReviewId, OrganizationId, UserId},
    organizations::{Organization, organization::Standing},
};

use super::rights::held_by;
use crate::{Access, Command, Context, Failure, organizations::members::Watch, sessions::acts_for};

/// How long after a look that found it otherwise the next one is.
const AGAIN_AFTER: TimeDelta = TimeDelta::minutes(1);

/// The scheduler looks whether what was decided about an item is so.
pub struct VerifyReviewItem {
    pub review: AccessReviewId,
    pub item: u32,
}

/// What a look found.
enum Found {
    /// It took effect then, and whether it is still so and nobody acts otherwise.
    Done { at: DateTime<Utc>, verified: bool },
    /// It is to take effect then.
    Comes(DateTime<Utc>),
}

#[async_trait]
impl Command for VerifyReviewItem {
    const NAME: &'static str = "VerifyReviewItem";
    type Output = Watch;

    fn access(&self) -> Access {
        Access::System
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<Watch, Failure> {
        let state = cx.load::<AccessReview>(self.review).await?;
        let Some((review, item, decided)) = self.pending(&state) else { return Ok(Watch::Over) };
        let again = cx.now + AGAIN_AFTER;
        let (at, verified) = match look(cx, review.organization, item, decided).await? {
            Found::Done { at, verified } => (at, verified),
            Found::Comes(at) => return Ok(Watch::On(Some(at.max(again)))),
        };
        let (item, decided_at) = (self.item, decided.at);
        let done = RecordExecution { item, decided_at, executed_at: at, verified };
        let record = AccessReviewCommand::RecordExecution(done);
        cx.decide::<AccessReview>(self.review, record).await?;
        Ok(if verified { Watch::Over } else { Watch::On(Some(again)) })
    }
}

impl VerifyReviewItem {
    /// The item, while something that was decided about it is not verified.
    fn pending<'a>(
        &self,
        state: &'a AccessReview,
    ) -> Option<(&'a Review, &'a Item, &'a ItemDecision)> {
        let review = state.under_way().ok()?;
        let item = review.item(self.item)?;
        let decided = item.decided.as_ref()?;
        let is_pending = decided.decision.is_to_be_carried_out() && !decided.has_taken_effect();
        is_pending.then_some((review, item, decided))
    }
}

async fn look(
    cx: &mut Context<'_>,
    organization: OrganizationId,
    item: &Item,
    decided: &ItemDecision,
) -> Result<Found, Failure> {
    let user = item.user;
    if item.access.is_right() {
        return verify_right(cx, organization, item, decided).await;
    }
    let roster = cx.load::<Organization>(organization).await?;
    let is_active = roster.is_active_member(user, cx.now);
    match decided.decision {
        ReviewDecision::Keep | ReviewDecision::ChangeLevel { .. } => {
            Ok(Found::Done { at: decided.at, verified: false })
        }
        ReviewDecision::Change { role } => {
            let verified = is_active && roster.role_of(user, cx.now) == role;
            Ok(Found::Done { at: decided.at, verified })
        }
        ReviewDecision::Revoke { .. } if is_active => {
            let ends_at = roster.member(user).and_then(|member| member.ends_at());
            Ok(ends_at.map_or(Found::Done { at: decided.at, verified: false }, Found::Comes))
        }
        ReviewDecision::Revoke { .. } => {
            let ended = ended(&roster, user).unwrap_or(decided.at).max(decided.at);
            let verified = !acts_for(cx, user, organization).await?;
            Ok(Found::Done { at: ended, verified })
        }
    }
}

/// A right that was taken away or lowered is so when the permissions that every decision is made on
/// say so; where the first look found otherwise, it came to be so at this one.
async fn verify_right(
    cx: &mut Context<'_>,
    organization: OrganizationId,
    item: &Item,
    decided: &ItemDecision,
) -> Result<Found, Failure> {
    let held = held_by(cx, organization, item).await?;
    let verified = match decided.decision {
        ReviewDecision::Keep | ReviewDecision::Change { .. } => false,
        ReviewDecision::Revoke { .. } => held.is_none(),
        ReviewDecision::ChangeLevel { level } => {
            matches!(held, Some(ReviewedAccess::Npi { level: held, .. }) if held <= level)
        }
    };
    let found_otherwise = decided.executed.is_some_and(|(_, verified)| !verified);
    let at = if verified && found_otherwise { cx.now } else { decided.at };
    Ok(Found::Done { at, verified })
}

/// When the membership of somebody who is no active member ended.
fn ended(roster: &Organization, user: UserId) -> Option<DateTime<Utc>> {
    let member = roster.member(user)?;
    match member.standing {
        Standing::Inactive { since } => Some(since),
        Standing::Active => member.ends_at(),
        Standing::Invited { .. } | Standing::Ended { .. } => None,
    }
}
