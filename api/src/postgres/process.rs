//! Starts, watches and stops the server process.
//!
//! The server is `postgres` itself, in a process group of its own (so that Ctrl-C reaches only us)
//! and bound to us by the parent-death signal: when we are killed, it shuts down by itself.
//!
//! Invariant: `postmaster.pid` is PostgreSQL's; it is read here and never removed.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};
use std::{env, io as std_io, process};

use super::account::Account;
use super::discovery::Installation;
use super::error::{ManagedError, io};
use super::layout::{Layout, PORT};
use super::managed::Profile;

const ATTEMPTS: u32 = 10;
const READY_WITHIN: Duration = Duration::from_secs(600);
const FAST_STOP_WITHIN: Duration = Duration::from_secs(30);
const IMMEDIATE_STOP_WITHIN: Duration = Duration::from_secs(10);
const LOG_LIMIT: u64 = 16 << 20;

/// A command that runs as `account` and gets `death_signal` when the calling *thread* ends.
pub(super) fn command(program: &Path, account: &Account, death_signal: libc::c_int) -> Command {
    let mut command = Command::new(program);
    command.stdin(Stdio::null()).process_group(0);
    for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("PG")) {
        command.env_remove(name);
    }
    if account.switch {
        command.uid(account.uid).gid(account.gid);
    }
    let parent = process::id();
    // SAFETY: between fork and exec only async-signal-safe system calls are made. It runs after the
    // change of user, which would have cleared the parent-death signal.
    unsafe { command.pre_exec(move || die_with_parent(death_signal, parent)) };
    command
}

#[cfg(target_os = "linux")]
fn die_with_parent(signal: libc::c_int, parent: u32) -> std_io::Result<()> {
    // SAFETY: prctl and getppid are plain system calls on integers.
    unsafe {
        if libc::prctl(libc::PR_SET_PDEATHSIG, signal) == -1 {
            return Err(std_io::Error::last_os_error());
        }
        if u32::try_from(libc::getppid()) != Ok(parent) {
            return Err(std_io::Error::from_raw_os_error(libc::ESRCH));
        }
    }
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn die_with_parent(_signal: libc::c_int, _parent: u32) -> std_io::Result<()> {
    Ok(())
}

/// Starts the server and waits until it accepts connections.
///
/// An earlier server may still be going down after we were killed, so a standing lock file is
/// tried again, ten times with back-off.
pub(super) fn start(
    layout: &Layout,
    installation: &Installation,
    account: &Account,
    profile: Profile,
) -> Result<Child, ManagedError> {
    let mut pause = Duration::from_millis(100);
    for _ in 0..ATTEMPTS {
        let (log, begin) = open_log(&layout.log)?;
        let mut child = spawn(layout, installation, account, profile, log)?;
        match wait_until_ready(&mut child, layout) {
            Err(error) => {
                stop(&mut child, layout, profile)?;
                return Err(error);
            }
            Ok(Outcome::Ready) => return Ok(child),
            Ok(Outcome::Ended(status)) => {
                let tail = read_from(&layout.log, begin);
                if !is_lock_conflict(&tail) {
                    let log = layout.log.clone();
                    return Err(ManagedError::EndedEarly { status, log, tail: last_lines(&tail) });
                }
            }
        }
        tracing::info!("an earlier PostgreSQL is still going down; waiting for it");
        sleep(pause);
        pause = (pause * 2).min(Duration::from_secs(5));
    }
    Err(ManagedError::StillLocked { pid_file: layout.pid_file(), attempts: ATTEMPTS })
}

/// Stops the server: fast, and at once where that takes longer than 30 s. A volatile server, whose
/// data nobody keeps, is stopped at once.
pub(super) fn stop(
    child: &mut Child,
    layout: &Layout,
    profile: Profile,
) -> Result<(), ManagedError> {
    let steps: &[(libc::c_int, Duration)] = match profile {
        Profile::Durable => {
            &[(libc::SIGINT, FAST_STOP_WITHIN), (libc::SIGQUIT, IMMEDIATE_STOP_WITHIN)]
        }
        Profile::Volatile => &[(libc::SIGQUIT, IMMEDIATE_STOP_WITHIN)],
    };
    for (signal, within) in steps {
        if has_ended(child, layout)? {
            return Ok(());
        }
        let pid = libc::pid_t::try_from(child.id()).expect("process ids fit pid_t");
        // SAFETY: the child was not reaped yet (`has_ended` said so), so the id is still its own.
        unsafe { libc::kill(pid, *signal) };
        let deadline = Instant::now() + *within;
        while Instant::now() < deadline {
            if has_ended(child, layout)? {
                return Ok(());
            }
            sleep(Duration::from_millis(5));
        }
    }
    Err(ManagedError::NotStopped { pid: child.id(), log: layout.log.clone() })
}

fn has_ended(child: &mut Child, layout: &Layout) -> Result<bool, ManagedError> {
    let status = child.try_wait().map_err(io("waiting for the server on", &layout.data))?;
    Ok(status.is_some())
}

fn spawn(
    layout: &Layout,
    installation: &Installation,
    account: &Account,
    profile: Profile,
    log: File,
) -> Result<Child, ManagedError> {
    let program = installation.bin.join("postgres");
    let copy = log.try_clone().map_err(io("opening", &layout.log))?;
    // Quoted, because the setting is a comma-separated list.
    let sockets = layout.sockets.to_string_lossy().replace('"', "\"\"");
    command(&program, account, libc::SIGINT)
        .current_dir(&layout.home)
        .stdout(copy)
        .stderr(log)
        .arg("-D")
        .arg(&layout.data)
        .args(["-c", "listen_addresses=", "-c", "unix_socket_permissions=0700"])
        .args(["-c", &format!("unix_socket_directories=\"{sockets}\"")])
        .args(["-c", &format!("port={PORT}")])
        .args(profile.settings().iter().flat_map(|setting| ["-c", setting]))
        .spawn()
        .map_err(io("running", &program))
}

enum Outcome {
    Ready,
    Ended(String),
}

fn wait_until_ready(child: &mut Child, layout: &Layout) -> Result<Outcome, ManagedError> {
    let deadline = Instant::now() + READY_WITHIN;
    while Instant::now() < deadline {
        let ended = child.try_wait().map_err(io("waiting for the server on", &layout.data))?;
        if let Some(status) = ended {
            return Ok(Outcome::Ended(status.to_string()));
        }
        if reports_ready(&layout.pid_file(), child.id()) {
            return Ok(Outcome::Ready);
        }
        sleep(Duration::from_millis(5));
    }
    Err(ManagedError::NotReady { seconds: READY_WITHIN.as_secs(), log: layout.log.clone() })
}

/// Line 1 of `postmaster.pid` is the server's process id, line 8 its state.
fn reports_ready(pid_file: &Path, pid: u32) -> bool {
    fs::read_to_string(pid_file).is_ok_and(|text| {
        let mut lines = text.lines().map(str::trim);
        lines.next() == Some(&pid.to_string()) && lines.nth(6) == Some("ready")
    })
}

fn is_lock_conflict(log: &str) -> bool {
    (log.contains("lock file \"") && log.contains("already exists"))
        || log.contains("pre-existing shared memory block")
}

/// Opens the log for appending and says where this start's lines begin; a long one is set aside.
fn open_log(path: &Path) -> Result<(File, u64), ManagedError> {
    if path.metadata().is_ok_and(|found| found.len() > LOG_LIMIT) {
        fs::rename(path, path.with_extension("log.1")).map_err(io("setting aside", path))?;
    }
    let mut log = OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)
        .map_err(io("opening", path))?;
    let begin = log.seek(SeekFrom::End(0)).map_err(io("reading", path))?;
    Ok((log, begin))
}

fn read_from(path: &Path, begin: u64) -> String {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|mut log| {
        log.seek(SeekFrom::Start(begin))?;
        log.read_to_end(&mut bytes)
    });
    match read {
        Ok(_) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) => format!("(the log cannot be read: {error})"),
    }
}

fn last_lines(text: &str) -> String {
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(12)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_standing_lock_is_worth_another_attempt() {
        assert!(is_lock_conflict("FATAL:  lock file \"postmaster.pid\" already exists\nHINT: …"));
        assert!(is_lock_conflict("FATAL:  pre-existing shared memory block (key 1, ID 2) is …"));
        assert!(!is_lock_conflict("FATAL:  could not map anonymous shared memory"));
    }

    #[test]
    fn readiness_counts_only_for_the_process_we_started() {
        let file = env::temp_dir().join(format!("rollcall-pid-{}", process::id()));
        let lines = "4711\n/data\n1700000000\n5432\n/run\n\n  1  2\nready   \n";
        fs::write(&file, lines).expect("the temporary folder is writable");
        let answers = (reports_ready(&file, 4711), reports_ready(&file, 4712));
        fs::write(&file, lines.replace("ready", "starting")).expect("own file");
        let starting = reports_ready(&file, 4711);
        fs::remove_file(&file).expect("own file");
        assert_eq!((answers, starting), ((true, false), false));
    }
}
