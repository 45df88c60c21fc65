//! A review on paper, as it is filed: who was reviewed by what, what came of it, who signed what, and how
//! to check it.
//!
//! Invariant: nothing is said here that the JSON does not say.

use std::fmt::Write as _;

use chrono::{DateTime, Utc};
use rollcall_commands::paper::Font;
use rollcall_domain::access_reviews::{ItemOutcome, Listing, Opener, ReviewDecision, attestation};
use rollcall_projections::access_reviews::{access_words, change_words, scope_words};

use super::{
    dossier::{Dossier, End, Entry, Made, text},
    filing::{BODY, Column, Filing, RIGHT},
};

const REMOVALS: [Column; 5] = [
    ("No.", 84.0),
    ("Person", 226.0),
    ("Access", 326.0),
    ("Decided", 452.0),
    ("Ended after", RIGHT),
];
const WAITING: [Column; 4] =
    [("No.", 84.0), ("Person", 260.0), ("Access", 400.0), ("What is missing", RIGHT)];
const JOINED: [Column; 2] = [("Person", 300.0), ("Member since", RIGHT)];
const DECISIONS: [Column; 6] = [
    ("No.", 84.0),
    ("Person", 186.0),
    ("Access", 268.0),
    ("Outcome", 348.0),
    ("Reviewer and time", 456.0),
    ("Reason", RIGHT),
];

pub(super) fn write(dossier: &Dossier) -> Vec<u8> {
    let title = format!("Access review of {}", dossier.organization());
    let mut filing = Filing::new();
    filing.line(Font::Bold, 11.0, &dossier.portal);
    filing.rule();
    filing.skip(10.0);
    filing.text(Font::Bold, 16.0, &title);
    filing.text(Font::Bold, 10.5, dossier.standing());
    filing.skip(6.0);
    for (label, value) in facts(dossier) {
        filing.fact(label, &value);
    }
    end(&mut filing, dossier);
    removals(&mut filing, dossier);
    waiting(&mut filing, dossier);
    joined(&mut filing, dossier);
    filing.heading("Decisions");
    filing.table(&DECISIONS, dossier.entries.iter().map(|entry| decision(dossier, entry)));
    checking(&mut filing, dossier);
    let foot = format!("{} - {}", dossier.review.review, dossier.standing());
    filing.bind(&title, &foot)
}

fn facts(dossier: &Dossier) -> Vec<(&'static str, String)> {
    let Dossier { review, totals, zone, .. } = dossier;
    let opened_by = match review.opened_by {
        Opener::ByHand { user } => format!("by {}", dossier.name(user)),
        Opener::Scheduled => "by the schedule".to_owned(),
        Opener::ByChange { change, .. } => change_words(change).to_owned(),
    };
    let mut facts = vec![
        ("Organization", format!("{} ({})", dossier.organization(), review.organization)),
        ("Review", review.review.to_string()),
        ("Reviewed", scope_words(&review.scope)),
        ("Opened", format!("{} {opened_by}", zone.wall_clock(review.opened_at))),
        ("Due", zone.wall_clock(review.due_at)),
    ];
    if review.changed_only {
        let since = review.compared_with.map_or_else(
            || "no review of this was signed before: everything is asked".to_owned(),
            |since| {
                format!("what changed since the signed review {since}; the rest is carried forward")
            },
        );
        facts.push(("Asked", since));
    }
    if let Some((end, at, position)) = &dossier.end {
        let label = match end {
            End::Signed { .. } => "Signed",
            End::Cancelled { .. } => "Cancelled",
        };
        facts.push((label, format!("{}, position {position}", zone.wall_clock(*at))));
    }
    let list = format!("{} items, frozen as of position {}", review.population, review.as_of);
    let mut results = format!(
        "{} kept, {} taken away, {} changed, {} gone for another reason",
        totals.kept, totals.revoked, totals.changed, totals.gone
    );
    if review.changed_only {
        let _ = write!(results, ", {} carried forward unchanged", totals.carried_forward);
    }
    if totals.by_policy > 0 {
        let _ = write!(results, "; {} of them by policy, since nobody decided", totals.by_policy);
    }
    if totals.undecided + totals.pending > 0 {
        let (undecided, pending) = (totals.undecided, totals.pending);
        let _ = write!(results, ", {undecided} undecided, {pending} not in effect yet");
    }
    facts.extend([("List", list), ("Results", results)]);
    facts
}

fn end(filing: &mut Filing, dossier: &Dossier) {
    let Some((end, at, _)) = &dossier.end else { return };
    let at = dossier.zone.wall_clock(*at);
    match end {
        End::Signed { by, name, statement, joiners, .. } => {
            filing.heading("Attestation");
            filing.text(Font::Plain, BODY, attestation(statement).unwrap_or_default());
            filing.skip(4.0);
            let erased = || "(the name was erased)".to_owned();
            filing.fact("Signed as", &name.clone().unwrap_or_else(erased));
            filing.fact("By", &format!("{} ({by})", dossier.name(*by)));
            filing.fact("At", &at);
            filing.fact("Statement", &format!("version {statement}"));
            filing.fact("Joined since", &format!("{joiners} people, who are not on the list"));
        }
        End::Cancelled { by, reason } => {
            filing.heading("Cancelled");
            let by = by.map_or_else(|| "by a rule".to_owned(), |by| dossier.name(by));
            filing.fact("By", &by);
            filing.fact("At", &at);
            filing.fact("Reason", reason.as_deref().unwrap_or("(erased)"));
        }
    }
}

fn number(entry: &Entry) -> String {
    entry.listed.item.to_string()
}

/// Name and id.
fn person(dossier: &Dossier, entry: &Entry) -> String {
    format!("{} {}", dossier.name(entry.listed.user), entry.listed.user)
}

fn removals(filing: &mut Filing, dossier: &Dossier) {
    filing.heading("Access taken away");
    let those: Vec<&Entry> = dossier.entries.iter().filter(|entry| entry.is_removal()).collect();
    if those.is_empty() {
        return filing.text(Font::Plain, BODY, "None.");
    }
    let rows = those.into_iter().map(|entry| {
        let done = entry.executed.as_ref().filter(|done| done.verified);
        let after = done.map_or_else(
            || "not in effect, or not verified yet".to_owned(),
            |done| format!("{}, verified", duration(done.delay_s)),
        );
        let decided = entry.decided.as_ref().map(|it| it.at);
        let cells = [number(entry), person(dossier, entry), access_words(&entry.listed.access)];
        let [number, person, access] = cells;
        [number, person, access, time(dossier, decided), after]
    });
    filing.table(&REMOVALS, rows);
}

fn waiting(filing: &mut Filing, dossier: &Dossier) {
    filing.heading("Not resolved");
    let mut those = dossier.entries.iter().filter(|entry| !entry.is_resolved()).peekable();
    if those.peek().is_none() {
        return filing.text(Font::Plain, BODY, "Nothing: each item has its outcome.");
    }
    let rows = those.map(|entry| {
        let missing = match entry.result.outcome {
            ItemOutcome::Pending if entry.refusal.is_some() => {
                "decided, and could not be carried out"
            }
            ItemOutcome::Pending => "decided, not in effect or not verified yet",
            ItemOutcome::Undecided
            | ItemOutcome::Kept
            | ItemOutcome::Revoked
            | ItemOutcome::Changed
            | ItemOutcome::Gone
            | ItemOutcome::CarriedForward => "a decision",
        };
        let access = access_words(&entry.listed.access);
        [number(entry), person(dossier, entry), access, missing.to_owned()]
    });
    filing.table(&WAITING, rows);
}

fn joined(filing: &mut Filing, dossier: &Dossier) {
    if dossier.joined.is_empty() {
        return;
    }
    filing.heading(match dossier.review.scope.listing() {
        Listing::Keys => "Keys made since the list was frozen, which are not on it",
        Listing::PlanRoles => "Roles given since the list was frozen, which are not on it",
        Listing::Members => "Members since the list was frozen, who are not on it",
    });
    let rows = dossier.joined.iter().map(|it| {
        let user = rollcall_domain::kernel::ids::UserId(it.user_id);
        let key = it.key_name.as_ref().map(|name| format!("\"{name}\" of "));
        let role = it.plan_role.as_ref().map(|role| format!("{role} of "));
        let what = key.or(role).unwrap_or_default();
        [format!("{what}{} {user}", dossier.name(user)), dossier.zone.wall_clock(it.joined_at)]
    });
    filing.table(&JOINED, rows);
}

fn decision(dossier: &Dossier, entry: &Entry) -> [String; 6] {
    let mut outcome = match entry.result.outcome {
        ItemOutcome::Undecided => "Undecided".to_owned(),
        ItemOutcome::Pending => "Not in effect yet".to_owned(),
        ItemOutcome::Kept => "Kept".to_owned(),
        ItemOutcome::Revoked => "Taken away".to_owned(),
        ItemOutcome::Changed => "Changed".to_owned(),
        ItemOutcome::Gone => "Gone for another reason".to_owned(),
        ItemOutcome::CarriedForward => carried(entry),
    };
    match entry.result.decision {
        Some(ReviewDecision::Change { role }) => {
            let _ = write!(outcome, " to {}", role.as_str());
        }
        Some(ReviewDecision::ChangeLevel { level }) => {
            let _ = write!(outcome, " to {}", level.as_str());
        }
        Some(ReviewDecision::Revoke { left_on: Some(day) }) => {
            let _ = write!(outcome, ", last day {day}");
        }
        Some(ReviewDecision::Keep | ReviewDecision::Revoke { left_on: None }) | None => {}
    }
    if !entry.former.is_empty() {
        let _ = write!(outcome, " ({} decided before)", entry.former.len());
    }
    let decided = entry.decided.as_ref();
    let by = match (decided, entry.result.certified) {
        (Some(decided), _) => decided_by(dossier, entry, decided),
        (None, Some(it)) => format!("{}, {}", dossier.name(it.by), time(dossier, Some(it.at))),
        (None, None) => String::new(),
    };
    let reason = decided.and_then(|it| text(it.reason.as_ref())).unwrap_or_default();
    let access = access_words(&entry.listed.access);
    [number(entry), person(dossier, entry), access, outcome, by, reason]
}

/// `Ann Lee for Abe Fox and Sam Hill, on that day`.
fn decided_by(dossier: &Dossier, entry: &Entry, decided: &Made) -> String {
    let mut who = decided.by.map_or_else(|| "By policy".to_owned(), |by| dossier.name(by));
    if let Some(away) = decided.in_place_of {
        let _ = write!(who, " for {}", dossier.name(away));
    }
    if let Some(second) = entry.confirmed_by {
        let _ = write!(who, " and {}", dossier.name(second));
    }
    format!("{who}, {}", time(dossier, Some(decided.at)))
}

/// From where.
fn carried(entry: &Entry) -> String {
    let from = entry.result.certified.map(|certified| certified.review.to_string());
    format!("Carried forward, unchanged, from review {}", from.unwrap_or_default())
}

fn checking(filing: &mut Filing, dossier: &Dossier) {
    let Dossier { review, occasion, .. } = dossier;
    filing.heading("How to check this document");
    filing.fact("List", &format!("SHA-256 {}", review.sha256));
    let results = dossier.results_sha256().map(|sha256| format!("SHA-256 {sha256}"));
    filing.fact("Results", &results.unwrap_or_else(|| "not signed".to_owned()));
    filing.fact("Log", &format!("positions {} to {}", dossier.opened_at, dossier.last_at));
    filing.fact("Export", &occasion.export.to_string());
    let by = (dossier.name(occasion.by), dossier.zone.wall_clock(occasion.at));
    filing.fact("Made", &format!("{} for {}", by.1, by.0));
    filing.skip(4.0);
    let paragraphs = [
        "The review's JSON and CSV hold each item's line of the list and of the results. Written one \
         after the other, each with a line feed after it, their SHA-256 is the one above, and the one in \
         the events by which the review was opened and signed."
            .to_owned(),
        format!(
            "All that is said here of items stands in the portal's log, between the positions above. An \
             auditor asks for these events with proofs (requestEvidence, question: {{ accessReview: \
             \"{}\" }}), and anybody checks them without the portal (rollcall verify). That this file was \
             given, and its SHA-256, stands in the log as well.",
            review.review
        ),
    ];
    for paragraph in &paragraphs {
        filing.text(Font::Plain, BODY, paragraph);
    }
    if filing.is_lacking {
        let note = "Letters that these fonts lack stand as question marks; the JSON has them.";
        filing.text(Font::Plain, BODY, note);
    }
}

/// To the minute, in the portal's time zone.
fn time(dossier: &Dossier, at: Option<DateTime<Utc>>) -> String {
    at.map(|at| dossier.zone.wall_clock(at)).unwrap_or_default()
}

/// `2 d 3 h`, `3 min 20 s`, `0 s`.
fn duration(seconds: i64) -> String {
    let (days, hours) = (seconds / 86_400, seconds / 3_600 % 24);
    let (minutes, seconds) = (seconds / 60 % 60, seconds % 60);
    if days > 0 {
        format!("{days} d {hours} h")
    } else if hours > 0 {
        format!("{hours} h {minutes} min")
    } else if minutes > 0 {
        format!("{minutes} min {seconds} s")
    } else {
        format!("{seconds} s")
    }
}
