-- Work for NPIs of affiliated providers as an item of a review: `accessReviewItems` (GN-15, GN-18).
ALTER TABLE read.access_review_items
  DROP CONSTRAINT access_review_items_kind_check,
  ADD CONSTRAINT access_review_items_kind_check CHECK (kind IN (
    'MEMBERSHIP', 'NPI_LEVEL', 'CORRESPONDENCE', 'FEATURE', 'JOB_ROLE', 'LOCATION', 'TAX_ID', 'SUBMISSION'));
