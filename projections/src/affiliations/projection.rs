//! How facts about affiliations become rows of `read.affiliations`, and those about submitters rows of
//! `read.submitter_profiles` and `read.submitter_types`.
//!
//! Invariant: a batch is folded in memory on the rows that stand and written by one statement.

use std::collections::BTreeMap;

use async_trait::async_trait;
use rollcall_domain::{
    AnyEvent,
    affiliations::{AffiliationEvent, SubmitterProfileEvent},
    kernel::ids::TenantId,
};
use rollcall_journal::{Projection, ProjectionError, Recorded};
use sqlx::{PgConnection, types::Json};
use uuid::Uuid;

use super::AffiliationRow;
use crate::readers;

/// The projection's name in checkpoints.
pub const NAME: &str = "affiliations";

/// Keeps affiliations and the directory of submitters.
pub struct Affiliations;

#[async_trait]
impl Projection<AnyEvent> for Affiliations {
    fn name(&self) -> &'static str {
        NAME
    }

    fn version(&self) -> i32 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &["affiliations", "submitter_profiles", "submitter_types"]
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
            if let AnyEvent::SubmitterProfile(event) = &recorded.event {
                profile(tx, recorded, event).await?;
            }
        }
        let events: Vec<_> = batch
            .iter()
            .filter_map(|recorded| Some((recorded, affiliation(&recorded.event)?)))
            .collect();
        let Some((first, _)) = events.first() else { return Ok(()) };
        let ids: Vec<Uuid> = events.iter().map(|(recorded, _)| recorded.aggregate_id).collect();
        let mut rows = load(tx, first.tenant, &ids).await?;
        for (recorded, event) in events {
            let before = rows.remove(&recorded.aggregate_id);
            let row = AffiliationRow::after(before, recorded, event)?;
            rows.insert(recorded.aggregate_id, row);
        }
        Ok(store(tx, rows.into_values().collect()).await?)
    }
}

fn affiliation(event: &AnyEvent) -> Option<&AffiliationEvent> {
    let AnyEvent::Affiliation(event) = event else { return None };
    Some(event)
}

/// Profiles change a few times in a submitter's life, so each change is written as it comes.
async fn profile(
    tx: &mut PgConnection,
    recorded: &Recorded<AnyEvent>,
    event: &SubmitterProfileEvent,
) -> Result<(), sqlx::Error> {
    let tenant = recorded.tenant.0;
    match event {
        SubmitterProfileEvent::SubmitterTransactionTypesSet { organization, types, .. } => {
            let types: Vec<&str> = types.iter().map(|kind| kind.code()).collect();
            sqlx::query(
                "INSERT INTO submitter_types (tenant_id, organization_id, transaction_type, offered)
                 SELECT $1, $2, t.code, true FROM unnest($3::text[]) t(code)
                 ON CONFLICT (tenant_id, organization_id, transaction_type)
                 DO UPDATE SET offered = true",
            )
            .bind(tenant)
            .bind(organization.0)
            .bind(&types)
            .execute(&mut *tx)
            .await?;
            sqlx::query(
                "UPDATE submitter_types SET offered = false
                  WHERE tenant_id = $1 AND organization_id = $2 AND transaction_type <> ALL($3)",
            )
            .bind(tenant)
            .bind(organization.0)
            .bind(&types)
            .execute(tx)
            .await?;
        }
        SubmitterProfileEvent::DirectoryVisibilityChanged { organization, visible } => {
            sqlx::query(
                "INSERT INTO submitter_profiles (tenant_id, organization_id, visible)
                 VALUES ($1, $2, $3)
                 ON CONFLICT (tenant_id, organization_id) DO UPDATE SET visible = excluded.visible",
            )
            .bind(tenant)
            .bind(organization.0)
            .bind(visible)
            .execute(tx)
            .await?;
        }
        SubmitterProfileEvent::TransactionTestRecorded { organization, kind, result } => {
            sqlx::query(
                "UPDATE submitter_types SET result = $4, tested_at = $5
                  WHERE tenant_id = $1 AND organization_id = $2 AND transaction_type = $3",
            )
            .bind(tenant)
            .bind(organization.0)
            .bind(kind.code())
            .bind(result.as_str())
            .bind(recorded.occurred_at)
            .execute(tx)
            .await?;
        }
    }
    Ok(())
}

async fn load(
    tx: &mut PgConnection,
    tenant: TenantId,
    ids: &[Uuid],
) -> Result<BTreeMap<Uuid, AffiliationRow>, sqlx::Error> {
    let rows: Vec<AffiliationRow> = sqlx::query_as(
        "SELECT * FROM affiliations WHERE tenant_id = $1 AND affiliation_id = ANY($2)",
    )
    .bind(tenant.0)
    .bind(ids)
    .fetch_all(tx)
    .await?;
    Ok(rows.into_iter().map(|row| (row.affiliation_id, row)).collect())
}

async fn store(tx: &mut PgConnection, rows: Vec<AffiliationRow>) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO affiliations SELECT * FROM jsonb_populate_recordset(NULL::affiliations, $1)
         ON CONFLICT (tenant_id, affiliation_id) DO UPDATE
            SET status = excluded.status, submitter_signed_at = excluded.submitter_signed_at,
                provider_signed_at = excluded.provider_signed_at,
                submitter_version = excluded.submitter_version,
                provider_version = excluded.provider_version,
                effective_from = excluded.effective_from, ends_on = excluded.ends_on,
                ends_at = excluded.ends_at, closed_at = excluded.closed_at,
                version = excluded.version",
    )
    .bind(Json(rows))
    .execute(tx)
    .await?;
    Ok(())
}
