//! How `RightUsed` becomes rows of `read.right_uses`.

use async_trait::async_trait;
use rollcall_domain::{AnyEvent, permissions::right_use::RightUseEvent};
use rollcall_journal::{Projection, ProjectionError, Recorded};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::readers;

/// The projection's name in checkpoints.
pub const NAME: &str = "right_uses";

/// Keeps `read.right_uses`.
pub struct RightUses;

#[async_trait]
impl Projection<AnyEvent> for RightUses {
    fn name(&self) -> &'static str {
        NAME
    }

    fn version(&self) -> i32 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &["right_uses"]
    }

    fn reads(&self, event: &AnyEvent) -> bool {
        readers::of(event).contains(&self.name())
    }

    async fn apply(
        &self,
        tx: &mut PgConnection,
        batch: &[&Recorded<AnyEvent>],
    ) -> Result<(), ProjectionError> {
        let mut uses = Vec::new();
        for recorded in batch {
            let AnyEvent::RightUse(event) = &recorded.event else { continue };
            uses.push((*recorded, event));
        }
        if uses.is_empty() {
            return Ok(());
        }
        insert(tx, &uses).await?;
        Ok(())
    }
}

async fn insert(
    tx: &mut PgConnection,
    uses: &[(&Recorded<AnyEvent>, &RightUseEvent)],
) -> Result<(), sqlx::Error> {
    let organization = |event: &RightUseEvent| {
        let RightUseEvent::RightUsed { organization, .. } = event;
        organization.map_or(Uuid::nil(), |id| id.0)
    };
    let user = |event: &RightUseEvent| {
        let RightUseEvent::RightUsed { user, .. } = event;
        user.0
    };
    let right = |event: &RightUseEvent| {
        let RightUseEvent::RightUsed { right, .. } = event;
        let npi = right.npi.as_ref().map(ToString::to_string).unwrap_or_default();
        (right.kind.as_str(), npi, right.of.clone().unwrap_or_default())
    };
    let day = |event: &RightUseEvent| {
        let RightUseEvent::RightUsed { day, .. } = event;
        day.date()
    };
    let events = || uses.iter().map(|(_, event)| *event);
    sqlx::query(
        "INSERT INTO right_uses (tenant_id, user_id, organization_id, kind, npi, detail, day,
                                 recorded_position)
         SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[],
                              $6::text[], $7::date[], $8::bigint[])",
    )
    .bind(uses.iter().map(|(recorded, _)| recorded.tenant.0).collect::<Vec<_>>())
    .bind(events().map(user).collect::<Vec<_>>())
    .bind(events().map(organization).collect::<Vec<_>>())
    .bind(events().map(|event| right(event).0).collect::<Vec<_>>())
    .bind(events().map(|event| right(event).1).collect::<Vec<_>>())
    .bind(events().map(|event| right(event).2).collect::<Vec<_>>())
    .bind(events().map(day).collect::<Vec<_>>())
    .bind(uses.iter().map(|(recorded, _)| recorded.tenant_position).collect::<Vec<_>>())
    .execute(tx)
    .await
    .map(drop)
}
