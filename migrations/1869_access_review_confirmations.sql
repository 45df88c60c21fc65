-- Second reviewers: `accessReviewItems`, `myTasks` (GN-15).
ALTER TABLE read.access_reviews
  ADD COLUMN second_reviewer text NOT NULL DEFAULT 'NONE',
  ADD CONSTRAINT access_reviews_second_reviewer_check
    CHECK (second_reviewer IN ('NONE', 'REVIEWER', 'PLAN'));
ALTER TABLE read.access_review_items
  -- Whether somebody decided and nobody else confirmed it yet; who did.
  ADD COLUMN awaits_second boolean NOT NULL DEFAULT false,
  ADD COLUMN confirmed_by uuid,
  ADD COLUMN confirmed_at timestamptz;
-- What waits to be confirmed.
CREATE INDEX access_review_items_awaits_second_idx
  ON read.access_review_items (tenant_id, review_id, item) WHERE awaits_second;
