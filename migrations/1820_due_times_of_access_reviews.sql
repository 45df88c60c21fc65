-- Organisations that were registered before their access was reviewed are reviewed like all others
-- (CC-13); which of them has a review to open, each organisation decides when it is looked at. Serves the
-- scheduler's kind REVIEW_OPENING.
INSERT INTO ops.due_times (tenant_id, kind, stream_id, detail, organization_id, due_at, attempt_at,
                           source_event, correlation_id)
SELECT DISTINCT ON (e.tenant_id, e.aggregate_id)
       e.tenant_id, 'REVIEW_OPENING', e.aggregate_id::uuid, '', e.subject_organization_id,
       e.recorded_at, e.recorded_at, e.event_id, e.correlation_id
  FROM es.events e
 WHERE e.event_type = 'organizations.organization.organization_registered'
   AND NOT EXISTS (SELECT FROM es.events c
                    WHERE c.tenant_id = e.tenant_id AND c.aggregate_id = e.aggregate_id
                      AND c.event_type IN ('organizations.organization.organization_closed',
                                           'organizations.organization.organization_merged'))
 ORDER BY e.tenant_id, e.aggregate_id, e.position DESC
ON CONFLICT DO NOTHING;
