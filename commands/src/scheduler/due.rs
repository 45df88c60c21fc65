//! `ops.due_times`. Invariant: one row per stream, kind and detail; a later end replaces an earlier
//! one.

use chrono::{DateTime, TimeDelta, TimeZone, Utc};
use rollcall_domain::{
    AnyEvent,
    kernel::ids::{OrganizationId, TenantId, UserId},
    notifications::Frequency,
    policies::PolicyEvent,
};
use rollcall_journal::Recorded;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use super::kind::Kind;

/// How long a failed command waits.
const PAUSE: TimeDelta = TimeDelta::seconds(30);

/// Something that ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct End {
    pub kind: Kind,
    pub detail: String,
    /// `None` when nothing ends any more.
    pub at: Option<DateTime<Utc>>,
}

impl End {
    pub fn at(kind: Kind, at: DateTime<Utc>) -> Self {
        Self { kind, detail: String::new(), at: Some(at) }
    }

    pub fn no_more(kind: Kind) -> Self {
        Self { kind, detail: String::new(), at: None }
    }

    pub fn of(mut self, detail: impl ToString) -> Self {
        self.detail = detail.to_string();
        self
    }
}

/// A row that is due.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(super) struct Due {
    #[sqlx(try_from = "Uuid", rename = "tenant_id")]
    pub tenant: TenantId,
    kind: String,
    pub stream_id: Uuid,
    pub detail: String,
    subject_id: Option<Uuid>,
    organization_id: Option<Uuid>,
    pub due_at: DateTime<Utc>,
    pub source_event: Uuid,
    pub correlation_id: Uuid,
}

impl Due {
    /// `None` for a kind that this version does not know.
    pub fn kind(&self) -> Option<Kind> {
        Kind::parse(&self.kind)
    }

    pub fn subject(&self) -> Option<UserId> {
        self.subject_id.map(UserId)
    }

    pub fn organization(&self) -> Option<OrganizationId> {
        self.organization_id.map(OrganizationId)
    }

    /// The same end is the same command, however often it is sent. What brought it about is part of
    /// it: two changes of a policy at one moment are looked into twice.
    pub fn command_id(&self) -> Uuid {
        let end = format!(
            "{}/{}/{}/{}/{}",
            self.kind,
            self.stream_id,
            self.detail,
            self.due_at.timestamp_micros(),
            self.source_event
        );
        self.tenant.derive("scheduler", &end)
    }
}

/// Notes when something ends, or that it does not.
pub(super) async fn note(
    tx: &mut PgConnection,
    event: &Recorded<AnyEvent>,
    end: &End,
) -> Result<(), sqlx::Error> {
    let Some(at) = end.at else {
        sqlx::query(
            "DELETE FROM ops.due_times
              WHERE tenant_id = $1 AND kind = $2 AND stream_id = $3 AND detail = $4",
        )
        .bind(event.tenant.0)
        .bind(end.kind.as_str())
        .bind(event.aggregate_id)
        .bind(&end.detail)
        .execute(tx)
        .await?;
        return Ok(());
    };
    sqlx::query(
        "INSERT INTO ops.due_times (tenant_id, kind, stream_id, detail, subject_id,
           organization_id, due_at, attempt_at, source_event, correlation_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8, $9)
         ON CONFLICT (tenant_id, kind, stream_id, detail) DO UPDATE SET
           due_at = excluded.due_at, attempt_at = excluded.attempt_at,
           source_event = excluded.source_event, correlation_id = excluded.correlation_id",
    )
    .bind(event.tenant.0)
    .bind(end.kind.as_str())
    .bind(event.aggregate_id)
    .bind(&end.detail)
    .bind(event.subject.map(|user| user.0))
    .bind(event.subject_organization.map(|organization| organization.0))
    .bind(at)
    .bind(event.event_id)
    .bind(event.correlation_id)
    .execute(tx)
    .await?;
    Ok(())
}

/// Notes when a person's next digest is due; an earlier time stands. Should the row be carried out
/// this moment, this waits for that and notes the next one.
pub async fn note_digest(
    tx: &mut PgConnection,
    event: &Recorded<AnyEvent>,
    (people, frequency): (&[UserId], Frequency),
    at: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO ops.due_times (tenant_id, kind, stream_id, detail, subject_id, due_at,
           attempt_at, source_event, correlation_id)
         SELECT $1, $2, p.inbox, $4, p.user_id, $6, $6, $7, $8
           FROM unnest($3::uuid[], $5::uuid[]) p(inbox, user_id)
         ON CONFLICT (tenant_id, kind, stream_id, detail) DO UPDATE SET
           due_at = least(due_times.due_at, excluded.due_at),
           attempt_at = least(due_times.attempt_at, excluded.attempt_at)",
    )
    .bind(event.tenant.0)
    .bind(Kind::Digest.as_str())
    .bind(people.iter().map(|user| event.tenant.inbox_stream(*user)).collect::<Vec<_>>())
    .bind(frequency.as_str())
    .bind(people.iter().map(|user| user.0).collect::<Vec<_>>())
    .bind(at)
    .bind(event.event_id)
    .bind(event.correlation_id)
    .execute(tx)
    .await?;
    Ok(())
}

/// Has what depends on the policy looked at when the policy changes, if not before.
pub(super) async fn hasten(
    tx: &mut PgConnection,
    event: &Recorded<AnyEvent>,
    change: &PolicyEvent,
) -> Result<(), sqlx::Error> {
    let kinds = Kind::moved_by(change);
    if kinds.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "UPDATE ops.due_times
            SET due_at = $3, attempt_at = $3, source_event = $4, correlation_id = $5
          WHERE tenant_id = $1 AND kind = ANY($2) AND due_at > $3",
    )
    .bind(event.tenant.0)
    .bind(kinds.into_iter().map(Kind::as_str).collect::<Vec<_>>())
    .bind(change.effective_at())
    .bind(event.event_id)
    .bind(event.correlation_id)
    .execute(tx)
    .await?;
    Ok(())
}

/// Has the open reviews of an organisation looked at now.
pub(super) async fn hasten_reviews(
    tx: &mut PgConnection,
    event: &Recorded<AnyEvent>,
    organization: OrganizationId,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE ops.due_times
            SET due_at = $3, attempt_at = $3, source_event = $4, correlation_id = $5
          WHERE tenant_id = $1 AND organization_id = $2 AND kind = 'ACCESS_REVIEW' AND due_at > $3",
    )
    .bind(event.tenant.0)
    .bind(organization.0)
    .bind(event.occurred_at)
    .bind(event.event_id)
    .bind(event.correlation_id)
    .execute(tx)
    .await
    .map(drop)
}

/// Locks the end that is overdue longest, if one is due.
pub(super) async fn claim(
    tx: &mut PgConnection,
    now: DateTime<Utc>,
) -> Result<Option<Due>, sqlx::Error> {
    sqlx::query_as(
        "SELECT tenant_id, kind, stream_id, detail, subject_id, organization_id, due_at,
                source_event, correlation_id
           FROM ops.due_times WHERE attempt_at <= $1
          ORDER BY attempt_at LIMIT 1 FOR UPDATE SKIP LOCKED",
    )
    .bind(now)
    .fetch_optional(tx)
    .await
}

/// Takes a row away that was carried out.
pub(super) async fn done(tx: &mut PgConnection, due: &Due) -> Result<(), sqlx::Error> {
    sqlx::query(
        "DELETE FROM ops.due_times
          WHERE tenant_id = $1 AND kind = $2 AND stream_id = $3 AND detail = $4",
    )
    .bind(due.tenant.0)
    .bind(&due.kind)
    .bind(due.stream_id)
    .bind(&due.detail)
    .execute(tx)
    .await?;
    Ok(())
}

/// Keeps a row for the next time it matters; without one, until the policy changes.
pub(super) async fn again(
    tx: &mut PgConnection,
    due: &Due,
    at: Option<DateTime<Utc>>,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE ops.due_times SET due_at = $5, attempt_at = $5 WHERE tenant_id = $1
            AND kind = $2 AND stream_id = $3 AND detail = $4",
    )
    .bind(due.tenant.0)
    .bind(&due.kind)
    .bind(due.stream_id)
    .bind(&due.detail)
    .bind(at.unwrap_or_else(far_away))
    .execute(tx)
    .await?;
    Ok(())
}

/// Later than anything that has an end.
fn far_away() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(9999, 1, 1, 0, 0, 0).single().unwrap_or(DateTime::<Utc>::MAX_UTC)
}

/// Puts a row off that could not be carried out.
pub(super) async fn put_off(
    tx: &mut PgConnection,
    due: &Due,
    now: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE ops.due_times SET attempt_at = $5 WHERE tenant_id = $1 AND kind = $2
            AND stream_id = $3 AND detail = $4",
    )
    .bind(due.tenant.0)
    .bind(&due.kind)
    .bind(due.stream_id)
    .bind(&due.detail)
    .bind(now + PAUSE)
    .execute(tx)
    .await?;
    Ok(())
}

/// How much is due at `now`, what is being carried out included.
///
/// # Errors
/// The database did not answer.
pub async fn count(pool: &PgPool, now: DateTime<Utc>) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar("SELECT count(*) FROM ops.due_times WHERE attempt_at <= $1")
        .bind(now)
        .fetch_one(pool)
        .await
}
