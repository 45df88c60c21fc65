//! Reads a bundle's log from beginning to end. Invariant: every event is shown to be in the log, in
//! its place, before its row counts.

use std::{
    collections::BTreeMap,
    fmt,
    io::{BufRead, BufReader, Read},
};

use chrono::{DateTime, Utc};
use rollcall_domain::{
    audit::{EvidenceQuestion, ReportQuestion},
    hex,
};
use rollcall_journal::{
    seal::{self, FieldSecret, Opened, Part},
    upcast::Upcasters,
};
use sha2::{Digest, Sha256};
use tlog_tiles::{Hash, tlog};
use uuid::Uuid;

use super::{Digesting, Fault, hashes, json};
use crate::{
    proof::{
        bundle::{COLUMNS, LOG, Line, Manifest, Place, answers, bears, recorded_at, row},
        leaf::{Hidden, StoredEvent, unhex},
        tree::Frontier,
    },
    reports::recount::Recount,
};

/// What came of reading the log from beginning to end.
pub(super) struct Followed {
    pub population: u64,
    pub opened: u64,
    pub erased: u64,
    /// Digests of the log as it stands, and of the report that follows from it.
    pub log: String,
    pub report: String,
}

pub(super) fn follow(
    log: impl Read,
    manifest: &Manifest,
    head: (u64, Hash),
    upcasters: &Upcasters,
) -> Result<Followed, Fault> {
    if let Some(question) = &manifest.report_question {
        return recounted(log, manifest, (question, upcasters), head);
    }
    let mut lines = Lines { reader: BufReader::new(log), hash: Sha256::new() };
    let mut report = csv::Writer::from_writer(Digesting(Sha256::new()));
    let write = |error: csv::Error| Fault::Malformed(error.to_string());
    report.write_record(COLUMNS).map_err(write)?;
    let mut followed =
        Followed { population: 0, opened: 0, erased: 0, log: String::new(), report: String::new() };
    let mut places = Places::begin(manifest, head)?;
    while let Some(line) = lines.next()? {
        let position = places.place(&line)?;
        if line.leaf.tenant != manifest.tenant {
            return Err(Fault::Proof(format!("event {position} is of another tenant")));
        }
        check_openings(position, &line)?;
        if !is_answer(position, &line, &manifest.question)? {
            places.may_stand_beside(position)?;
            continue;
        }
        let (opened, erased) = open_fields(position, &line)?;
        followed.opened += opened;
        followed.erased += erased;
        followed.population += 1;
        let of = (line.leaf.recorded_at.as_str(), line.leaf.event_type.as_str());
        let value = |field| line.open.get(&field).map(|open| open.value.clone());
        let row = row(position, of, |field| value(field).unwrap_or_default());
        report.write_record(row).map_err(write)?;
    }
    places.end(manifest)?;
    followed.log = hex(&lines.hash.finalize());
    let digest = report.into_inner().map_err(|error| Fault::Malformed(error.to_string()))?;
    followed.report = hex(&digest.0.finalize());
    Ok(followed)
}

/// A named report, computed anew from the events that bear on it.
fn recounted(
    log: impl Read,
    manifest: &Manifest,
    (question, upcasters): (&ReportQuestion, &Upcasters),
    head: (u64, Hash),
) -> Result<Followed, Fault> {
    if manifest.presence_of.is_some() || manifest.from != 1 || manifest.to != question.known_at {
        let what = "a report is proven from the whole log up to its position";
        return Err(Fault::Malformed(what.into()));
    }
    if question.version != question.report.definition().version {
        let what = "this version knows another definition of the report";
        return Err(Fault::Malformed(what.into()));
    }
    let mut lines = Lines { reader: BufReader::new(log), hash: Sha256::new() };
    let mut places = Places::begin(manifest, head)?;
    let mut recount = Recount::new(question, upcasters);
    while let Some(line) = lines.next()? {
        let position = places.place(&line)?;
        if line.leaf.tenant != manifest.tenant {
            return Err(Fault::Proof(format!("event {position} is of another tenant")));
        }
        check_openings(position, &line)?;
        if !line.secrets.is_empty() {
            let what = format!("event {position}: a report opens nothing that is sealed");
            return Err(Fault::Malformed(what));
        }
        if bears(question, position, &line.leaf.event_type) {
            let event = stored(position, &line)?;
            recount.take(&event).map_err(|error| Fault::Report(error.to_string()))?;
        }
    }
    places.end(manifest)?;
    let rows = recount.finish();
    let mut report = Sha256::new();
    for row in &rows {
        report.update(row.canonical());
        report.update(b"\n");
    }
    Ok(Followed {
        population: rows.len() as u64,
        opened: 0,
        erased: 0,
        log: hex(&lines.hash.finalize()),
        report: hex(&report.finalize()),
    })
}

/// The event that a line tells, as far as reports read it.
fn stored(position: i64, line: &Line) -> Result<StoredEvent, Fault> {
    let leaf = &line.leaf;
    let value = |field: Hidden| {
        let opening = line.open.get(&field).ok_or_else(|| {
            Fault::Missing(format!("event {position} bears on the report and is not told"))
        })?;
        Ok(opening.value.clone())
    };
    let malformed = |what: &str| Fault::Malformed(format!("event {position}: {what}"));
    let id = |field: Hidden| {
        let text = value(field)?;
        let id = (!text.is_empty()).then(|| text.parse::<Uuid>()).transpose();
        id.map_err(|_| malformed("an id is none"))
    };
    let moment = |text: &str| {
        let at = DateTime::parse_from_rfc3339(text).map_err(|_| malformed("a time is none"))?;
        Ok(at.to_utc())
    };
    let actor = value(Hidden::Actor)?;
    let (kind, actor) =
        actor.split_once(':').map_or((actor.as_str(), None), |(kind, id)| (kind, Some(id)));
    let actor = actor.map(str::parse::<Uuid>).transpose();
    let npi = value(Hidden::Npi)?;
    Ok(StoredEvent {
        tenant_id: leaf.tenant,
        tenant_position: position,
        aggregate_type: leaf.stream_type.clone(),
        aggregate_id: leaf.stream_id.clone(),
        sequence: leaf.sequence,
        event_id: leaf.event_id,
        event_type: leaf.event_type.clone(),
        event_version: leaf.type_version.clone(),
        payload: value(Hidden::Payload)?,
        metadata: String::new(),
        actor_kind: kind.to_owned(),
        actor_id: actor.map_err(|_| malformed("an id is none"))?,
        organization_id: id(Hidden::Organization)?,
        subject_id: id(Hidden::Subject)?,
        subject_organization_id: id(Hidden::SubjectOrganization)?,
        npi: Some(npi).filter(|npi| !npi.is_empty()),
        correlation_id: leaf.correlation_id,
        causation_id: leaf.causation_id,
        command_id: leaf.command_id,
        recorded_at: moment(&leaf.recorded_at)?,
        occurred_at: moment(&leaf.occurred_at)?,
        effective_at: moment(&leaf.effective_at)?,
        salt: Vec::new(),
    })
}

/// Whether an event answers the question; one that does is told with all that it hides.
fn is_answer(position: i64, line: &Line, question: &EvidenceQuestion) -> Result<bool, Fault> {
    let answering = answers(line, question).ok_or_else(|| {
        Fault::Missing(format!("nothing shows whether event {position} answers the question"))
    })?;
    if answering && Hidden::ALL.iter().any(|field| !line.open.contains_key(field)) {
        let what = format!("event {position} answers the question and is not told");
        return Err(Fault::Missing(what));
    }
    Ok(answering)
}

/// How it is shown where the events are.
enum Places {
    /// One after the other; together with the tree before them they make the tree at their end.
    Range {
        tree: Frontier,
        next: i64,
        first: Option<DateTime<Utc>>,
        last: Option<DateTime<Utc>>,
        head: (u64, Hash),
    },
    /// Each by a proof of its own, in order.
    Presence { last: i64, head: (u64, Hash) },
}

impl Places {
    fn begin(manifest: &Manifest, head: (u64, Hash)) -> Result<Self, Fault> {
        if let Some(organization) = manifest.presence_of {
            if manifest.question.organization.map(|it| it.0) != Some(organization) {
                let what = "a bundle of one organization asks for events of that organization";
                return Err(Fault::Malformed(what.into()));
            }
            return Ok(Self::Presence { last: 0, head });
        }
        let before = u64::try_from(manifest.from - 1).ok();
        let subtrees = hashes(&manifest.before)?;
        let tree = before.and_then(|before| Frontier::resume(before, subtrees));
        let tree =
            tree.ok_or_else(|| Fault::Malformed("the tree before the range is not one".into()))?;
        Ok(Self::Range { tree, next: manifest.from, first: None, last: None, head })
    }

    /// The position of the next event. In a range it counts when [`Self::end`] has found it proven.
    fn place(&mut self, line: &Line) -> Result<i64, Fault> {
        let leaf = line.leaf.hash().map_err(|error| Fault::Malformed(error.to_string()))?;
        match (self, &line.place) {
            (Self::Range { tree, next, first, last, .. }, None) => {
                tree.push(leaf);
                *last = recorded_at(&line.leaf);
                *first = first.or(*last);
                *next += 1;
                Ok(*next - 1)
            }
            (Self::Presence { last, head: (size, root) }, Some(Place { position, proof })) => {
                if *position <= *last {
                    let what = format!("event {position} does not follow event {last}");
                    return Err(Fault::Malformed(what));
                }
                *last = *position;
                let index = u64::try_from(*position - 1).unwrap_or(u64::MAX);
                tlog::check_record(&hashes(proof)?, *size, *root, index, leaf).map_err(|_| {
                    Fault::Proof(format!("event {position} is not the one under the checkpoint"))
                })?;
                Ok(*position)
            }
            (Self::Range { .. }, Some(_)) | (Self::Presence { .. }, None) => {
                Err(Fault::Malformed("an event's place is not told as the manifest says".into()))
            }
        }
    }

    /// An event that answers nothing is told only to show that a range has no gap.
    fn may_stand_beside(&self, position: i64) -> Result<(), Fault> {
        match self {
            Self::Range { .. } => Ok(()),
            Self::Presence { .. } => {
                Err(Fault::Malformed(format!("event {position} does not answer the question")))
            }
        }
    }

    fn end(self, manifest: &Manifest) -> Result<(), Fault> {
        let Manifest { question, from, to, report_question, .. } = manifest;
        let (tree, next, first, last, (size, root)) = match self {
            Self::Presence { .. } => return Ok(()),
            Self::Range { tree, next, first, last, head } => (tree, next, first, last, head),
        };
        if next - 1 != *to {
            return Err(Fault::Missing(format!("the range ends at {}, not at {to}", next - 1)));
        }
        tlog::check_tree(&hashes(&manifest.consistency)?, size, root, tree.size(), tree.root())
            .map_err(|_| {
                Fault::Proof(format!("events {from} to {to} are not those under the checkpoint"))
            })?;
        match report_question {
            // What comes after the position it holds for does not count.
            Some(_) => Ok(()),
            None => check_edges(question, (*from, first), (tree.size() == size, last)),
        }
    }
}

/// Times never run backwards in a log: what lies before the first event of the range or after its
/// last cannot answer the question.
fn check_edges(
    question: &EvidenceQuestion,
    (from, first): (i64, Option<DateTime<Utc>>),
    (is_head, last): (bool, Option<DateTime<Utc>>),
) -> Result<(), Fault> {
    let begins = from == 1 || question.from.zip(first).is_some_and(|(from, first)| first < from);
    if !begins {
        return Err(Fault::Missing("events before the range may answer the question".into()));
    }
    let ends = is_head || question.to.zip(last).is_some_and(|(to, last)| last >= to);
    if !ends {
        return Err(Fault::Missing("events after the range may answer the question".into()));
    }
    Ok(())
}

fn check_openings(position: i64, line: &Line) -> Result<(), Fault> {
    match line.open.iter().find(|(field, opening)| !line.leaf.opens(**field, opening)) {
        Some((field, _)) => Err(Fault::Opening(format!(
            "what is said to be the {} of event {position} is not what was committed to",
            field.as_str()
        ))),
        None => Ok(()),
    }
}

/// Opens the sealed fields of an event by the secrets given; how many opened, how many did not.
fn open_fields(position: i64, line: &Line) -> Result<(u64, u64), Fault> {
    let (mut opened, mut erased) = (0, 0);
    let mut secrets: BTreeMap<&str, &str> =
        line.secrets.iter().map(|(pointer, secret)| (pointer.as_str(), secret.as_str())).collect();
    let fault = |error: &dyn fmt::Display| Fault::Opening(format!("event {position}: {error}"));
    for (part, field) in [(Part::Payload, Hidden::Payload), (Part::Metadata, Hidden::Metadata)] {
        let Some(stored) = line.open.get(&field) else { continue };
        let document = json(stored.value.as_bytes(), field.as_str())?;
        for (pointer, field) in seal::fields(part, &document).map_err(|error| fault(&error))? {
            let Some(secret) = secrets.remove(pointer.as_str()) else {
                erased += 1;
                continue;
            };
            let secret = unhex(secret).ok_or_else(|| fault(&"a secret is not 32 bytes"))?;
            let secret = FieldSecret::from_bytes(secret);
            let event = line.leaf.event_id;
            match seal::open_with_field_secret(&secret, event, &pointer, &field) {
                Ok(Opened::Value(_)) => opened += 1,
                Ok(Opened::OtherKey) => return Err(fault(&format!("no secret of {pointer}"))),
                Err(error) => return Err(fault(&error)),
            }
        }
    }
    match secrets.keys().next() {
        Some(pointer) => Err(fault(&format!("there is no sealed field at {pointer}"))),
        None => Ok((opened, erased)),
    }
}

/// The lines of the log; their bytes are hashed as they are read.
struct Lines<R> {
    reader: R,
    hash: Sha256,
}

impl<R: BufRead> Lines<R> {
    fn next(&mut self) -> Result<Option<Line>, Fault> {
        let mut line = Vec::new();
        let read = self.reader.read_until(b'\n', &mut line);
        read.map_err(|error| Fault::Malformed(format!("{LOG}: {error}")))?;
        if line.is_empty() {
            return Ok(None);
        }
        self.hash.update(&line);
        json(&line, LOG).map(Some)
    }
}
