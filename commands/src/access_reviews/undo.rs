//! `UndoReviewDecision`: a decision is taken back, and with it what it took away or changed (GN-15).
//!
//! Invariant: it is one decision, the one that was looked at, in an append of its own; it comes back by the
//! commands that give access outside of reviews, with all their checks.

use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, Utc};
use rollcall_domain::{
    Refusal,
    access_reviews::{
        AccessReview, AccessReviewCommand, AccessReviewEvent, Item, Review, ReviewedAccess,
        UndoDecision,
    },
    kernel::ids::{AccessReviewId, OrganizationId, UserId},
    organizations::{OrgRole, Organization},
    values::{Reason, TenantZone},
};
use serde::{Deserialize, Serialize};

use super::{REVIEW_STAFF, carry_out::CarryOut, receipt, review_of, rights::held_by};
use crate::{Access, Command, Context, Failure, organizations::members::roster_authority};

/// Which decisions are to be taken back.
#[derive(Clone, Copy, Debug)]
pub enum UndoSelection {
    /// The one about an item.
    Item(u32),
    /// Those that a reviewer made on a day of the tenant's calendar.
    Day { reviewer: UserId, day: NaiveDate },
    /// All of the review.
    All,
}

impl UndoSelection {
    /// The items whose decision is one of these and took something away or changed it, in order.
    #[must_use]
    pub fn of(self, review: &Review, zone: TenantZone) -> Vec<u32> {
        let undoable = review.items().filter_map(|(number, item)| Some((number, item.undoable()?)));
        let chosen = undoable.filter(|(number, decided)| match self {
            Self::Item(item) => *number == item,
            Self::Day { reviewer, day } => {
                decided.by == Some(reviewer) && zone.local_date(decided.at) == day
            }
            Self::All => true,
        });
        chosen.map(|(number, _)| number).collect()
    }
}

/// What came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum GivenBack {
    /// The person is an active member again.
    Membership,
    /// They have the permission on the list again.
    Role,
    /// They have the right on the list again.
    Right,
    /// The end that was planned does not come.
    PlannedEnd,
    /// Somebody else did otherwise since, or it was to be carried out at the closing, so that nothing was
    /// left to give back.
    Nothing,
}

/// Takes a decision back.
pub struct UndoReviewDecision {
    pub organization: OrganizationId,
    pub review: AccessReviewId,
    pub item: u32,
    /// Which decision about the item.
    pub decided_at: DateTime<Utc>,
    pub reason: Reason,
    /// What shows that plan staff had to appoint an administrator again (CC-07).
    pub evidence: Option<Reason>,
    /// As it came with the preview.
    pub receipt: String,
}

#[async_trait]
impl Command for UndoReviewDecision {
    const NAME: &'static str = "UndoReviewDecision";
    type Output = GivenBack;

    fn access(&self) -> Access {
        Access::OrgAdminOrPlan(self.organization, REVIEW_STAFF)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<GivenBack, Failure> {
        let state = review_of(cx, self.review, self.organization).await?;
        let review = state.to_undo().map_err(Refusal::from)?;
        let Some(item) = review.item(self.item) else {
            return Err(Refusal::not_found("items").into());
        };
        let wish = UndoDecision {
            item: self.item,
            decided_at: self.decided_at,
            reason: self.reason.clone(),
            authority: roster_authority(&cx.authority),
            seen: receipt::read(cx.journal().secrets(), cx.person()?, &self.receipt)?,
        };
        let before = self.standing(cx, item).await?;
        let undo = AccessReviewCommand::Undo(Box::new(wish));
        let (reason, evidence) = (Some(&self.reason), self.evidence.as_ref());
        let carry_out = CarryOut { review, reason, evidence };
        for event in cx.decide::<AccessReview>(self.review, undo).await? {
            if let AccessReviewEvent::ReviewItemDecided(decided) = event {
                carry_out.follow(cx, &decided).await?;
            }
        }
        let after = self.standing(cx, item).await?;
        Ok(before.became(&after))
    }
}

impl UndoReviewDecision {
    async fn standing(&self, cx: &mut Context<'_>, item: &Item) -> Result<Held, Failure> {
        let right = match item.access.is_right() {
            true => held_by(cx, self.organization, item).await?,
            false => None,
        };
        let user = item.user;
        let roster = cx.load::<Organization>(self.organization).await?;
        let member = roster.member(user);
        Ok(Held {
            is_active: roster.is_active_member(user, cx.now),
            role: roster.role_of(user, cx.now),
            ends: member.is_some_and(|member| member.planned_end.is_some()),
            right,
        })
    }
}

/// What somebody has in the organisation.
struct Held {
    is_active: bool,
    role: OrgRole,
    ends: bool,
    /// In the place of the item's right, where it is of one.
    right: Option<ReviewedAccess>,
}

impl Held {
    fn became(&self, after: &Self) -> GivenBack {
        if after.is_active && !self.is_active {
            GivenBack::Membership
        } else if after.role != self.role {
            GivenBack::Role
        } else if after.right != self.right {
            GivenBack::Right
        } else if self.ends && !after.ends {
            GivenBack::PlannedEnd
        } else {
            GivenBack::Nothing
        }
    }
}
