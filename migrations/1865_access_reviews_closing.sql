-- Reviews that carry out what was decided when they are closed: how far that is, what could not be carried out, and
-- what the policy decided because nobody did: `accessReview`, `accessReviewItems`, `myTasks` (GN-15).
ALTER TABLE read.access_reviews
  ADD COLUMN revocations text NOT NULL DEFAULT 'AT_ONCE',
  -- Since when nobody decides any more, and who had it so.
  ADD COLUMN closing_at timestamptz,
  ADD COLUMN closing_by uuid,
  -- Of the items decided, those that the policy decided, and of these those that it kept.
  ADD COLUMN by_policy integer NOT NULL DEFAULT 0,
  ADD COLUMN kept_by_policy integer NOT NULL DEFAULT 0,
  ADD CONSTRAINT access_reviews_revocations_check CHECK (revocations IN ('AT_ONCE', 'AT_CLOSE'));
ALTER TABLE read.access_review_items
  -- Whether what was decided is carried out at the closing, which has not come to it yet.
  ADD COLUMN waits boolean NOT NULL DEFAULT false,
  -- Why it could not be carried out, or the policy could not take it away.
  ADD COLUMN refusal jsonb,
  ADD COLUMN by_policy boolean NOT NULL DEFAULT false;
-- What is to be decided again because it could not be carried out: `myTasks`.
CREATE INDEX access_review_items_refusal_idx
  ON read.access_review_items (tenant_id, review_id, item) WHERE refusal IS NOT NULL AND outcome = 'PENDING';
