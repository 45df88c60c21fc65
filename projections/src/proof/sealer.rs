//! The sealer: makes leaves of events soon after they were recorded, and has the tree's head signed.
//!
//! Invariant: appends never wait for it; what it has not sealed yet shows as its lag.

use std::{
    collections::HashMap,
    io,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use rollcall_domain::kernel::ids::TenantId;
use rollcall_journal::Clock;
use sqlx::{PgConnection, PgPool};
use tlog_tiles::tlog;
use tokio::{sync::watch, task::JoinHandle};

use super::{
    is_no_evidence,
    signer::{SignError, Signer},
    store::{self, Due, ProofError},
    witness::{self, Reply, Witness},
};

/// Events sealed in one transaction.
const BATCH: i64 = 2_000;
/// The time between two looks while the log moves; what comes meanwhile is sealed together, so that appends
/// seldom wait for the disk because of it.
const PACE: Duration = Duration::from_millis(250);
/// The longest time between two looks.
const POLL: Duration = Duration::from_secs(1);
/// The shortest time between two checkpoints of a tenant.
const BETWEEN_CHECKPOINTS: Duration = Duration::from_secs(1);
/// How often a trouble that lasts is told again.
const REMINDER: Duration = Duration::from_secs(60);

/// What the sealer needs.
pub struct SealerConfig {
    /// Connections as the sealer's role.
    pub pool: PgPool,
    pub signer: Signer,
    pub clock: Arc<dyn Clock>,
    /// What every log's name begins with, see [`super::origin_of`].
    pub origins: String,
    /// Tells of appends.
    pub appended: watch::Receiver<i64>,
    /// Who is to sign each head as well.
    pub witnesses: Vec<Arc<dyn Witness>>,
}

/// When to look again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Next {
    /// When the log moves.
    Later,
    /// After [`PACE`]: there is something to sign.
    Soon,
    /// At once: there are events that did not fit into one batch.
    Now,
}

/// Builds the trees of all tenants.
pub struct Sealer {
    config: SealerConfig,
    signed: HashMap<TenantId, Instant>,
    told: HashMap<TenantId, Instant>,
    /// The size of the last head that each witness signed, as far as it is known.
    witnessed: HashMap<(TenantId, String), u64>,
    /// Since when a witness gave no answer.
    silent: HashMap<String, Instant>,
    troubles: Troubles,
}

/// What keeps logs from being sealed or signed, by tenant. Clones are the same.
#[derive(Clone, Default)]
pub struct Troubles(Arc<Mutex<HashMap<TenantId, String>>>);

impl Troubles {
    /// All there are.
    #[must_use]
    pub fn all(&self) -> HashMap<TenantId, String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, tenant: TenantId, trouble: Option<String>) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match trouble {
            Some(trouble) => all.insert(tenant, trouble),
            None => all.remove(&tenant),
        };
    }
}

/// Why a tenant's log is not proven further.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error(transparent)]
    Proof(#[from] ProofError),
    #[error(transparent)]
    Sign(#[from] SignError),
}

impl From<sqlx::Error> for Trouble {
    fn from(error: sqlx::Error) -> Self {
        Self::Proof(error.into())
    }
}

impl Sealer {
    #[must_use]
    pub fn new(config: SealerConfig) -> Self {
        let (signed, told, witnessed, silent) = Default::default();
        Self { config, signed, told, witnessed, silent, troubles: Troubles::default() }
    }

    /// What is wrong, while it runs.
    #[must_use]
    pub fn troubles(&self) -> Troubles {
        self.troubles.clone()
    }

    /// Seals until `stopping` is true.
    #[must_use]
    pub fn spawn(mut self, mut stopping: watch::Receiver<bool>) -> JoinHandle<()> {
        tokio::spawn(async move {
            let mut appended = self.config.appended.clone();
            loop {
                let next = self.pass().await;
                let pause = match next {
                    Next::Now => Duration::ZERO,
                    Next::Soon => PACE,
                    Next::Later => POLL,
                };
                // A branch that ends by an error has lost its sender: the service is stopping.
                let log_moved = tokio::select! {
                    biased;
                    _ = stopping.wait_for(|stop| *stop) => return,
                    changed = appended.changed(), if next == Next::Later => match changed {
                        Ok(()) => true,
                        Err(_) => return,
                    },
                    () = tokio::time::sleep(pause) => false,
                };
                if log_moved {
                    tokio::time::sleep(PACE).await;
                }
            }
        })
    }

    /// Seals and signs what is due.
    async fn pass(&mut self) -> Next {
        let due = match store::due(&self.config.pool).await {
            Ok(due) => due,
            Err(error) => {
                tracing::warn!(%error, "the log cannot be sealed for now");
                return Next::Later;
            }
        };
        let mut next = Next::Later;
        for due in due {
            match self.seal_and_sign(&due).await {
                Ok(then) => {
                    next = next.max(then);
                    self.troubles.set(due.tenant_id, None);
                    self.told.remove(&due.tenant_id);
                }
                Err(trouble) => self.complain(due.tenant_id, &trouble),
            }
        }
        next
    }

    fn complain(&mut self, tenant: TenantId, trouble: &Trouble) {
        self.troubles.set(tenant, Some(trouble.to_string()));
        if self.told.get(&tenant).is_none_or(|told| told.elapsed() >= REMINDER) {
            self.told.insert(tenant, Instant::now());
            tracing::error!(%tenant, error = %trouble, "the tenant's log is not proven further");
        }
    }

    async fn seal_and_sign(&mut self, due: &Due) -> Result<Next, Trouble> {
        let tenant = due.tenant_id;
        let origin = goes_on_as(due.origin.as_deref(), &self.config.origins, tenant)?;
        let (mut size, mut next) = (due.size, Next::Later);
        if due.head > size {
            match self.seal(tenant, &origin).await? {
                Some(sealed) => {
                    next = if sealed - size >= BATCH { Next::Now } else { Next::Later };
                    size = sealed;
                }
                // Another process is at it.
                None => return Ok(Next::Later),
            }
        }
        if size == due.signed {
            return Ok(next);
        }
        let waited = self.signed.get(&tenant).is_none_or(|at| at.elapsed() >= BETWEEN_CHECKPOINTS);
        if waited {
            self.sign(tenant, &origin, size).await?;
            self.signed.insert(tenant, Instant::now());
        } else {
            next = next.max(Next::Soon);
        }
        Ok(next)
    }

    /// Makes leaves of the next events; the tree's size then.
    async fn seal(&self, tenant: TenantId, origin: &str) -> Result<Option<i64>, Trouble> {
        let mut tx = self.config.pool.begin().await?;
        let Some(tree) = store::lock(&mut tx, tenant, origin).await? else { return Ok(None) };
        let events = store::events_after(&mut tx, tenant, tree.size, BATCH).await?;
        let mut leaves = Vec::with_capacity(events.len());
        for event in &events {
            leaves.push(event.envelope().hash().map_err(ProofError::from)?);
        }
        let mut edge = store::edge(&mut tx, tenant, tree.size).await?;
        let changed = edge.extend(leaves);
        store::advance(&mut tx, tenant, edge.size(), &changed).await?;
        tx.commit().await?;
        Ok(Some(i64::try_from(edge.size()).unwrap_or(i64::MAX)))
    }

    async fn sign(&mut self, tenant: TenantId, origin: &str, size: i64) -> Result<(), Trouble> {
        let pool = self.config.pool.clone();
        let mut connection = pool.acquire().await?;
        let size = u64::try_from(size).unwrap_or_default();
        let root = store::root(&mut connection, tenant, size).await?;
        let consistency = match self.config.signer.last(tenant)? {
            Some((signed, _)) if signed <= size => {
                let proof = |tiles: &_| tlog::prove_tree(size, signed, tiles);
                store::prove(&mut connection, tenant, proof).await?
            }
            // Without one there is nothing to prove; a longer one is refused.
            Some(_) | None => Vec::new(),
        };
        let now = self.config.clock.now();
        let (signer, origin) = (self.config.signer.clone(), origin.to_owned());
        // It waits for the disk, and perhaps for another process.
        let signed = tokio::task::spawn_blocking(move || {
            signer.sign(tenant, &origin, (size, root), &consistency, now)
        });
        let note = signed.await.map_err(|error| SignError::Folder(io::Error::other(error)))??;
        let note = self.witnessed(&mut connection, tenant, (size, note)).await?;
        sqlx::query(
            "INSERT INTO es.checkpoints (tenant_id, size, root, note, signed_at)
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
        )
        .bind(tenant.0)
        .bind(i64::try_from(size).unwrap_or(i64::MAX))
        .bind(root.0.as_slice())
        .bind(note)
        .bind(now)
        .execute(&mut *connection)
        .await?;
        Ok(())
    }
}

impl Sealer {
    /// The note with the cosignatures of all witnesses that give one. One that cannot be reached is
    /// missing there; the log goes on.
    async fn witnessed(
        &mut self,
        connection: &mut PgConnection,
        tenant: TenantId,
        (size, note): (u64, String),
    ) -> Result<String, Trouble> {
        let mut cosigned = note.clone();
        for witness in self.config.witnesses.clone() {
            let name = witness.key().name().to_owned();
            if self.silent.get(&name).is_some_and(|since| since.elapsed() < REMINDER) {
                continue;
            }
            let key = (tenant, name.clone());
            let mut old = self.witnessed.get(&key).copied().unwrap_or(0);
            // The second time with the size that the witness says it knows.
            for _ in 0..2 {
                let proof = |tiles: &_| tlog::prove_tree(size, old, tiles);
                let proof = match old {
                    0 => Vec::new(),
                    _ if old > size => break,
                    _ => store::prove(&mut *connection, tenant, proof).await?,
                };
                let body = witness::add_checkpoint(old, &proof, &note);
                let answer = witness.add_checkpoint(body).await;
                let answer = answer.map(|(status, body)| {
                    witness::reply(witness.key(), &note, (status, body.as_str()))
                });
                match answer {
                    Ok(Reply::Cosigned(with)) => {
                        self.witnessed.insert(key.clone(), size);
                        cosigned.push_str(&with[note.len()..]);
                        break;
                    }
                    Ok(Reply::Knows(known)) if known != old && known <= size => old = known,
                    Ok(Reply::Knows(known)) => {
                        tracing::error!(%tenant, witness = %name, known, size,
                            "a witness knows a longer log: was an old backup put back?");
                        break;
                    }
                    Ok(Reply::Refused(why)) => {
                        tracing::error!(%tenant, witness = %name, %why, "a witness did not sign");
                        break;
                    }
                    Err(why) => {
                        tracing::warn!(witness = %name, %why, "a witness gives no answer");
                        self.silent.insert(name.clone(), Instant::now());
                        break;
                    }
                }
            }
        }
        if cosigned != note {
            self.config.signer.keep(tenant, &cosigned)?;
        }
        Ok(cosigned)
    }
}

/// The name under which a log goes on: the one it began with, however the service is reached now. A
/// log that is evidence does not go on under a clock that can be set.
fn goes_on_as(
    recorded: Option<&str>,
    origins: &str,
    tenant: TenantId,
) -> Result<String, SignError> {
    let given = super::origin_of(origins, tenant);
    match recorded {
        Some(recorded) if is_no_evidence(&given) && !is_no_evidence(recorded) => {
            Err(SignError::SetClock(recorded.to_owned()))
        }
        Some(recorded) => Ok(recorded.to_owned()),
        None => Ok(given),
    }
}

#[cfg(test)]
mod tests {
    use rollcall_domain::kernel::ids::TenantId;
    use uuid::Uuid;

    use super::{super::NOT_EVIDENCE, *};

    #[test]
    fn gn_35_a_log_keeps_its_name_and_no_set_clock_goes_on_with_evidence() {
        let tenant = TenantId(Uuid::nil());
        let goes_on = |recorded, origins| goes_on_as(recorded, origins, tenant);
        let first = goes_on(None, "portal.example").unwrap();
        assert_eq!(first, format!("portal.example/log/{tenant}"));
        assert_eq!(goes_on(Some(&first), "new.example").unwrap(), first);
        let refused = goes_on(Some(&first), NOT_EVIDENCE);
        assert!(matches!(refused, Err(SignError::SetClock(origin)) if origin == first));
        // What was once no evidence never becomes any.
        let demo = goes_on(None, NOT_EVIDENCE).unwrap();
        assert_eq!(goes_on(Some(&demo), "portal.example").unwrap(), demo);
    }
}
