//! Signs the tree's heads (C2SP tlog-checkpoint, signed-note).
//!
//! Its keys and what it last signed lie outside the database. Invariant: it never signs two trees of
//! which one is not the beginning of the other; whoever puts an old database back, or another one,
//! finds it refusing.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use base64::{Engine, prelude::BASE64_STANDARD};
use chrono::{DateTime, Utc};
use ring::signature::{Ed25519KeyPair, KeyPair};
use rollcall_domain::kernel::ids::TenantId;
use rollcall_journal::secrets::Secrets;
use serde::{Deserialize, Serialize};
use signed_note::{Note, Signer as _, StandardSigner};
use tlog_tiles::{Checkpoint, Hash, tlog};
use zeroize::Zeroizing;

/// Ed25519 in a verifier key (C2SP signed-note).
const ED25519: u8 = 1;

/// Why a tree's head is not signed.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    #[error("the signer's folder: {0}")]
    Folder(#[from] io::Error),
    #[error("the signer's file {0} cannot be read: {1}")]
    Unreadable(PathBuf, serde_json::Error),
    /// The log is shorter than one that was signed.
    #[error(
        "a log of {signed} events was signed, this one has {size}: was an old backup put back? \
         Nothing is signed until it is longer and begins with what was signed"
    )]
    Shorter { signed: u64, size: u64 },
    /// What was signed is not the beginning of this log.
    #[error(
        "the {signed} events that were signed are not the beginning of this log: events were \
         altered, or another database was put in its place; nothing is signed any more"
    )]
    Forked { signed: u64 },
    /// Development aids run on a log that is evidence.
    #[error(
        "the log {0} is evidence: it does not go on while the clock can be set (--dev, --demo)"
    )]
    SetClock(String),
    #[error("the checkpoint has no form: {0}")]
    Form(String),
}

/// What was signed last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct State {
    size: u64,
    /// Base64.
    root: String,
}

/// One of the signer's keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Generation {
    number: u32,
    /// Signs beside its successor until then; `None` for the newest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    until: Option<DateTime<Utc>>,
}

/// Signs for every tenant, each under keys of its own.
#[derive(Clone)]
pub struct Signer {
    secrets: Arc<Secrets>,
    folder: PathBuf,
}

impl Signer {
    /// `folder` lies outside the database, on a disk that keeps what it was told to.
    #[must_use]
    pub fn new(secrets: Arc<Secrets>, folder: PathBuf) -> Self {
        Self { secrets, folder }
    }

    /// The size and root of what was signed last.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn last(&self, tenant: TenantId) -> Result<Option<(u64, Hash)>, SignError> {
        let state: Option<State> = read(&self.of(tenant).join("signed.json"))?;
        let last = state.map(|State { size, root }| {
            let root =
                Hash::parse_hash(&root).map_err(|error| SignError::Form(error.to_string()))?;
            Ok((size, root))
        });
        last.transpose()
    }

    /// Signs a tree's head. `consistency` proves that it begins with [`Signer::last`], where there
    /// is one. The note is on disk before it is given.
    ///
    /// # Errors
    /// See [`SignError`]; then nothing was signed.
    pub fn sign(
        &self,
        tenant: TenantId,
        origin: &str,
        (size, root): (u64, Hash),
        consistency: &[Hash],
        now: DateTime<Utc>,
    ) -> Result<String, SignError> {
        let folder = self.of(tenant);
        fs::create_dir_all(&folder)?;
        // Processes that share the folder sign one after the other; closing it unlocks.
        let turn = File::create(folder.join("lock"))?;
        turn.lock()?;
        if let Some((signed, known)) = self.last(tenant)? {
            if size < signed {
                return Err(SignError::Shorter { signed, size });
            }
            tlog::check_tree(&consistency.to_vec(), size, root, signed, known)
                .map_err(|_| SignError::Forked { signed })?;
        }
        let note = self.note(tenant, origin, (size, root), now)?;
        let state = State { size, root: BASE64_STANDARD.encode(root.0) };
        replace(
            &folder.join("signed.json"),
            &serde_json::to_vec(&state).expect("a state is JSON"),
        )?;
        self.keep(tenant, &note)?;
        Ok(note)
    }

    /// Adds a note to the file to which notes are only ever added.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn keep(&self, tenant: TenantId, note: &str) -> Result<(), SignError> {
        let file = self.of(tenant).join("checkpoints.txt");
        let mut kept = OpenOptions::new().create(true).append(true).open(file)?;
        kept.write_all(format!("{note}\n").as_bytes())?;
        kept.sync_all()?;
        Ok(())
    }

    /// The keys that checkpoints of now are to be checked with (C2SP signed-note verifier keys),
    /// oldest first.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn verifier_keys(
        &self,
        tenant: TenantId,
        origin: &str,
        now: DateTime<Utc>,
    ) -> Result<Vec<String>, SignError> {
        let generations = self.generations(now)?;
        let keys = generations.iter().map(|generation| self.keys(tenant, origin, *generation).1);
        Ok(keys.collect())
    }

    /// Begins a new generation of keys; the one before signs beside it until `overlap_until`, so that
    /// whoever checks has time to learn the new ones.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn rotate(&self, overlap_until: DateTime<Utc>) -> Result<u32, SignError> {
        let mut all = self.all_generations()?;
        let newest = all.iter().map(|generation| generation.number).max().unwrap_or(1);
        for generation in all.iter_mut().filter(|generation| generation.until.is_none()) {
            generation.until = Some(overlap_until);
        }
        all.push(Generation { number: newest + 1, until: None });
        fs::create_dir_all(&self.folder)?;
        replace(
            &self.folder.join("keys.json"),
            &serde_json::to_vec(&all).expect("numbers are JSON"),
        )?;
        Ok(newest + 1)
    }

    fn note(
        &self,
        tenant: TenantId,
        origin: &str,
        (size, root): (u64, Hash),
        now: DateTime<Utc>,
    ) -> Result<String, SignError> {
        let form = |error: &dyn std::fmt::Display| SignError::Form(error.to_string());
        let checkpoint = Checkpoint::new(origin, size, root, "").map_err(|error| form(&error))?;
        let mut note = Note::new(&checkpoint.to_bytes(), &[]).map_err(|error| form(&error))?;
        for generation in self.generations(now)? {
            let (skey, _) = self.keys(tenant, origin, generation);
            let signer = StandardSigner::new(&skey).map_err(|error| form(&error))?;
            debug_assert_eq!(signer.name(), origin);
            note.add_sigs(&[&signer]).map_err(|error| form(&error))?;
        }
        String::from_utf8(note.to_bytes()).map_err(|error| form(&error))
    }

    /// A generation's secret and verifier key for a tenant's log.
    fn keys(
        &self,
        tenant: TenantId,
        origin: &str,
        generation: Generation,
    ) -> (Zeroizing<String>, String) {
        let seed = self.secrets.signing_seed(&format!("log/{}/{tenant}", generation.number));
        let pair =
            Ed25519KeyPair::from_seed_unchecked(seed.as_slice()).expect("a seed has 32 bytes");
        let typed = |key: &[u8]| [&[ED25519], key].concat();
        let public = typed(pair.public_key().as_ref());
        let id = signed_note::key_id(origin, &public);
        let secret = Zeroizing::new(typed(seed.as_slice()));
        let secret = BASE64_STANDARD.encode(secret.as_slice());
        (
            Zeroizing::new(format!("PRIVATE+KEY+{origin}+{id:08x}+{secret}")),
            format!("{origin}+{id:08x}+{}", BASE64_STANDARD.encode(public)),
        )
    }

    /// Those that sign now, oldest first.
    fn generations(&self, now: DateTime<Utc>) -> Result<Vec<Generation>, SignError> {
        let mut all = self.all_generations()?;
        all.retain(|generation| generation.until.is_none_or(|until| now < until));
        Ok(all)
    }

    fn all_generations(&self) -> Result<Vec<Generation>, SignError> {
        let kept = read(&self.folder.join("keys.json"))?;
        Ok(kept.unwrap_or_else(|| vec![Generation { number: 1, until: None }]))
    }

    fn of(&self, tenant: TenantId) -> PathBuf {
        self.folder.join(tenant.to_string())
    }
}

/// Size and root that a checkpoint names, its signatures left aside.
#[must_use]
pub fn head_of(note: &[u8]) -> Option<(u64, Hash)> {
    let note = Note::from_bytes(note).ok()?;
    let checkpoint = Checkpoint::from_bytes(note.text()).ok()?;
    Some((checkpoint.size(), *checkpoint.hash()))
}

fn read<T: serde::de::DeserializeOwned>(path: &Path) -> Result<Option<T>, SignError> {
    match fs::read(path) {
        Ok(bytes) => serde_json::from_slice(&bytes)
            .map(Some)
            .map_err(|error| SignError::Unreadable(path.to_owned(), error)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Puts a file in another's place, durably, so that either the old or the new one is there.
fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let draft = path.with_extension("tmp");
    let mut file = File::create(&draft)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&draft, path)?;
    File::open(path.parent().expect("a file stands in a folder"))?.sync_all()
}
