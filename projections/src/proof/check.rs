//! Holds a whole log against its tree and its last checkpoint: the tamper check (GN-26).
//!
//! Invariant: every leaf is made anew from the stored event; memory stays flat.

use rollcall_domain::kernel::ids::TenantId;
use sqlx::PgConnection;
use tlog_tiles::Hash;

use super::{
    store::{self, ProofError},
    tree::Edge,
};

const BATCH: i64 = 2_000;

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// Events that were sealed, all of which were read.
    pub events: i64,
    /// The root over them, as a checkpoint writes it.
    pub root: String,
    /// What is wrong, in the order of the log; the first is usually the cause of the others.
    pub faults: Vec<String>,
}

/// Recomputes the tree of a tenant from its events. `signed` are sizes and roots that somebody keeps
/// outside the database: the signer's last, an auditor's checkpoints.
///
/// # Errors
/// The database's.
pub async fn check(
    connection: &mut PgConnection,
    tenant: TenantId,
    signed: &[(u64, Hash)],
) -> Result<Checked, ProofError> {
    let size: Option<i64> = sqlx::query_scalar("SELECT size FROM es.trees WHERE tenant_id = $1")
        .bind(tenant.0)
        .fetch_optional(&mut *connection)
        .await?;
    let size = size.unwrap_or_default();
    let mut signed = signed.to_vec();
    signed.sort_by_key(|(size, _)| *size);
    let mut faults = Vec::new();
    let mut edge = Edge::default();
    while edge.size() < u64::try_from(size).unwrap_or_default() {
        let after = i64::try_from(edge.size()).unwrap_or(i64::MAX);
        let events =
            match store::events_after(connection, tenant, after, BATCH.min(size - after)).await {
                Ok(events) => events,
                Err(ProofError::Damaged(fault)) => {
                    faults.push(fault);
                    break;
                }
                Err(error) => return Err(error),
            };
        if events.is_empty() {
            faults.push(format!("the log ends at {after}; {size} events were sealed"));
            break;
        }
        let sealed = sealed_leaves(connection, tenant, after, events.len()).await?;
        for (event, sealed) in events.iter().zip(sealed) {
            let leaf = event.envelope().hash()?;
            if Some(leaf) != sealed {
                faults.push(format!(
                    "event {} ({}) at position {} is not the one that was sealed",
                    event.event_id, event.event_type, event.tenant_position
                ));
            }
            edge.extend([leaf]);
            for (size, root) in signed.iter().filter(|(size, _)| *size == edge.size()) {
                if *root != edge.root() {
                    faults.push(format!("the checkpoint of {size} events is of another log"));
                }
            }
        }
    }
    for (signed, _) in signed.iter().filter(|(signed, _)| *signed > edge.size()) {
        faults.push(format!("a log of {signed} events was signed; this one has {}", edge.size()));
    }
    Ok(Checked { events: size, root: edge.root().to_string(), faults })
}

/// The leaf hashes that the tiles hold after a position; `None` where there is none.
async fn sealed_leaves(
    connection: &mut PgConnection,
    tenant: TenantId,
    after: i64,
    count: usize,
) -> Result<Vec<Option<Hash>>, ProofError> {
    let first = u64::try_from(after).unwrap_or_default();
    let last = first + count as u64 - 1;
    let tiles = store::leaf_tiles(connection, tenant, first, last).await?;
    Ok((first..=last).map(|index| tiles.leaf(index)).collect())
}
