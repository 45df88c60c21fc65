//! How signatures become rows of `read.attestations`.

use async_trait::async_trait;
use rollcall_domain::{AnyEvent, attestations::AttestationEvent};
use rollcall_journal::{Projection, ProjectionError, Recorded};
use sqlx::PgConnection;

use crate::readers;

/// Keeps `read.attestations`.
pub struct Attestations;

#[async_trait]
impl Projection<AnyEvent> for Attestations {
    fn name(&self) -> &'static str {
        "attestations"
    }

    fn version(&self) -> i32 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &["attestations"]
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
            let AnyEvent::Attestation(event) = &recorded.event else { continue };
            match event {
                AttestationEvent::AttestationSigned { .. } => {
                    insert(tx, recorded, event).await?;
                }
            }
        }
        Ok(())
    }
}

async fn insert(
    tx: &mut PgConnection,
    recorded: &Recorded<AnyEvent>,
    event: &AttestationEvent,
) -> Result<(), sqlx::Error> {
    let AttestationEvent::AttestationSigned {
        user,
        organization,
        statement: _,
        version,
        sha256,
        boxes,
    } = event;
    sqlx::query(
        "INSERT INTO attestations (tenant_id, organization_id, user_id, version, sha256, boxes,
                                   signed_at, position)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(recorded.tenant.0)
    .bind(organization.0)
    .bind(user.0)
    .bind(version)
    .bind(sha256)
    .bind(boxes)
    .bind(recorded.occurred_at)
    .bind(recorded.tenant_position)
    .execute(tx)
    .await?;
    Ok(())
}
