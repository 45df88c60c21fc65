-- Periodic access reviews with how far they are: `accessReview`, `accessReviews` and `myTasks` (CC-13, GN-15).
-- What people wrote and signed with stands in the events alone.
CREATE TABLE read.access_reviews (
  tenant_id uuid NOT NULL,
  review_id uuid NOT NULL,
  organization_id uuid NOT NULL,
  campaign_id uuid,
  scope jsonb NOT NULL,
  status text NOT NULL,
  -- Tenant position as of which the list was read.
  as_of bigint NOT NULL,
  population integer NOT NULL,
  -- Of the list.
  sha256 text NOT NULL,
  -- Absent where the schedule opened it.
  opened_by uuid,
  -- Tenant position of the opening; the order of every list.
  opened_position bigint NOT NULL,
  opened_at timestamptz NOT NULL,
  due_at timestamptz NOT NULL,
  grace_until timestamptz NOT NULL,
  escalated_at timestamptz,
  undecided integer NOT NULL,
  pending integer NOT NULL,
  kept integer NOT NULL,
  revoked integer NOT NULL,
  changed integer NOT NULL,
  -- These four since it was signed.
  gone integer,
  joiners integer,
  statement text,
  results_sha256 text,
  -- When it was signed or cancelled, and by whom.
  closed_at timestamptz,
  closed_by uuid,
  -- Of the event.
  closed_position bigint,
  version bigint NOT NULL,
  PRIMARY KEY (tenant_id, review_id),
  CONSTRAINT access_reviews_status_check
    CHECK (status IN ('OPEN', 'OVERDUE', 'COMPLETED', 'CANCELLED'))
);
-- Of the whole plan, newest first.
CREATE INDEX access_reviews_opened_position_idx ON read.access_reviews (tenant_id, opened_position DESC);
-- Of an organisation, newest first.
CREATE INDEX access_reviews_organization_id_idx
  ON read.access_reviews (tenant_id, organization_id, opened_position DESC);
-- What is to be done, by when: `myTasks`.
CREATE INDEX access_reviews_due_at_idx
  ON read.access_reviews (tenant_id, due_at) WHERE status IN ('OPEN', 'OVERDUE');
SELECT ops.secure_tenant_table('read.access_reviews');

-- The lists: `accessReviewItems`.
CREATE TABLE read.access_review_items (
  tenant_id uuid NOT NULL,
  review_id uuid NOT NULL,
  -- The number in the list.
  item integer NOT NULL,
  organization_id uuid NOT NULL,
  user_id uuid NOT NULL,
  -- The organisation-wide permission when the list was frozen.
  org_role text NOT NULL,
  outcome text NOT NULL,
  delegated_to uuid,
  -- The decision that counts, and the tenant position of its event.
  decision text,
  new_role text,
  left_on date,
  decided_by uuid,
  decided_at timestamptz,
  decided_position bigint,
  -- What was recommended then.
  recommendation jsonb,
  executed_at timestamptz,
  verified boolean NOT NULL,
  -- Seconds from the decision to its effect.
  delay_s bigint,
  PRIMARY KEY (tenant_id, review_id, item),
  CONSTRAINT access_review_items_outcome_check
    CHECK (outcome IN ('UNDECIDED', 'PENDING', 'KEPT', 'REVOKED', 'CHANGED', 'GONE')),
  CONSTRAINT access_review_items_decision_check CHECK (decision IN ('KEEP', 'REVOKE', 'CHANGE'))
);
-- What is left to decide.
CREATE INDEX access_review_items_undecided_idx
  ON read.access_review_items (tenant_id, review_id, item) WHERE outcome = 'UNDECIDED';
-- What somebody else was asked to decide.
CREATE INDEX access_review_items_delegated_to_idx
  ON read.access_review_items (tenant_id, delegated_to, review_id) WHERE delegated_to IS NOT NULL;
SELECT ops.secure_tenant_table('read.access_review_items');

-- Every decision, those that another took the place of included: the former review of a person, the last
-- review behind a right as of any date, and how a review went on (GN-14, GN-15).
CREATE TABLE read.access_review_decisions (
  tenant_id uuid NOT NULL,
  position bigint NOT NULL,
  review_id uuid NOT NULL,
  item integer NOT NULL,
  organization_id uuid NOT NULL,
  user_id uuid NOT NULL,
  decision text NOT NULL,
  new_role text,
  decided_by uuid NOT NULL,
  decided_at timestamptz NOT NULL,
  -- Whether nobody had decided about the item before.
  is_first boolean NOT NULL,
  PRIMARY KEY (tenant_id, position)
);
CREATE INDEX access_review_decisions_user_id_idx
  ON read.access_review_decisions (tenant_id, organization_id, user_id, position DESC);
CREATE INDEX access_review_decisions_review_id_idx
  ON read.access_review_decisions (tenant_id, review_id, decided_at);
SELECT ops.secure_tenant_table('read.access_review_decisions');
