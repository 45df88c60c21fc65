//! Sentences about periodic reviews of access. Invariant: what a decision is about is told with the
//! person; what they wrote about it is personal and is never told.

use rollcall_domain::access_reviews::{
    AccessReviewEvent, Leftover, Opener, PolicyDecision, ReviewDecision, ReviewExecution,
    ReviewItemDecision, ReviewScope, ReviewTotals, ReviewedAccess,
    campaign::{CampaignTotals, ReviewCampaignEvent, ReviewEnd, SkipReason},
    substitutes::ReviewSubstitutesEvent,
    template::{Recurrence, ReviewTemplateEvent, TemplateSkip, TemplateTerms},
};
use rollcall_domain::kernel::ids::UserId;
use rollcall_domain::permissions::{CorrespondenceScope, Entitlement};
use rollcall_domain::policies::{OverdueAction, UndecidedAction};

use crate::access_reviews::{change_words, people_words};

use super::permissions::{scope, thing};
use super::{Telling, left_on, plan_role, time, title};

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
        ReviewDecision::ChangeLevel { level } => {
            format!("{person} goes on with the level {}", title(level))
        }
    }
}

/// `the level Admin for NPI 1234567893`.
fn right(access: &ReviewedAccess, telling: Telling<'_>) -> String {
    match access {
        ReviewedAccess::Membership { .. } => "the membership".to_owned(),
        ReviewedAccess::Npi { npi, level, .. } => {
            format!("the level {} for {}", title(level), scope(npi))
        }
        ReviewedAccess::Correspondence { npi, types } => match types {
            CorrespondenceScope::All => format!("all types of correspondence for {}", scope(npi)),
            CorrespondenceScope::One(kind) => format!("correspondence {kind} for {}", scope(npi)),
        },
        ReviewedAccess::Submission { npi, .. } => format!("the transactions for NPI {npi}"),
        ReviewedAccess::Grant { grant, .. } => thing(grant, telling),
        ReviewedAccess::ApiKey { name, .. } => format!("the key {name}"),
        ReviewedAccess::PlanRole { role, .. } => format!("the plan role {}", plan_role(*role)),
    }
}

/// `the job role Biller`, or all of a kind.
fn narrowed<T>(one: Option<T>, kind: &str, name: impl FnOnce(T) -> String) -> String {
    format!("rights to {}", one.map_or_else(|| kind.to_owned(), name))
}

/// Whom or what a review is about.
fn chosen(by: &ReviewScope, telling: Telling<'_>) -> String {
    match by {
        ReviewScope::Roster => "all active members".to_owned(),
        ReviewScope::Administrators => "the administrators".to_owned(),
        ReviewScope::Dormant { days } => {
            format!("members who have not signed in for {days} days")
        }
        ReviewScope::Rights => "all rights of its members".to_owned(),
        ReviewScope::Npi { npi } => narrowed(npi.as_ref(), "NPIs", |npi| format!("NPI {npi}")),
        ReviewScope::Feature { feature } => {
            narrowed(*feature, "features", |it| thing(&Entitlement::Feature(it), telling))
        }
        ReviewScope::JobRole { role } => {
            narrowed(*role, "job roles", |it| thing(&Entitlement::JobRole(it), telling))
        }
        ReviewScope::Location { location } => {
            narrowed(*location, "locations", |it| thing(&Entitlement::Location(it), telling))
        }
        ReviewScope::Affiliations { .. } => {
            "the work of members for NPIs of affiliated providers".to_owned()
        }
        ReviewScope::People { users } => people_words(users.len()),
        ReviewScope::ApiKeys => "the keys of its machines".to_owned(),
        ReviewScope::PlanStaff => "the roles of its own people".to_owned(),
    }
}

/// Of what changed only.
const fn changed(changed_only: bool) -> &'static str {
    if changed_only { " (what changed since the last signed review)" } else { "" }
}

/// `Ann Lee keeps the feature CLAIMS`, or `the key Nightly roster of Ann Lee works on`, as a clause.
fn clause_of_right(
    decision: &ReviewDecision,
    person: &str,
    (access, telling): (&ReviewedAccess, Telling<'_>),
) -> String {
    let (of, is_key) = (right(access, telling), access.key().is_some());
    match decision {
        ReviewDecision::Keep if is_key => format!("{of} of {person} works on"),
        ReviewDecision::Revoke { .. } if is_key => format!("{of} of {person} is revoked"),
        ReviewDecision::Keep => format!("{person} keeps {of}"),
        ReviewDecision::Revoke { .. } => format!("{person} loses {of}"),
        ReviewDecision::Change { .. } | ReviewDecision::ChangeLevel { .. } => {
            format!("{} instead of {of}", clause(decision, person))
        }
    }
}

fn decided(decided: &ReviewItemDecision, telling: Telling<'_>) -> String {
    let (mut who, at) = (telling.who(), telling.organization(decided.organization));
    if let Some(away) = decided.in_place_of {
        who = format!("{who}, in the place of {},", telling.whom(away));
    }
    let clause = |decision: &ReviewDecision, person: &str| match &decided.right {
        None => clause(decision, person),
        Some(of) => clause_of_right(decision, person, (of, telling)),
    };
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
        Leftover::Right => "the right, or another level",
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
    let what = match &done.right {
        None => what.to_owned(),
        Some(ReviewedAccess::ApiKey { name, .. }) => format!("key {name} ended"),
        Some(of) => format!("{what} ({})", right(of, telling)),
    };
    format!("{whose} {what} at {at}, {seconds} s after the access review decided so, {verified}.")
}

fn delegated(
    (user, at): (UserId, &str),
    (old, new, away): (Option<UserId>, Option<UserId>, Option<UserId>),
    telling: Telling<'_>,
) -> String {
    let (who, person) = (telling.who(), telling.person(user));
    let about = format!("the decision about {person} in the access review of {at}");
    match (new, old) {
        (Some(to), _) => {
            let away = away.map(|away| format!(", in the place of {}", telling.whom(away)));
            let away = away.unwrap_or_default();
            format!("{who} left {about} to {}{away}.", telling.whom(to))
        }
        (None, Some(from)) => format!("{who} took {about} back from {}.", telling.whom(from)),
        (None, None) => format!("{who} left {about} to all reviewers."),
    }
}

/// `Ann Lee`, or `the feature CLAIMS of Ann Lee`.
fn about(user: UserId, of: Option<&ReviewedAccess>, telling: Telling<'_>) -> String {
    let person = telling.person(user);
    of.map_or_else(|| person.clone(), |of| format!("{} of {person}", right(of, telling)))
}

fn by_policy(decided: &PolicyDecision, telling: Telling<'_>) -> String {
    let (at, person) = (telling.organization(decided.organization), telling.person(decided.user));
    let now = match &decided.right {
        None => clause(&decided.new, &person),
        Some(of) => clause_of_right(&decided.new, &person, (of, telling)),
    };
    format!(
        "Nobody decided in the access review of {at} in time, and the policy did by itself that {now}."
    )
}

/// `, of which the policy keeps the ordinary and takes away those of high risk`.
fn undecided_then(ordinary: UndecidedAction, high: UndecidedAction) -> String {
    let word = |action| match action {
        UndecidedAction::Escalate => "leaves",
        UndecidedAction::Keep => "keeps",
        UndecidedAction::Revoke => "takes away",
    };
    if ordinary.is_escalate() && high.is_escalate() {
        return String::new();
    }
    format!(
        ", of which the policy {} the ordinary and {} those of high risk",
        word(ordinary),
        word(high)
    )
}

pub(super) fn substitutes(event: &ReviewSubstitutesEvent, telling: Telling<'_>) -> String {
    let who = telling.who();
    match event {
        ReviewSubstitutesEvent::ReviewSubstituteNamed {
            organization,
            substitute,
            from,
            until,
            ..
        } => {
            let (at, whom) = (telling.organization(*organization), telling.whom(*substitute));
            let (from, until) = (time(from), time(until));
            format!(
                "{who} had {whom} review access at {at} in their place from {from} until {until}."
            )
        }
        ReviewSubstitutesEvent::ReviewSubstitutionEnded { organization, substitute, .. } => {
            let (at, whom) = (telling.organization(*organization), telling.whom(*substitute));
            format!("{who} had {whom} review access at {at} in their place no longer.")
        }
    }
}

/// `3 organizations`.
fn organizations(count: usize) -> String {
    if count == 1 { "1 organization".to_owned() } else { format!("{count} organizations") }
}

pub(super) fn campaign(event: &ReviewCampaignEvent, telling: Telling<'_>) -> String {
    use ReviewCampaignEvent as E;
    let who = telling.who();
    match event {
        E::ReviewCampaignOpened {
            name, scope, organizations: count, due_at, changed_only, ..
        } => {
            let whom = format!("{}{}", chosen(scope, telling), changed(*changed_only));
            let count = organizations(*count as usize);
            let due = time(due_at);
            format!(
                "{who} opened the campaign of access reviews \"{name}\": {whom} of {count}, due {due}."
            )
        }
        E::CampaignOrganizationsListed { first, organizations: listed } => {
            let count = organizations(listed.len());
            format!("The campaign of access reviews lists {count} from number {first} on.")
        }
        E::CampaignReviewOpened { organization, items: count, .. } => {
            let (at, count) = (telling.organization(*organization), items(*count));
            format!("The campaign opened an access review of {at} with {count}.")
        }
        E::CampaignOrganizationSkipped { organization, reason } => {
            let at = telling.organization(*organization);
            let why = match reason {
                SkipReason::OpenAlready { .. } => "a review of the same people is open there",
                SkipReason::NothingToReview => "nobody is to be reviewed there",
                SkipReason::NotActive => "it is not active",
                SkipReason::NothingChanged { .. } => {
                    "nothing there has changed since the last signed review"
                }
                SkipReason::TooMany => "it has more to review than one review holds",
            };
            format!("The campaign opened no access review of {at}: {why}.")
        }
        E::CampaignReviewClosed { organization, end, .. } => {
            let at = telling.organization(*organization);
            let end = match end {
                ReviewEnd::Signed => "signed",
                ReviewEnd::Cancelled => "cancelled",
            };
            format!("The campaign's access review of {at} was {end}.")
        }
        E::ReviewCampaignCompleted { totals, .. } => {
            let CampaignTotals { signed, cancelled, skipped, organizations: count } = totals;
            let count = organizations(*count as usize);
            format!(
                "The campaign of access reviews ended: of {count}, {signed} signed, {cancelled} \
                 cancelled, {skipped} without a review."
            )
        }
        E::ReviewCampaignCancelled { .. } => {
            format!("{who} cancelled the campaign of access reviews.")
        }
    }
}

/// `"Administrators": the administrators, every 90 days from 2026-04-01`.
fn terms(terms: &TemplateTerms, telling: Telling<'_>) -> String {
    let whom = format!("{}{}", chosen(&terms.scope, telling), changed(terms.changed_only));
    let when = match &terms.recurrence {
        None => "by hand".to_owned(),
        Some(Recurrence::Days { every, from }) => format!("every {every} days from {from}"),
        Some(Recurrence::Dates { dates }) => {
            let dates: Vec<String> = dates.iter().map(ToString::to_string).collect();
            format!("each year on {}", dates.join(", "))
        }
    };
    format!("\"{}\": {whom}, {when}", terms.name)
}

pub(super) fn template(event: &ReviewTemplateEvent, telling: Telling<'_>) -> String {
    use ReviewTemplateEvent as E;
    let who = telling.who();
    match event {
        E::ReviewTemplateCreated { terms: it, .. } => {
            format!("{who} made a template of access reviews, {}.", terms(it, telling))
        }
        E::ReviewTemplateChanged { terms: it, .. } => {
            format!("{who} changed a template of access reviews, {}.", terms(it, telling))
        }
        E::ReviewTemplateOpened { due_on: Some(day), .. } => {
            format!("A template of access reviews opened its campaign of {day}.")
        }
        E::ReviewTemplateOpened { due_on: None, .. } => {
            format!("{who} opened a campaign by a template of access reviews.")
        }
        E::ReviewTemplateSkipped { due_on, reason } => {
            let why = match reason {
                TemplateSkip::NoOrganizations => "no organization is covered",
                TemplateSkip::TooMany => "more organizations are covered than a campaign holds",
            };
            format!("A template of access reviews opened no campaign of {due_on}: {why}.")
        }
        E::ReviewTemplateRetired { .. } => format!("{who} retired a template of access reviews."),
    }
}

pub(super) fn sentence(event: &AccessReviewEvent, telling: Telling<'_>) -> String {
    use AccessReviewEvent as E;
    let who = telling.who();
    let at = telling.organization(event.parties().0);
    match event {
        E::AccessReviewOpened {
            scope: by, items: count, due_at, opened_by, changed_only, ..
        } => {
            let whom = format!("{}{}", chosen(by, telling), changed(*changed_only));
            let (count, due) = (items(*count), time(due_at));
            let why = match opened_by {
                Opener::ByChange { change, .. } => format!(" {}", change_words(*change)),
                Opener::ByHand { .. } | Opener::Scheduled => String::new(),
            };
            format!("{who} opened an access review of {at}{why}: {whom}, {count}, due {due}.")
        }
        E::ReviewItemsListed { first, items: listed, .. } => {
            let count = items(u32::try_from(listed.len()).unwrap_or(u32::MAX));
            format!("The access review of {at} lists {count} from number {first} on.")
        }
        E::ReviewItemsCarriedForward { first, items: carried, .. } => {
            let count = items(u32::try_from(carried.len()).unwrap_or(u32::MAX));
            format!(
                "The access review of {at} carries {count} forward from number {first} on, unchanged since \
                 the last signed review."
            )
        }
        E::ReviewItemDecided(event) => decided(event, telling),
        E::ReviewItemDelegated { user, old, new, in_place_of, .. } => {
            delegated((*user, &at), (*old, *new, *in_place_of), telling)
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
        E::ReviewItemConfirmed { user, right: of, decision, .. } => {
            let person = telling.person(*user);
            let what = match of {
                None => clause(decision, &person),
                Some(of) => clause_of_right(decision, &person, (of, telling)),
            };
            format!(
                "{who} confirmed, as second reviewer in the access review of {at}, that {what}."
            )
        }
        E::ReviewItemAttested { right: of, needed, .. } => {
            let of =
                of.as_ref().map_or_else(|| "the membership".to_owned(), |of| right(of, telling));
            let needed = if *needed { "still needed" } else { "not needed any more" };
            format!(
                "{who} said in the access review of {at} of their own access that {of} is {needed}."
            )
        }
        E::ReviewDelegationLapsed { user, delegate, .. } => {
            let (person, delegate) = (telling.person(*user), telling.whom(*delegate));
            format!(
                "The decision about {person} in the access review of {at} fell back to all reviewers \
                 from {delegate}, who left."
            )
        }
        E::AccessReviewClosing { to_carry_out, .. } => {
            let count = items(*to_carry_out);
            format!("{who} began to close the access review of {at}; {count} to be carried out.")
        }
        E::ReviewDecisionCarriedOut { user, right: of, .. } => {
            let about = about(*user, of.as_ref(), telling);
            format!("What was decided about {about} in the access review of {at} was carried out.")
        }
        E::ReviewDecisionNotCarriedOut { user, right: of, refusal, .. } => {
            let about = about(*user, of.as_ref(), telling);
            format!(
                "What was decided about {about} in the access review of {at} could not be carried out: \
                 {}",
                refusal.message
            )
        }
        E::ReviewItemDecidedByPolicy(decided) => by_policy(decided, telling),
        E::ReviewItemLeftByPolicy { user, right: of, refusal, .. } => {
            let about = about(*user, of.as_ref(), telling);
            format!(
                "Nobody decided about {about} in the access review of {at} in time, and the policy could \
                 not take it away: {}",
                refusal.message
            )
        }
        E::AccessReviewEscalated { undecided, action, ordinary, high, .. } => {
            let action = match action {
                OverdueAction::Escalate => "the health plan is told",
                OverdueAction::Suspend => "the rights under review are suspended",
            };
            let (count, then) = (items(*undecided), undecided_then(*ordinary, *high));
            format!(
                "The access review of {at} went unsigned after its grace: {action}; {count} \
                 undecided{then}."
            )
        }
        E::AccessReviewCompleted { attested_by, totals, joiners, .. } => {
            let ReviewTotals { kept, revoked, changed, gone, carried_forward, .. } = totals;
            let carried = match carried_forward {
                0 => String::new(),
                count => format!("{count} carried forward, "),
            };
            format!(
                "{} signed the access review of {at}: {carried}{kept} kept, {revoked} taken away, {changed} \
                 changed, {gone} gone; {joiners} joined since.",
                telling.person(*attested_by)
            )
        }
        E::AccessReviewCancelled { .. } => format!("{who} cancelled the access review of {at}."),
    }
}
