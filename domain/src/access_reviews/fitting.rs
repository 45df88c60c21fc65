//! Which decisions fit an item, by its access and by what was done about it already.
//!
//! Invariant: what has taken effect is only taken back, and what nothing brings back not even that.

use super::{AccessReviewRefusal, Item, ReviewDecision, ReviewedAccess};
use crate::permissions::NpiLevel;
use crate::values::Reason;

impl Item {
    /// A key that was revoked works never again, so nothing else is decided about it.
    pub(super) fn check_revoked_key(&self, number: u32) -> Result<(), AccessReviewRefusal> {
        let is_revoked = self
            .carried_out()
            .is_some_and(|done| matches!(done.decision, ReviewDecision::Revoke { .. }));
        if is_revoked && self.access.key().is_some() {
            return Err(AccessReviewRefusal::KeyRevoked(number));
        }
        Ok(())
    }

    pub(super) fn check_decision(
        &self,
        number: u32,
        new: ReviewDecision,
        reason: Option<&Reason>,
    ) -> Result<(), AccessReviewRefusal> {
        let has_taken_effect = self.decided.as_ref().is_some_and(|it| it.has_taken_effect());
        // Keeping gives back what was taken, in the append of that decision.
        let is_other = new.is_to_be_carried_out() && !self.is_decided_so(new, reason);
        if has_taken_effect && is_other {
            return Err(AccessReviewRefusal::TakenEffect(number));
        }
        self.check_kind(number, new)
    }

    /// A membership ends on a day and changes its role; of rights only a level for an NPI changes, and
    /// only to a lower one.
    fn check_kind(&self, number: u32, new: ReviewDecision) -> Result<(), AccessReviewRefusal> {
        use AccessReviewRefusal as R;
        use ReviewDecision as D;
        use ReviewedAccess as A;
        match (new, &self.access) {
            (D::Keep | D::Revoke { .. }, A::Membership { .. })
            | (
                D::Keep | D::Revoke { left_on: None },
                A::Npi { .. }
                | A::Correspondence { .. }
                | A::Submission { .. }
                | A::Grant { .. }
                | A::ApiKey { .. }
                | A::PlanRole { .. },
            ) => Ok(()),
            (
                D::Revoke { left_on: Some(_) },
                A::Npi { .. }
                | A::Correspondence { .. }
                | A::Submission { .. }
                | A::Grant { .. }
                | A::ApiKey { .. }
                | A::PlanRole { .. },
            ) => Err(R::NoLastDay(number)),
            (D::Change { role }, A::Membership { role: listed }) if *listed == role => {
                Err(R::SameRole(number))
            }
            (D::Change { .. }, A::Membership { .. }) => Ok(()),
            (D::ChangeLevel { level }, A::Npi { level: listed, .. }) => {
                let is_lower = NpiLevel::None < level && level < *listed;
                if is_lower { Ok(()) } else { Err(R::NotLower(number)) }
            }
            (
                D::Change { .. },
                A::Npi { .. }
                | A::Correspondence { .. }
                | A::Submission { .. }
                | A::Grant { .. }
                | A::ApiKey { .. }
                | A::PlanRole { .. },
            )
            | (
                D::ChangeLevel { .. },
                A::Membership { .. }
                | A::Correspondence { .. }
                | A::Submission { .. }
                | A::Grant { .. }
                | A::ApiKey { .. }
                | A::PlanRole { .. },
            ) => Err(R::NoSuchChange(number)),
        }
    }
}
