//! The system account that runs PostgreSQL, which refuses to run as root.
//!
//! Invariant: a server is never started with user id 0; as root it becomes the owner of the
//! existing cluster, else `postgres`, else `nobody`.

use std::ffi::{CStr, CString};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::{mem, ptr};

use super::error::ManagedError;

/// A system account, and whether child processes must switch to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Login name.
    pub name: String,
    /// User id, never 0.
    pub uid: u32,
    /// Primary group id.
    pub gid: u32,
    /// True when we are root and children have to drop to this account.
    pub switch: bool,
}

impl Account {
    /// Chooses the account for a cluster; `owner` is the user id that owns its existing data.
    ///
    /// # Errors
    /// [`ManagedError::NoAccount`] for root on a system without `postgres` and `nobody`;
    /// [`ManagedError::NamelessUser`] where the user id has no passwd entry.
    pub fn choose(owner: Option<u32>) -> Result<Self, ManagedError> {
        let uid = effective_uid();
        if uid != 0 {
            return by_uid(uid).ok_or(ManagedError::NamelessUser { uid });
        }
        let kept = owner.filter(|owner| *owner != 0).and_then(by_uid);
        kept.or_else(|| by_name("postgres"))
            .or_else(|| by_name("nobody"))
            .filter(|account| account.uid != 0)
            .map(|account| Self { switch: true, ..account })
            .ok_or(ManagedError::NoAccount)
    }

    /// Whether this account may pass through `folder` and everything above it.
    ///
    /// Judges permission bits only, so that access granted by an access control list counts as
    /// absent: the error is on the side that still works.
    pub fn reaches(&self, folder: &Path) -> bool {
        !self.switch
            || folder.ancestors().all(|step| {
                step.metadata().is_ok_and(|found| {
                    let needed = if found.uid() == self.uid {
                        0o100
                    } else if found.gid() == self.gid {
                        0o010
                    } else {
                        0o001
                    };
                    found.mode() & needed != 0
                })
            })
    }
}

/// The effective user id of this process.
pub fn effective_uid() -> u32 {
    // SAFETY: geteuid has no preconditions and cannot fail.
    unsafe { libc::geteuid() }
}

fn by_uid(uid: u32) -> Option<Account> {
    // SAFETY: the closure hands getpwuid_r exactly the live buffers it was given.
    look_up(|entry, buffer, length, found| unsafe {
        libc::getpwuid_r(uid, entry, buffer, length, found)
    })
}

fn by_name(name: &str) -> Option<Account> {
    let name = CString::new(name).ok()?;
    // SAFETY: as above; `name` is NUL-terminated and outlives the call.
    look_up(|entry, buffer, length, found| unsafe {
        libc::getpwnam_r(name.as_ptr(), entry, buffer, length, found)
    })
}

type Entry = *mut libc::passwd;

fn look_up(
    query: impl Fn(Entry, *mut libc::c_char, usize, *mut Entry) -> libc::c_int,
) -> Option<Account> {
    let mut buffer = vec![0; 1024];
    loop {
        // SAFETY: passwd consists of integers and pointers, for which zero is a valid value.
        let mut entry: libc::passwd = unsafe { mem::zeroed() };
        let mut found: Entry = ptr::null_mut();
        let code = query(&mut entry, buffer.as_mut_ptr(), buffer.len(), &mut found);
        if code == libc::ERANGE && buffer.len() < 1 << 20 {
            buffer.resize(buffer.len() * 2, 0);
            continue;
        }
        if code != 0 || found.is_null() {
            return None;
        }
        // SAFETY: on success pw_name points to a NUL-terminated string inside `buffer`.
        let name = unsafe { CStr::from_ptr(entry.pw_name) }.to_string_lossy().into_owned();
        return Some(Account { name, uid: entry.pw_uid, gid: entry.pw_gid, switch: false });
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn root_itself_never_runs_the_server() {
        let account = Account::choose(Some(0)).expect("this machine has an account to run as");
        assert_ne!(account.uid, 0);
        assert_eq!(account.switch, effective_uid() == 0);
    }

    #[test]
    fn an_unknown_name_has_no_account() {
        assert_eq!(by_name("no-such-account-here"), None);
    }

    #[test]
    fn a_closed_folder_is_out_of_reach_for_a_dropped_account() {
        let folder = std::env::temp_dir().join(format!("rollcall-reach-{}", std::process::id()));
        let inner = folder.join("inner");
        fs::create_dir_all(&inner).expect("the temporary folder is writable");
        let stranger =
            Account { name: "stranger".into(), uid: 4_000_001, gid: 4_000_001, switch: true };
        let set = |mode| fs::set_permissions(&folder, fs::Permissions::from_mode(mode));
        set(0o700).expect("own folder");
        let closed = stranger.reaches(&inner);
        set(0o711).expect("own folder");
        let open = stranger.reaches(&inner);
        fs::remove_dir_all(&folder).expect("own folder");
        assert_eq!((closed, open), (false, true));
    }
}
