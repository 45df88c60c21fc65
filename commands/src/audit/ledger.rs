//! The ledger of erasures in the data folder: an older copy of the database that is put in place of
//! today's has people again who were erased, with their keys; the ledger knows better (GN-27).
//!
//! Invariant: it holds ids and times only and grows at its end only; every line contains the hash of
//! all before it, so a line that is altered, or taken out from before others, is found. Lines cut off
//! its end are not found: those of erasures that the database has are written again, as is a line that
//! a crash cut off; that others were there, nothing tells.

use std::{
    collections::HashSet,
    fs::{DirBuilder, File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use chrono::{DateTime, SecondsFormat, Utc};
use rollcall_domain::{
    audit::ErasureEvent,
    hex,
    kernel::ids::{TenantId, UserId},
};
use rollcall_journal::{Journal, JournalError};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::RepeatErasure;
use crate::{Caller, Commands, DispatchError};

/// The file's name in the data folder, and its first line.
const FILE: &str = "erasures.txt";
const HEADER: &str = "rollcall erasures 1";

/// Why the ledger cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    #[error("the ledger of erasures cannot be read or written: {0}")]
    File(#[from] io::Error),
    #[error(
        "line {0} of the ledger of erasures was altered, or lines before it are missing. Put the \
         right erasures.txt back into the data folder: without it an older database would show people \
         who were erased."
    )]
    Altered(usize),
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error("a person in the ledger could not be erased again: {0}")]
    Repeat(#[from] DispatchError),
}

/// One erasure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    at: DateTime<Utc>,
    tenant: TenantId,
    user: UserId,
}

impl Entry {
    fn text(&self) -> String {
        let at = self.at.to_rfc3339_opts(SecondsFormat::Micros, true);
        format!("{at} {} {}", self.tenant, self.user)
    }

    fn parse(text: &str) -> Option<Self> {
        let mut fields = text.split(' ');
        let mut next = || fields.next();
        let (at, tenant, user) = (next()?.parse().ok()?, next()?, next()?);
        Some(Self { at, tenant: tenant.parse().ok()?, user: user.parse().ok()? })
    }
}

/// The ledger of one data folder.
#[derive(Clone, Debug)]
pub struct ErasureLedger {
    path: PathBuf,
}

impl ErasureLedger {
    /// The ledger in `folder`, which need not have one yet.
    #[must_use]
    pub fn of(folder: &Path) -> Self {
        Self { path: folder.join(FILE) }
    }

    /// Erases whoever of the ledger the database has; how many there were. To be done before anything
    /// is answered.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub async fn repeat(&self, commands: &Commands) -> Result<usize, LedgerError> {
        let path = self.path.clone();
        let listed = blocking(move || match path.exists() {
            true => Ok(Contents::lock(&path)?.entries),
            false => Ok(Vec::new()),
        });
        let listed = listed.await?;
        let erased = people(&erased_in(&commands.journal).await?);
        let mut repeated = 0;
        for Entry { at, tenant, user } in listed {
            if erased.contains(&(tenant, user)) {
                continue;
            }
            let caller = Caller::system(tenant, Uuid::now_v7(), None);
            let again = RepeatErasure { user, first_at: at };
            if commands.dispatch(&caller, None, &again).await?.output {
                tracing::warn!(%tenant, %user, "a person was erased again: an older database was put back");
                repeated += 1;
            }
        }
        Ok(repeated)
    }

    /// Adds the erasures of the database that the ledger has not.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub(super) async fn write_down(&self, journal: &Journal) -> Result<(), LedgerError> {
        let erased = erased_in(journal).await?;
        if erased.is_empty() {
            return Ok(());
        }
        let path = self.path.clone();
        blocking(move || {
            let mut contents = Contents::lock(&path)?;
            let known = people(&contents.entries);
            let new = erased.into_iter().filter(|it| !known.contains(&(it.tenant, it.user)));
            contents.append(&new.collect::<Vec<_>>())
        })
        .await
    }
}

/// Everybody whom the database has as erased. One erasure that cannot be read is an error: passed over,
/// it would be missing in the ledger and nobody would know.
async fn erased_in(journal: &Journal) -> Result<Vec<Entry>, JournalError> {
    let events = journal.persons_erased::<ErasureEvent>().await?;
    let entry = |(tenant, event)| match event {
        ErasureEvent::PersonErased { user, first_at: at, .. } => Some(Entry { at, tenant, user }),
        ErasureEvent::ErasureRequested { .. } | ErasureEvent::ErasureRefused { .. } => None,
    };
    Ok(events.into_iter().filter_map(entry).collect())
}

fn people(entries: &[Entry]) -> HashSet<(TenantId, UserId)> {
    entries.iter().map(|entry| (entry.tenant, entry.user)).collect()
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, LedgerError> + Send + 'static,
) -> Result<T, LedgerError> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}

/// The file, locked against other processes that share the folder.
struct Contents {
    file: File,
    entries: Vec<Entry>,
    last_hash: String,
    /// Where the last whole line ends.
    end: u64,
}

impl Contents {
    fn lock(path: &Path) -> Result<Self, LedgerError> {
        if let Some(folder) = path.parent() {
            DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        }
        let mut options = OpenOptions::new();
        let mut file =
            options.read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
        file.lock()?;
        let mut text = String::new();
        file.read_to_string(&mut text)?;
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        let mut contents =
            Self { file, entries: Vec::new(), last_hash: String::new(), end: whole as u64 };
        for (nth, line) in (1..).zip(text[..whole].lines()) {
            if nth == 1 && line == HEADER {
                contents.last_hash = hash("", HEADER);
                continue;
            }
            let (entry, hashed) = line.rsplit_once(' ').ok_or(LedgerError::Altered(nth))?;
            if contents.last_hash.is_empty() || hash(&contents.last_hash, entry) != hashed {
                return Err(LedgerError::Altered(nth));
            }
            contents.entries.push(Entry::parse(entry).ok_or(LedgerError::Altered(nth))?);
            contents.last_hash = hashed.to_owned();
        }
        Ok(contents)
    }

    fn append(&mut self, new: &[Entry]) -> Result<(), LedgerError> {
        if new.is_empty() {
            return Ok(());
        }
        let mut text = String::new();
        if self.last_hash.is_empty() {
            text = format!("{HEADER}\n");
            self.last_hash = hash("", HEADER);
        }
        for entry in new {
            let entry = entry.text();
            self.last_hash = hash(&self.last_hash, &entry);
            text.push_str(&format!("{entry} {}\n", self.last_hash));
        }
        self.file.set_len(self.end)?;
        self.file.seek(SeekFrom::Start(self.end))?;
        self.file.write_all(text.as_bytes())?;
        self.file.sync_all()?;
        Ok(())
    }
}

fn hash(before: &str, line: &str) -> String {
    hex(&Sha256::digest(format!("{before}\n{line}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(n: u128) -> Entry {
        let at = "2036-01-12T17:00:00.000001Z".parse().unwrap();
        Entry { at, tenant: TenantId(Uuid::from_u128(1)), user: UserId(Uuid::from_u128(n)) }
    }

    /// A ledger of three, and its path.
    fn ledger(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("rollcall-{name}-{}", Uuid::new_v4()));
        Contents::lock(&path).unwrap().append(&[entry(7)]).unwrap();
        Contents::lock(&path).unwrap().append(&[entry(8), entry(9)]).unwrap();
        path
    }

    #[test]
    fn it_grows_and_reads_back() {
        let path = ledger("grows");
        assert_eq!(Contents::lock(&path).unwrap().entries, [entry(7), entry(8), entry(9)]);
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text.lines().count(), 4);
        std::fs::remove_file(path).unwrap();
    }

    #[test]
    fn a_line_taken_out_or_altered_is_found() {
        let path = ledger("altered");
        let text = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        for (altered, at) in [
            (vec![lines[0], lines[1], lines[3]], 3),
            (vec![lines[0], lines[2], lines[3]], 2),
            (vec![lines[1], lines[2], lines[3]], 1),
        ] {
            std::fs::write(&path, altered.join("\n") + "\n").unwrap();
            assert!(matches!(Contents::lock(&path), Err(LedgerError::Altered(line)) if line == at));
        }
        std::fs::write(&path, text.replace("2036", "2035")).unwrap();
        assert!(matches!(Contents::lock(&path), Err(LedgerError::Altered(2))));
        std::fs::remove_file(path).unwrap();
    }

    #[test]
    fn a_line_cut_off_by_a_crash_is_written_again() {
        let path = ledger("cut");
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, &text[..text.len() - 20]).unwrap();
        let mut contents = Contents::lock(&path).unwrap();
        assert_eq!(contents.entries, [entry(7), entry(8)]);
        contents.append(&[entry(9)]).unwrap();
        drop(contents);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        std::fs::remove_file(path).unwrap();
    }
}
