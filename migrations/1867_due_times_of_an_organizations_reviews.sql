-- The open reviews of an organisation are looked at when somebody leaves it, since what was delegated to them falls back
-- to all reviewers (GN-15): serves the scheduler's `hasten_reviews`.
CREATE INDEX due_times_reviews_of_organization_idx
  ON ops.due_times (tenant_id, organization_id) WHERE kind = 'ACCESS_REVIEW';
-- A review stays there after its escalation; those that were escalated before come back.
INSERT INTO ops.due_times (tenant_id, kind, stream_id, detail, organization_id, due_at, attempt_at,
                           source_event, correlation_id)
SELECT e.tenant_id, 'ACCESS_REVIEW', e.aggregate_id::uuid, '', e.subject_organization_id,
       e.recorded_at, e.recorded_at, e.event_id, e.correlation_id
  FROM es.events e
 WHERE e.event_type = 'access_reviews.access_review.access_review_escalated'
   AND NOT EXISTS (SELECT FROM es.events c
                    WHERE c.tenant_id = e.tenant_id AND c.aggregate_id = e.aggregate_id
                      AND c.event_type IN ('access_reviews.access_review.access_review_completed',
                                           'access_reviews.access_review.access_review_cancelled'))
ON CONFLICT DO NOTHING;
-- How many administer an organisation, and who alone does: what of reviews waits for the plan in `myTasks`.
CREATE INDEX directory_members_administrators_idx
  ON read.directory_members (tenant_id, organization_id, user_id)
  WHERE standing = 'ACTIVE' AND org_role = 'ADMIN';
