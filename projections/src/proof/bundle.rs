//! An evidence bundle: the answer to a question about the log, with all that a third party needs to
//! check it without asking anybody (GN-35).
//!
//! # Form (`rollcall-evidence/1`): a ZIP archive, nothing compressed, of
//! ```text
//! log.jsonl          one line per event of the range, in order: its leaf, the openings the question
//!                    needs of it, and of those that answer the question everything
//! report.csv         the answer, a row per event; follows from log.jsonl
//! checkpoint.txt     the signed head the range is proven under
//! certification.txt  a draft for whoever is to certify the records
//! manifest.json      the question, the proofs, and the SHA-256 of every file above
//! ```
//! The range is every event from one before the first that may answer to one after the last, so that
//! nothing can have been left out. Its proof is the perfect subtrees of the tree before it, and the
//! consistency proof from the tree at its end to the checkpoint.
//!
//! Invariant: only stored bytes and what opens them go in; memory stays flat.

use std::{
    collections::BTreeMap,
    io::{self, Seek, Write},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use chrono::{DateTime, Utc};
use rollcall_domain::{
    audit::EvidenceQuestion,
    hex,
    kernel::ids::{SubjectId, TenantId},
};
use rollcall_journal::{
    keys::{KeyError, KeyRing},
    seal::{self, Part, SealError},
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use sqlx::PgConnection;
use tlog_tiles::{
    Hash, HashReader,
    tlog::{self},
};
use uuid::Uuid;
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use super::{
    is_no_evidence,
    leaf::{Envelope, Hidden, NoForm, Opening, StoredEvent},
    store::{self, ProofError},
    tree::Frontier,
};

/// The only form there is.
pub const FORMAT: &str = "rollcall-evidence/1";
pub const LOG: &str = "log.jsonl";
pub const REPORT: &str = "report.csv";
pub const CHECKPOINT: &str = "checkpoint.txt";
pub const CERTIFICATION: &str = "certification.txt";
pub const MANIFEST: &str = "manifest.json";
/// The rows of [`REPORT`].
pub const COLUMNS: [&str; 8] = [
    "position",
    "recorded_at",
    "type",
    "actor",
    "organization",
    "subject",
    "subject_organization",
    "npi",
];
const BATCH: i64 = 1_000;

/// Who asked, for whom and why; stands in the manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Occasion {
    /// The id of the person who had it made.
    pub requested_by: Uuid,
    pub recipient: String,
    pub purpose: String,
    pub produced_at: DateTime<Utc>,
    /// The version that made it.
    pub build: String,
}

/// A line of [`LOG`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    pub leaf: Envelope,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub open: BTreeMap<Hidden, Opening>,
    /// By the pointer of a sealed field, the secret that opens it, in hexadecimal digits.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub secrets: BTreeMap<String, String>,
}

/// `manifest.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    pub format: String,
    pub origin: String,
    pub tenant: Uuid,
    /// Whether the log is none of evidence (GN-35).
    pub not_evidence: bool,
    pub question: EvidenceQuestion,
    pub occasion: Occasion,
    pub report: Report,
    /// Positions of the first and last event of the range.
    pub from: i64,
    pub to: i64,
    /// Size of the tree under the checkpoint.
    pub checkpoint: i64,
    /// The perfect subtrees of the tree before the range, largest first; base64, as all hashes here.
    pub before: Vec<String>,
    /// From the tree at the range's end to the checkpoint (RFC 6962, 2.1.2).
    pub consistency: Vec<String>,
    /// From a checkpoint that the recipient holds to this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Since>,
    pub files: BTreeMap<String, String>,
}

/// The definition of the answer's rows, and how many there are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    pub name: String,
    pub version: u32,
    pub population: u64,
}

/// A proof that the log of an earlier checkpoint is the beginning of this one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Since {
    pub size: i64,
    pub consistency: Vec<String>,
}

/// Why there is no bundle.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    #[error(transparent)]
    Proof(#[from] ProofError),
    #[error(transparent)]
    Keys(#[from] KeyError),
    #[error("nothing of this log is signed yet")]
    NothingSigned,
    #[error("no event recorded so far lies in this range")]
    Nothing,
    #[error("a checkpoint of {0} events is none of this log, which is signed up to {1}")]
    UnknownCheckpoint(i64, i64),
    #[error("the bundle could not be written: {0}")]
    Write(#[from] io::Error),
}

impl From<sqlx::Error> for BundleError {
    fn from(error: sqlx::Error) -> Self {
        Self::Proof(error.into())
    }
}
impl From<NoForm> for BundleError {
    fn from(error: NoForm) -> Self {
        Self::Proof(error.into())
    }
}
impl From<SealError> for BundleError {
    fn from(error: SealError) -> Self {
        Self::Keys(error.into())
    }
}
impl From<zip::result::ZipError> for BundleError {
    fn from(error: zip::result::ZipError) -> Self {
        Self::Write(io::Error::other(error))
    }
}

/// The hidden fields that tell whether an event answers a question.
#[must_use]
pub fn fields_of(question: &EvidenceQuestion) -> Vec<Hidden> {
    let mut fields = Vec::new();
    if question.actor.is_some() {
        fields.push(Hidden::Actor);
    }
    if question.organization.is_some() {
        fields.extend([Hidden::Organization, Hidden::SubjectOrganization]);
    }
    if question.subject.is_some() {
        fields.push(Hidden::Subject);
    }
    if question.npi.is_some() {
        fields.push(Hidden::Npi);
    }
    fields
}

/// Whether an event answers a question; `None` where a field that tells is not open.
#[must_use]
pub fn answers(line: &Line, question: &EvidenceQuestion) -> Option<bool> {
    let EvidenceQuestion { types, actor, subject, organization, npi, from, to } = question;
    let recorded = recorded_at(&line.leaf)?;
    let value = |field| line.open.get(&field).map(|opening| opening.value.as_str());
    let mut fits = types.is_empty() || types.contains(&line.leaf.event_type);
    fits &= from.is_none_or(|from| recorded >= from) && to.is_none_or(|to| recorded < to);
    if let Some(actor) = actor {
        let acted = value(Hidden::Actor)?;
        fits &= acted.split_once(':').is_some_and(|(_, id)| id == actor.to_string());
    }
    if let Some(organization) = organization.map(|id| id.to_string()) {
        let (by, of) = (value(Hidden::Organization)?, value(Hidden::SubjectOrganization)?);
        fits &= by == organization || of == organization;
    }
    if let Some(subject) = subject {
        fits &= value(Hidden::Subject)? == subject.to_string();
    }
    if let Some(npi) = npi {
        fits &= value(Hidden::Npi)? == npi.to_string();
    }
    Some(fits)
}

/// When an event was recorded, as its leaf says.
#[must_use]
pub fn recorded_at(leaf: &Envelope) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(&leaf.recorded_at).ok().map(|at| at.to_utc())
}

/// The report's row of an event that answers the question.
#[must_use]
pub fn row(position: i64, line: &Line) -> [String; COLUMNS.len()] {
    let value = |field| line.open.get(&field).map(|open| open.value.clone()).unwrap_or_default();
    [
        position.to_string(),
        line.leaf.recorded_at.clone(),
        line.leaf.event_type.clone(),
        value(Hidden::Actor),
        value(Hidden::Organization),
        value(Hidden::Subject),
        value(Hidden::SubjectOrganization),
        value(Hidden::Npi),
    ]
}

/// Writes a bundle up to the log's latest checkpoint. `since` is the size of a checkpoint that the
/// recipient holds already.
///
/// # Errors
/// See [`BundleError`].
pub async fn write<W: Write + Seek>(
    connection: &mut PgConnection,
    (tenant, keys): (TenantId, &KeyRing),
    (question, since): (&EvidenceQuestion, Option<i64>),
    occasion: Occasion,
    out: W,
) -> Result<(W, Manifest), BundleError> {
    let latest =
        store::latest(&mut *connection, tenant).await?.ok_or(BundleError::NothingSigned)?;
    let signed = latest.checkpoint.ok_or(BundleError::NothingSigned)?;
    let (from, to) = range(&mut *connection, tenant, question, signed.size).await?;
    let (size, end, start) = (unsigned(signed.size), unsigned(to), unsigned(from - 1));
    let indexes = Frontier::indexes(start);
    let before =
        store::prove(&mut *connection, tenant, |tiles| tiles.read_hashes(&indexes)).await?;
    let consistency =
        store::prove(&mut *connection, tenant, |tiles| tlog::prove_tree(size, end, tiles)).await?;
    let since = match since {
        None => None,
        Some(held) if held < 1 || held > signed.size => {
            return Err(BundleError::UnknownCheckpoint(held, signed.size));
        }
        Some(held) => {
            let proof = |tiles: &_| tlog::prove_tree(size, unsigned(held), tiles);
            let consistency = store::prove(&mut *connection, tenant, proof).await?;
            Some(Since { size: held, consistency: encoded(&consistency) })
        }
    };

    let mut archive = Archive::new(out);
    let mut population = 0_u64;
    archive.begin(LOG)?;
    let mut range = Range { connection: &mut *connection, tenant, next: from, to };
    while let Some(events) = range.batch().await? {
        for line in lines(&events, question, (tenant, keys)).await? {
            population += u64::from(line.open.contains_key(&Hidden::Payload));
            serde_json::to_writer(&mut archive, &line).map_err(io::Error::from)?;
            archive.write_all(b"\n")?;
        }
    }
    archive.begin(REPORT)?;
    let mut rows = csv::Writer::from_writer(&mut archive);
    rows.write_record(COLUMNS).map_err(io::Error::other)?;
    let mut range = Range { connection: &mut *connection, tenant, next: from, to };
    while let Some(events) = range.batch().await? {
        for event in events {
            let line = opened(&event, question)?;
            if line.open.contains_key(&Hidden::Payload) {
                rows.write_record(row(event.tenant_position, &line)).map_err(io::Error::other)?;
            }
        }
    }
    rows.flush()?;
    drop(rows);
    archive.file(CHECKPOINT, signed.note.as_bytes())?;
    let mut manifest = Manifest {
        format: FORMAT.to_owned(),
        not_evidence: is_no_evidence(&latest.origin),
        origin: latest.origin,
        tenant: tenant.0,
        question: question.clone(),
        occasion,
        report: Report { name: "events".to_owned(), version: 1, population },
        from,
        to,
        checkpoint: signed.size,
        before: encoded(&before),
        consistency: encoded(&consistency),
        since,
        files: BTreeMap::new(),
    };
    archive.file(CERTIFICATION, certification(&manifest).as_bytes())?;
    manifest.files = archive.hashes.clone();
    let text = serde_json::to_vec_pretty(&manifest).map_err(io::Error::from)?;
    archive.file(MANIFEST, &text)?;
    Ok((archive.zip.finish()?, manifest))
}

fn unsigned(position: i64) -> u64 {
    u64::try_from(position).unwrap_or_default()
}

fn encoded(hashes: &[Hash]) -> Vec<String> {
    hashes.iter().map(|hash| BASE64_STANDARD.encode(hash.0)).collect()
}

/// From one event before the first that was recorded in time to one after the last.
async fn range(
    connection: &mut PgConnection,
    tenant: TenantId,
    question: &EvidenceQuestion,
    signed: i64,
) -> Result<(i64, i64), BundleError> {
    let (first, last): (Option<i64>, Option<i64>) = sqlx::query_as(
        "SELECT (SELECT tenant_position FROM es.events WHERE tenant_id = $1
                    AND ($2::timestamptz IS NULL OR recorded_at >= $2)
                  ORDER BY tenant_position LIMIT 1),
                (SELECT tenant_position FROM es.events WHERE tenant_id = $1
                    AND ($3::timestamptz IS NULL OR recorded_at < $3)
                  ORDER BY tenant_position DESC LIMIT 1)",
    )
    .bind(tenant.0)
    .bind(question.from)
    .bind(question.to)
    .fetch_one(connection)
    .await?;
    match first.zip(last) {
        Some((first, last)) if first <= last && first <= signed => {
            Ok(((first - 1).max(1), (last + 1).min(signed)))
        }
        Some(_) | None => Err(BundleError::Nothing),
    }
}

/// The events of a range, batch by batch.
struct Range<'a> {
    connection: &'a mut PgConnection,
    tenant: TenantId,
    next: i64,
    to: i64,
}

impl Range<'_> {
    async fn batch(&mut self) -> Result<Option<Vec<StoredEvent>>, BundleError> {
        let limit = BATCH.min(self.to - self.next + 1);
        if limit <= 0 {
            return Ok(None);
        }
        let after = self.next - 1;
        let events = store::events_after(self.connection, self.tenant, after, limit).await?;
        self.next += limit;
        Ok(Some(events))
    }
}

/// The event's leaf with what the question needs, and everything but secrets where it answers it.
fn opened(event: &StoredEvent, question: &EvidenceQuestion) -> Result<Line, BundleError> {
    let mut line = Line { leaf: event.envelope(), open: BTreeMap::new(), secrets: BTreeMap::new() };
    line.leaf.to_bytes()?;
    line.open.extend(fields_of(question).into_iter().map(|field| (field, event.opening(field))));
    if answers(&line, question) == Some(true) {
        line.open.extend(Hidden::ALL.map(|field| (field, event.opening(field))));
    }
    Ok(line)
}

/// The lines of a batch, with the secrets of sealed fields as far as they are not erased.
async fn lines(
    events: &[StoredEvent],
    question: &EvidenceQuestion,
    (tenant, keys): (TenantId, &KeyRing),
) -> Result<Vec<Line>, BundleError> {
    let mut lines = Vec::with_capacity(events.len());
    let mut sealed = Vec::new();
    for (nth, event) in events.iter().enumerate() {
        let line = opened(event, question)?;
        if line.open.contains_key(&Hidden::Payload) {
            for (part, stored) in
                [(Part::Payload, &event.payload), (Part::Metadata, &event.metadata)]
            {
                let document = serde_json::from_str(stored).map_err(io::Error::from)?;
                let fields = seal::fields(part, &document)?.into_iter();
                sealed.extend(fields.map(|(pointer, field)| (nth, pointer, field)));
            }
        }
        lines.push(line);
    }
    // The keys of everybody in the batch by one query; each field then finds its own at hand.
    let subjects: Vec<_> = sealed.iter().map(|(.., field)| SubjectId(field.subject)).collect();
    keys.prefetch(tenant, &subjects).await;
    for (nth, pointer, field) in sealed {
        let of = (SubjectId(field.subject), field.v);
        if let Some(secret) = keys.disclose(tenant, events[nth].event_id, &pointer, of).await? {
            lines[nth].secrets.insert(pointer, hex(secret.as_bytes()));
        }
    }
    Ok(lines)
}

/// An archive that knows the hash of each of its files.
struct Archive<W: Write + Seek> {
    zip: ZipWriter<W>,
    hashes: BTreeMap<String, String>,
    current: Option<(String, Sha256)>,
}

impl<W: Write + Seek> Archive<W> {
    fn new(out: W) -> Self {
        Self { zip: ZipWriter::new(out), hashes: BTreeMap::new(), current: None }
    }

    fn begin(&mut self, name: &str) -> Result<(), BundleError> {
        self.end();
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Stored)
            .large_file(true);
        self.zip.start_file(name, options)?;
        self.current = Some((name.to_owned(), Sha256::new()));
        Ok(())
    }

    fn file(&mut self, name: &str, content: &[u8]) -> Result<(), BundleError> {
        self.begin(name)?;
        self.write_all(content)?;
        self.end();
        Ok(())
    }

    fn end(&mut self) {
        if let Some((name, hash)) = self.current.take() {
            self.hashes.insert(name, hex(&hash.finalize()));
        }
    }
}

impl<W: Write + Seek> Write for Archive<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.zip.write(bytes)?;
        if let Some((_, hash)) = &mut self.current {
            hash.update(&bytes[..written]);
        }
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.zip.flush()
    }
}

/// A draft; whoever signs one is to have it looked at by counsel.
fn certification(manifest: &Manifest) -> String {
    let Manifest { origin, occasion, report, from, to, checkpoint, not_evidence, .. } = manifest;
    let warning = if *not_evidence {
        "NOT EVIDENCE: this log's clock could be set; it is of a demonstration or of development.\n\n"
    } else {
        ""
    };
    format!(
        "{warning}DRAFT CERTIFICATION OF RECORDS GENERATED BY AN ELECTRONIC PROCESS\n\
         (Federal Rules of Evidence 902(13), 902(14), 803(6); to be reviewed by counsel)\n\n\
         I, ______________________, am ______________________ of ______________________, and\n\
         qualified to certify the records described here.\n\n\
         1. The records are {} events of the access ledger {origin}, out of the events at positions\n   \
            {from} to {to}, selected by the question in manifest.json.\n\
         2. Each was recorded by Rollcall {} at or near the time of the act it describes, in the\n   \
            course of regularly conducted activity, as a regular practice.\n\
         3. The selection was made on {} by the same process, which produces an accurate result, at\n   \
            the request of {} for {} (purpose: {}).\n\
         4. The copies are identified by the digests in manifest.json and by the signed checkpoint of\n   \
            {checkpoint} events in checkpoint.txt, and can be checked with `rollcall verify`.\n\n\
         Date: ______________   Signature: ______________________\n",
        report.population,
        occasion.build,
        occasion.produced_at.to_rfc3339(),
        occasion.requested_by,
        occasion.recipient,
        occasion.purpose,
    )
}
