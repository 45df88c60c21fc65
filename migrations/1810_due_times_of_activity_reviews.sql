-- Portals that were there before reviews of activity are watched like all others (GN-34). Serves the
-- scheduler's kind ACTIVITY_REVIEW.
INSERT INTO ops.due_times (tenant_id, kind, stream_id, detail, due_at, attempt_at, source_event,
                           correlation_id)
SELECT e.tenant_id, 'ACTIVITY_REVIEW', e.aggregate_id::uuid, '', e.recorded_at, e.recorded_at, e.event_id,
       e.correlation_id
  FROM es.events e
 WHERE e.event_type = 'tenants.tenant.tenant_created'
ON CONFLICT DO NOTHING;
