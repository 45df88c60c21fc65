//! Which folder holds everything Rollcall keeps on disk.
//!
//! `ROLLCALL_DATA_DIR`, else `.rollcall` in the working folder. PostgreSQL does not run as root, so
//! for root the account it runs as must be able to get there; root's home is closed to it, and then
//! the folder is `/var/lib/rollcall/<hash of the path>`.
//!
//! Invariant: one configured path always leads to the same folder, so a restart finds its data.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Component, Path, PathBuf};

use super::account::Account;
use super::error::{ManagedError, io};
use super::layout::short_hash;

const STATE_FOLDER: &str = "/var/lib/rollcall";
const DEFAULT_NAME: &str = ".rollcall";

/// The data folder, existing and absolute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataFolder {
    /// Where the data is.
    pub path: PathBuf,
    /// Where it would have been, when root's choice was out of reach for PostgreSQL's account.
    pub moved_from: Option<PathBuf>,
}

impl DataFolder {
    /// Resolves and creates the data folder; says so in the log when it had to be moved.
    ///
    /// `configured` is `ROLLCALL_DATA_DIR`. Where the folder is moved and nothing stands at the
    /// configured path, a symbolic link is left there, so that what is in it is found both ways.
    ///
    /// # Errors
    /// [`ManagedError::Io`] when it cannot be created, [`ManagedError::NoAccount`] and
    /// [`ManagedError::NamelessUser`] as [`Account::choose`].
    pub fn resolve(configured: Option<&Path>, working: &Path) -> Result<Self, ManagedError> {
        Self::resolve_for(&Account::choose(None)?, configured, working, Path::new(STATE_FOLDER))
    }

    fn resolve_for(
        account: &Account,
        configured: Option<&Path>,
        working: &Path,
        state: &Path,
    ) -> Result<Self, ManagedError> {
        let wanted = normalised(&working.join(configured.unwrap_or(Path::new(DEFAULT_NAME))));
        let parent = existing_ancestor(&wanted);
        if account.reaches(parent) {
            open_for(account, &wanted)?;
            let path = wanted.canonicalize().map_err(io("resolving", &wanted))?;
            if account.reaches(&path) {
                return Ok(Self { path, moved_from: None });
            }
        }
        let path = state.join(short_hash(&wanted));
        open_for(account, state)?;
        open_for(account, &path)?;
        if wanted.symlink_metadata().is_err() && parent == wanted.parent().unwrap_or(parent) {
            symlink(&path, &wanted).map_err(io("linking", &wanted))?;
        }
        tracing::warn!(
            wanted = %wanted.display(),
            used = %path.display(),
            account = account.name,
            "the data folder lies elsewhere, because PostgreSQL's account cannot enter the wanted place"
        );
        Ok(Self { path, moved_from: Some(wanted) })
    }
}

/// Creates `folder`; as root others may pass through it, but not list it.
fn open_for(account: &Account, folder: &Path) -> Result<(), ManagedError> {
    let fresh = !folder.exists();
    fs::create_dir_all(folder).map_err(io("creating", folder))?;
    let mode = fs::metadata(folder).map_err(io("inspecting", folder))?.permissions().mode();
    let wanted = match (account.switch, fresh) {
        (true, true) => 0o711,
        (true, false) => mode | 0o001,
        (false, true) => 0o700,
        (false, false) => mode,
    };
    if mode & 0o7777 == wanted & 0o7777 {
        return Ok(());
    }
    fs::set_permissions(folder, Permissions::from_mode(wanted)).map_err(io("opening", folder))
}

fn existing_ancestor(path: &Path) -> &Path {
    path.ancestors().skip(1).find(|step| step.exists()).unwrap_or(Path::new("/"))
}

/// The path without `.` and `..`, so that one folder has one hash.
fn normalised(path: &Path) -> PathBuf {
    let mut clean = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                clean.pop();
            }
            Component::Prefix(_) | Component::RootDir | Component::Normal(_) => {
                clean.push(component);
            }
        }
    }
    clean
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;

    fn scratch(name: &str) -> PathBuf {
        let folder =
            std::env::temp_dir().join(format!("rollcall-folder-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("the temporary folder is writable");
        fs::set_permissions(&folder, Permissions::from_mode(0o755)).expect("own folder");
        folder.canonicalize().expect("it exists")
    }

    fn dropped() -> Account {
        Account { name: "stranger".into(), uid: 4_000_001, gid: 4_000_001, switch: true }
    }

    #[test]
    fn a_reachable_folder_is_used_where_it_is_and_lets_the_account_through() {
        let scratch = scratch("open");
        let found = DataFolder::resolve_for(&dropped(), None, &scratch, &scratch.join("state"));
        let mode = fs::metadata(scratch.join(".rollcall")).expect("created").mode() & 0o777;
        fs::remove_dir_all(&scratch).expect("own folder");
        let found = found.expect("reachable");
        assert_eq!((found.path, found.moved_from), (scratch.join(".rollcall"), None));
        assert_eq!(mode, 0o711);
    }

    #[test]
    fn a_folder_in_a_closed_home_moves_to_the_state_folder_and_stays_there() {
        let scratch = scratch("closed");
        let (home, state) = (scratch.join("home"), scratch.join("state"));
        fs::create_dir_all(&home).expect("own folder");
        fs::set_permissions(&home, Permissions::from_mode(0o700)).expect("own folder");
        let resolve = |configured: &str| {
            DataFolder::resolve_for(&dropped(), Some(Path::new(configured)), &home, &state)
        };
        let (first, again) = (resolve("data"), resolve("./other/../data"));
        let link = home.join("data").canonicalize().ok();
        fs::remove_dir_all(&scratch).expect("own folder");
        let (first, again) = (first.expect("moved"), again.expect("moved"));
        assert!(first.path.starts_with(&state), "{first:?}");
        assert_eq!(first.moved_from, Some(home.join("data")));
        assert_eq!(first, again);
        assert_eq!(link, Some(first.path));
    }
}
