//! The projection `permission_matrix`: which events it reads.
//!
//! Invariant: the facts of a batch are folded in their order before anything is written.

use async_trait::async_trait;
use rollcall_domain::AnyEvent;
use rollcall_journal::{Projection, ProjectionError, Recorded};
use sqlx::PgConnection;

use super::{grants, job_roles};
use crate::readers;

/// Keeps `npi_permissions`, `correspondence_permissions`, `entitlements` and `job_roles`.
pub struct PermissionMatrix;

#[async_trait]
impl Projection<AnyEvent> for PermissionMatrix {
    fn name(&self) -> &'static str {
        "permission_matrix"
    }

    fn version(&self) -> i32 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &["npi_permissions", "correspondence_permissions", "entitlements", "job_roles"]
    }

    fn reads(&self, event: &AnyEvent) -> bool {
        readers::of(event).contains(&self.name())
    }

    async fn apply(
        &self,
        tx: &mut PgConnection,
        batch: &[&Recorded<AnyEvent>],
    ) -> Result<(), ProjectionError> {
        let Some(Recorded { tenant, .. }) = batch.first() else { return Ok(()) };
        let mut changed = grants::Changes::default();
        for recorded in batch {
            if let AnyEvent::Membership(event) = &recorded.event {
                changed.take_in(event, recorded.occurred_at);
            } else if let AnyEvent::JobRole(event) = &recorded.event {
                job_roles::apply(tx, recorded, event).await?;
            }
        }
        Ok(changed.store(tx, *tenant).await?)
    }
}
