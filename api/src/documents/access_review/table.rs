//! A review as CSV, a line an item.
//!
//! Invariant: the columns `listed` and `result` hold the lines whose hashes the review's events carry.

use rollcall_domain::access_reviews::{Advice, Leftover, ReviewDecision};
use rollcall_projections::access_reviews::access_words;
use serde_json::Value;

use super::{
    super::rows::{Cells, RowError, moment, records},
    dossier::{Dossier, Entry, text},
};

const COLUMNS: [&str; 34] = [
    "item",
    "userId",
    "userName",
    "access",
    "outcome",
    "decision",
    "newRole",
    "leftOn",
    "reviewerId",
    "reviewerName",
    "reason",
    "decidedAt",
    "decidedPosition",
    "seenPosition",
    "seenSha256",
    "recommendation",
    "delegatedToId",
    "delegatedToName",
    "executedAt",
    "verified",
    "delaySeconds",
    "remaining",
    "inPlaceOfId",
    "confirmedById",
    "decidedByPolicy",
    "refusal",
    "selfAttestation",
    "formerDecisions",
    "carriedFromReview",
    "carriedDecidedById",
    "carriedDecidedAt",
    "reviewStatus",
    "listed",
    "result",
];

/// # Errors
/// None in practice: memory takes it.
pub(super) fn write(dossier: &Dossier) -> Result<Vec<u8>, RowError> {
    let head = Cells::of(COLUMNS.map(Value::from));
    let mut rows = vec![Ok(head)];
    for entry in &dossier.entries {
        rows.push(Ok(Cells::of(cells(dossier, entry)?)));
    }
    records(rows)
}

/// The word of a decision, the role or level that it gives and the last day that it sets.
fn parts(decision: ReviewDecision) -> (&'static str, Value, Value) {
    let text = |value: Option<String>| value.map_or(Value::Null, Value::from);
    match decision {
        ReviewDecision::Keep => ("KEEP", Value::Null, Value::Null),
        ReviewDecision::Revoke { left_on } => {
            ("REVOKE", Value::Null, text(left_on.map(|day| day.to_string())))
        }
        ReviewDecision::Change { role } => ("CHANGE", role.as_str().into(), Value::Null),
        ReviewDecision::ChangeLevel { level } => ("CHANGE", level.as_str().into(), Value::Null),
    }
}

/// What is left, with spaces between.
fn left(remaining: &[Leftover]) -> String {
    remaining.iter().map(|left| left.as_str()).collect::<Vec<_>>().join(" ")
}

fn cells(dossier: &Dossier, entry: &Entry) -> Result<[Value; COLUMNS.len()], RowError> {
    let decided = entry.decided.as_ref();
    let of = entry.result.decision.map(parts);
    let (decision, role, left_on) =
        of.map_or_else(Default::default, |(word, role, day)| (Value::from(word), role, day));
    let name = |user| Value::from(dossier.names.people.get(&user).cloned());
    let advice = decided.and_then(|it| it.recommendation.as_ref()).map(|it| match it.advice {
        Advice::Keep => "KEEP",
        Advice::Revoke => "REVOKE",
    });
    let said = entry.attested.as_ref();
    let said = said.map(|said| if said.needed { "NEEDED" } else { "NOT_NEEDED" });
    let seen = decided.and_then(|it| it.seen.as_ref());
    let (done, certified) = (entry.executed.as_ref(), entry.result.certified);
    Ok([
        entry.listed.item.into(),
        entry.listed.user.to_string().into(),
        name(entry.listed.user.0),
        access_words(&entry.listed.access).into(),
        serde_json::to_value(entry.result.outcome)?,
        decision,
        role,
        left_on,
        decided.and_then(|it| it.by).map(|by| by.to_string()).into(),
        decided.and_then(|it| it.by).map_or(Value::Null, |by| name(by.0)),
        decided.and_then(|it| text(it.reason.as_ref())).into(),
        decided.map(|it| moment(it.at)).into(),
        decided.map(|it| it.position).into(),
        seen.map(|seen| seen.position).into(),
        seen.map(|seen| seen.sha256.clone()).into(),
        advice.into(),
        entry.delegated.map(|to| to.to_string()).into(),
        entry.delegated.map_or(Value::Null, |to| name(to.0)),
        done.map(|done| moment(done.executed_at)).into(),
        done.map(|done| done.verified).into(),
        done.map(|done| done.delay_s).into(),
        done.map(|done| left(&done.remaining)).into(),
        decided.and_then(|it| it.in_place_of).map(|away| away.to_string()).into(),
        entry.confirmed_by.map(|by| by.to_string()).into(),
        decided.map(|it| it.by.is_none()).into(),
        entry.refusal.as_ref().map(|refusal| refusal.message.clone()).into(),
        said.into(),
        entry.former.len().into(),
        certified.map(|it| it.review.to_string()).into(),
        certified.map(|it| it.by.to_string()).into(),
        certified.map(|it| moment(it.at)).into(),
        dossier.review.status.as_str().into(),
        serde_json::to_string(&entry.listed)?.into(),
        serde_json::to_string(&entry.result)?.into(),
    ])
}
