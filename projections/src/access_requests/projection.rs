//! How facts about requests become rows of `read.access_requests`.
//!
//! Invariant: a batch is folded in memory on the rows that stand and written by one statement.

use std::collections::BTreeMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rollcall_domain::{
    AnyEvent,
    access_requests::{AccessRequestEvent, RequestItem},
    kernel::ids::TenantId,
};
use rollcall_journal::{Projection, ProjectionError, Recorded};
use serde::Serialize;
use sqlx::{PgConnection, types::Json};
use uuid::Uuid;

use crate::readers;

/// Where a request stands (requirements, section 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RequestStatus {
    Open,
    Routed,
    Approved,
    Denied,
    Withdrawn,
    Expired,
}

impl RequestStatus {
    const ALL: [Self; 6] =
        [Self::Open, Self::Routed, Self::Approved, Self::Denied, Self::Withdrawn, Self::Expired];

    /// The stored name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "OPEN",
            Self::Routed => "ROUTED",
            Self::Approved => "APPROVED",
            Self::Denied => "DENIED",
            Self::Withdrawn => "WITHDRAWN",
            Self::Expired => "EXPIRED",
        }
    }
}

impl TryFrom<String> for RequestStatus {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        Self::ALL.into_iter().find(|status| status.as_str() == name).ok_or(name)
    }
}

/// One request.
#[derive(Clone, Debug, Serialize, sqlx::FromRow)]
pub struct AccessRequestRow {
    pub tenant_id: Uuid,
    pub request_id: Uuid,
    pub organization_id: Uuid,
    pub user_id: Uuid,
    pub kind: String,
    pub items: Json<Vec<RequestItem>>,
    #[sqlx(try_from = "String")]
    pub status: RequestStatus,
    /// Why it waits, or waited, for the plan.
    pub routed_because: Option<String>,
    pub access_until: Option<DateTime<Utc>>,
    pub requested_position: i64,
    pub requested_at: DateTime<Utc>,
    pub routed_at: Option<DateTime<Utc>>,
    pub closed_at: Option<DateTime<Utc>>,
    /// Who approved or denied.
    pub decided_by: Option<Uuid>,
    pub expires_at: DateTime<Utc>,
    pub version: i64,
}

impl AccessRequestRow {
    fn after(
        before: Option<Self>,
        recorded: &Recorded<AnyEvent>,
        event: &AccessRequestEvent,
    ) -> Result<Self, ProjectionError> {
        use AccessRequestEvent as E;
        let at = recorded.occurred_at;
        if let E::AccessRequested { user, organization, kind, items, until, expires_at, .. } = event
        {
            return Ok(Self {
                tenant_id: recorded.tenant.0,
                request_id: recorded.aggregate_id,
                organization_id: organization.0,
                user_id: user.0,
                kind: kind.as_str().to_owned(),
                items: Json(items.clone()),
                status: RequestStatus::Open,
                routed_because: None,
                access_until: *until,
                requested_position: recorded.tenant_position,
                requested_at: at,
                routed_at: None,
                closed_at: None,
                decided_by: None,
                expires_at: *expires_at,
                version: recorded.sequence,
            });
        }
        let Some(mut row) = before else {
            let request = recorded.aggregate_id;
            return Err(ProjectionError::Contradiction(format!("request {request} was not made")));
        };
        row.version = recorded.sequence;
        match event {
            E::AccessRequested { .. } => {}
            E::AccessRequestRouted { cause, .. } => {
                row.status = RequestStatus::Routed;
                row.routed_because = Some(cause.as_str().to_owned());
                row.routed_at = Some(at);
            }
            E::AccessRequestApproved { .. } => {
                row.close(RequestStatus::Approved, at);
                row.decided_by = recorded.actor.id;
            }
            E::AccessRequestDenied { .. } => {
                row.close(RequestStatus::Denied, at);
                row.decided_by = recorded.actor.id;
            }
            E::AccessRequestWithdrawn { .. } => row.close(RequestStatus::Withdrawn, at),
            E::AccessRequestExpired { .. } => row.close(RequestStatus::Expired, row.expires_at),
        }
        Ok(row)
    }

    fn close(&mut self, status: RequestStatus, at: DateTime<Utc>) {
        self.status = status;
        self.closed_at = Some(at);
    }
}

/// Keeps `read.access_requests`.
pub struct AccessRequests;

#[async_trait]
impl Projection<AnyEvent> for AccessRequests {
    fn name(&self) -> &'static str {
        "access_requests"
    }

    fn version(&self) -> i32 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &["access_requests"]
    }

    fn reads(&self, event: &AnyEvent) -> bool {
        readers::of(event).contains(&self.name())
    }

    async fn apply(
        &self,
        tx: &mut PgConnection,
        batch: &[&Recorded<AnyEvent>],
    ) -> Result<(), ProjectionError> {
        let events: Vec<_> = batch
            .iter()
            .filter_map(|recorded| Some((recorded, request(&recorded.event)?)))
            .collect();
        let Some((first, _)) = events.first() else { return Ok(()) };
        let ids: Vec<Uuid> = events.iter().map(|(recorded, _)| recorded.aggregate_id).collect();
        let mut rows = load(tx, first.tenant, &ids).await?;
        for (recorded, event) in events {
            let before = rows.remove(&recorded.aggregate_id);
            let row = AccessRequestRow::after(before, recorded, event)?;
            rows.insert(recorded.aggregate_id, row);
        }
        Ok(store(tx, rows.into_values().collect()).await?)
    }
}

fn request(event: &AnyEvent) -> Option<&AccessRequestEvent> {
    let AnyEvent::AccessRequest(event) = event else { return None };
    Some(event)
}

async fn load(
    tx: &mut PgConnection,
    tenant: TenantId,
    ids: &[Uuid],
) -> Result<BTreeMap<Uuid, AccessRequestRow>, sqlx::Error> {
    let rows: Vec<AccessRequestRow> = sqlx::query_as(
        "SELECT * FROM access_requests WHERE tenant_id = $1 AND request_id = ANY($2)",
    )
    .bind(tenant.0)
    .bind(ids)
    .fetch_all(tx)
    .await?;
    Ok(rows.into_iter().map(|row| (row.request_id, row)).collect())
}

async fn store(tx: &mut PgConnection, rows: Vec<AccessRequestRow>) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO access_requests
         SELECT * FROM jsonb_populate_recordset(NULL::access_requests, $1)
         ON CONFLICT (tenant_id, request_id) DO UPDATE
            SET status = excluded.status, routed_because = excluded.routed_because,
                routed_at = excluded.routed_at, closed_at = excluded.closed_at,
                decided_by = excluded.decided_by, version = excluded.version",
    )
    .bind(Json(rows))
    .execute(tx)
    .await?;
    Ok(())
}
