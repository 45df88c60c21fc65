-- Who reviews in whose place while they are away: `reviewSubstitutes`, what substitutes see of reviews, and `myTasks`
-- (GN-15).
CREATE TABLE read.review_substitutes (
  tenant_id uuid NOT NULL,
  organization_id uuid NOT NULL,
  -- Who is away.
  user_id uuid NOT NULL,
  substitute_id uuid NOT NULL,
  from_at timestamptz NOT NULL,
  until_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, organization_id, user_id)
);
-- In whose place somebody reviews.
CREATE INDEX review_substitutes_substitute_id_idx
  ON read.review_substitutes (tenant_id, organization_id, substitute_id);
SELECT ops.secure_tenant_table('read.review_substitutes');
ALTER TABLE read.access_review_items
  -- Who was away, in whose place it was decided.
  ADD COLUMN in_place_of uuid;
