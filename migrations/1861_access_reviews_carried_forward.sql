-- Reviews of what changed: `accessReview { changedOnly counts { carriedForward } }`, and items that a signed review
-- certified: `accessReviewItems { carriedForward }` (GN-15).
ALTER TABLE read.access_reviews
  ADD COLUMN changed_only boolean NOT NULL DEFAULT false,
  -- The signed review that was compared with.
  ADD COLUMN compared_with uuid,
  ADD COLUMN carried_forward integer NOT NULL DEFAULT 0;
ALTER TABLE read.access_review_items
  -- Where somebody decided that it stays, who and when.
  ADD COLUMN certified_review uuid,
  ADD COLUMN certified_by uuid,
  ADD COLUMN certified_at timestamptz,
  DROP CONSTRAINT access_review_items_outcome_check,
  ADD CONSTRAINT access_review_items_outcome_check CHECK (outcome IN (
    'UNDECIDED', 'PENDING', 'KEPT', 'REVOKED', 'CHANGED', 'GONE', 'CARRIED_FORWARD'));
ALTER TABLE read.review_campaigns ADD COLUMN changed_only boolean NOT NULL DEFAULT false;
