//! The limit of single-row inserts: `pgbench` with prepared statements, autocommit, no load, no
//! decision, into a table with the log's unique indexes.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::LazyLock,
    time::Duration,
};

use async_trait::async_trait;
use rollcall_domain::kernel::ids::{OrganizationId, UserId};
use sqlx::{
    PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use tokio::process::Command;
use uuid::Uuid;

use super::{
    clients::{COMMANDS_PER_STREAM, Load, Measured, Sent, Variant, drive},
    ground::Ground,
    register::RegisterEvent,
};

const TABLE: &str = "
    CREATE TABLE events (
      position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      tenant_id uuid NOT NULL,
      tenant_position bigint GENERATED ALWAYS AS IDENTITY,
      aggregate_type text NOT NULL, aggregate_id text NOT NULL, sequence bigint NOT NULL,
      event_id uuid NOT NULL, event_type text NOT NULL, event_version text NOT NULL,
      payload json NOT NULL, metadata json NOT NULL,
      recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      UNIQUE (aggregate_type, aggregate_id, sequence), UNIQUE (tenant_id, tenant_position))";
/// The server takes 100 connections, and the other variants keep theirs.
const MOST_CONNECTIONS: usize = 64;
/// Share of the transactions whose latency is logged.
const SAMPLED: f64 = 0.25;

/// `pgbench` itself or, where the server came without it, a loop that does the same.
pub enum Pgbench {
    Program { program: PathBuf, options: Box<PgConnectOptions>, folder: PathBuf },
    Loop(PgPool),
}

impl Pgbench {
    pub async fn prepare(ground: &Ground) -> Self {
        let options = ground.database("pgbench", TABLE).await;
        let Some(program) = ground.tool("pgbench") else {
            let pool = PgPoolOptions::new()
                .max_connections(MOST_CONNECTIONS as u32)
                .test_before_acquire(false)
                .connect_with(options);
            return Self::Loop(pool.await.expect("the server answers"));
        };
        let folder = ground.folder().join("pgbench");
        fs::create_dir(&folder).expect("the folder is ours");
        fs::write(folder.join("insert.sql"), script()).expect("the folder is ours");
        Self::Program { program, options: Box::new(options), folder }
    }
}

#[async_trait]
impl Variant for Pgbench {
    fn name(&self) -> &'static str {
        "pgbench"
    }

    fn describe(&self) -> String {
        let by = match self {
            Self::Program { program, .. } => program.display().to_string(),
            Self::Loop(_) => {
                "a loop in this process, as the server came without pgbench".to_owned()
            }
        };
        format!("single-row inserts by {by}, at most {MOST_CONNECTIONS} connections")
    }

    async fn run(&self, load: Load, time: Duration) -> Measured {
        match self {
            Self::Program { program, options, folder } => {
                run_program(program, options, folder, load, time).await
            }
            Self::Loop(pool) => {
                let (pool, load) = (pool.clone(), Load { prior: 0, ..load });
                drive(load, time, Vec::new(), move |sent| insert(pool.clone(), sent)).await
            }
        }
    }
}

/// As the other variants, five events to a stream.
fn script() -> String {
    let statement = statement("lpad(:stream::text, 36, '0')", ":nth");
    format!(
        "\\set nth :nth % {COMMANDS_PER_STREAM} + 1\n\
         \\if :nth = 1\n\\set stream random(1, 9223372036854775806)\n\\endif\n{statement};\n"
    )
}

fn statement(stream: &str, sequence: &str) -> String {
    let (tenant, payload) = (Uuid::from_u128(7), payload());
    format!(
        "INSERT INTO events (tenant_id, aggregate_type, aggregate_id, sequence, event_id, \
           event_type, event_version, payload, metadata) \
         VALUES ('{tenant}', 'bench.register', {stream}, {sequence}, gen_random_uuid(), \
           'bench.register.line_entered', '1.0', '{payload}', \
           '{{\"policy_version\":\"1\",\"command\":\"Enter\"}}')"
    )
}

/// The same event as everywhere. It has no colon before a letter, which would be a variable.
fn payload() -> String {
    let id = Uuid::from_u128(7);
    let lines = RegisterEvent::lines(1, UserId(id), OrganizationId(id));
    serde_json::to_string(&lines[0]).expect("an event is JSON")
}

async fn insert(pool: PgPool, sent: Sent) {
    static STATEMENT: LazyLock<String> = LazyLock::new(|| statement("$1", "$2"));
    let sequence = i64::try_from(sent.nth % COMMANDS_PER_STREAM).expect("a small number") + 1;
    let row = sqlx::query(&STATEMENT).bind(sent.stream.to_string()).bind(sequence);
    row.execute(&pool).await.expect("the row is inserted");
}

async fn run_program(
    program: &Path,
    options: &PgConnectOptions,
    folder: &Path,
    load: Load,
    time: Duration,
) -> Measured {
    let clients = load.clients.min(MOST_CONNECTIONS);
    let host = options.get_socket().expect("the managed server has a socket");
    let output = Command::new(program)
        .current_dir(folder)
        .args(["--no-vacuum", "--protocol=prepared", "--file=insert.sql"])
        .args(["--define=nth=0", "--define=stream=0", "--log"])
        .arg(format!("--sampling-rate={SAMPLED}"))
        .arg(format!("--client={clients}"))
        .arg(format!("--jobs={}", clients.min(2)))
        .arg(format!("--time={}", time.as_secs().max(1)))
        .arg(format!("--host={}", host.display()))
        .arg(format!("--port={}", options.get_port()))
        .arg(format!("--username={}", options.get_username()))
        .arg("pgbench")
        .output()
        .await
        .expect("pgbench runs");
    let answer = String::from_utf8_lossy(&output.stdout);
    let complaint = String::from_utf8_lossy(&output.stderr);
    let per_s = answer.lines().find_map(|line| line.strip_prefix("tps = ")?.split(' ').next());
    let per_s = per_s.unwrap_or_else(|| panic!("pgbench said: {answer}{complaint}"));
    let per_s: f64 = per_s.parse().expect("pgbench counts in numbers");
    let latencies = latencies(folder);
    let p99_ms = Measured::of(latencies.len(), time, latencies).p99_ms;
    Measured { per_s, p99_ms }
}

/// Takes the logs of the run: client, transaction, microseconds, …
fn latencies(folder: &Path) -> Vec<Duration> {
    let mut latencies = Vec::new();
    for entry in fs::read_dir(folder).expect("the folder is ours") {
        let path = entry.expect("the folder is ours").path();
        if !path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("pgbench_log")) {
            continue;
        }
        let log = fs::read_to_string(&path).expect("the log is ours");
        let micros = log.lines().filter_map(|line| line.split(' ').nth(2)?.parse().ok());
        latencies.extend(micros.map(Duration::from_micros));
        fs::remove_file(path).expect("the log is ours");
    }
    latencies
}
