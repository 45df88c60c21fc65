//! How fast existing people are imported with their rights from a file of 50,000 lines (GN-33).
//!
//! `ROLLCALL_IMPORT_ROWS=50000 cargo bench -p rollcall-tests --bench import`
//!
//! Two fifths of the people belong to one organisation, the others to thirty. The file is imported by
//! what `rollcall import people` runs, on a durable PostgreSQL: as it is, again as it is, and into
//! another portal with one line in a hundred spoiled; before it some lines one after the other.
//!
//! Invariant: every good line is imported and every spoiled one refused by its number, its column
//! and its reason, or nothing is measured.

mod import {
    #[path = "../append/ground.rs"]
    #[expect(dead_code, reason = "the other benchmark needs more of it")]
    pub mod ground;
    pub mod people;
    #[path = "../../acceptance/support/seed.rs"]
    #[expect(dead_code, reason = "the acceptance tests need more of it")]
    pub mod seed;
}

use std::{fs, sync::Arc, time::Instant};

use import::{
    ground::Ground,
    people::{File, enrolment},
    seed,
};
use rollcall_commands::{
    Caller, Commands, CommandsConfig,
    imports::{Found, ImportPerson, people_file},
    organizations::enrolment_file,
};
use rollcall_domain::{
    imports::{LineOutcome, LineResult, PersonRow},
    kernel::ids::TenantId,
    organizations::EnrolmentSource,
    policies::Preset,
};
use rollcall_journal::{Journal, JournalConfig, MasterKey, SystemClock, pools, schema};
use rollcall_tests::statements::Statements;
use sqlx::postgres::PgConnectOptions;
use uuid::Uuid;

/// As the command line has.
const CONNECTIONS: u32 = 16;
const CACHED_STATES: usize = 10_000;
/// Lines imported one after the other, for comparison.
const SAMPLE: usize = 2_000;

fn main() {
    let rows = std::env::var("ROLLCALL_IMPORT_ROWS")
        .ok()
        .map_or(50_000, |rows| rows.parse().expect("ROLLCALL_IMPORT_ROWS is a number"));
    let statements = Statements::listening_everywhere();
    let ground = Ground::prepare();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime starts");
    runtime.block_on(async {
        let database = ground.database("import", "").await;
        let commands = commands(&database).await;
        println!("import\tfile\trows\trefused\tseconds\trows_per_s\tstatements_per_row\tpeak_mib");
        let alone = portal(&commands, "import-alone").await;
        one_at_a_time(&commands, alone, &File::of(rows.min(SAMPLE)), &statements).await;
        let (good, spoiled) = (File::of(rows), File::spoiled(rows));
        let whole = portal(&commands, "import").await;
        measure(&commands, whole, ("new people", &good), &statements).await;
        measure(&commands, whole, ("the same again", &good), &statements).await;
        let other = portal(&commands, "import-spoiled").await;
        measure(&commands, other, ("1% spoiled", &spoiled), &statements).await;
        eprintln!("load average {}", ground.load_average());
    });
    runtime.shutdown_timeout(std::time::Duration::from_secs(5));
}

async fn commands(database: &PgConnectOptions) -> Commands {
    schema::migrate(database).await.expect("the schema is made");
    let writer = pools::writer(database.clone(), CONNECTIONS).await.expect("the server answers");
    let config = JournalConfig {
        writer: writer.clone(),
        master: MasterKey::from_bytes([7; 32]),
        clock: Arc::new(SystemClock),
        injected_time: false,
        cache_states: CACHED_STATES,
    };
    let journal = Journal::open(config).await.expect("the log opens");
    Commands::new(CommandsConfig { journal, ops: writer })
}

/// A portal with the organisations that the files name.
async fn portal(commands: &Commands, slug: &str) -> TenantId {
    let world = Box::pin(seed::world(&commands.journal, slug, Preset::MediCal)).await;
    let file = enrolment();
    let enrolled = enrolment_file::import_file(commands, world.tenant, file.as_bytes());
    let results = enrolled.await.expect("the header fits");
    assert!(results.iter().all(|result| result.refusal.is_none()), "{results:?}");
    world.tenant
}

/// What a file costs whose lines are sent one by one and look everything up themselves.
async fn one_at_a_time(
    commands: &Commands,
    tenant: TenantId,
    file: &File,
    statements: &Statements,
) {
    forget_peak();
    let caller = Caller::system(tenant, Uuid::now_v7(), None);
    let (begun, heard) = (Instant::now(), statements.heard());
    statements.listen(true);
    let mut reader = csv::Reader::from_reader(file.text.as_bytes());
    for (row, line) in reader.deserialize().zip(2..) {
        let row: PersonRow = row.expect("a line of the header's columns");
        let source = EnrolmentSource { file_sha256: "00".repeat(32), line };
        let import = ImportPerson { source, row, found: Found::default() };
        commands.dispatch(&caller, None, &import).await.expect("a good line");
    }
    statements.listen(false);
    print("one at a time", (file.lines, 0), begun, statements.heard() - heard);
}

fn print(name: &str, (lines, refused): (usize, usize), begun: Instant, statements: usize) {
    let seconds = begun.elapsed().as_secs_f64();
    println!(
        "import\t{name}\t{lines}\t{refused}\t{seconds:.1}\t{:.0}\t{:.1}\t{}",
        lines as f64 / seconds,
        statements as f64 / lines as f64,
        peak_mib(),
    );
}

async fn measure(
    commands: &Commands,
    tenant: TenantId,
    (name, file): (&str, &File),
    statements: &Statements,
) {
    let repeated = name.contains("again");
    forget_peak();
    let (begun, heard) = (Instant::now(), statements.heard());
    statements.listen(true);
    let results =
        people_file::import_file(commands, tenant, file.text.as_bytes(), |result, total| {
            if result.line.is_multiple_of(5_000) {
                let seconds = begun.elapsed().as_secs_f64();
                eprintln!("  line {} of {total} after {seconds:.1} s", result.line);
            }
        })
        .await
        .expect("the header fits");
    statements.listen(false);
    let heard = statements.heard() - heard;
    print(name, (results.len(), file.bad.len()), begun, heard);
    file.check(&results, repeated);
}

impl File {
    /// Every line is imported, or refused as it should be.
    fn check(&self, results: &[LineResult], repeated: bool) {
        assert_eq!(results.len(), self.lines);
        let expected = if repeated { LineOutcome::Unchanged } else { LineOutcome::Imported };
        let mut bad = self.bad.iter().peekable();
        for (result, line) in results.iter().zip(2..) {
            assert_eq!(result.line, line, "in the order of the lines");
            match bad.next_if(|bad| bad.line == line) {
                Some(bad) => {
                    let refusal = result.refusal.as_ref().expect("a spoiled line is refused");
                    let (code, field) = (refusal.code.as_str(), refusal.field.join("."));
                    assert_eq!((code, field.as_str()), (bad.code, bad.column), "line {line}");
                }
                None => assert_eq!(result.outcome, expected, "{result:?}"),
            }
        }
    }
}

/// Lets the kernel count the peak from here.
fn forget_peak() {
    let _ = fs::write("/proc/self/clear_refs", "5");
}

/// The most memory that the process had at once, in MiB.
fn peak_mib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    let kib = line.split_whitespace().next().and_then(|kib| kib.parse::<u64>().ok());
    kib.unwrap_or_default() / 1024
}
