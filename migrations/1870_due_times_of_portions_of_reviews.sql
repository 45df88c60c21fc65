-- What a review decided is looked up by portions of a hundred items (GN-15), not item by item any more.

INSERT INTO ops.due_times (tenant_id, kind, stream_id, detail, subject_id, organization_id, due_at,
  attempt_at, source_event, correlation_id)
SELECT DISTINCT ON (tenant_id, stream_id, detail::bigint / 100)
       tenant_id, 'REVIEW_PORTION', stream_id, (detail::bigint / 100)::text, NULL, organization_id,
       due_at, attempt_at, source_event, correlation_id
  FROM ops.due_times WHERE kind = 'REVIEW_EXECUTION'
 ORDER BY tenant_id, stream_id, detail::bigint / 100, attempt_at;

DELETE FROM ops.due_times WHERE kind = 'REVIEW_EXECUTION';
UPDATE ops.due_times SET kind = 'REVIEW_EXECUTION' WHERE kind = 'REVIEW_PORTION';
