//! A data folder, the PostgreSQL that a service runs in it, and where that service answers.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
    thread::sleep,
    time::{Duration, Instant},
};

use rollcall_api::postgres::{attach, layout::Layout};
use rollcall_journal::MasterKey;
use sqlx::postgres::PgConnectOptions;
use tokio::sync::watch;

/// A data folder of its own, removed when dropped unless a test failed in it.
pub struct Ground {
    folder: PathBuf,
    address: watch::Sender<SocketAddr>,
}

impl Ground {
    pub fn prepare() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let nth = NEXT.fetch_add(1, Ordering::Relaxed);
        let folder = format!("rollcall-kill-{}-{nth}", std::process::id());
        let folder = std::env::temp_dir().join(folder);
        fs::create_dir_all(&folder).expect("the temporary folder is writable");
        Self { folder, address: watch::Sender::new(SocketAddr::from(([127, 0, 0, 1], 0))) }
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where the service answers. Each start takes another port: a client that keeps connecting to
    /// one that nobody listens on ends up connected to itself and occupies it.
    pub fn address(&self) -> watch::Receiver<SocketAddr> {
        self.address.subscribe()
    }

    pub fn moved_to(&self, address: SocketAddr) {
        self.address.send_replace(address);
    }

    /// Kills the server's first process; the others notice and end.
    pub fn kill_postgres(&self) {
        let pid_file = Layout::under(&self.folder).pid_file();
        let text = fs::read_to_string(&pid_file).expect("a server runs here");
        let pid = text.lines().next().expect("a process id").trim().parse().expect("a process id");
        // SAFETY: a plain system call; the file names the server that this test started.
        assert_eq!(unsafe { libc::kill(pid, libc::SIGKILL) }, 0, "the server was running");
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("left for inspection: {}", self.folder.display());
        } else if let Err(error) = fs::remove_dir_all(&self.folder) {
            eprintln!("{} stays behind: {error}", self.folder.display());
        }
    }
}

/// How to reach the service's database, once there is one.
pub fn database(folder: &Path) -> PgConnectOptions {
    let reached = || attach::running(folder, "rollcall");
    within(Duration::from_secs(60), "the server is ready", reached)
}

pub fn master_key(folder: &Path) -> MasterKey {
    MasterKey::load_or_create(&folder.join("master.key")).expect("the key is readable")
}

/// Asks again and again.
///
/// # Panics
/// When the time is up.
pub fn within<T>(time: Duration, what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(begun.elapsed() < time, "not within {time:?}: {what}");
        sleep(Duration::from_millis(20));
    }
}

/// Waits until nothing is left.
///
/// # Panics
/// When what is left stays the same for a minute.
pub fn finished(what: &str, mut left: impl FnMut() -> i64) {
    let mut now = left();
    while now > 0 {
        let before = now;
        now = within(Duration::from_secs(60), &format!("a change in {before} {what}"), || {
            Some(left()).filter(|&now| now != before)
        });
    }
}
