//! `rollcall doctor`: what is not well, and what to do about it.
//!
//! Invariant: it changes nothing; it fails when it found something that needs somebody.

use rollcall_journal::pools;
use sqlx::{Connection, PgConnection};

use super::CliResult;
use crate::{config::Config, ground::Database, postgres::external::Settings};

pub fn run() -> CliResult {
    let config = Config::from_env(false, false)?;
    let runtime = tokio::runtime::Runtime::new()?;
    let database = Database::open_beside(&config, &runtime)?;
    let findings = runtime.block_on(examine(&database));
    database.close()?;
    let findings = findings?;
    for finding in &findings {
        println!(
            "{} {}: {}",
            if finding.well { "ok  " } else { "LOOK" },
            finding.what,
            finding.says
        );
    }
    let unwell = findings.iter().filter(|finding| !finding.well).count();
    if unwell == 0 { Ok(()) } else { Err(format!("{unwell} things need somebody").into()) }
}

/// One thing looked at.
struct Finding {
    what: String,
    well: bool,
    says: String,
}

fn finding(what: &str, well: bool, says: impl Into<String>) -> Finding {
    Finding { what: what.to_owned(), well, says: says.into() }
}

async fn examine(database: &Database) -> Result<Vec<Finding>, sqlx::Error> {
    let mut findings = vec![finding("rollcall", true, env!("CARGO_PKG_VERSION"))];
    let mut connection = PgConnection::connect_with(&database.options).await?;
    let settings = Settings::ask(&database.options).await;
    findings.push(match settings {
        Ok(settings) => {
            let durable = settings.fsync == "on"
                && settings.full_page_writes == "on"
                && settings.synchronous_commit != "off";
            let major = settings.server_version_num / 10_000;
            let says = if durable {
                format!("version {major}, durable")
            } else {
                "may forget commits: turn fsync, full_page_writes and synchronous_commit on".into()
            };
            finding("PostgreSQL", durable, says)
        }
        Err(error) => finding("PostgreSQL", false, error.to_string()),
    });
    findings.push(key(database));
    let migrated: bool = sqlx::query_scalar("SELECT to_regclass('ops.checkpoints') IS NOT NULL")
        .fetch_one(&mut connection)
        .await?;
    if !migrated {
        findings.push(finding(
            "schema",
            false,
            "not there yet: run `rollcall migrate` or start it",
        ));
        return Ok(findings);
    }
    findings.push(finding("schema", true, "there"));
    findings.extend(roles(database).await);
    findings.extend(order(&mut connection).await?);
    findings.extend(projections(&mut connection).await?);
    Ok(findings)
}

fn key(database: &Database) -> Finding {
    let path = database.folder.join("master.key");
    if path.is_file() {
        finding(
            "master key",
            true,
            format!("{}; keep a copy apart from the database", path.display()),
        )
    } else {
        finding(
            "master key",
            false,
            format!(
                "{} is missing: without it no personal data can be read; restore it from your copy",
                path.display()
            ),
        )
    }
}

async fn roles(database: &Database) -> Vec<Finding> {
    let mut findings = Vec::new();
    for role in [pools::WRITER, pools::RUNNER, pools::QUERY] {
        let outcome = serves_as(database, role).await;
        findings.push(match outcome {
            Ok(()) => finding(role, true, "bound as it should be"),
            Err(error) => {
                finding(role, false, format!("{error}; run `rollcall migrate` as the owner"))
            }
        });
    }
    findings
}

async fn serves_as(database: &Database, role: &str) -> Result<(), sqlx::Error> {
    let mut connection = PgConnection::connect_with(&database.options).await?;
    sqlx::query(&format!("SET ROLE {role}")).execute(&mut connection).await?;
    pools::check_role(&mut connection, role).await
}

/// Invariant 2: positions without gaps.
async fn order(connection: &mut PgConnection) -> Result<Vec<Finding>, sqlx::Error> {
    let (count, last): (i64, i64) =
        sqlx::query_as("SELECT count(*), coalesce(max(position), 0) FROM es.events")
            .fetch_one(connection)
            .await?;
    let says = if count == last {
        format!("{count} events, none missing")
    } else {
        format!("{count} events up to position {last}: restore the missing ones from a backup")
    };
    Ok(vec![finding("events", count == last, says)])
}

async fn projections(connection: &mut PgConnection) -> Result<Vec<Finding>, sqlx::Error> {
    let rows: Vec<(String, i64, Option<String>)> = sqlx::query_as(
        "SELECT c.name, max(h.position - c.position), string_agg(c.error, '; ')
         FROM ops.checkpoints c JOIN es.tenant_heads h USING (tenant_id)
         GROUP BY c.name ORDER BY c.name",
    )
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|(name, behind, error)| match error {
            Some(error) => finding(
                &name,
                false,
                format!(
                    "stalled: {error}; install the version that mends it, it goes on by itself"
                ),
            ),
            None if behind > 0 => {
                finding(&name, true, format!("{behind} events behind; runs while the service does"))
            }
            None => finding(&name, true, "up to date"),
        })
        .collect())
}
