//! Folds events into `access_intervals`: the timelines an event may change are loaded, changed in
//! memory, and written back.
//!
//! Invariant: the rows do not depend on how events fall into batches.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rollcall_domain::{AnyEvent, kernel::ids::TenantId};
use rollcall_journal::{Projection, ProjectionError, Recorded};
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use super::{
    cause::Cause,
    facts,
    interval::{End, Interval, Timeline},
    ledger::{Closed, Ledger, Made},
};
use crate::readers;

/// The projection's name in checkpoints.
pub const NAME: &str = "access_register";

/// Keeps `access_intervals`.
pub struct AccessRegister;

#[async_trait]
impl Projection<AnyEvent> for AccessRegister {
    fn name(&self) -> &'static str {
        NAME
    }

    fn version(&self) -> i32 {
        2
    }

    fn tables(&self) -> &'static [&'static str] {
        &["access_intervals"]
    }

    fn reads(&self, event: &AnyEvent) -> bool {
        readers::of(event).contains(&self.name())
    }

    async fn apply(
        &self,
        tx: &mut PgConnection,
        batch: &[&Recorded<AnyEvent>],
    ) -> Result<(), ProjectionError> {
        let Some((tenant, holders)) = facts::all_holders(batch) else { return Ok(()) };
        if holders.is_empty() {
            return Ok(());
        }
        let mut ledger = load(tx, tenant, &holders).await?;
        for event in batch {
            facts::take_in(&mut ledger, event);
        }
        let (made, closed) = ledger.finish();
        close(tx, tenant, &closed).await?;
        insert(tx, tenant, made).await?;
        Ok(())
    }
}

/// A stored row.
#[derive(FromRow)]
pub(crate) struct Row {
    known_from: i64,
    ordinal: i16,
    kind: String,
    holder_id: Uuid,
    user_id: Option<Uuid>,
    organization_id: Option<Uuid>,
    npi: Option<String>,
    name: Option<String>,
    value: Vec<String>,
    valid_from: DateTime<Utc>,
    valid_to: DateTime<Utc>,
    known_from_at: DateTime<Utc>,
    cause: String,
    cause_position: i64,
    end_position: Option<i64>,
    end_cause: Option<String>,
}

/// What [`Row`] is read by.
pub(crate) const COLUMNS: &str =
    "known_from, ordinal, kind, holder_id, user_id, organization_id, npi, name, value, valid_from,
                valid_to, known_from_at, cause, cause_position, end_position, end_cause";

impl Row {
    /// What it says; `None` for a row that no version of this writes.
    pub(crate) fn read(self) -> Option<(Timeline, Interval)> {
        let timeline = Timeline::stored(
            (&self.kind, self.holder_id),
            self.user_id,
            self.organization_id,
            self.npi,
            self.name.as_deref(),
        )?;
        let end = match (self.end_position, self.end_cause) {
            (Some(position), Some(cause)) => Some(End { position, cause: Cause::parse(&cause)? }),
            (Some(_), None) => return None,
            (None, _) => None,
        };
        let interval = Interval {
            known_from: self.known_from,
            ordinal: self.ordinal,
            known_from_at: self.known_from_at,
            value: self.value,
            valid_from: self.valid_from,
            valid_to: self.valid_to,
            cause: Cause::parse(&self.cause)?,
            cause_position: self.cause_position,
            end,
        };
        Some((timeline, interval))
    }
}

async fn load(
    tx: &mut PgConnection,
    tenant: TenantId,
    holders: &[Uuid],
) -> Result<Ledger, ProjectionError> {
    let rows: Vec<Row> = sqlx::query_as(&format!(
        "SELECT {COLUMNS} FROM access_intervals
          WHERE tenant_id = $1 AND holder_id = ANY ($2) AND known_to IS NULL"
    ))
    .bind(tenant.0)
    .bind(holders)
    .fetch_all(tx)
    .await?;
    let mut ledger = Ledger::default();
    for row in rows {
        let (position, ordinal) = (row.known_from, row.ordinal);
        let (timeline, interval) = row.read().ok_or_else(|| {
            ProjectionError::Contradiction(format!("row {position}/{ordinal} is of no known kind"))
        })?;
        ledger.load(timeline, interval);
    }
    Ok(ledger)
}

async fn close(
    tx: &mut PgConnection,
    tenant: TenantId,
    closed: &[Closed],
) -> Result<(), sqlx::Error> {
    if closed.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "UPDATE access_intervals i SET known_to = c.known_to, known_to_at = c.known_to_at
           FROM unnest($2::bigint[], $3::smallint[], $4::bigint[], $5::timestamptz[])
                c(known_from, ordinal, known_to, known_to_at)
          WHERE i.tenant_id = $1 AND i.known_from = c.known_from AND i.ordinal = c.ordinal",
    )
    .bind(tenant.0)
    .bind(closed.iter().map(|row| row.known_from).collect::<Vec<_>>())
    .bind(closed.iter().map(|row| row.ordinal).collect::<Vec<_>>())
    .bind(closed.iter().map(|row| row.known_to).collect::<Vec<_>>())
    .bind(closed.iter().map(|row| row.known_to_at).collect::<Vec<_>>())
    .execute(tx)
    .await?;
    Ok(())
}

async fn insert(
    tx: &mut PgConnection,
    tenant: TenantId,
    made: Vec<Made>,
) -> Result<(), sqlx::Error> {
    if made.is_empty() {
        return Ok(());
    }
    // Arrays of arrays must be rectangular in PostgreSQL, so words travel as one JSON text a row.
    let words = |row: &Interval| serde_json::Value::from(row.value.clone());
    let each = |field: fn(&Timeline) -> Option<Uuid>| -> Vec<Option<Uuid>> {
        made.iter().map(|(timeline, ..)| field(timeline)).collect()
    };
    sqlx::query(
        "INSERT INTO access_intervals (tenant_id, known_from, ordinal, kind, holder_id, user_id,
           organization_id, npi, name, value, valid_from, valid_to, known_from_at, known_to,
           known_to_at, cause, cause_position, end_position, end_cause)
         SELECT $1, m.known_from, m.ordinal, m.kind, m.holder_id, m.user_id, m.organization_id,
                m.npi, m.name, ARRAY(SELECT jsonb_array_elements_text(m.value)), m.valid_from,
                m.valid_to, m.known_from_at, m.known_to, m.known_to_at, m.cause, m.cause_position,
                m.end_position, m.end_cause
           FROM unnest($2::bigint[], $3::smallint[], $4::text[], $5::uuid[], $6::uuid[],
                $7::uuid[], $8::text[], $9::text[], $10::jsonb[], $11::timestamptz[],
                $12::timestamptz[], $13::timestamptz[], $14::bigint[], $15::timestamptz[],
                $16::text[], $17::bigint[], $18::bigint[], $19::text[])
                m(known_from, ordinal, kind, holder_id, user_id, organization_id, npi, name, value,
                  valid_from, valid_to, known_from_at, known_to, known_to_at, cause,
                  cause_position, end_position, end_cause)",
    )
    .bind(tenant.0)
    .bind(made.iter().map(|(_, row, _)| row.known_from).collect::<Vec<_>>())
    .bind(made.iter().map(|(_, row, _)| row.ordinal).collect::<Vec<_>>())
    .bind(made.iter().map(|(timeline, ..)| timeline.kind()).collect::<Vec<_>>())
    .bind(made.iter().map(|(timeline, ..)| timeline.holder(tenant)).collect::<Vec<_>>())
    .bind(each(|timeline| timeline.user().map(Uuid::from)))
    .bind(each(|timeline| timeline.organization().map(Uuid::from)))
    .bind(made.iter().map(|(timeline, ..)| timeline.npi()).collect::<Vec<_>>())
    .bind(made.iter().map(|(timeline, ..)| timeline.name()).collect::<Vec<_>>())
    .bind(made.iter().map(|(_, row, _)| words(row)).collect::<Vec<_>>())
    .bind(made.iter().map(|(_, row, _)| row.valid_from).collect::<Vec<_>>())
    .bind(made.iter().map(|(_, row, _)| row.valid_to).collect::<Vec<_>>())
    .bind(made.iter().map(|(_, row, _)| row.known_from_at).collect::<Vec<_>>())
    .bind(made.iter().map(|(.., end)| end.as_ref().map(|end| end.known_to)).collect::<Vec<_>>())
    .bind(made.iter().map(|(.., end)| end.as_ref().map(|end| end.known_to_at)).collect::<Vec<_>>())
    .bind(made.iter().map(|(_, row, _)| row.cause.as_str()).collect::<Vec<_>>())
    .bind(made.iter().map(|(_, row, _)| row.cause_position).collect::<Vec<_>>())
    .bind(made.iter().map(|(_, row, _)| row.end.map(|end| end.position)).collect::<Vec<_>>())
    .bind(made.iter().map(|(_, row, _)| row.end.map(|end| end.cause.as_str())).collect::<Vec<_>>())
    .execute(tx)
    .await?;
    Ok(())
}
