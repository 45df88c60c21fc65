//! What led to an event and what it led to, step by step (GN-26).
//!
//! Invariant: a chain is followed inside the tenant and no further than [`STEPS`]; which of its
//! events are shown, the viewer's sight decides like anywhere.

use sqlx::{Postgres, QueryBuilder};
use uuid::Uuid;

/// The longest chain that is followed, in either direction; those of the portal have a handful.
const STEPS: i32 = 100;
/// The most events that one event led to which are looked at, nearest first.
const MOST: i64 = 50_000;

/// Demands that `t` led to the event.
pub(super) fn causes(query: &mut QueryBuilder<'_, Postgres>, tenant: Uuid, event: Uuid) {
    query.push(
        " AND t.event_id IN (WITH RECURSIVE led(id, step) AS (
           SELECT s.causation_id, 1 FROM read.audit_timeline s WHERE s.tenant_id = ",
    );
    query.push_bind(tenant).push(" AND s.event_id = ").push_bind(event);
    query.push(
        " UNION ALL
           SELECT s.causation_id, led.step + 1
             FROM led JOIN read.audit_timeline s ON s.event_id = led.id AND s.tenant_id = ",
    );
    query.push_bind(tenant).push(" WHERE led.step < ").push_bind(STEPS);
    query.push(") SELECT id FROM led WHERE id IS NOT NULL)");
}

/// Demands that the event led to `t`.
pub(super) fn consequences(query: &mut QueryBuilder<'_, Postgres>, tenant: Uuid, event: Uuid) {
    query.push(
        " AND t.position IN (WITH RECURSIVE came(id, position, step) AS (
           SELECT s.event_id, s.position, 1 FROM read.audit_timeline s WHERE s.tenant_id = ",
    );
    query.push_bind(tenant).push(" AND s.causation_id = ").push_bind(event);
    query.push(
        " UNION ALL
           SELECT s.event_id, s.position, came.step + 1
             FROM came JOIN read.audit_timeline s ON s.causation_id = came.id AND s.tenant_id = ",
    );
    query.push_bind(tenant).push(" WHERE came.step < ").push_bind(STEPS);
    query.push(") SELECT position FROM came LIMIT ").push_bind(MOST).push(")");
}
