-- Members who joined before their sign-ins were watched are looked at like all others (MC-32); what is
-- due then their organisation decides, and nobody is deactivated who was not told before. Serves the
-- scheduler's kind DORMANT.
INSERT INTO ops.due_times (tenant_id, kind, stream_id, detail, subject_id, organization_id, due_at,
                           attempt_at, source_event, correlation_id)
SELECT DISTINCT ON (e.tenant_id, e.aggregate_id, e.subject_id)
       e.tenant_id, 'DORMANT', e.aggregate_id::uuid, e.subject_id::text, e.subject_id,
       e.subject_organization_id, e.recorded_at, e.recorded_at, e.event_id, e.correlation_id
  FROM es.events e
 WHERE e.event_type IN ('organizations.organization.membership_added',
                        'organizations.organization.user_reactivated')
   AND e.subject_id IS NOT NULL
 ORDER BY e.tenant_id, e.aggregate_id, e.subject_id, e.position DESC;
