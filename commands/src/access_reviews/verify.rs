//! `VerifyReviewItems`: what was decided is looked up before it counts as done (GN-15).
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
    leftovers::{Leftovers, Register},
    preload::preload,
    rights::held_by,
};
use crate::{Access, Command, Context, Failure, organizations::members::Watch};

/// How long after a look that found it otherwise the next one is.
const AGAIN_AFTER: TimeDelta = TimeDelta::minutes(1);
/// Items whose numbers differ in the rest alone are looked at together.
const PORTION: u32 = 100;

/// The scheduler looks whether what was decided about the items of a portion is so.
pub struct VerifyReviewItems {
    pub review: AccessReviewId,
    pub portion: u32,
    pub register: Arc<dyn Register>,
}

/// Something decided that is not verified.
struct Pending<'a> {
    number: u32,
    item: &'a Item,
    decided: &'a ItemDecision,
}

/// What a look found.
enum Found {
    /// It took effect then, as far as nothing is left.
    Done { at: DateTime<Utc>, remaining: Vec<Leftover> },
    /// It is to take effect then.
    Comes(DateTime<Utc>),
}

#[async_trait]
impl Command for VerifyReviewItems {
    const NAME: &'static str = "VerifyReviewItems";
    type Output = Watch;

    fn access(&self) -> Access {
        Access::System
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<Watch, Failure> {
        let state = cx.load::<AccessReview>(self.review).await?;
        let Ok(review) = state.under_way() else { return Ok(Watch::Over) };
        let pending = self.pending(review);
        if pending.is_empty() {
            return Ok(Watch::Over);
        }
        let look = Look::begin(cx, review.organization, (&pending, &*self.register)).await?;
        let (again, mut next) = (cx.now + AGAIN_AFTER, None);
        let mut look_again = |at| next = Some(next.map_or(at, |next: DateTime<Utc>| next.min(at)));
        for it in &pending {
            match look.at(cx, it).await? {
                Found::Comes(at) => look_again(at.max(again)),
                Found::Done { at, remaining } => {
                    if !remaining.is_empty() {
                        look_again(again);
                    }
                    let record =
                        AccessReviewCommand::RecordExecution(it.done(cx.now, at, remaining));
                    cx.decide::<AccessReview>(self.review, record).await?;
                }
            }
        }
        Ok(next.map_or(Watch::Over, |at| Watch::On(Some(at))))
    }
}

impl VerifyReviewItems {
    /// Where an item is looked at.
    #[must_use]
    pub const fn portion_of(item: u32) -> u32 {
        item / PORTION
    }

    fn pending<'a>(&self, review: &'a Review) -> Vec<Pending<'a>> {
        let first = self.portion.saturating_mul(PORTION);
        let numbers = first..first.saturating_add(PORTION);
        numbers.filter_map(|number| Pending::of(number, review.item(number)?)).collect()
    }
}

impl<'a> Pending<'a> {
    /// The item, while something that was decided about it and carried out is not verified.
    fn of(number: u32, item: &'a Item) -> Option<Self> {
        let decided = item.decided.as_ref()?;
        let is_done = decided.decision.is_to_be_carried_out() && decided.is_carried_out();
        let is_pending = is_done && !decided.has_taken_effect();
        is_pending.then_some(Self { number, item, decided })
    }

    fn done(
        &self,
        now: DateTime<Utc>,
        at: DateTime<Utc>,
        remaining: Vec<Leftover>,
    ) -> RecordExecution {
        let (verified, decided) = (remaining.is_empty(), self.decided);
        // What was left after it has ended since the last look.
        let is_late = verified && !decided.remaining.is_empty();
        RecordExecution {
            item: self.number,
            decided_at: decided.at,
            executed_at: if is_late { now } else { at },
            verified,
            remaining,
        }
    }
}

/// Looks at what was decided about an organisation's people.
struct Look {
    organization: OrganizationId,
    roster: Arc<Organization>,
    leftovers: Leftovers,
}

impl Look {
    /// Reads at once what looking at each of them takes.
    async fn begin(
        cx: &mut Context<'_>,
        organization: OrganizationId,
        (pending, register): (&[Pending<'_>], &dyn Register),
    ) -> Result<Self, Failure> {
        let roster = cx.load::<Organization>(organization).await?;
        let items: Vec<&Item> = pending.iter().map(|it| it.item).collect();
        preload(cx, organization, &items).await?;
        let members = items.iter().filter(|item| !item.access.is_right()).map(|item| item.user);
        let of = (members.collect(), organization);
        let leftovers = Leftovers::look_up(cx, register, of).await?;
        Ok(Self { organization, roster, leftovers })
    }

    async fn at(&self, cx: &mut Context<'_>, of: &Pending<'_>) -> Result<Found, Failure> {
        let Pending { item, decided, .. } = of;
        if item.access.is_right() {
            return verify_right(cx, self.organization, item, decided).await;
        }
        let (roster, user) = (&self.roster, item.user);
        let is_active = roster.is_active_member(user, cx.now);
        let done = |at, remaining| Ok(Found::Done { at, remaining });
        match decided.decision {
            // Nothing follows from it, and nothing is looked up.
            ReviewDecision::Keep | ReviewDecision::ChangeLevel { .. } => {
                done(decided.at, Vec::new())
            }
            ReviewDecision::Change { role }
                if is_active && roster.role_of(user, cx.now) == role =>
            {
                done(decided.done_at, self.leftovers.after_change(cx.now, user, role))
            }
            ReviewDecision::Change { .. } => done(decided.done_at, vec![Leftover::Role]),
            ReviewDecision::Revoke { .. } if is_active => {
                match roster.member(user).and_then(|member| member.ends_at()) {
                    Some(ends_at) => Ok(Found::Comes(ends_at)),
                    None => done(decided.done_at, vec![Leftover::Membership]),
                }
            }
            ReviewDecision::Revoke { .. } => {
                let ended = ended(roster, user).unwrap_or(decided.done_at).max(decided.done_at);
                done(ended, self.leftovers.after_removal(cx, user).await?)
            }
        }
    }
}

/// A right that was taken away or lowered is so when the permissions that every decision is made on say so; a
/// key that was revoked, when no machine gets in by it; a role of the plan, when its people's stream has none.
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
