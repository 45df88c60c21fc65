//! What follows from a decision for the roster: access ends, changes or comes back (GN-15); for single
//! rights see `rights`.
//!
//! Invariant: it is done by the commands that do it outside of reviews, with all their checks; only
//! what this review did is taken back.

use rollcall_domain::{
    Code, Refusal,
    access_reviews::{Item, ItemDecision, Review, ReviewDecision, ReviewItemDecision},
    kernel::ids::UserId,
    organizations::{OrgRole, Organization, organization::Standing},
    permissions::Cause,
    values::{CalendarDate, Reason},
};

use super::rights::Right;
use crate::{
    Command, Context, Failure,
    organizations::members::{
        Appointment, CancelUserDeactivation, DeactivateUser, ReactivateUser, assign_role,
        give_role_back,
    },
};

/// Carries decisions of one review out.
pub(super) struct CarryOut<'a> {
    /// As it was before them.
    pub review: &'a Review,
    pub reason: Option<&'a Reason>,
    pub evidence: Option<&'a Reason>,
}

impl CarryOut<'_> {
    /// Takes back what the former decision did, as far as the new one does otherwise, and does what
    /// the new one says.
    pub async fn follow(
        &self,
        cx: &mut Context<'_>,
        decided: &ReviewItemDecision,
    ) -> Result<(), Failure> {
        let Some(item) = self.review.item(decided.item) else { return Ok(()) };
        // What waited, or could not be done, left everything as it was.
        let former = item.carried_out();
        if item.access.is_right() {
            let former = former.map(|former| former.decision);
            return self.right(decided.item, item).follow(cx, former, decided.new).await;
        }
        if let Some(former) = former {
            self.take_back(cx, item, former, decided.new).await?;
        }
        self.change(cx, item, decided.new).await
    }

    /// Does what a decision says that nothing was done about yet.
    ///
    /// # Errors
    /// `ALREADY_INACTIVE` where the access is over by somebody else's doing, and what the commands refuse.
    pub async fn begin(
        &self,
        cx: &mut Context<'_>,
        (number, item): (u32, &Item),
        new: ReviewDecision,
    ) -> Result<(), Failure> {
        if item.access.is_right() {
            return self.right(number, item).follow(cx, None, new).await;
        }
        let roster = cx.load::<Organization>(self.review.organization).await?;
        if !roster.is_active_member(item.user, cx.now) {
            let message =
                format!("The person of item {number} left already. Nobody has to decide about it.");
            let refusal = Refusal::new(Code::AlreadyInactive, message).at("items");
            return Err(refusal.details([number.to_string()]).into());
        }
        self.change(cx, item, new).await
    }

    fn right<'b>(&'b self, number: u32, item: &'b Item) -> Right<'b> {
        let (review, reason) = (self.review, self.reason);
        Right { review, item: number, user: item.user, listed: &item.access, reason }
    }

    /// What a decision makes of a membership.
    async fn change(
        &self,
        cx: &mut Context<'_>,
        item: &Item,
        new: ReviewDecision,
    ) -> Result<(), Failure> {
        match new {
            // Levels are of rights.
            ReviewDecision::Keep | ReviewDecision::ChangeLevel { .. } => Ok(()),
            ReviewDecision::Revoke { left_on } => self.revoke(cx, item.user, left_on).await,
            ReviewDecision::Change { role } => {
                let appointment = Appointment { cause: Cause::Review, evidence: self.evidence };
                let of = (self.review.organization, item.user);
                assign_role(cx, of, role, appointment).await
            }
        }
    }

    async fn take_back(
        &self,
        cx: &mut Context<'_>,
        item: &Item,
        former: &ItemDecision,
        new: ReviewDecision,
    ) -> Result<(), Failure> {
        use ReviewDecision as D;
        match (former.decision, new) {
            (D::Keep | D::ChangeLevel { .. }, _)
            | (_, D::ChangeLevel { .. })
            | (D::Change { .. }, D::Change { .. }) => Ok(()),
            (D::Revoke { left_on: one }, D::Revoke { left_on: other }) if one == other => Ok(()),
            (D::Revoke { left_on }, D::Revoke { .. }) => {
                self.call_off(cx, item.user, left_on).await
            }
            (D::Revoke { left_on }, D::Keep | D::Change { .. }) => {
                self.call_off(cx, item.user, left_on).await?;
                self.bring_back(cx, item.user, former).await
            }
            (D::Change { role }, D::Keep | D::Revoke { .. }) => {
                self.give_role_back(cx, item, role, new).await
            }
        }
    }

    /// An end that the review planned does not come.
    async fn call_off(
        &self,
        cx: &mut Context<'_>,
        user: UserId,
        left_on: Option<CalendarDate>,
    ) -> Result<(), Failure> {
        let organization = self.review.organization;
        let roster = cx.load::<Organization>(organization).await?;
        let member = roster.member(user).filter(|member| member.is_active(cx.now));
        let planned = member.and_then(|member| member.planned_end.as_ref());
        if planned.is_some_and(|end| Some(end.left_on) == left_on) {
            let expected_version = None;
            CancelUserDeactivation { organization, user, expected_version }.handle(cx).await?;
        }
        Ok(())
    }

    /// Whoever the review deactivated is active again.
    async fn bring_back(
        &self,
        cx: &mut Context<'_>,
        user: UserId,
        former: &ItemDecision,
    ) -> Result<(), Failure> {
        let organization = self.review.organization;
        let roster = cx.load::<Organization>(organization).await?;
        let is_our_doing = roster.member(user).is_some_and(|member| match member.standing {
            Standing::Inactive { since } => since >= former.at,
            Standing::Active | Standing::Invited { .. } | Standing::Ended { .. } => false,
        });
        if is_our_doing {
            let (confirmed, permissions, expected_version) = (true, None, None);
            ReactivateUser { organization, user, confirmed, permissions, expected_version }
                .handle(cx)
                .await?;
        }
        Ok(())
    }

    /// The role on the list, unless somebody gave another one since.
    async fn give_role_back(
        &self,
        cx: &mut Context<'_>,
        item: &Item,
        changed_to: OrgRole,
        new: ReviewDecision,
    ) -> Result<(), Failure> {
        let Some(listed) = item.access.role() else { return Ok(()) };
        let roster = cx.load::<Organization>(self.review.organization).await?;
        let member = roster.member(item.user).filter(|member| member.is_active(cx.now));
        if member.is_none_or(|member| member.role != changed_to) {
            return Ok(());
        }
        let of = (self.review.organization, item.user);
        let appointment = Appointment { cause: Cause::Review, evidence: self.evidence };
        match new {
            // Whoever leaves in the same append is appointed to nothing.
            ReviewDecision::Revoke { .. } => give_role_back(cx, of, listed, Cause::Review).await,
            ReviewDecision::Keep
            | ReviewDecision::Change { .. }
            | ReviewDecision::ChangeLevel { .. } => assign_role(cx, of, listed, appointment).await,
        }
    }

    async fn revoke(
        &self,
        cx: &mut Context<'_>,
        user: UserId,
        left_on: Option<CalendarDate>,
    ) -> Result<(), Failure> {
        let organization = self.review.organization;
        let roster = cx.load::<Organization>(organization).await?;
        let Some(reason) = self.reason.cloned() else { return Ok(()) };
        // Who left meanwhile has no access to take away.
        if !roster.is_active_member(user, cx.now) {
            return Ok(());
        }
        let deactivate = DeactivateUser {
            organization,
            user,
            confirmed: true,
            reason,
            evidence: self.evidence.cloned(),
            left_on,
            expected_version: None,
        };
        deactivate.handle(cx).await?;
        Ok(())
    }
}
