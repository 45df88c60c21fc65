//! How facts about keys become rows of `read.api_keys`.

use async_trait::async_trait;
use rollcall_domain::{AnyEvent, api_keys::ApiKeyEvent};
use rollcall_journal::{Projection, ProjectionError, Recorded};
use sqlx::PgConnection;

use crate::readers;

/// Keeps `read.api_keys`.
pub struct ApiKeys;

#[async_trait]
impl Projection<AnyEvent> for ApiKeys {
    fn name(&self) -> &'static str {
        "api_keys"
    }

    fn version(&self) -> i32 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &["api_keys"]
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
            let AnyEvent::ApiKey(event) = &recorded.event else { continue };
            match event {
                ApiKeyEvent::ApiKeyCreated { .. } => create(tx, recorded, event).await?,
                ApiKeyEvent::ApiKeyRevoked { key, by, .. } => {
                    sqlx::query(
                        "UPDATE api_keys SET revoked_at = $3, revoked_by = $4
                          WHERE tenant_id = $1 AND key_id = $2",
                    )
                    .bind(recorded.tenant.0)
                    .bind(key.0)
                    .bind(recorded.occurred_at)
                    .bind(by.map(|by| by.0))
                    .execute(&mut *tx)
                    .await?;
                }
            }
        }
        Ok(())
    }
}

async fn create(
    tx: &mut PgConnection,
    recorded: &Recorded<AnyEvent>,
    event: &ApiKeyEvent,
) -> Result<(), sqlx::Error> {
    let ApiKeyEvent::ApiKeyCreated { key, organization, name, scopes, by, expires_at } = event
    else {
        return Ok(());
    };
    let scopes: Vec<&str> = scopes.iter().map(|scope| scope.as_str()).collect();
    sqlx::query(
        "INSERT INTO api_keys (tenant_id, key_id, organization_id, name, scopes, created_by,
                               created_position, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(recorded.tenant.0)
    .bind(key.0)
    .bind(organization.map(|organization| organization.0))
    .bind(name.as_str())
    .bind(scopes)
    .bind(by.0)
    .bind(recorded.tenant_position)
    .bind(recorded.occurred_at)
    .bind(expires_at)
    .execute(tx)
    .await?;
    Ok(())
}
