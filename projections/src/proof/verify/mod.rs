//! Checks an evidence bundle: no network, no database, and no key that came with it.
//!
//! Invariant: nothing the bundle says of itself is believed; every row of its report is made anew
//! from events that are proven to be in the log.

mod follow;
mod told;

use std::{
    collections::BTreeSet,
    fmt,
    io::{self, Read, Seek, Write},
};

use rollcall_domain::hex;
use rollcall_journal::upcast::Upcasters;
use serde::{Deserialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};
use signed_note::{Note, StandardVerifier, Verifier, VerifierList};
use tlog_tiles::{Checkpoint, Hash, tlog};
use zip::ZipArchive;

use super::{
    bundle::{CERTIFICATION, CHECKPOINT, FORMAT, LOG, MANIFEST, Manifest},
    is_no_evidence,
    witness::WitnessKey,
};
pub use told::NOT_EVIDENCE_CODE;

use follow::follow;

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
    /// Outside parties whose signature on a checkpoint counts, as C2SP verifier keys (type 4).
    #[serde(default)]
    pub witnesses: Vec<String>,
    /// How many of them must have signed.
    #[serde(default)]
    pub quorum: usize,
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
    /// The trusted witnesses that have signed the checkpoint.
    pub witnesses: Vec<String>,
}

/// Checks a bundle. `since` is a checkpoint that whoever checks kept from before.
///
/// # Errors
/// The first fault found.
pub fn verify<R: Read + Seek>(
    bundle: R,
    policy: &Policy,
    since: Option<&[u8]>,
    upcasters: &Upcasters,
) -> Result<Proven, Fault> {
    let malformed = |what: &dyn fmt::Display| Fault::Malformed(what.to_string());
    let mut archive = ZipArchive::new(bundle).map_err(|error| malformed(&error))?;
    let manifest: Manifest = json(&part(&mut archive, MANIFEST, MOST_OF_A_MANIFEST)?, MANIFEST)?;
    if manifest.format != FORMAT {
        return Err(Fault::Malformed(format!("this version reads {FORMAT} only")));
    }
    let hashes = &manifest.files;
    let expected = [LOG, manifest.rows_file(), CHECKPOINT, CERTIFICATION];
    if !hashes.keys().map(String::as_str).eq({
        let mut names = expected;
        names.sort_unstable();
        names
    }) {
        return Err(Fault::Malformed("the manifest names other files than a bundle has".into()));
    }
    let note = part(&mut archive, CHECKPOINT, MOST_OF_A_NOTE)?;
    let (size, root) = signed_head(&note, &manifest.origin, policy)?;
    let witnesses = witnesses(&note, policy)?;
    if u64::try_from(manifest.checkpoint).ok() != Some(size) {
        return Err(Fault::Malformed("the checkpoint is not the one the manifest names".into()));
    }
    if is_no_evidence(&manifest.origin) != manifest.not_evidence {
        return Err(Fault::Malformed("the manifest is wrong about what the log is".into()));
    }

    let log = archive.by_name(LOG).map_err(|error| malformed(&error))?;
    let followed = follow(log, &manifest, (size, root), upcasters)?;
    let stored = digest(&mut archive, manifest.rows_file())?;
    if stored != followed.report {
        return Err(Fault::Report("its rows are not those that follow from the events".into()));
    }
    if followed.population != manifest.report.population {
        return Err(Fault::Report(format!(
            "{} rows answer the question, the manifest says {}",
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
    Ok(Proven { manifest, opened, erased, continues: continues.is_some(), witnesses })
}

/// The names of the trusted witnesses that have signed a checkpoint; as many as are demanded, at least.
fn witnesses(note: &[u8], policy: &Policy) -> Result<Vec<String>, Fault> {
    let note = String::from_utf8_lossy(note);
    // By name: a witness that stands twice in the policy is one.
    let mut names = BTreeSet::new();
    for key in &policy.witnesses {
        let key: WitnessKey = key.parse().map_err(Fault::Signature)?;
        if key.cosigned(&note).is_some() {
            names.insert(key.name().to_owned());
        }
    }
    if names.len() < policy.quorum {
        return Err(Fault::Signature(format!(
            "{} of the witnesses you trust have signed the checkpoint, {} are demanded",
            names.len(),
            policy.quorum
        )));
    }
    Ok(names.into_iter().collect())
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
