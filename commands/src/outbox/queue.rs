//! `ops.outbox`. Invariant: a row that somebody works on is locked, so two senders never hold the
//! same message; a crash lets go of the lock.

use chrono::{DateTime, Utc};
use rollcall_domain::{
    AnyEvent,
    kernel::ids::{DeliveryId, TenantId},
    notifications::{Channel, Message},
};
use rollcall_journal::Recorded;
use sqlx::{PgConnection, PgPool, types::Json};
use uuid::Uuid;

use crate::messages::{Addressee, Particulars, Planned, Template};

/// A row claimed by a sender.
#[derive(Clone, Debug)]
pub(super) struct Claimed {
    pub tenant: TenantId,
    pub delivery: DeliveryId,
    pub source_event: Uuid,
    pub source_position: i64,
    pub correlation_id: Uuid,
    pub dedupe_key: String,
    /// Attempts made before this one.
    pub attempts: u32,
    /// How often it was taken up again after it had been given up.
    pub retries: u32,
    /// `None` when the row names a template or channel this version does not know.
    pub message: Option<Planned>,
}

impl Claimed {
    /// The message as its delivery records it.
    pub fn recorded_as(&self, message: &Planned) -> Message {
        Message {
            delivery: self.delivery,
            channel: message.channel,
            template: message.template.as_str().to_owned(),
            recipient: message.to.recipient(),
            source_event: self.source_event,
            dedupe_key: self.dedupe_key.clone(),
        }
    }
}

/// This message, of this event, to this recipient.
fn dedupe_key(event: Uuid, message: &Planned) -> String {
    format!("{event}/{}/{}", message.template.as_str(), message.to.key())
}

/// Queues a message; a second time nothing happens.
pub(super) async fn insert(
    tx: &mut PgConnection,
    event: &Recorded<AnyEvent>,
    message: &Planned,
) -> Result<(), sqlx::Error> {
    let key = dedupe_key(event.event_id, message);
    sqlx::query(
        "INSERT INTO ops.outbox (tenant_id, delivery_id, source_event, source_position,
           correlation_id, template, channel, addressee, particulars, dedupe_key, queued_at,
           next_attempt_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11)
         ON CONFLICT DO NOTHING",
    )
    .bind(event.tenant.0)
    .bind(event.tenant.derive("delivery", &key))
    .bind(event.event_id)
    .bind(event.tenant_position)
    .bind(event.correlation_id)
    .bind(message.template.as_str())
    .bind(message.channel.as_str())
    .bind(Json(message.to))
    .bind(Json(&message.particulars))
    .bind(key)
    .bind(event.occurred_at)
    .execute(tx)
    .await?;
    Ok(())
}

#[derive(sqlx::FromRow)]
struct Row {
    tenant_id: Uuid,
    delivery_id: Uuid,
    source_event: Uuid,
    source_position: i64,
    correlation_id: Uuid,
    template: String,
    channel: String,
    addressee: Json<Addressee>,
    particulars: Json<Particulars>,
    dedupe_key: String,
    attempts: i32,
    retries: i32,
}

impl From<Row> for Claimed {
    fn from(row: Row) -> Self {
        let known = Template::parse(&row.template).zip(Channel::parse(&row.channel));
        let message = known.map(|(template, channel)| Planned {
            template,
            channel,
            to: row.addressee.0,
            particulars: row.particulars.0,
        });
        Self {
            tenant: TenantId(row.tenant_id),
            delivery: DeliveryId(row.delivery_id),
            source_event: row.source_event,
            source_position: row.source_position,
            correlation_id: row.correlation_id,
            dedupe_key: row.dedupe_key,
            attempts: u32::try_from(row.attempts).unwrap_or_default(),
            retries: u32::try_from(row.retries).unwrap_or_default(),
            message,
        }
    }
}

/// Locks the message that has waited longest for its next attempt, if one is due.
pub(super) async fn claim(
    tx: &mut PgConnection,
    now: DateTime<Utc>,
) -> Result<Option<Claimed>, sqlx::Error> {
    let row: Option<Row> = sqlx::query_as(
        "SELECT tenant_id, delivery_id, source_event, source_position, correlation_id, template,
                channel, addressee, particulars, dedupe_key, attempts, retries
           FROM ops.outbox WHERE status = 'PENDING' AND next_attempt_at <= $1
          ORDER BY next_attempt_at LIMIT 1 FOR UPDATE SKIP LOCKED",
    )
    .bind(now)
    .fetch_optional(tx)
    .await?;
    Ok(row.map(Claimed::from))
}

/// Lets go of a message that has left; what became of it stands in the log.
pub(super) async fn done(tx: &mut PgConnection, claimed: &Claimed) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM ops.outbox WHERE tenant_id = $1 AND delivery_id = $2")
        .bind(claimed.tenant.0)
        .bind(claimed.delivery.0)
        .execute(tx)
        .await?;
    Ok(())
}

/// Notes a failed attempt; without a time for the next one the message is a dead letter, which
/// stays for an operator to look at.
pub(super) async fn failed(
    tx: &mut PgConnection,
    claimed: &Claimed,
    again_at: Option<DateTime<Utc>>,
    failure: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE ops.outbox SET attempts = attempts + 1, last_failure = $4,
                status = CASE WHEN $3::timestamptz IS NULL THEN 'DEAD' ELSE 'PENDING' END,
                next_attempt_at = coalesce($3, next_attempt_at)
          WHERE tenant_id = $1 AND delivery_id = $2",
    )
    .bind(claimed.tenant.0)
    .bind(claimed.delivery.0)
    .bind(again_at)
    .bind(failure)
    .execute(tx)
    .await?;
    Ok(())
}

/// Puts a message off without counting an attempt.
pub(super) async fn hold(
    tx: &mut PgConnection,
    claimed: &Claimed,
    until: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE ops.outbox SET next_attempt_at = $3 WHERE tenant_id = $1 AND delivery_id = $2",
    )
    .bind(claimed.tenant.0)
    .bind(claimed.delivery.0)
    .bind(until)
    .execute(tx)
    .await?;
    Ok(())
}

/// Takes a dead letter up again, with all its attempts before it.
pub(super) async fn retry(
    tx: &mut PgConnection,
    tenant: TenantId,
    delivery: DeliveryId,
    at: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE ops.outbox
            SET status = 'PENDING', attempts = 0, retries = retries + 1, next_attempt_at = $3
          WHERE tenant_id = $1 AND delivery_id = $2 AND status = 'DEAD'",
    )
    .bind(tenant.0)
    .bind(delivery.0)
    .bind(at)
    .execute(tx)
    .await?;
    Ok(())
}

/// How many messages are due at `now`, those being sent included.
///
/// # Errors
/// The database did not answer.
pub async fn due(pool: &PgPool, now: DateTime<Utc>) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar(
        "SELECT count(*) FROM ops.outbox WHERE status = 'PENDING' AND next_attempt_at <= $1",
    )
    .bind(now)
    .fetch_one(pool)
    .await
}

/// A message that nobody took.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct DeadLetter {
    #[sqlx(try_from = "Uuid", rename = "delivery_id")]
    pub delivery: DeliveryId,
    pub template: String,
    pub attempts: i32,
    /// The kind of the last failure.
    pub last_failure: Option<String>,
    pub queued_at: DateTime<Utc>,
}

/// A tenant's dead letters, oldest first, 100 at most.
///
/// # Errors
/// The database did not answer.
pub async fn dead_letters(pool: &PgPool, tenant: TenantId) -> Result<Vec<DeadLetter>, sqlx::Error> {
    sqlx::query_as(
        "SELECT delivery_id, template, attempts, last_failure, queued_at FROM ops.outbox
          WHERE tenant_id = $1 AND status = 'DEAD' ORDER BY queued_at, delivery_id LIMIT 100",
    )
    .bind(tenant.0)
    .fetch_all(pool)
    .await
}
