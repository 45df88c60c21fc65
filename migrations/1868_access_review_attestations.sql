-- What people say of their own access in a review that asks them: `ownReviewItems`, `accessReviewItems`, `myTasks`
-- (GN-15).
ALTER TABLE read.access_reviews ADD COLUMN self_attestation boolean NOT NULL DEFAULT false;
ALTER TABLE read.access_review_items
  -- Whether they need it still, when they said so and the tenant position of that.
  ADD COLUMN needed boolean,
  ADD COLUMN attested_at timestamptz,
  ADD COLUMN attested_position bigint;
-- What waits for people's own word.
CREATE INDEX access_reviews_self_attestation_idx
  ON read.access_reviews (tenant_id, organization_id) WHERE self_attestation AND status IN ('OPEN', 'OVERDUE');
