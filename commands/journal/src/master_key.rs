//! The master key: 32 bytes outside the database, from which every other key is derived or under
//! which it is wrapped. Losing it loses all personal data and secrets; it is never replaced
//! silently.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::Path,
};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::crypto::{self, Key};

/// The service's master key. Wiped from memory when dropped; never printed.
#[derive(Clone)]
pub struct MasterKey(Key);

impl MasterKey {
    /// A key given by configuration.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// Reads the key file, or makes one (mode 0600, durable before it is used). When several
    /// processes start at once, all get the same key.
    ///
    /// # Errors
    /// `PermissionDenied` if others may read the file, `InvalidData` if it holds no key: an
    /// unreadable key is never replaced.
    pub fn load_or_create(path: &Path) -> io::Result<Self> {
        match Self::load(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Self::create(path),
            loaded => loaded,
        }
    }

    pub(crate) fn derive(&self, purpose: &str) -> Key {
        crypto::derive(&self.0, &[purpose.as_bytes()])
    }

    fn load(path: &Path) -> io::Result<Self> {
        let text = Zeroizing::new(fs::read_to_string(path)?);
        let mode = fs::metadata(path)?.permissions().mode();
        if mode & 0o077 != 0 {
            return Err(complaint(path, io::ErrorKind::PermissionDenied, "must have mode 0600"));
        }
        let mut key = Key::default();
        match BASE64_URL_SAFE_NO_PAD.decode_slice(text.trim_end(), key.as_mut_slice()) {
            Ok(32) => Ok(Self(key)),
            Ok(_) | Err(_) => {
                Err(complaint(path, io::ErrorKind::InvalidData, "is not 32 bytes in base64url"))
            }
        }
    }

    fn create(path: &Path) -> io::Result<Self> {
        let text = Zeroizing::new(BASE64_URL_SAFE_NO_PAD.encode(*crypto::random_key()) + "\n");
        let draft = path.with_extension(format!("{}.tmp", Uuid::now_v7()));
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        // A hard link, unlike a rename, never replaces the key that another process made meanwhile.
        let linked = fs::hard_link(&draft, path);
        fs::remove_file(&draft)?;
        match linked {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            Ok(()) | Err(_) => {}
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
        Self::load(path)
    }
}

fn complaint(path: &Path, kind: io::ErrorKind, what: &str) -> io::Error {
    io::Error::new(kind, format!("the master key file {} {what}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scratch() -> std::path::PathBuf {
        let folder = std::env::temp_dir().join(format!("rollcall-key-{}", Uuid::new_v4()));
        fs::create_dir(&folder).unwrap();
        folder
    }

    #[test]
    fn is_made_once_and_read_back_after() {
        let folder = scratch();
        let path = folder.join("master.key");
        let made = MasterKey::load_or_create(&path).unwrap();
        let read = MasterKey::load_or_create(&path).unwrap();
        assert_eq!(*made.0, *read.0);
        assert_ne!(*made.0, [0; 32]);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "no draft is left behind");
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn all_who_start_at_once_get_the_same_key() {
        let folder = scratch();
        let path = folder.join("master.key");
        let keys: Vec<_> = std::thread::scope(|scope| {
            let starts: Vec<_> =
                (0..8).map(|_| scope.spawn(|| MasterKey::load_or_create(&path).unwrap())).collect();
            starts.into_iter().map(|start| start.join().unwrap()).collect()
        });
        assert!(keys.iter().all(|key| *key.0 == *keys[0].0));
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_damaged_or_exposed_file_is_refused_and_kept() {
        let folder = scratch();
        let path = folder.join("master.key");
        MasterKey::load_or_create(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let exposed = MasterKey::load_or_create(&path).err().unwrap();
        assert_eq!(exposed.kind(), io::ErrorKind::PermissionDenied);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&path, "short\n").unwrap();
        let damaged = MasterKey::load_or_create(&path).err().unwrap();
        assert_eq!(damaged.kind(), io::ErrorKind::InvalidData);
        assert_eq!(fs::read_to_string(&path).unwrap(), "short\n");
        fs::remove_dir_all(folder).unwrap();
    }
}
