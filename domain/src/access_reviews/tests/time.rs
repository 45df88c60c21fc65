//! Reminders, overdue and escalation, each at its second.

use super::*;
use crate::policies::{OverdueAction, Policy, Preset, UndecidedAction};

fn watched(events: &[AccessReviewEvent], at: DateTime<Utc>, then: &[AccessReviewEvent]) {
    given::<AccessReview>(events).at(at).when(AccessReviewCommand::Watch).then(then);
}

fn reminded(days_left: u32) -> AccessReviewEvent {
    AccessReviewEvent::AccessReviewReminded { organization: mercy(), days_left, undecided: 3 }
}

fn overdue() -> AccessReviewEvent {
    AccessReviewEvent::AccessReviewOverdue { organization: mercy(), undecided: 3 }
}

fn escalated() -> AccessReviewEvent {
    escalated_with(OverdueAction::Escalate)
}

fn escalated_with(action: OverdueAction) -> AccessReviewEvent {
    AccessReviewEvent::AccessReviewEscalated {
        organization: mercy(),
        undecided: 3,
        action,
        ordinary: UndecidedAction::Escalate,
        high: UndecidedAction::Escalate,
    }
}

fn next(events: &[AccessReviewEvent]) -> Option<DateTime<Utc>> {
    given::<AccessReview>(events).state().next_look(&Policy::from(Preset::MediCal))
}

#[test]
fn cc_13_reviewers_are_reminded_a_week_and_a_day_before_and_told_once() {
    let week = days(7);
    assert_eq!(next(&opened()), Some(week));
    watched(&opened(), week - TimeDelta::seconds(1), &[]);
    watched(&opened(), week, &[reminded(7)]);
    let told = history(&[reminded(7)]);
    watched(&told, days(12), &[]);
    assert_eq!(next(&told), Some(days(13)));
    watched(&told, days(13), &[reminded(1)]);
    watched(&opened(), days(13), &[reminded(1)]);
    watched(&history(&[reminded(1)]), days(13), &[]);
}

#[test]
fn a_reminder_from_before_the_review_is_not_given() {
    let short = NewReview { due_at: days(3), grace_until: days(4), ..new_review(roster()) };
    let outcome = given::<AccessReview>(&[]).when(open(short));
    let events = outcome.events();
    assert_eq!(next(events), Some(days(2)));
    watched(events, after(60), &[]);
    watched(events, days(2), &[reminded(1)]);
}

#[test]
fn cc_13_a_review_is_overdue_at_its_second_and_escalated_after_its_grace() {
    watched(&history(&[reminded(1)]), days(14) - TimeDelta::seconds(1), &[]);
    watched(&opened(), days(14), &[overdue()]);
    let late = history(&[overdue()]);
    assert_eq!(next(&late), Some(days(28)));
    watched(&late, days(28) - TimeDelta::seconds(1), &[]);
    watched(&late, days(28), &[escalated()]);
    watched(&opened(), days(28), &[overdue(), escalated()]);
    let all = history(&[overdue(), escalated()]);
    assert_eq!(next(&all), None);
    watched(&all, days(60), &[]);
    let state = given::<AccessReview>(&all).at(days(60)).by(bob()).when(decide(&[1], KEEP));
    assert_eq!(state.events().len(), 1, "an overdue review is still decided");
}

#[test]
fn gn_15_a_stricter_policy_suspends() {
    let outcome = given::<AccessReview>(&history(&[overdue()]))
        .under(Preset::Hardened)
        .at(days(28))
        .when(AccessReviewCommand::Watch);
    outcome.then(&[escalated_with(OverdueAction::Suspend)]);
}
