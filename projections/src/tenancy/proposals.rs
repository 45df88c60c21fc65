//! `policy_proposals`: changes of policy that wait for another administrator (GN-02).
//!
//! Invariant: reasons are personal and stay in the journal.

use chrono::{DateTime, Utc};
use rollcall_domain::policies::proposal::{PolicyProposalEvent, ProposedChange};
use rollcall_journal::Recorded;
use sqlx::{PgConnection, types::Json};
use uuid::Uuid;

use crate::Snapshot;

/// Where a proposal stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProposalStatus {
    Open,
    Approved,
    Rejected,
    Withdrawn,
}

impl ProposalStatus {
    const ALL: [Self; 4] = [Self::Open, Self::Approved, Self::Rejected, Self::Withdrawn];

    /// The stored name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "OPEN",
            Self::Approved => "APPROVED",
            Self::Rejected => "REJECTED",
            Self::Withdrawn => "WITHDRAWN",
        }
    }
}

impl TryFrom<String> for ProposalStatus {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        Self::ALL.into_iter().find(|status| status.as_str() == name).ok_or(name)
    }
}

/// A proposed change.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct ProposalRow {
    pub id: Uuid,
    pub change: Json<ProposedChange>,
    #[sqlx(try_from = "String")]
    pub status: ProposalStatus,
    pub effective_at: Option<DateTime<Utc>>,
    pub proposed_by: Uuid,
    pub proposed_at: DateTime<Utc>,
    pub proposed_position: i64,
    pub decided_by: Option<Uuid>,
    pub decided_at: Option<DateTime<Utc>>,
}

const COLUMNS: &str = "id, change, status, effective_at, proposed_by, proposed_at,
    proposed_position, decided_by, decided_at";

/// Proposals from the newest to the oldest, before `before`.
///
/// # Errors
/// The database did not answer.
pub async fn policy_proposals(
    view: &mut Snapshot,
    status: Option<ProposalStatus>,
    (limit, before): (i64, Option<i64>),
) -> Result<Vec<ProposalRow>, sqlx::Error> {
    sqlx::query_as(&format!(
        "SELECT {COLUMNS} FROM read.policy_proposals
          WHERE tenant_id = $1 AND ($2::text IS NULL OR status = $2)
            AND ($3::bigint IS NULL OR proposed_position < $3)
          ORDER BY proposed_position DESC LIMIT $4"
    ))
    .bind(view.tenant().0)
    .bind(status.map(ProposalStatus::as_str))
    .bind(before)
    .bind(limit)
    .fetch_all(view.connection())
    .await
}

/// Proposals by their ids.
///
/// # Errors
/// The database did not answer.
pub async fn policy_proposals_by_id(
    view: &mut Snapshot,
    ids: &[Uuid],
) -> Result<Vec<ProposalRow>, sqlx::Error> {
    sqlx::query_as(&format!(
        "SELECT {COLUMNS} FROM read.policy_proposals WHERE tenant_id = $1 AND id = ANY ($2)"
    ))
    .bind(view.tenant().0)
    .bind(ids)
    .fetch_all(view.connection())
    .await
}

pub(super) async fn apply<E>(
    tx: &mut PgConnection,
    recorded: &Recorded<E>,
    event: &PolicyProposalEvent,
) -> Result<(), sqlx::Error> {
    let (status, by) = match event {
        PolicyProposalEvent::PolicyChangeProposed { by, change, effective_at, .. } => {
            return sqlx::query(
                "INSERT INTO policy_proposals (tenant_id, id, change, status, effective_at,
                                               proposed_by, proposed_at, proposed_position)
                 VALUES ($1, $2, $3, 'OPEN', $4, $5, $6, $7)",
            )
            .bind(recorded.tenant.0)
            .bind(recorded.aggregate_id)
            .bind(Json(change))
            .bind(effective_at)
            .bind(by.0)
            .bind(recorded.occurred_at)
            .bind(recorded.tenant_position)
            .execute(tx)
            .await
            .map(drop);
        }
        PolicyProposalEvent::PolicyChangeApproved { by, .. } => (ProposalStatus::Approved, by),
        PolicyProposalEvent::PolicyChangeRejected { by, .. } => (ProposalStatus::Rejected, by),
        PolicyProposalEvent::PolicyChangeWithdrawn { by, .. } => (ProposalStatus::Withdrawn, by),
    };
    sqlx::query(
        "UPDATE policy_proposals SET status = $3, decided_by = $4, decided_at = $5
          WHERE tenant_id = $1 AND id = $2",
    )
    .bind(recorded.tenant.0)
    .bind(recorded.aggregate_id)
    .bind(status.as_str())
    .bind(by.0)
    .bind(recorded.occurred_at)
    .execute(tx)
    .await
    .map(drop)
}
