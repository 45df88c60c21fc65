//! Everything about a review as one JSON object, an item a line.
//!
//! Invariant: `listed` and `result` of the items, written without spaces and with a line feed after each,
//! are the lines whose hashes the review's events carry.

use rollcall_domain::{
    access_reviews::{Opener, ReviewStatus, attestation},
    kernel::ids::UserId,
};
use rollcall_projections::access_reviews::{access_words, scope_words};
use serde_json::{Map, Value, json};

use super::{
    super::rows::moment,
    dossier::{Dossier, End, Entry, Made, text},
};

/// The form of the object; another one has another number.
const VERSION: u32 = 1;

/// # Errors
/// None in practice: memory takes it.
pub(super) fn write(dossier: &Dossier) -> serde_json::Result<Vec<u8>> {
    let mut out = b"{\n".to_vec();
    for (name, value) in head(dossier) {
        serde_json::to_writer(&mut out, &name)?;
        out.extend(b": ");
        serde_json::to_writer(&mut out, &value)?;
        out.extend(b",\n");
    }
    out.extend(b"\"items\": [");
    for (nth, entry) in dossier.entries.iter().enumerate() {
        out.extend(if nth == 0 { &b"\n"[..] } else { b",\n" });
        serde_json::to_writer(&mut out, &item(dossier, entry)?)?;
    }
    out.extend(b"\n]\n}\n");
    Ok(out)
}

pub(super) fn person(dossier: &Dossier, user: UserId) -> Value {
    json!({ "id": user, "name": dossier.names.people.get(&user.0) })
}

fn head(dossier: &Dossier) -> Map<String, Value> {
    let Dossier { review, totals, occasion, .. } = dossier;
    let unresolved = dossier.entries.iter().filter(|entry| !entry.is_resolved());
    let unresolved: Vec<u32> = unresolved.map(|entry| entry.listed.item).collect();
    let removals = dossier.entries.iter().filter(|entry| entry.is_removal());
    let removals: Vec<Value> = removals.map(removal).collect();
    let joined = dossier.joined.iter().map(|it| {
        json!({
            "user": person(dossier, UserId(it.user_id)),
            "joinedAt": moment(it.joined_at),
            "key": it.key_name,
            "planRole": it.plan_role,
        })
    });
    let opened_by = match review.opened_by {
        Opener::ByHand { user } => person(dossier, user),
        Opener::Scheduled | Opener::ByChange { .. } => Value::Null,
    };
    let because = match review.opened_by {
        Opener::ByChange { change, event } => json!({ "change": change, "event": event }),
        Opener::ByHand { .. } | Opener::Scheduled => Value::Null,
    };
    let head = json!({
        "document": "rollcall.access-review",
        "version": VERSION,
        "standing": dossier.standing(),
        "portal": dossier.portal,
        "organization": { "id": review.organization, "name": dossier.organization_name },
        "review": review.review,
        "status": review.status.as_str(),
        "isSigned": review.status == ReviewStatus::Completed,
        "criteria": scope_words(&review.scope),
        "scope": review.scope,
        "revocations": review.revocations,
        "closingAt": review.closing.map(|closing| moment(closing.at)),
        "closingBy": review.closing.map(|closing| person(dossier, closing.by)),
        "campaign": review.campaign,
        "changedOnly": review.changed_only,
        "comparedWith": review.compared_with,
        "openedBy": opened_by,
        "openedBecause": because,
        "openedAt": moment(review.opened_at),
        "dueAt": moment(review.due_at),
        "graceUntil": moment(review.grace_until),
        "list": {
            "population": review.population,
            "asOfPosition": review.as_of,
            "sha256": review.sha256,
        },
        "totals": totals,
        "end": end(dossier),
        "resultsSha256": dossier.results_sha256(),
        "removals": removals,
        "unresolved": unresolved,
        "joined": joined.collect::<Vec<_>>(),
        "log": { "openedPosition": dossier.opened_at, "lastPosition": dossier.last_at },
        "timeZone": dossier.zone.name(),
        "export": occasion.export,
        "exportedBy": person(dossier, occasion.by),
        "exportedAt": moment(occasion.at),
    });
    match head {
        Value::Object(fields) => fields,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Map::new()
        }
    }
}

fn end(dossier: &Dossier) -> Value {
    let Some((end, moment_of_it, position)) = &dossier.end else { return Value::Null };
    match end {
        End::Signed { by, name, statement, joiners, .. } => json!({
            "kind": "SIGNED",
            "statement": attestation(statement),
            "statementVersion": statement,
            "name": name,
            "by": person(dossier, *by),
            "at": moment(*moment_of_it),
            "joiners": joiners,
            "position": position,
        }),
        End::Cancelled { by, reason } => json!({
            "kind": "CANCELLED",
            "reason": reason,
            "by": by.map(|by| person(dossier, by)),
            "at": moment(*moment_of_it),
            "position": position,
        }),
    }
}

/// How soon access ended, as far as it has.
fn removal(entry: &Entry) -> Value {
    let decided = entry.decided.as_ref().map(|decided| moment(decided.at));
    let done = entry.executed.as_ref();
    json!({
        "item": entry.listed.item,
        "decidedAt": decided,
        "removedAt": done.filter(|done| done.verified).map(|done| moment(done.executed_at)),
        "secondsToRemoval": done.filter(|done| done.verified).map(|done| done.delay_s),
    })
}

fn item(dossier: &Dossier, entry: &Entry) -> serde_json::Result<Value> {
    let decided = entry.decided.as_ref().map(|made| decision(dossier, made)).transpose()?;
    let former = entry.former.iter().map(|made| decision(dossier, made));
    Ok(json!({
        "listed": entry.listed,
        "result": entry.result,
        "user": person(dossier, entry.listed.user),
        "access": access_words(&entry.listed.access),
        "carriedForward": entry.result.certified.map(|certified| json!({
            "review": certified.review,
            "decidedBy": person(dossier, certified.by),
            "decidedAt": moment(certified.at),
        })),
        "confirmedBy": entry.confirmed_by.map(|by| person(dossier, by)),
        "selfAttestation": entry.attested.as_ref().map(|said| json!({
            "needed": said.needed,
            "reason": text(said.reason.as_ref()),
            "attestedAt": moment(said.at),
        })),
        "delegatedTo": entry.delegated.map(|to| person(dossier, to)),
        "decision": decided,
        "refusal": entry.refusal.as_ref().map(|refusal| &refusal.message),
        "execution": entry.executed.as_ref().map(|done| json!({
            "executedAt": moment(done.executed_at),
            "verified": done.verified,
            "delaySeconds": done.delay_s,
            "remaining": done.remaining,
        })),
        "formerDecisions": former.collect::<Result<Vec<_>, _>>()?,
    }))
}

fn decision(dossier: &Dossier, made: &Made) -> serde_json::Result<Value> {
    Ok(json!({
        "decision": serde_json::to_value(made.new)?,
        "reviewer": made.by.map(|by| person(dossier, by)),
        "inPlaceOf": made.in_place_of.map(|away| person(dossier, away)),
        "byPolicy": made.by.is_none(),
        "reason": text(made.reason.as_ref()),
        "decidedAt": moment(made.at),
        "position": made.position,
        "seen": serde_json::to_value(&made.seen)?,
        "recommendation": serde_json::to_value(&made.recommendation)?,
    }))
}
