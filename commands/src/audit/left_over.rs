//! What is left of an erased person outside the log and its projections (GN-27): answers of commands,
//! tables that a rebuild retired, the local mailbox, and the line in the ledger.
//!
//! Invariant: everything here may be done twice. What is in the database is done once for all by the
//! process; what is in the data folder each service does for its own.

use std::time::Duration;

use async_trait::async_trait;
use rollcall_domain::{AnyEvent, audit::ErasureEvent};
use rollcall_journal::{Process, ProjectionError, Recorded};
use sqlx::{PgConnection, PgPool};
use tokio::{sync::watch, task::JoinHandle};
use uuid::Uuid;

use super::ledger::{ErasureLedger, LedgerError};
use crate::{Commands, post::Mailbox};

/// How long it takes at most until an erasure is heard of that another process made: a notification
/// may be lost, and a message was perhaps being written meanwhile.
const BACKSTOP: Duration = Duration::from_secs(60);

/// Clears the database of what no event reaches.
pub(crate) struct ErasuresProcess;

#[async_trait]
impl Process<AnyEvent> for ErasuresProcess {
    fn name(&self) -> &'static str {
        "erasure_leftovers"
    }

    async fn react(
        &self,
        tx: &mut PgConnection,
        batch: &[Recorded<AnyEvent>],
    ) -> Result<(), ProjectionError> {
        for recorded in batch {
            let AnyEvent::Erasure(ErasureEvent::PersonErased { user, subjects, .. }) =
                &recorded.event
            else {
                continue;
            };
            let streams = subjects.iter().map(|subject| subject.0).filter(|id| *id != user.0);
            sqlx::query("SELECT ops.forget_person($1, $2, $3)")
                .bind(recorded.tenant.0)
                .bind(user.0)
                .bind(streams.collect::<Vec<Uuid>>())
                .execute(&mut *tx)
                .await?;
            for forgetting in [RETIRED_ADDRESSES, RETIRED_NAMES] {
                sqlx::query(forgetting)
                    .bind(recorded.tenant.0)
                    .bind(user.0)
                    .execute(&mut *tx)
                    .await?;
            }
        }
        Ok(())
    }
}

/// In the live timeline its projection sees to it, between the events before and after.
const RETIRED_ADDRESSES: &str = "
    SELECT ops.forget_addresses(t.oid::regclass, $1, $2)
      FROM pg_class t JOIN pg_namespace n ON n.oid = t.relnamespace
      JOIN pg_attribute a ON a.attrelid = t.oid AND a.attname = 'client_address'
     WHERE t.relname = 'audit_timeline' AND t.relkind = 'r'
       AND (n.nspname LIKE 'retired\\_%' OR n.nspname LIKE 'replay\\_%')";

/// As [`RETIRED_ADDRESSES`].
const RETIRED_NAMES: &str = "
    SELECT ops.forget_names(t.oid::regclass, $1, $2)
      FROM pg_class t JOIN pg_namespace n ON n.oid = t.relnamespace
      JOIN pg_attribute a ON a.attrelid = t.oid AND a.attname = 'names'
     WHERE t.relname = 'audit_timeline' AND t.relkind = 'r'
       AND (n.nspname LIKE 'retired\\_%' OR n.nspname LIKE 'replay\\_%')";

/// Keeps the data folder as the database is: no message to the erased, every erasure in the ledger.
pub(crate) struct Keeper {
    pub commands: Commands,
    /// Connections as the runner role.
    pub pool: PgPool,
    pub mailbox: Mailbox,
    pub ledger: ErasureLedger,
}

/// Why the folder is not as it should be yet.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    #[error("the mailbox: {0}")]
    Mailbox(#[from] std::io::Error),
}

impl Keeper {
    /// Works until `stopping` is true.
    pub(crate) fn spawn(self, mut stopping: watch::Receiver<bool>) -> JoinHandle<()> {
        let mut heard = self.commands.journal.erasures();
        tokio::spawn(async move {
            while !*stopping.borrow() {
                heard.mark_unchanged();
                if let Err(error) = self.keep().await {
                    tracing::warn!(%error, "the data folder is not as an erasure wants it; tried again");
                }
                tokio::select! {
                    _ = heard.changed() => {}
                    () = tokio::time::sleep(BACKSTOP) => {}
                    _ = stopping.changed() => {}
                }
            }
        })
    }

    async fn keep(&self) -> Result<(), Trouble> {
        // A ledger that cannot be written keeps no message from going.
        let written = self.ledger.write_down(&self.commands.journal).await;
        let about = self.mailbox.subjects();
        let gone: Vec<(Uuid, Uuid)> = sqlx::query_as(
            "SELECT DISTINCT k.tenant_id, k.subject_id FROM es.subject_keys k
               JOIN unnest($1::uuid[], $2::uuid[]) m(tenant, subject)
                 ON k.tenant_id = m.tenant AND k.subject_id = m.subject
              WHERE k.destroyed_at IS NOT NULL",
        )
        .bind(about.iter().map(|(tenant, _)| tenant.0).collect::<Vec<_>>())
        .bind(about.iter().map(|(_, subject)| subject.0).collect::<Vec<_>>())
        .fetch_all(&self.pool)
        .await?;
        if !gone.is_empty() {
            let gone = gone.into_iter().map(|(tenant, subject)| (tenant.into(), subject.into()));
            self.mailbox.forget(&gone.collect()).await?;
        }
        Ok(written?)
    }
}
