//! `rollcall check-log` and `rollcall rotate-log-key`.
//!
//! Invariant: the check reads the events as they are stored, with the rights of a reader; it changes
//! nothing.

use std::{path::Path, sync::Arc};

use chrono::{TimeDelta, Utc};
use rollcall_domain::kernel::ids::TenantId;
use rollcall_journal::{pools, secrets::Secrets};
use rollcall_projections::proof::{
    Signer,
    check::{self, Checked},
    head_of,
};

use super::CliResult;
use crate::{config::Config, ground::Database, service::LOG_FOLDER};

/// Checks one portal's log, or all.
pub fn check(slug: Option<&str>, since: Option<&Path>) -> CliResult {
    let kept = match since {
        None => None,
        Some(file) => {
            let note = std::fs::read(file).map_err(|e| format!("{}: {e}", file.display()))?;
            let head = head_of(&note);
            Some(head.ok_or_else(|| format!("{} holds no checkpoint", file.display()))?)
        }
    };
    let config = Config::from_env(false, false)?;
    let runtime = tokio::runtime::Runtime::new()?;
    let database = Database::open_beside(&config, &runtime)?;
    let faults = runtime.block_on(check_all(&database, slug, kept));
    database.close()?;
    match faults? {
        0 => Ok(()),
        faults => Err(format!("{faults} faults: the log is not what was sealed and signed").into()),
    }
}

async fn check_all(
    database: &Database,
    slug: Option<&str>,
    kept: Option<(u64, tlog_tiles::Hash)>,
) -> Result<usize, super::Failed> {
    let pool = pools::sealer(database.options.clone(), 1).await?;
    let mut connection = pool.acquire().await?;
    let signer = signer(database)?;
    let tenants: Vec<(uuid::Uuid, String)> =
        sqlx::query_as("SELECT tenant_id, origin FROM es.trees ORDER BY tenant_id")
            .fetch_all(&mut *connection)
            .await?;
    let wanted = slug.map(TenantId::of_slug);
    let mut faults = 0;
    let mut looked_at = 0;
    for (tenant, origin) in tenants {
        let tenant = TenantId(tenant);
        if wanted.is_some_and(|wanted| wanted != tenant) {
            continue;
        }
        looked_at += 1;
        let signed: Vec<_> = signer.last(tenant)?.into_iter().chain(kept).collect();
        let Checked { events, root, faults: found } =
            check::check(&mut connection, tenant, &signed).await?;
        println!("{origin}: {events} events, root {root}");
        for fault in &found {
            println!("  {fault}");
        }
        faults += found.len();
    }
    match slug.filter(|_| looked_at == 0) {
        Some(slug) => Err(format!("nothing of a portal {slug} is sealed").into()),
        None => Ok(faults),
    }
}

/// Begins a new generation of keys.
pub fn rotate(overlap_days: u16) -> CliResult {
    let config = Config::from_env(false, false)?;
    let runtime = tokio::runtime::Runtime::new()?;
    let database = Database::open_beside(&config, &runtime)?;
    let rotated = signer(&database).and_then(|signer| {
        let overlap = Utc::now() + TimeDelta::days(i64::from(overlap_days));
        Ok((signer.rotate(overlap)?, overlap))
    });
    database.close()?;
    let (number, until) = rotated?;
    println!("key {number} signs from now on, the one before beside it until {until}");
    println!("give auditors the new verifier keys (GraphQL: transparencyLog {{ verifierKeys }})");
    Ok(())
}

fn signer(database: &Database) -> Result<Signer, super::Failed> {
    let secrets = Secrets::new(&database.master_key()?);
    Ok(Signer::new(Arc::new(secrets), database.folder.join(LOG_FOLDER)))
}
