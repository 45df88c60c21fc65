//! Creates a cluster with `initdb`, once.
//!
//! Invariant: `data` is either absent or complete. `initdb` works in `data.tmp`, which is renamed
//! when it has succeeded; what an interrupted first run left there is discarded.

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::account::Account;
use super::discovery::Installation;
use super::error::{ManagedError, io};
use super::layout::Layout;
use super::managed::Profile;
use super::process::command;

/// The cluster's superuser.
pub const SUPERUSER: &str = "rollcall";

/// Major version of the cluster in `data`; `None` where there is none yet.
///
/// # Errors
/// [`ManagedError::NotACluster`] when `data` holds something else.
pub fn major_of(data: &Path) -> Result<Option<String>, ManagedError> {
    let file = data.join("PG_VERSION");
    if file.is_file() {
        let text = fs::read_to_string(&file).map_err(io("reading", &file))?;
        return Ok(Some(text.trim().to_owned()));
    }
    let occupied = match fs::read_dir(data) {
        Ok(mut entries) => entries.next().is_some(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => false,
        Err(error) => return Err(io("reading", data)(error)),
    };
    if occupied { Err(ManagedError::NotACluster { data: data.to_path_buf() }) } else { Ok(None) }
}

/// User id of the existing cluster's owner.
pub fn owner_of(data: &Path) -> Option<u32> {
    data.metadata().ok().map(|found| found.uid())
}

/// Creates the cluster in `layout.data`.
pub(super) fn create(
    layout: &Layout,
    installation: &Installation,
    account: &Account,
    profile: Profile,
) -> Result<(), ManagedError> {
    let fresh = &layout.fresh;
    if fresh.exists() {
        tracing::warn!(folder = %fresh.display(), "discarding what an interrupted first start left");
        fs::remove_dir_all(fresh).map_err(io("removing", fresh))?;
    }
    let mut initdb = command(&installation.bin.join("initdb"), account, libc::SIGTERM);
    initdb
        .current_dir(&layout.home)
        .arg("-D")
        .arg(fresh)
        .args(["-U", SUPERUSER, "--auth-local=trust", "--auth-host=reject", "-E", "UTF8"])
        .args(locale())
        .arg("--no-instructions");
    match profile {
        Profile::Durable => initdb.arg("--data-checksums"),
        Profile::Volatile => initdb.arg("--no-sync"),
    };
    let done = initdb.output().map_err(io("running", &installation.bin.join("initdb")))?;
    if !done.status.success() {
        let output = [done.stdout, done.stderr].concat();
        return Err(ManagedError::Initdb {
            status: done.status.to_string(),
            output: String::from_utf8_lossy(&output).into_owned(),
        });
    }
    fs::rename(fresh, &layout.data).map_err(io("renaming", fresh))?;
    let home = File::open(&layout.home).map_err(io("opening", &layout.home))?;
    home.sync_all().map_err(io("syncing", &layout.home))
}

/// The same in both profiles, so that tests sort and compare text as the service does. macOS has no
/// `C.UTF-8`.
fn locale() -> &'static [&'static str] {
    if cfg!(target_os = "macos") {
        &["--locale=C", "--lc-ctype=en_US.UTF-8"]
    } else {
        &["--locale=C.UTF-8"]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_with_other_files_is_not_taken_for_an_empty_place() {
        let folder = std::env::temp_dir().join(format!("rollcall-cluster-{}", std::process::id()));
        assert_eq!(major_of(&folder).expect("absent"), None);
        fs::create_dir_all(&folder).expect("the temporary folder is writable");
        assert_eq!(major_of(&folder).expect("empty"), None);
        fs::write(folder.join("letters.txt"), "mine").expect("own folder");
        let refused = major_of(&folder);
        fs::write(folder.join("PG_VERSION"), "16\n").expect("own folder");
        let version = major_of(&folder);
        fs::remove_dir_all(&folder).expect("own folder");
        assert!(matches!(refused, Err(ManagedError::NotACluster { .. })), "{refused:?}");
        assert_eq!(version.expect("a cluster").as_deref(), Some("16"));
    }
}
