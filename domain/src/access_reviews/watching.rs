//! What time alone brings about: reminders, overdue, escalation (CC-13, GN-15).
//!
//! Invariant: each is told once; a look at [`Review::next_look`] finds something to tell, and none
//! before it does.

use chrono::{DateTime, Utc};

use super::{AccessReview, AccessReviewEvent, Review, ReviewScope, ReviewStatus};
use crate::Decision;
use crate::policies::{OverdueAction, Policy};

impl Review {
    /// The reminders still to come or due, with their moments. One that lay before the review is none.
    fn reminders(&self, policy: &Policy) -> Vec<(u32, DateTime<Utc>)> {
        if self.status != ReviewStatus::Open {
            return Vec::new();
        }
        let zone = policy.time_zone();
        let days = policy.review().remind_days.into_iter();
        let untold = days.filter(|days| self.reminded.is_none_or(|told| *days < told));
        let timed = untold.map(|days| (days, zone.days_later(self.due_at, -i64::from(days))));
        timed.filter(|(_, at)| *at > self.opened_at).collect()
    }

    fn next_look(&self, policy: &Policy) -> Option<DateTime<Utc>> {
        let due = (self.status == ReviewStatus::Open).then_some(self.due_at);
        let escalated = (!self.is_escalated).then_some(self.grace_until);
        let reminded = self.reminders(policy).into_iter().map(|(_, at)| at);
        reminded.chain(due).chain(escalated).min()
    }

    pub(super) fn watch(&self, decision: &Decision<'_>) -> Vec<AccessReviewEvent> {
        let Decision { now, policy, .. } = *decision;
        let (organization, undecided) = (self.organization, self.undecided);
        let is_due = self.due_at <= now;
        let mut events = Vec::new();
        // Where several were missed, only the last one still tells how much time is left.
        let reminders = self.reminders(policy).into_iter();
        let reminder = reminders.filter(|(_, at)| *at <= now && !is_due).map(|(days, _)| days);
        events.extend(reminder.min().map(|days_left| AccessReviewEvent::AccessReviewReminded {
            organization,
            days_left,
            undecided,
        }));
        if is_due && self.status == ReviewStatus::Open {
            events.push(AccessReviewEvent::AccessReviewOverdue { organization, undecided });
        }
        if self.grace_until <= now && !self.is_escalated {
            let terms = policy.review();
            // The plan does not stop itself.
            let is_plans = self.scope == ReviewScope::PlanStaff;
            let action = if is_plans { OverdueAction::Escalate } else { terms.overdue };
            events.push(AccessReviewEvent::AccessReviewEscalated {
                organization,
                undecided,
                action,
                ordinary: terms.undecided,
                high: terms.undecided_high,
            });
        }
        events
    }
}

impl AccessReview {
    /// When [`super::AccessReviewCommand::Watch`] has something to tell next; none once it is over.
    #[must_use]
    pub fn next_look(&self, policy: &Policy) -> Option<DateTime<Utc>> {
        self.under_way().ok()?.next_look(policy)
    }
}
