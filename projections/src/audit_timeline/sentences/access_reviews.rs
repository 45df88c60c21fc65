//! Sentences about periodic reviews of access. Invariant: what a decision is about is told with the
//! person; what they wrote about it is personal and is never told.

use rollcall_domain::access_reviews::{
    AccessReviewEvent, Leftover, ReviewDecision, ReviewExecution, ReviewItemDecision, ReviewTotals,
};
use rollcall_domain::kernel::ids::UserId;
use rollcall_domain::policies::OverdueAction;

use super::{Telling, left_on, time, title};
use crate::access_reviews::scope_words;

/// `3 items`.
fn items(count: u32) -> String {
    if count == 1 { "1 item".to_owned() } else { format!("{count} items") }
}

/// `Ann Lee leaves`, as a clause.
fn clause(decision: &ReviewDecision, person: &str) -> String {
    match decision {
        ReviewDecision::Keep => format!("{person} stays"),
        ReviewDecision::Revoke { left_on: day } => {
            format!("{person} leaves{}", left_on(day.as_ref()))
        }
        ReviewDecision::Change { role } => format!("{person} becomes {}", title(role)),
    }
}

fn decided(decided: &ReviewItemDecision, telling: Telling<'_>) -> String {
    let (who, at) = (telling.who(), telling.organization(decided.organization));
    let now = clause(&decided.new, &telling.person(decided.user));
    if decided.undoes.is_some() {
        let old = decided.old.as_ref().map(|old| clause(old, &telling.person(decided.user)));
        let old = old.unwrap_or_default();
        return format!("{who} took back in the access review of {at} that {old}.");
    }
    let before =
        decided.old.as_ref().map(|old| format!(" (before: {})", clause(old, "the person")));
    format!("{who} decided in the access review of {at} that {now}{}.", before.unwrap_or_default())
}

/// ` (a session, a link to a file)`: what is left.
fn left(remaining: &[Leftover]) -> String {
    let words = remaining.iter().map(|left| match left {
        Leftover::Membership => "the membership",
        Leftover::Role => "another permission",
        Leftover::Session => "a session",
        Leftover::ApiKey => "a machine's key that they made",
        Leftover::HandOff => "a hand-off on its way",
        Leftover::Download => "a link to a file",
        Leftover::Register => "the access register",
    });
    let words = words.collect::<Vec<_>>().join(", ");
    if words.is_empty() { words } else { format!(" ({words})") }
}

fn executed(done: &ReviewExecution, what: &str, telling: Telling<'_>) -> String {
    let (whose, at) = (telling.whose(done.user), telling.organization(done.organization));
    let verified = if done.verified {
        "and a look at it verified that".to_owned()
    } else {
        format!("and a look at it could not verify that{}", left(&done.remaining))
    };
    let seconds = done.delay_s;
    format!("{whose} {what} at {at}, {seconds} s after the access review decided so, {verified}.")
}

fn delegated(
    (user, at): (UserId, &str),
    (old, new): (Option<UserId>, Option<UserId>),
    telling: Telling<'_>,
) -> String {
    let (who, person) = (telling.who(), telling.person(user));
    let about = format!("the decision about {person} in the access review of {at}");
    match (new, old) {
        (Some(to), _) => format!("{who} left {about} to {}.", telling.whom(to)),
        (None, Some(from)) => format!("{who} took {about} back from {}.", telling.whom(from)),
        (None, None) => format!("{who} left {about} to all reviewers."),
    }
}

pub(super) fn sentence(event: &AccessReviewEvent, telling: Telling<'_>) -> String {
    use AccessReviewEvent as E;
    let who = telling.who();
    let at = telling.organization(event.parties().0);
    match event {
        E::AccessReviewOpened { scope, items: count, due_at, .. } => {
            let whom = scope_words(scope);
            let (count, due) = (items(*count), time(due_at));
            format!("{who} opened an access review of {at}: {whom}, {count}, due {due}.")
        }
        E::ReviewItemsListed { first, items: listed, .. } => {
            let count = items(u32::try_from(listed.len()).unwrap_or(u32::MAX));
            format!("The access review of {at} lists {count} from number {first} on.")
        }
        E::ReviewItemDecided(event) => decided(event, telling),
        E::ReviewItemDelegated { user, old, new, .. } => {
            delegated((*user, &at), (*old, *new), telling)
        }
        E::ReviewRevocationExecuted(done) => executed(done, "access ended", telling),
        E::ReviewChangeExecuted(done) => executed(done, "permission changed", telling),
        E::HastyReviewSuspected { reviewer, decided, kept, ms_per_item, .. } => {
            let (reviewer, count) = (telling.person(*reviewer), items(*decided));
            let seconds = format!("{}.{}", ms_per_item / 1_000, ms_per_item % 1_000 / 100);
            format!(
                "{reviewer} kept {kept} of {count} in the access review of {at}, in {seconds} s each."
            )
        }
        E::AccessReviewReminded { days_left, undecided, .. } => {
            let days = if *days_left == 1 { "day" } else { "days" };
            let count = items(*undecided);
            format!("The access review of {at} is due in {days_left} {days}; {count} undecided.")
        }
        E::AccessReviewOverdue { undecided, .. } => {
            format!(
                "Nobody signed the access review of {at} in time; {} undecided.",
                items(*undecided)
            )
        }
        E::AccessReviewEscalated { undecided, action, .. } => {
            let action = match action {
                OverdueAction::Escalate => "the health plan is told",
                OverdueAction::Suspend => "the rights under review are suspended",
            };
            let count = items(*undecided);
            format!(
                "The access review of {at} went unsigned after its grace: {action}; {count} undecided."
            )
        }
        E::AccessReviewCompleted { attested_by, totals, joiners, .. } => {
            let ReviewTotals { kept, revoked, changed, gone, .. } = totals;
            format!(
                "{} signed the access review of {at}: {kept} kept, {revoked} taken away, {changed} \
                 changed, {gone} gone; {joiners} joined since.",
                telling.person(*attested_by)
            )
        }
        E::AccessReviewCancelled { .. } => format!("{who} cancelled the access review of {at}."),
    }
}
