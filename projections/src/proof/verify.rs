//! Checks an evidence bundle: no network, no database, and no key that came with it.
//!
//! Invariant: nothing the bundle says of itself is believed; every row of its report is made anew
//! from events that are proven to be in the log.

use std::{
    collections::BTreeMap,
    fmt,
    io::{self, BufRead, BufReader, Read, Seek, Write},
};

use chrono::{DateTime, Utc};
use rollcall_domain::{audit::EvidenceQuestion, hex};
use rollcall_journal::seal::{self, FieldSecret, Opened, Part};
use serde::{Deserialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};
use signed_note::{Note, StandardVerifier, Verifier, VerifierList};
use tlog_tiles::{Checkpoint, Hash, tlog};
use zip::ZipArchive;

use super::{
    bundle::{
        CERTIFICATION, CHECKPOINT, COLUMNS, FORMAT, LOG, Line, MANIFEST, Manifest, REPORT, answers,
        recorded_at, row,
    },
    is_no_evidence,
    leaf::{Hidden, unhex},
    tree::Frontier,
};

/// Larger parts than these are not read into memory.
const MOST_OF_A_NOTE: u64 = 1 << 20;
const MOST_OF_A_MANIFEST: u64 = 16 << 20;

/// The logs whoever checks trusts, each with keys that did not come with a bundle.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// `[[log]]`
    #[serde(rename = "log")]
    pub logs: Vec<TrustedLog>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrustedLog {
    pub origin: String,
    /// C2SP signed-note verifier keys; any one of them suffices.
    pub keys: Vec<String>,
}

impl Policy {
    /// Reads a policy file (TOML).
    ///
    /// # Errors
    /// In words, what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        toml::from_str(text).map_err(|error| format!("the policy file: {error}"))
    }
}

/// What was found wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The events are not those of the log under the checkpoint.
    Proof(String),
    /// The checkpoint is not signed by a key of the policy.
    Signature(String),
    /// The range does not hold all that the question asks of.
    Missing(String),
    /// What is said of a field is not what the log committed to.
    Opening(String),
    /// The report is not what follows from the events.
    Report(String),
    /// The bundle cannot be read.
    Malformed(String),
}

impl Fault {
    /// The exit code of `rollcall verify`.
    #[must_use]
    pub const fn code(&self) -> u8 {
        match self {
            Self::Proof(_) => 10,
            Self::Signature(_) => 11,
            Self::Missing(_) => 12,
            Self::Opening(_) => 13,
            Self::Report(_) => 14,
            Self::Malformed(_) => 20,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Proof(what) => write!(f, "BAD PROOF: {what}"),
            Self::Signature(what) => write!(f, "BAD SIGNATURE: {what}"),
            Self::Missing(what) => write!(f, "INCOMPLETE: {what}"),
            Self::Opening(what) => write!(f, "BAD OPENING: {what}"),
            Self::Report(what) => write!(f, "THE REPORT DOES NOT FOLLOW: {what}"),
            Self::Malformed(what) => write!(f, "MALFORMED: {what}"),
        }
    }
}

/// A bundle that is good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proven {
    pub manifest: Manifest,
    /// Sealed fields that were opened, and those whose subject was erased.
    pub opened: u64,
    pub erased: u64,
    /// Whether a checkpoint held before is the beginning of this log; `None` where none was given.
    pub continues: bool,
}

/// The exit code of a good bundle whose log is no evidence.
pub const NOT_EVIDENCE_CODE: u8 = 30;

impl Proven {
    #[must_use]
    pub fn code(&self) -> u8 {
        if is_no_evidence(&self.manifest.origin) { NOT_EVIDENCE_CODE } else { 0 }
    }

    /// In plain words, what was proven and what was not.
    #[must_use]
    pub fn told(&self) -> Vec<String> {
        let Manifest { origin, report, from, to, checkpoint, occasion, .. } = &self.manifest;
        let mut told = vec![
            format!("Log {origin}, checkpoint of {checkpoint} events: signed by a key you trust."),
            format!(
                "Events {from} to {to}: every one is in the log, in this order, unaltered, and none \
                 is missing."
            ),
            format!(
                "Report {} version {}: {} events answer the question, and no other event of the \
                 range does.",
                report.name, report.version, report.population
            ),
            format!(
                "Sealed fields: {} open to what the log committed to; {} were erased or are not \
                 disclosed.",
                self.opened, self.erased
            ),
        ];
        told.push(if self.continues {
            "The log continues the checkpoint you held: nothing before it was changed.".to_owned()
        } else {
            "Not proven: that this log continues one you saw before (give --since a checkpoint you \
             kept)."
                .to_owned()
        });
        told.push(
            "Not proven: that nobody holding both the database and the signing key keeps a second \
             log for others; only a checkpoint kept by an outside party shows that."
                .to_owned(),
        );
        told.push(format!(
            "Said by the maker, not proven: made {} by {} for {} ({}).",
            occasion.produced_at, occasion.build, occasion.recipient, occasion.purpose
        ));
        if self.code() == NOT_EVIDENCE_CODE {
            told.push(
                "NOT EVIDENCE: this log is of a demonstration or of development, whose clock can \
                 be set."
                    .to_owned(),
            );
        }
        told
    }
}

/// Checks a bundle. `since` is a checkpoint that whoever checks kept from before.
///
/// # Errors
/// The first fault found.
pub fn verify<R: Read + Seek>(
    bundle: R,
    policy: &Policy,
    since: Option<&[u8]>,
) -> Result<Proven, Fault> {
    let malformed = |what: &dyn fmt::Display| Fault::Malformed(what.to_string());
    let mut archive = ZipArchive::new(bundle).map_err(|error| malformed(&error))?;
    let manifest: Manifest = json(&part(&mut archive, MANIFEST, MOST_OF_A_MANIFEST)?, MANIFEST)?;
    if manifest.format != FORMAT {
        return Err(Fault::Malformed(format!("this version reads {FORMAT} only")));
    }
    let hashes = &manifest.files;
    let expected = [LOG, REPORT, CHECKPOINT, CERTIFICATION];
    if !hashes.keys().map(String::as_str).eq({
        let mut names = expected;
        names.sort_unstable();
        names
    }) {
        return Err(Fault::Malformed("the manifest names other files than a bundle has".into()));
    }
    let note = part(&mut archive, CHECKPOINT, MOST_OF_A_NOTE)?;
    let (size, root) = signed_head(&note, &manifest.origin, policy)?;
    if u64::try_from(manifest.checkpoint).ok() != Some(size) {
        return Err(Fault::Malformed("the checkpoint is not the one the manifest names".into()));
    }
    if is_no_evidence(&manifest.origin) != manifest.not_evidence {
        return Err(Fault::Malformed("the manifest is wrong about what the log is".into()));
    }

    let log = archive.by_name(LOG).map_err(|error| malformed(&error))?;
    let followed = follow(log, &manifest, (size, root))?;
    let stored = digest(&mut archive, REPORT)?;
    if stored != followed.report {
        return Err(Fault::Report("its rows are not those that follow from the events".into()));
    }
    if followed.population != manifest.report.population {
        return Err(Fault::Report(format!(
            "{} events answer the question, the manifest says {}",
            followed.population, manifest.report.population
        )));
    }
    for (name, hash) in hashes {
        let found = if name == LOG { followed.log.clone() } else { digest(&mut archive, name)? };
        if found != *hash {
            return Err(Fault::Malformed(format!("{name} is not the file the manifest names")));
        }
    }
    let continues =
        since.map(|held| continues(held, &manifest, (size, root), policy)).transpose()?;
    let (opened, erased) = (followed.opened, followed.erased);
    Ok(Proven { manifest, opened, erased, continues: continues.is_some() })
}

/// Size and root of a checkpoint that a trusted key of the log has signed.
fn signed_head(note: &[u8], origin: &str, policy: &Policy) -> Result<(u64, Hash), Fault> {
    let trusted = policy.logs.iter().find(|log| log.origin == origin);
    let trusted = trusted
        .ok_or_else(|| Fault::Signature(format!("your policy file knows no log {origin}")))?;
    let mut keys: Vec<Box<dyn Verifier>> = Vec::new();
    for key in &trusted.keys {
        let key = StandardVerifier::new(key)
            .map_err(|error| Fault::Signature(format!("a key of your policy file: {error}")))?;
        keys.push(Box::new(key));
    }
    let malformed = |error: &dyn fmt::Display| Fault::Malformed(format!("checkpoint: {error}"));
    let note = Note::from_bytes(note).map_err(|error| malformed(&error))?;
    note.verify(&VerifierList::new(keys)).map_err(|error| Fault::Signature(error.to_string()))?;
    let checkpoint = Checkpoint::from_bytes(note.text()).map_err(|error| malformed(&error))?;
    if checkpoint.origin() != origin {
        return Err(Fault::Signature(format!("it is of another log, {}", checkpoint.origin())));
    }
    Ok((checkpoint.size(), *checkpoint.hash()))
}

/// What came of reading the log from beginning to end.
struct Followed {
    population: u64,
    opened: u64,
    erased: u64,
    /// Digests of the log as it stands, and of the report that follows from it.
    log: String,
    report: String,
}

fn follow(log: impl Read, manifest: &Manifest, head: (u64, Hash)) -> Result<Followed, Fault> {
    let Manifest { question, from, to, tenant, .. } = manifest;
    let before = u64::try_from(from - 1).ok();
    let subtrees = hashes(&manifest.before)?;
    let mut tree = before
        .and_then(|before| Frontier::resume(before, subtrees))
        .ok_or_else(|| Fault::Malformed("the tree before the range is not one".into()))?;
    let mut lines = Lines { reader: BufReader::new(log), hash: Sha256::new() };
    let mut report = csv::Writer::from_writer(Digesting(Sha256::new()));
    let write = |error: csv::Error| Fault::Malformed(error.to_string());
    report.write_record(COLUMNS).map_err(write)?;
    let mut followed =
        Followed { population: 0, opened: 0, erased: 0, log: String::new(), report: String::new() };
    let (mut first, mut last) = (None, None);
    let mut position = *from;
    while let Some(line) = lines.next()? {
        if line.leaf.tenant != *tenant {
            return Err(Fault::Proof(format!("event {position} is of another tenant")));
        }
        check_openings(position, &line)?;
        let answering = answers(&line, question).ok_or_else(|| {
            Fault::Missing(format!("nothing shows whether event {position} answers the question"))
        })?;
        if answering {
            if Hidden::ALL.iter().any(|field| !line.open.contains_key(field)) {
                return Err(Fault::Missing(format!(
                    "event {position} answers the question and is not told"
                )));
            }
            let (opened, erased) = open_fields(position, &line)?;
            followed.opened += opened;
            followed.erased += erased;
            followed.population += 1;
            report.write_record(row(position, &line)).map_err(write)?;
        }
        let leaf = line.leaf.hash().map_err(|error| Fault::Malformed(error.to_string()))?;
        tree.push(leaf);
        let at = recorded_at(&line.leaf);
        first = first.or(at);
        last = at;
        position += 1;
    }
    if position - 1 != *to {
        return Err(Fault::Missing(format!("the range ends at {}, not at {to}", position - 1)));
    }
    let (size, root) = head;
    tlog::check_tree(&hashes(&manifest.consistency)?, size, root, tree.size(), tree.root())
        .map_err(|_| {
            Fault::Proof(format!("events {from} to {to} are not those under the checkpoint"))
        })?;
    check_edges(question, (*from, first), (tree.size() == size, last))?;
    followed.log = hex(&lines.hash.finalize());
    let digest = report.into_inner().map_err(|error| Fault::Malformed(error.to_string()))?;
    followed.report = hex(&digest.0.finalize());
    Ok(followed)
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

/// Whether a checkpoint held before is the beginning of the log.
fn continues(
    held: &[u8],
    manifest: &Manifest,
    (size, root): (u64, Hash),
    policy: &Policy,
) -> Result<(), Fault> {
    let (earlier, known) = signed_head(held, &manifest.origin, policy)?;
    let proof = match &manifest.since {
        Some(since) if u64::try_from(since.size).ok() == Some(earlier) => {
            hashes(&since.consistency)?
        }
        Some(_) | None if earlier == size => Vec::new(),
        Some(_) | None => {
            return Err(Fault::Missing(format!(
                "the bundle was not made for the checkpoint of {earlier} events that you hold"
            )));
        }
    };
    tlog::check_tree(&proof, size, root, earlier, known)
        .map_err(|_| Fault::Proof(format!("the log of {earlier} events you saw is another one")))
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

/// Keeps the digest of what is written.
struct Digesting(Sha256);

impl Write for Digesting {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn json<T: DeserializeOwned>(bytes: &[u8], name: &str) -> Result<T, Fault> {
    serde_json::from_slice(bytes).map_err(|error| Fault::Malformed(format!("{name}: {error}")))
}

fn hashes(texts: &[String]) -> Result<Vec<Hash>, Fault> {
    let parse = |text: &String| Hash::parse_hash(text).ok();
    let parsed: Option<Vec<_>> = texts.iter().map(parse).collect();
    parsed.ok_or_else(|| Fault::Malformed("a hash of the manifest is not one".into()))
}

fn part<R: Read + Seek>(
    archive: &mut ZipArchive<R>,
    name: &str,
    most: u64,
) -> Result<Vec<u8>, Fault> {
    let malformed = |error: &dyn fmt::Display| Fault::Malformed(format!("{name}: {error}"));
    let file = archive.by_name(name).map_err(|error| malformed(&error))?;
    let mut bytes = Vec::new();
    file.take(most + 1).read_to_end(&mut bytes).map_err(|error| malformed(&error))?;
    if bytes.len() as u64 > most { Err(malformed(&"it is too large")) } else { Ok(bytes) }
}

fn digest<R: Read + Seek>(archive: &mut ZipArchive<R>, name: &str) -> Result<String, Fault> {
    let malformed = |error: &dyn fmt::Display| Fault::Malformed(format!("{name}: {error}"));
    let mut file = archive.by_name(name).map_err(|error| malformed(&error))?;
    let mut digesting = Digesting(Sha256::new());
    io::copy(&mut file, &mut digesting).map_err(|error| malformed(&error))?;
    Ok(hex(&digesting.0.finalize()))
}
