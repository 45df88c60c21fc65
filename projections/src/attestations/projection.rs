//! How signatures become rows of `read.attestations`. Invariant: one statement a batch.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rollcall_domain::{AnyEvent, attestations::AttestationEvent};
use rollcall_journal::{Projection, ProjectionError, Recorded};
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

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
        let signed = batch.iter().filter_map(|recorded| {
            let AnyEvent::Attestation(event) = &recorded.event else { return None };
            let AttestationEvent::AttestationSigned { .. } = event;
            Some((*recorded, event))
        });
        insert(tx, &signed.collect::<Vec<_>>()).await?;
        Ok(())
    }
}

/// One signature of a batch.
type Signed<'a> = (&'a Recorded<AnyEvent>, &'a AttestationEvent);

async fn insert(tx: &mut PgConnection, signed: &[Signed<'_>]) -> Result<(), sqlx::Error> {
    if signed.is_empty() {
        return Ok(());
    }
    let mut rows = Rows::default();
    for (recorded, event) in signed {
        let AttestationEvent::AttestationSigned {
            user,
            organization,
            statement: _,
            version,
            sha256,
            boxes,
        } = event;
        rows.tenants.push(recorded.tenant.0);
        rows.organizations.push(organization.0);
        rows.users.push(user.0);
        rows.versions.push(version.as_str());
        rows.hashes.push(sha256.as_str());
        rows.boxes.push(Value::from(boxes.clone()));
        rows.moments.push(recorded.occurred_at);
        rows.positions.push(recorded.tenant_position);
    }
    // Arrays of arrays must be rectangular in PostgreSQL, so boxes travel as one JSON text a row.
    sqlx::query(
        "INSERT INTO attestations (tenant_id, organization_id, user_id, version, sha256, boxes,
                                   signed_at, position)
         SELECT s.tenant_id, s.organization_id, s.user_id, s.version, s.sha256,
                ARRAY(SELECT jsonb_array_elements_text(s.boxes)), s.signed_at, s.position
           FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::jsonb[],
                       $7::timestamptz[], $8::bigint[])
                s(tenant_id, organization_id, user_id, version, sha256, boxes, signed_at, position)",
    )
    .bind(rows.tenants)
    .bind(rows.organizations)
    .bind(rows.users)
    .bind(rows.versions)
    .bind(rows.hashes)
    .bind(rows.boxes)
    .bind(rows.moments)
    .bind(rows.positions)
    .execute(tx)
    .await?;
    Ok(())
}

/// A batch by columns.
#[derive(Default)]
struct Rows<'a> {
    tenants: Vec<Uuid>,
    organizations: Vec<Uuid>,
    users: Vec<Uuid>,
    versions: Vec<&'a str>,
    hashes: Vec<&'a str>,
    boxes: Vec<Value>,
    moments: Vec<DateTime<Utc>>,
    positions: Vec<i64>,
}
