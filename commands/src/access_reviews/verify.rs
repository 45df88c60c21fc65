//! `VerifyReviewItem`: what was decided is looked up before it counts as done (GN-15).
//!
//! Invariant: it counts once the streams that every decision about the person's access is made on refuse
//! them, or give them the role or level decided, and of a membership nothing that they were given before is of
//! use and the access register agrees; what contradicts it is on record.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use rollcall_domain::{
    access_reviews::{
        AccessReview, AccessReviewCommand, Item, ItemDecision, Leftover, RecordExecution, Review,
        ReviewDecision, ReviewedAccess,
    },
    kernel::ids::{AccessReviewId, OrganizationId, UserId},
    organizations::{Organization, organization::Standing},
};

use super::{
    leftovers::{Look, Register},
    rights::held_by,
};
use crate::{Access, Command, Context, Failure, organizations::members::Watch};

/// How long after a look that found it otherwise the next one is.
const AGAIN_AFTER: TimeDelta = TimeDelta::minutes(1);

/// The scheduler looks whether what was decided about an item is so.
pub struct VerifyReviewItem {
    pub review: AccessReviewId,
    pub item: u32,
    pub register: Arc<dyn Register>,
}

/// What a look found.
enum Found {
    /// It took effect then, as far as nothing is left.
    Done { at: DateTime<Utc>, remaining: Vec<Leftover> },
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
        let (organization, register) = (review.organization, &*self.register);
        let of = Look { register, user: item.user, organization };
        let (at, remaining) = match look(cx, of, (item, decided)).await? {
            Found::Done { at, remaining } => (at, remaining),
            Found::Comes(at) => return Ok(Watch::On(Some(at.max(again)))),
        };
        // What was left after it has ended since the last look.
        let is_late = remaining.is_empty() && !decided.remaining.is_empty();
        let executed_at = if is_late { cx.now } else { at };
        let (item, decided_at, verified) = (self.item, decided.at, remaining.is_empty());
        let done = RecordExecution { item, decided_at, executed_at, verified, remaining };
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
        let is_done = decided.decision.is_to_be_carried_out() && decided.is_carried_out();
        let is_pending = is_done && !decided.has_taken_effect();
        is_pending.then_some((review, item, decided))
    }
}

async fn look(
    cx: &mut Context<'_>,
    of: Look<'_>,
    (item, decided): (&Item, &ItemDecision),
) -> Result<Found, Failure> {
    if item.access.is_right() {
        return verify_right(cx, of.organization, item, decided).await;
    }
    let roster = cx.load::<Organization>(of.organization).await?;
    let is_active = roster.is_active_member(of.user, cx.now);
    let done = |at, remaining| Ok(Found::Done { at, remaining });
    match decided.decision {
        // Nothing follows from it, and nothing is looked up.
        ReviewDecision::Keep | ReviewDecision::ChangeLevel { .. } => done(decided.at, Vec::new()),
        ReviewDecision::Change { role } if is_active && roster.role_of(of.user, cx.now) == role => {
            done(decided.done_at, of.after_change(cx, role).await?)
        }
        ReviewDecision::Change { .. } => done(decided.done_at, vec![Leftover::Role]),
        ReviewDecision::Revoke { .. } if is_active => {
            match roster.member(of.user).and_then(|member| member.ends_at()) {
                Some(ends_at) => Ok(Found::Comes(ends_at)),
                None => done(decided.done_at, vec![Leftover::Membership]),
            }
        }
        ReviewDecision::Revoke { .. } => {
            let ended = ended(&roster, of.user).unwrap_or(decided.done_at).max(decided.done_at);
            done(ended, of.after_removal(cx).await?)
        }
    }
}

/// A right that was taken away or lowered is so when the permissions that every decision is made on say so.
async fn verify_right(
    cx: &mut Context<'_>,
    organization: OrganizationId,
    item: &Item,
    decided: &ItemDecision,
) -> Result<Found, Failure> {
    let held = held_by(cx, organization, item).await?;
    let is_so = match decided.decision {
        ReviewDecision::Keep | ReviewDecision::Change { .. } => false,
        ReviewDecision::Revoke { .. } => held.is_none(),
        ReviewDecision::ChangeLevel { level } => {
            matches!(held, Some(ReviewedAccess::Npi { level: held, .. }) if held <= level)
        }
    };
    let remaining = if is_so { Vec::new() } else { vec![Leftover::Right] };
    Ok(Found::Done { at: decided.done_at, remaining })
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
