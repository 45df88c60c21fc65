//! The server the tests run on: `TEST_DATABASE_URL` (a superuser's), or a throw-away PostgreSQL in
//! memory that ends with the test process.

use std::{
    fs,
    os::unix::{fs::chown, process::CommandExt},
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
    time::Duration,
};

use rollcall_journal::schema;
use sqlx::{Connection, Executor, PgConnection, postgres::PgConnectOptions};
use tokio::sync::{Mutex, OnceCell};

/// Migrates and owns the tables; may create roles and databases, but is no superuser.
pub const OWNER: &str = "rollcall_test_owner";

pub struct Server {
    template: String,
    /// Cloning a template tolerates nobody else doing so.
    cloning: Mutex<()>,
}

/// The server, started and with its template migrated by the first test that asks.
pub async fn get() -> &'static Server {
    static SERVER: OnceCell<Server> = OnceCell::const_new();
    SERVER.get_or_init(Server::prepare).await
}

/// How to connect as superuser.
pub fn options() -> PgConnectOptions {
    static OPTIONS: OnceLock<PgConnectOptions> = OnceLock::new();
    let start = || match std::env::var("TEST_DATABASE_URL") {
        Ok(url) => url.parse().expect("TEST_DATABASE_URL is a connection URL"),
        Err(_) => start(),
    };
    OPTIONS.get_or_init(start).clone()
}

impl Server {
    async fn prepare() -> Self {
        let template = format!("template_{}", std::process::id());
        let mut connection = connect().await;
        let create = format!(
            "DO $$ BEGIN CREATE ROLE {OWNER} LOGIN CREATEROLE CREATEDB;
             EXCEPTION WHEN duplicate_object THEN NULL; END $$"
        );
        connection.execute(create.as_str()).await.unwrap();
        let create = format!("CREATE DATABASE {template} OWNER {OWNER}");
        connection.execute(create.as_str()).await.unwrap();
        schema::migrate(&options().database(&template).username(OWNER)).await.unwrap();
        Self { template, cloning: Mutex::default() }
    }

    pub async fn clone_template(&self, name: &str) {
        let _turn = self.cloning.lock().await;
        let create = format!("CREATE DATABASE {name} TEMPLATE {} OWNER {OWNER}", self.template);
        connect().await.execute(create.as_str()).await.unwrap();
    }
}

async fn connect() -> PgConnection {
    let mut last = None;
    for _ in 0..100 {
        match PgConnection::connect_with(&options()).await {
            Ok(connection) => return connection,
            Err(error) => last = Some(error),
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("PostgreSQL does not start: {last:?}");
}

fn start() -> PgConnectOptions {
    let shm = Path::new("/dev/shm");
    let base = if shm.is_dir() { shm.to_owned() } else { std::env::temp_dir() };
    sweep(&base);
    let folder = base.join(format!("{PREFIX}{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let user = unprivileged();
    if let Some((uid, gid)) = user {
        chown(&folder, Some(uid), Some(gid)).unwrap();
    }
    let bin = binaries();
    let data = folder.join("data");
    let mut initdb = command(&bin.join("initdb"), user);
    initdb.args(["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]);
    let output = initdb.arg("-D").arg(&data).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));

    let mut postgres = command(&bin.join("postgres"), user);
    postgres.arg("-D").arg(&data).arg("-k").arg(&folder);
    for setting in ["listen_addresses=", "fsync=off", "max_connections=200", "full_page_writes=off"]
    {
        postgres.arg("-c").arg(setting);
    }
    let log = fs::File::create(folder.join("log")).unwrap();
    postgres.process_group(0).stderr(log);
    // The signal comes when the thread that started the server ends: one that never does.
    std::thread::spawn(move || {
        // SAFETY: prctl is async-signal-safe and touches nothing of this process.
        unsafe {
            postgres.pre_exec(|| match libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGQUIT) {
                0 => Ok(()),
                _ => Err(std::io::Error::last_os_error()),
            });
        }
        let status = postgres.spawn().unwrap().wait();
        eprintln!("PostgreSQL ended: {status:?}");
        std::thread::park();
    });
    PgConnectOptions::new().socket(&folder).username("postgres").database("postgres")
}

const PREFIX: &str = "rollcall-journal-test-";

/// Removes what earlier test processes have left.
fn sweep(base: &Path) {
    for entry in fs::read_dir(base).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let pid = name.to_str().and_then(|name| name.strip_prefix(PREFIX));
        if pid.is_some_and(|pid| !Path::new("/proc").join(pid).exists()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// PostgreSQL refuses to run as root: then it runs as its own user.
fn unprivileged() -> Option<(u32, u32)> {
    // SAFETY: geteuid has no preconditions.
    if unsafe { libc::geteuid() } != 0 {
        return None;
    }
    let passwd = fs::read_to_string("/etc/passwd").unwrap();
    let line = passwd.lines().find(|line| line.starts_with("postgres:"));
    let fields: Vec<_> = line.expect("a user postgres, when run as root").split(':').collect();
    Some((fields[2].parse().unwrap(), fields[3].parse().unwrap()))
}

fn command(program: &Path, user: Option<(u32, u32)>) -> Command {
    let mut command = Command::new(program);
    if let Some((uid, gid)) = user {
        command.uid(uid).gid(gid).current_dir("/");
    }
    command
}

fn binaries() -> PathBuf {
    if let Ok(folder) = std::env::var("ROLLCALL_PG_BIN") {
        return folder.into();
    }
    let installed = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = installed
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
        .max()
        .map(|major| format!("/usr/lib/postgresql/{major}/bin"));
    newest.expect("an installed PostgreSQL, or ROLLCALL_PG_BIN").into()
}
