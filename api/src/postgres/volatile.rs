//! The throw-away server that the tests of one process share.
//!
//! It lives in memory where `/dev/shm` has room, else in the temporary folder, and ends with the
//! process: at its exit, or by the parent-death signal when it is killed.
//!
//! Invariant: only folders of this kind are ever swept, and only when their process is gone and
//! nobody holds their lock.

use std::ffi::CString;
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::OnceLock;
use std::{env, mem, process};

use sqlx::postgres::PgConnectOptions;

use super::error::ManagedError;
use super::layout::Layout;
use super::managed::{ManagedPostgres, Profile};

const PREFIX: &str = "rollcall-volatile-";
const MEMORY: &str = "/dev/shm";
/// A cluster, its log and the clones of a test run; a container's usual 64 MB are too few.
const ROOM_NEEDED: u128 = 1 << 30;

static SHARED: OnceLock<ManagedPostgres> = OnceLock::new();

/// The server of this test process, started at the first call.
///
/// # Panics
/// When it cannot be started: no test of this process could run.
pub fn shared() -> &'static ManagedPostgres {
    SHARED.get_or_init(|| start().unwrap_or_else(|error| panic!("no server for tests: {error}")))
}

/// Options for `database` on the server that tests use: the one `TEST_DATABASE_URL` names, else
/// [`shared`].
///
/// # Panics
/// As [`shared`], and when `TEST_DATABASE_URL` is not a PostgreSQL URL.
pub fn connect_options(database: &str) -> PgConnectOptions {
    match env::var("TEST_DATABASE_URL") {
        Ok(url) => PgConnectOptions::from_str(&url)
            .unwrap_or_else(|_| panic!("TEST_DATABASE_URL is not a PostgreSQL URL"))
            .database(database),
        Err(_) => shared().connect_options(database),
    }
}

/// A folder for a throw-away cluster: in memory where there is room, else the temporary folder.
pub fn parent_folder() -> PathBuf {
    let memory = Path::new(MEMORY);
    if room_in(memory) >= ROOM_NEEDED { memory.to_path_buf() } else { env::temp_dir() }
}

fn start() -> Result<ManagedPostgres, ManagedError> {
    let parent = parent_folder();
    sweep(&parent);
    let folder = parent.join(format!("{PREFIX}{}", process::id()));
    let server = ManagedPostgres::start_on_own_thread(&folder, Profile::Volatile)?;
    // SAFETY: `clean_up` takes no arguments and outlives the process.
    unsafe { libc::atexit(clean_up) };
    Ok(server)
}

/// Statics are never dropped, so the server is ended and its folder removed here.
extern "C" fn clean_up() {
    if let Some(server) = SHARED.get()
        && server.halt().is_ok()
    {
        // Best effort: what stays behind is swept by the next start.
        let _ = fs::remove_dir_all(server.root());
    }
}

/// Removes what processes that are gone have left behind.
fn sweep(parent: &Path) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let owner = name.to_str().and_then(|name| name.strip_prefix(PREFIX)?.parse().ok());
        if owner.is_some_and(|owner| is_gone(owner) && is_unlocked(&entry.path())) {
            // Best effort: another user's folder cannot be removed, and need not be.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

fn is_gone(pid: libc::pid_t) -> bool {
    // SAFETY: signal 0 only asks whether the process exists.
    let answer = unsafe { libc::kill(pid, 0) };
    answer == -1 && std::io::Error::last_os_error().raw_os_error() == Some(libc::ESRCH)
}

fn is_unlocked(folder: &Path) -> bool {
    File::open(Layout::under(folder).lock).is_ok_and(|lock| lock.try_lock().is_ok())
}

/// Bytes free for us on the file system of `folder`; 0 where that cannot be said.
fn room_in(folder: &Path) -> u128 {
    let Ok(path) = CString::new(folder.as_os_str().as_bytes()) else { return 0 };
    // SAFETY: statvfs consists of integers, for which zero is a valid value; `path` is
    // NUL-terminated and both outlive the call.
    let (code, found) = unsafe {
        let mut found: libc::statvfs = mem::zeroed();
        (libc::statvfs(path.as_ptr(), &mut found), found)
    };
    // Wider than the fields are on any system.
    if code == 0 { u128::from(found.f_bavail) * u128::from(found.f_frsize) } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_folders_of_processes_that_are_gone_are_swept() {
        let parent = env::temp_dir().join(format!("rollcall-sweep-{}", process::id()));
        let folder = |name: &str| parent.join(name);
        // Above the largest process id that Linux gives out.
        let gone = folder(&format!("{PREFIX}4194305"));
        let alive = folder(&format!("{PREFIX}{}", process::id()));
        let other = folder("letters");
        for kept in [&gone, &alive, &other] {
            fs::create_dir_all(kept).expect("the temporary folder is writable");
            fs::write(Layout::under(kept).lock, "").expect("own folder");
        }
        let held = File::open(Layout::under(&gone).lock).expect("just written");
        held.lock().expect("nobody else holds it");
        sweep(&parent);
        let while_locked = gone.exists();
        drop(held);
        sweep(&parent);
        let left = [gone.exists(), alive.exists(), other.exists()];
        fs::remove_dir_all(&parent).expect("own folder");
        assert!(while_locked);
        assert_eq!(left, [false, true, true]);
    }
}
