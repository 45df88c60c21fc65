//! The files of one managed cluster under the data folder.
//!
//! `postgres/` belongs to the account that runs the server and holds `data`, `data.tmp` and the
//! socket folder `run`; the lock file and the log stay with us, outside that account's reach.
//!
//! Invariant: the socket's path fits the system's limit, and only that account and we can open it.

use std::fs::{self, DirBuilder, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::{env, io::ErrorKind};

use rollcall_domain::hex;
use sha2::{Digest, Sha256};

use super::account::Account;
use super::error::{ManagedError, io};

/// Port number that names the socket file; nothing listens on it.
pub const PORT: u16 = 5432;

/// `sun_path` without its terminating NUL.
const SOCKET_PATH_LIMIT: usize = if cfg!(target_os = "linux") { 107 } else { 103 };

/// Paths of one managed cluster.
#[derive(Debug, Clone)]
pub struct Layout {
    /// The data folder.
    pub root: PathBuf,
    /// Folder that belongs to the account running the server.
    pub home: PathBuf,
    /// The cluster.
    pub data: PathBuf,
    /// Where `initdb` works until the cluster is complete.
    pub fresh: PathBuf,
    /// Folder of the unix socket.
    pub sockets: PathBuf,
    /// What the server writes to standard error.
    pub log: PathBuf,
    /// Held locked while a server is managed here.
    pub lock: PathBuf,
}

impl Layout {
    /// The layout under `root`, which must be absolute.
    pub fn under(root: &Path) -> Self {
        let home = root.join("postgres");
        Self {
            data: home.join("data"),
            fresh: home.join("data.tmp"),
            sockets: home.join("run"),
            log: root.join("postgres.log"),
            lock: root.join("rollcall.lock"),
            root: root.to_path_buf(),
            home,
        }
    }

    /// Creates the account's folders and settles where the socket goes.
    ///
    /// # Errors
    /// [`ManagedError::OutOfReach`] when the account cannot enter the data folder, and
    /// [`ManagedError::Io`].
    pub fn prepare(&mut self, account: &Account) -> Result<(), ManagedError> {
        if !account.reaches(&self.root) {
            return Err(ManagedError::OutOfReach {
                account: account.name.clone(),
                path: self.root.clone(),
            });
        }
        own_folder(&self.home, account)?;
        if !fits(&self.sockets) {
            self.sockets =
                short_folder(account).join(format!("rollcall-{}", short_hash(&self.home)));
        }
        own_folder(&self.sockets, account)
    }

    /// `postmaster.pid` of the cluster.
    pub fn pid_file(&self) -> PathBuf {
        self.data.join("postmaster.pid")
    }
}

/// The first 16 hexadecimal digits of the SHA-256 of a path.
pub(super) fn short_hash(path: &Path) -> String {
    hex(&Sha256::digest(path.as_os_str().as_bytes())[..8])
}

fn fits(sockets: &Path) -> bool {
    let socket = sockets.join(format!(".s.PGSQL.{PORT}"));
    socket.as_os_str().as_bytes().len() <= SOCKET_PATH_LIMIT
}

/// A short folder for sockets: the session's runtime folder, else the temporary folder.
fn short_folder(account: &Account) -> PathBuf {
    env::var_os("XDG_RUNTIME_DIR")
        .map(PathBuf::from)
        .filter(|folder| folder.is_dir() && account.reaches(folder) && !account.switch)
        .unwrap_or_else(|| PathBuf::from("/tmp"))
}

/// Makes `folder` a directory of `account` with mode 0700. One that is there already must be a real
/// directory of that account: in a shared temporary folder another user may have put it there.
fn own_folder(folder: &Path, account: &Account) -> Result<(), ManagedError> {
    match DirBuilder::new().mode(0o700).create(folder) {
        Ok(()) if account.switch => {
            chown(folder, Some(account.uid), Some(account.gid)).map_err(io("handing over", folder))
        }
        Ok(()) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            let found = fs::symlink_metadata(folder).map_err(io("inspecting", folder))?;
            if !found.is_dir() || found.uid() != account.uid {
                return Err(ManagedError::ForeignOwner {
                    data: folder.to_path_buf(),
                    owner: found.uid(),
                    uid: account.uid,
                });
            }
            fs::set_permissions(folder, Permissions::from_mode(0o700))
                .map_err(io("closing", folder))
        }
        Err(error) => Err(io("creating", folder)(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_path_of_exactly_the_limit_fits_and_one_byte_more_does_not() {
        let socket_name = "/.s.PGSQL.5432".len();
        let folder = |length: usize| PathBuf::from(format!("/{}", "a".repeat(length - 1)));
        assert!(fits(&folder(SOCKET_PATH_LIMIT - socket_name)));
        assert!(!fits(&folder(SOCKET_PATH_LIMIT - socket_name + 1)));
    }
}
