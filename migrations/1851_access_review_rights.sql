-- Items of reviews that are single rights (CC-13, GN-15): `accessReviewItems`, `accessReviewJoiners` and the former
-- decision about the same right. A right is named as in `read.access_intervals`.
ALTER TABLE read.access_review_items
  ALTER COLUMN org_role DROP NOT NULL,
  ADD COLUMN kind text NOT NULL DEFAULT 'MEMBERSHIP',
  -- One NPI, or `*` for all.
  ADD COLUMN npi text,
  -- The type of correspondence or `*`, the feature, or the id of a job role, location or tax id.
  ADD COLUMN name text,
  -- The level for an NPI when the list was frozen, and its end or that of a grant.
  ADD COLUMN level text,
  ADD COLUMN until timestamptz,
  -- What the decision makes of the level.
  ADD COLUMN new_level text,
  ADD CONSTRAINT access_review_items_kind_check CHECK (kind IN (
    'MEMBERSHIP', 'NPI_LEVEL', 'CORRESPONDENCE', 'FEATURE', 'JOB_ROLE', 'LOCATION', 'TAX_ID')),
  ADD CONSTRAINT access_review_items_org_role_check CHECK ((org_role IS NULL) = (kind <> 'MEMBERSHIP'));
ALTER TABLE read.access_review_decisions
  ADD COLUMN kind text NOT NULL DEFAULT 'MEMBERSHIP',
  ADD COLUMN npi text,
  ADD COLUMN name text,
  ADD COLUMN new_level text;
-- Whether somebody's right is on a list.
CREATE INDEX access_review_items_user_id_idx
  ON read.access_review_items (tenant_id, review_id, user_id);
