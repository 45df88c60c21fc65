-- Campaigns of access reviews: `reviewCampaigns`, `reviewCampaign` (GN-15).
CREATE TABLE read.review_campaigns (
  tenant_id uuid NOT NULL,
  campaign_id uuid NOT NULL,
  name text NOT NULL,
  scope jsonb NOT NULL,
  status text NOT NULL,
  -- Tenant position as of which the organisations were read.
  as_of bigint NOT NULL,
  organizations integer NOT NULL,
  -- Of their ids.
  sha256 text NOT NULL,
  opened_by uuid NOT NULL,
  -- Tenant position of the opening; the order of every list.
  opened_position bigint NOT NULL,
  opened_at timestamptz NOT NULL,
  due_at timestamptz NOT NULL,
  grace_until timestamptz NOT NULL,
  -- When it was completed or cancelled.
  closed_at timestamptz,
  version bigint NOT NULL,
  PRIMARY KEY (tenant_id, campaign_id),
  CONSTRAINT review_campaigns_status_check
    CHECK (status IN ('OPENING', 'OPEN', 'COMPLETED', 'CANCELLED'))
);
CREATE INDEX review_campaigns_opened_position_idx
  ON read.review_campaigns (tenant_id, opened_position DESC);
SELECT ops.secure_tenant_table('read.review_campaigns');

-- Where their organisations stand: `reviewCampaignOrganizations`.
CREATE TABLE read.review_campaign_organizations (
  tenant_id uuid NOT NULL,
  campaign_id uuid NOT NULL,
  -- The number in the list, from 1.
  nth integer NOT NULL,
  organization_id uuid NOT NULL,
  state text NOT NULL,
  -- Its review; of one that was skipped the one that was open already.
  review_id uuid,
  -- Why it was skipped.
  reason text,
  PRIMARY KEY (tenant_id, campaign_id, nth),
  UNIQUE (tenant_id, campaign_id, organization_id),
  CONSTRAINT review_campaign_organizations_state_check
    CHECK (state IN ('WAITING', 'UNDER_WAY', 'SIGNED', 'CANCELLED', 'SKIPPED'))
);
SELECT ops.secure_tenant_table('read.review_campaign_organizations');
-- The figures of a campaign are those of its reviews.
CREATE INDEX access_reviews_campaign_id_idx
  ON read.access_reviews (tenant_id, campaign_id) WHERE campaign_id IS NOT NULL;
