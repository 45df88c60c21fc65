-- Roles of the plan's own people as items of a review: `accessReviewItems`; `name` is the role (GN-15, GN-31).
ALTER TABLE read.access_review_items
  DROP CONSTRAINT access_review_items_kind_check,
  ADD CONSTRAINT access_review_items_kind_check CHECK (kind IN (
    'MEMBERSHIP', 'NPI_LEVEL', 'CORRESPONDENCE', 'FEATURE', 'JOB_ROLE', 'LOCATION', 'TAX_ID', 'SUBMISSION',
    'API_KEY', 'PLAN_ROLE'));
