//! How facts about sessions and credentials become rows of `read.sessions` and `read.login_history`.
//!
//! Invariant: a session's row follows from its own stream only; a batch is folded on the rows that
//! stand and written by one statement per table.

use std::collections::BTreeMap;

use async_trait::async_trait;
use rollcall_domain::{AnyEvent, kernel::ids::TenantId, sessions::SessionEvent};
use rollcall_journal::{Projection, ProjectionError, Recorded};
use serde::Serialize;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{SessionRow, login_history};
use crate::readers;

/// The projection's name in checkpoints.
pub const NAME: &str = "sessions";

/// Keeps `read.sessions` and `read.login_history`.
pub struct Sessions;

#[async_trait]
impl Projection<AnyEvent> for Sessions {
    fn name(&self) -> &'static str {
        NAME
    }

    fn version(&self) -> i32 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &["sessions", "login_history"]
    }

    fn reads(&self, event: &AnyEvent) -> bool {
        readers::of(event).contains(&self.name())
    }

    async fn apply(
        &self,
        tx: &mut PgConnection,
        batch: &[&Recorded<AnyEvent>],
    ) -> Result<(), ProjectionError> {
        let Some(first) = batch.first() else { return Ok(()) };
        login_history::take_in(tx, first.tenant, batch).await?;
        let facts: Vec<_> = batch.iter().filter_map(|recorded| fact(recorded)).collect();
        if facts.is_empty() {
            return Ok(());
        }
        let ids = facts.iter().map(|(recorded, _)| recorded.aggregate_id).collect();
        let mut rows = load(tx, first.tenant, ids).await?;
        for (recorded, event) in facts {
            apply(&mut rows, recorded, event);
        }
        Ok(store(tx, first.tenant, rows.into_values().collect()).await?)
    }
}

fn fact(recorded: &Recorded<AnyEvent>) -> Option<(&Recorded<AnyEvent>, &SessionEvent)> {
    let AnyEvent::Session(event) = &recorded.event else { return None };
    Some((recorded, event))
}

fn apply(
    rows: &mut BTreeMap<Uuid, SessionRow>,
    recorded: &Recorded<AnyEvent>,
    event: &SessionEvent,
) {
    let id = recorded.aggregate_id;
    let mut change = |change: &dyn Fn(&mut SessionRow)| {
        if let Some(row) = rows.get_mut(&id) {
            change(row);
        }
    };
    match event {
        SessionEvent::SessionStarted {
            user,
            method: _,
            organization,
            must_change_password,
            must_enrol: _,
            started_at,
            absolute_expires_at,
        } => {
            let row = SessionRow {
                id,
                user_id: user.0,
                organization_id: organization.map(|organization| organization.0),
                must_change_password: *must_change_password,
                started_at: *started_at,
                absolute_expires_at: *absolute_expires_at,
                ended_at: None,
                end_cause: None,
                last_seen_at: None,
            };
            rows.insert(id, row);
        }
        SessionEvent::RestrictionLifted { .. } => change(&|row| row.must_change_password = false),
        SessionEvent::SecondFactorEnrolled { .. } => {}
        SessionEvent::OrganizationSelected { organization: to, .. }
        | SessionEvent::OrganizationSwitched { to, .. } => {
            change(&|row| row.organization_id = Some(to.0));
        }
        SessionEvent::SessionEnded { cause, .. } => change(&|row| {
            row.ended_at = Some(recorded.occurred_at);
            row.end_cause = Some(word(cause));
        }),
    }
}

/// The stored name of an enum without fields.
pub(super) fn word<T: Serialize>(value: &T) -> String {
    let value = serde_json::to_value(value).unwrap_or_default();
    value.as_str().unwrap_or_default().to_owned()
}

async fn load(
    tx: &mut PgConnection,
    tenant: TenantId,
    ids: Vec<Uuid>,
) -> Result<BTreeMap<Uuid, SessionRow>, sqlx::Error> {
    let rows: Vec<SessionRow> = sqlx::query_as(
        "SELECT id, user_id, organization_id, must_change_password, started_at,
                absolute_expires_at, ended_at, end_cause, NULL::timestamptz AS last_seen_at
           FROM sessions WHERE tenant_id = $1 AND id = ANY($2)",
    )
    .bind(tenant.0)
    .bind(ids)
    .fetch_all(tx)
    .await?;
    Ok(rows.into_iter().map(|row| (row.id, row)).collect())
}

async fn store(
    tx: &mut PgConnection,
    tenant: TenantId,
    rows: Vec<SessionRow>,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO sessions (tenant_id, id, user_id, organization_id, must_change_password,
                               started_at, absolute_expires_at, ended_at, end_cause)
         SELECT $1, * FROM UNNEST($2::uuid[], $3::uuid[], $4::uuid[], $5::boolean[],
                                  $6::timestamptz[], $7::timestamptz[], $8::timestamptz[],
                                  $9::text[])
         ON CONFLICT (tenant_id, id) DO UPDATE
            SET organization_id = excluded.organization_id,
                must_change_password = excluded.must_change_password,
                ended_at = excluded.ended_at, end_cause = excluded.end_cause",
    )
    .bind(tenant.0)
    .bind(rows.iter().map(|row| row.id).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.user_id).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.organization_id).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.must_change_password).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.started_at).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.absolute_expires_at).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.ended_at).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.end_cause.clone()).collect::<Vec<_>>())
    .execute(tx)
    .await?;
    Ok(())
}
