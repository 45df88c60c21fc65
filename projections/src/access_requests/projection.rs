//! How facts about requests become rows of `read.access_requests`.
//!
//! Invariant: a batch is folded in memory on the rows that stand and written by one statement.

use std::collections::BTreeMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rollcall_domain::{
    AnyEvent,
    access_requests::{
        AccessRequestEvent, JoinRequestEvent, MoveRequestEvent, RequestItem, RequestKind,
        RouteCause,
    },
    kernel::ids::{OrganizationId, TenantId, UserId},
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
    /// Who asks; absent for somebody without an account until they are invited.
    pub user_id: Option<Uuid>,
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
            let row = Self::made(recorded, *organization, Some(*user), (*kind, *expires_at));
            return Ok(Self { items: Json(items.clone()), access_until: *until, ..row });
        }
        let mut row = Self::standing(before, recorded)?;
        match event {
            E::AccessRequested { .. } => {}
            E::AccessRequestRouted { cause, .. } => row.route(*cause, at),
            E::AccessRequestApproved { .. } => row.decide(RequestStatus::Approved, recorded),
            E::AccessRequestDenied { .. } => row.decide(RequestStatus::Denied, recorded),
            E::AccessRequestWithdrawn { .. } => row.close(RequestStatus::Withdrawn, at),
            E::AccessRequestExpired { .. } => row.close(RequestStatus::Expired, row.expires_at),
        }
        Ok(row)
    }

    fn after_joining(
        before: Option<Self>,
        recorded: &Recorded<AnyEvent>,
        event: &JoinRequestEvent,
    ) -> Result<Self, ProjectionError> {
        use JoinRequestEvent as E;
        let at = recorded.occurred_at;
        if let E::JoinRequested { organization, routed, expires_at, .. } = event {
            let mut row =
                Self::made(recorded, *organization, None, (RequestKind::Account, *expires_at));
            if let Some(cause) = routed {
                row.route(*cause, at);
            }
            return Ok(row);
        }
        let mut row = Self::standing(before, recorded)?;
        match event {
            E::JoinRequested { .. } => {}
            E::JoinRequestApproved { user, .. } => {
                row.user_id = Some(user.0);
                row.decide(RequestStatus::Approved, recorded);
            }
            E::JoinRequestDenied { .. } => row.decide(RequestStatus::Denied, recorded),
            E::JoinRequestExpired { .. } => row.close(RequestStatus::Expired, row.expires_at),
        }
        Ok(row)
    }

    fn after_moving(
        before: Option<Self>,
        recorded: &Recorded<AnyEvent>,
        event: &MoveRequestEvent,
    ) -> Result<Self, ProjectionError> {
        use MoveRequestEvent as E;
        let at = recorded.occurred_at;
        if let E::MoveRequested { user, organization, expires_at, .. } = event {
            let kind = (RequestKind::Move, *expires_at);
            let mut row = Self::made(recorded, *organization, Some(*user), kind);
            row.route(RouteCause::NotGrantable, at);
            return Ok(row);
        }
        let mut row = Self::standing(before, recorded)?;
        match event {
            E::MoveRequested { .. } => {}
            E::MoveRequestApproved { .. } => row.decide(RequestStatus::Approved, recorded),
            E::MoveRequestDenied { .. } => row.decide(RequestStatus::Denied, recorded),
            E::MoveRequestWithdrawn { .. } => row.close(RequestStatus::Withdrawn, at),
            E::MoveRequestExpired { .. } => row.close(RequestStatus::Expired, row.expires_at),
        }
        Ok(row)
    }

    /// A request just made, which waits for an administrator.
    fn made(
        recorded: &Recorded<AnyEvent>,
        organization: OrganizationId,
        user: Option<UserId>,
        (kind, expires_at): (RequestKind, DateTime<Utc>),
    ) -> Self {
        Self {
            tenant_id: recorded.tenant.0,
            request_id: recorded.aggregate_id,
            organization_id: organization.0,
            user_id: user.map(|user| user.0),
            kind: kind.as_str().to_owned(),
            items: Json(Vec::new()),
            status: RequestStatus::Open,
            routed_because: None,
            access_until: None,
            requested_position: recorded.tenant_position,
            requested_at: recorded.occurred_at,
            routed_at: None,
            closed_at: None,
            decided_by: None,
            expires_at,
            version: recorded.sequence,
        }
    }

    /// The row that stands, at the version of the event.
    fn standing(
        before: Option<Self>,
        recorded: &Recorded<AnyEvent>,
    ) -> Result<Self, ProjectionError> {
        let Some(row) = before else {
            let request = recorded.aggregate_id;
            return Err(ProjectionError::Contradiction(format!("request {request} was not made")));
        };
        Ok(Self { version: recorded.sequence, ..row })
    }

    fn route(&mut self, cause: RouteCause, at: DateTime<Utc>) {
        self.status = RequestStatus::Routed;
        self.routed_because = Some(cause.as_str().to_owned());
        self.routed_at = Some(at);
    }

    fn decide(&mut self, status: RequestStatus, recorded: &Recorded<AnyEvent>) {
        self.close(status, recorded.occurred_at);
        self.decided_by = recorded.actor.id;
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
        let Some(first) = batch.first() else { return Ok(()) };
        let ids: Vec<Uuid> = batch.iter().map(|recorded| recorded.aggregate_id).collect();
        let mut rows = load(tx, first.tenant, &ids).await?;
        for recorded in batch {
            let before = rows.remove(&recorded.aggregate_id);
            rows.extend(after(before, recorded)?.map(|row| (recorded.aggregate_id, row)));
        }
        Ok(store(tx, rows.into_values().collect()).await?)
    }
}

/// The row after an event; none where the event is about no request.
fn after(
    before: Option<AccessRequestRow>,
    recorded: &Recorded<AnyEvent>,
) -> Result<Option<AccessRequestRow>, ProjectionError> {
    if let AnyEvent::AccessRequest(event) = &recorded.event {
        AccessRequestRow::after(before, recorded, event).map(Some)
    } else if let AnyEvent::JoinRequest(event) = &recorded.event {
        AccessRequestRow::after_joining(before, recorded, event).map(Some)
    } else if let AnyEvent::MoveRequest(event) = &recorded.event {
        AccessRequestRow::after_moving(before, recorded, event).map(Some)
    } else {
        Ok(None)
    }
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
            SET user_id = excluded.user_id, status = excluded.status, routed_because = excluded.routed_because,
                routed_at = excluded.routed_at, closed_at = excluded.closed_at,
                decided_by = excluded.decided_by, version = excluded.version",
    )
    .bind(Json(rows))
    .execute(tx)
    .await?;
    Ok(())
}
