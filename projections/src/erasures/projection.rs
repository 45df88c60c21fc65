//! How facts about erasures become rows of `read.erasures`. Invariant: erased is the last status.

use async_trait::async_trait;
use rollcall_domain::{AnyEvent, audit::ErasureEvent};
use rollcall_journal::{Projection, ProjectionError, Recorded};
use sqlx::PgConnection;

use crate::readers;

/// Keeps `read.erasures`.
pub struct Erasures;

#[async_trait]
impl Projection<AnyEvent> for Erasures {
    fn name(&self) -> &'static str {
        "erasures"
    }

    fn version(&self) -> i32 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &["erasures"]
    }

    fn reads(&self, event: &AnyEvent) -> bool {
        readers::of(event).contains(&self.name())
    }

    async fn apply(
        &self,
        tx: &mut PgConnection,
        batch: &[&Recorded<AnyEvent>],
    ) -> Result<(), ProjectionError> {
        for recorded in batch {
            let AnyEvent::Erasure(event) = &recorded.event else { continue };
            match event {
                ErasureEvent::ErasureRequested { .. } => request(tx, recorded, event).await?,
                ErasureEvent::ErasureRefused { .. } | ErasureEvent::PersonErased { .. } => {
                    decide(tx, recorded, event).await?;
                }
            }
        }
        Ok(())
    }
}

async fn request(
    tx: &mut PgConnection,
    recorded: &Recorded<AnyEvent>,
    event: &ErasureEvent,
) -> Result<(), sqlx::Error> {
    let ErasureEvent::ErasureRequested { user, by, basis, expires_at, .. } = event else {
        return Ok(());
    };
    sqlx::query(
        "INSERT INTO erasures (tenant_id, user_id, status, basis, requested_by, requested_at,
                               position, expires_at)
         VALUES ($1, $2, 'OPEN', $3, $4, $5, $6, $7)
         ON CONFLICT (tenant_id, user_id) DO UPDATE
            SET status = excluded.status, basis = excluded.basis,
                requested_by = excluded.requested_by, requested_at = excluded.requested_at,
                position = excluded.position, expires_at = excluded.expires_at,
                decided_by = NULL, decided_at = NULL",
    )
    .bind(recorded.tenant.0)
    .bind(user.0)
    .bind(basis.as_str())
    .bind(by.0)
    .bind(recorded.occurred_at)
    .bind(recorded.tenant_position)
    .bind(expires_at)
    .execute(tx)
    .await?;
    Ok(())
}

async fn decide(
    tx: &mut PgConnection,
    recorded: &Recorded<AnyEvent>,
    event: &ErasureEvent,
) -> Result<(), sqlx::Error> {
    let (user, by, status) = match event {
        ErasureEvent::ErasureRequested { .. } => return Ok(()),
        ErasureEvent::ErasureRefused { user, by, .. } => (user, Some(by.0), "REFUSED"),
        ErasureEvent::PersonErased { user, by, .. } => (user, by.map(|by| by.0), "ERASED"),
    };
    // Of an older database put back there may have been no request.
    sqlx::query(
        "INSERT INTO erasures (tenant_id, user_id, status, position, decided_by, decided_at)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (tenant_id, user_id) DO UPDATE
            SET status = excluded.status, position = excluded.position,
                decided_by = excluded.decided_by, decided_at = excluded.decided_at",
    )
    .bind(recorded.tenant.0)
    .bind(user.0)
    .bind(status)
    .bind(recorded.tenant_position)
    .bind(by)
    .bind(recorded.occurred_at)
    .execute(tx)
    .await?;
    Ok(())
}
