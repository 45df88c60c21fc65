//! `CompleteReview` and `CancelReview` (CC-13).
//!
//! Invariant: who or what is gone and new is asked of the roster and the permissions as the append finds
//! them; what is still to be taken away is not signed as gone.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use async_trait::async_trait;
use rollcall_domain::{
    Code, Refusal, Sealed,
    access_reviews::{
        AccessReview, AccessReviewCommand, AccessReviewEvent, CompleteReview as Completion,
        Holding, Item, Review, ReviewDecision, ReviewScope, Reviewed, ReviewedAccess, Submissions,
        attestation_version, campaign::ReviewEnd,
    },
    audit::ReviewSignature,
    kernel::ids::{AccessReviewId, OrganizationId, UserId},
    organizations::{OrgRole, Organization},
    permissions::Membership,
    values::{PersonName, Reason},
};

use super::{
    REVIEW_STAFF, campaign::tell, keys::working_of, open::reviewed, plan_staff::held_of, release,
    review_of, rights::memberships, submissions::submissions,
};
use crate::{Access, Command, Context, Failure};

/// Signs a review, or begins to close it where decisions wait for that.
pub struct CompleteReview {
    pub organization: OrganizationId,
    pub review: AccessReviewId,
    /// As typed.
    pub name: PersonName,
    /// Whether the statement was confirmed.
    pub attested: bool,
}

/// Ends a review without a result.
pub struct CancelReview {
    pub organization: OrganizationId,
    pub review: AccessReviewId,
    pub reason: Reason,
}

#[async_trait]
impl Command for CompleteReview {
    const NAME: &'static str = "CompleteReview";
    type Output = AccessReviewId;

    fn access(&self) -> Access {
        Access::OrgAdminOrPlan(self.organization, REVIEW_STAFF)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<AccessReviewId, Failure> {
        let state = review_of(cx, self.review, self.organization).await?;
        let review = state.under_way().map_err(Refusal::from)?;
        let roster = cx.load::<Organization>(self.organization).await?;
        let rights = permissions_of(cx, review, &roster).await?;
        let submissions = submissions_of(cx, review).await?;
        let keys = working_of(cx, review.items().map(|(_, item)| item)).await?;
        let roles = held_of(cx, review.items().map(|(_, item)| item)).await?;
        let (now, none) = (cx.now, Submissions::new());
        let is_gone = |item: &Item| {
            let submissions = submissions.get(&item.user).unwrap_or(&none);
            let is_held = |membership: &Arc<Membership>| {
                item.access.is_held(Holding { membership, submissions, now })
            };
            let has_ended = match (item.access.key(), item.access.plan_role()) {
                // It works whoever left.
                (Some(key), _) => !keys.contains(&key),
                // Nobody holds it as a member.
                (None, Some(role)) => !roles.contains(&(item.user, role)),
                (None, None) if !roster.is_active_member(item.user, now) => true,
                (None, None) => {
                    item.access.is_right() && !rights.get(&item.user).is_some_and(is_held)
                }
            };
            // What could not be taken away because it was gone is gone.
            let is_being_taken = item.decided.as_ref().is_some_and(|decided| {
                matches!(decided.decision, ReviewDecision::Revoke { .. })
                    && decided.refusal().is_none()
                    && !review.awaits_second(item)
            });
            has_ended && !is_being_taken
        };
        let gone = review.items().filter(|(_, item)| is_gone(item)).map(|(number, _)| number);
        let done = Completion {
            attested: self.attested,
            signature: ReviewSignature {
                name: Sealed::new(self.review, self.name.clone()),
                statement: attestation_version(review.is_beside_policy()).to_owned(),
            },
            gone: gone.collect(),
            joiners: joiners(cx, review, &roster).await?,
        };
        let complete = AccessReviewCommand::Complete(Box::new(done));
        let events = cx.decide::<AccessReview>(self.review, complete).await?;
        // Where it only begins to close it is signed another time.
        let is_signed = |event: &AccessReviewEvent| {
            matches!(event, AccessReviewEvent::AccessReviewCompleted { .. })
        };
        if events.iter().any(is_signed) {
            tell(cx, review, ReviewEnd::Signed).await?;
            release(cx, review);
        }
        Ok(self.review)
    }
}

/// What the people on a list of rights hold now, of those who are still active members.
async fn permissions_of(
    cx: &mut Context<'_>,
    review: &Review,
    roster: &Organization,
) -> Result<BTreeMap<UserId, Arc<Membership>>, Failure> {
    let is_of_members = |item: &Item| item.access.is_right() && item.access.is_of_member();
    let listed = review.items().filter(|(_, item)| is_of_members(item));
    let users: BTreeSet<UserId> = listed.map(|(_, item)| item.user).collect();
    let now = cx.now;
    let active = users.into_iter().filter(|user| roster.is_active_member(*user, now));
    let active: Vec<UserId> = active.collect();
    memberships(cx, review.organization, &active).await
}

/// For which NPIs of providers people work, if that is on the list.
async fn submissions_of(
    cx: &mut Context<'_>,
    review: &Review,
) -> Result<BTreeMap<UserId, Submissions>, Failure> {
    let is_one = |item: &Item| matches!(item.access, ReviewedAccess::Submission { .. });
    if review.items().any(|(_, item)| is_one(item)) {
        return submissions(cx, review.organization).await;
    }
    Ok(BTreeMap::new())
}

/// How many active members became so since the list was frozen, or how many rights are in scope and
/// not on the list.
async fn joiners(
    cx: &mut Context<'_>,
    review: &Review,
    roster: &Organization,
) -> Result<u32, Failure> {
    if !review.scope.is_of_rights() {
        return Ok(new_members(cx, review, roster));
    }
    let listed: BTreeSet<(UserId, ReviewedAccess)> =
        review.items().map(|(_, item)| (item.user, item.access.thing())).collect();
    let present = reviewed(cx, review.organization, &review.scope).await?;
    let is_new = |it: &&Reviewed| !listed.contains(&(it.user, it.access.thing()));
    Ok(u32::try_from(present.iter().filter(is_new).count()).unwrap_or(u32::MAX))
}

/// Who is in scope by now and not on the list: whoever joined, or became an administrator.
fn new_members(cx: &Context<'_>, review: &Review, roster: &Organization) -> u32 {
    let listed: BTreeSet<UserId> = review.items().map(|(_, item)| item.user).collect();
    let of_administrators = review.scope == ReviewScope::Administrators;
    let joined = roster.members().filter(|(user, member)| {
        let is_new = member.active_since.is_some_and(|since| since > review.opened_at);
        let is_in_scope = if of_administrators { member.role == OrgRole::Admin } else { is_new };
        is_in_scope && member.is_active(cx.now) && !listed.contains(user)
    });
    u32::try_from(joined.count()).unwrap_or(u32::MAX)
}

#[async_trait]
impl Command for CancelReview {
    const NAME: &'static str = "CancelReview";
    type Output = AccessReviewId;

    fn access(&self) -> Access {
        Access::OrgAdminOrPlan(self.organization, REVIEW_STAFF)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<AccessReviewId, Failure> {
        let state = review_of(cx, self.review, self.organization).await?;
        let review = state.under_way().map_err(Refusal::from)?;
        // Nobody under review calls off the review that the plan's policy demands of them.
        let is_the_plans = review.opened_by.is_a_rule() || review.campaign.is_some();
        if is_the_plans && !cx.authority.acts_for_plan() {
            let message = "This review is the health plan's. Ask it to cancel the review.";
            return Err(Refusal::new(Code::Forbidden, message).at("accessReviewId").into());
        }
        cancel(cx, review, self.reason.clone()).await?;
        Ok(self.review)
    }
}

/// Cancels a review that is under way.
pub(super) async fn cancel(
    cx: &mut Context<'_>,
    review: &Review,
    reason: Reason,
) -> Result<(), Failure> {
    cx.decide::<AccessReview>(review.review, AccessReviewCommand::Cancel { reason }).await?;
    tell(cx, review, ReviewEnd::Cancelled).await?;
    release(cx, review);
    Ok(())
}
