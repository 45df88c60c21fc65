//! The projection `permission_matrix`: which events it reads.
//!
//! Invariant: the facts of a batch are folded in their order before anything is written.

use async_trait::async_trait;
use rollcall_domain::{AnyEvent, organizations::OrganizationEvent, permissions::MembershipEvent};
use rollcall_journal::{Projection, ProjectionError, Recorded};
use sqlx::PgConnection;

use super::{grants, npis};

/// Keeps `npi_permissions`, `correspondence_permissions` and `matrix_npis`.
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
        &["npi_permissions", "correspondence_permissions", "matrix_npis"]
    }

    async fn apply(
        &self,
        tx: &mut PgConnection,
        batch: &[Recorded<AnyEvent>],
    ) -> Result<(), ProjectionError> {
        let Some(Recorded { tenant, .. }) = batch.first() else { return Ok(()) };
        let mut changed = grants::Changes::default();
        let mut holdings = npis::Holdings::default();
        for recorded in batch {
            match fact(&recorded.event) {
                Some(Fact::Permissions(event)) => changed.take_in(event, recorded.occurred_at),
                Some(Fact::Organization(event)) => holdings.take_in(event),
                None => {}
            }
        }
        changed.store(tx, *tenant).await?;
        holdings.store(tx, *tenant).await?;
        Ok(())
    }
}

enum Fact<'a> {
    Permissions(&'a MembershipEvent),
    Organization(&'a OrganizationEvent),
}

fn fact(event: &AnyEvent) -> Option<Fact<'_>> {
    match event {
        AnyEvent::Membership(event) => Some(Fact::Permissions(event)),
        AnyEvent::Organization(event) => Some(Fact::Organization(event)),
        AnyEvent::Tenant(_)
        | AnyEvent::PlanStaff(_)
        | AnyEvent::Policy(_)
        | AnyEvent::Agreement(_)
        | AnyEvent::RegistrationToken(_)
        | AnyEvent::Registration(_)
        | AnyEvent::User(_)
        | AnyEvent::Invitation(_)
        | AnyEvent::Credential(_)
        | AnyEvent::OneTimePasscode(_)
        | AnyEvent::Session(_)
        | AnyEvent::Pin(_)
        | AnyEvent::Affiliation(_)
        | AnyEvent::Notification(_)
        | AnyEvent::Inbox(_)
        | AnyEvent::Delivery(_)
        | AnyEvent::Denial(_) => None,
    }
}
