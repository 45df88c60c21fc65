-- Machines' keys as items of a review: `accessReviewItems`; `name` is the key's id (GN-15, GN-28).
ALTER TABLE read.access_review_items
  DROP CONSTRAINT access_review_items_kind_check,
  ADD CONSTRAINT access_review_items_kind_check CHECK (kind IN (
    'MEMBERSHIP', 'NPI_LEVEL', 'CORRESPONDENCE', 'FEATURE', 'JOB_ROLE', 'LOCATION', 'TAX_ID', 'SUBMISSION',
    'API_KEY'));
