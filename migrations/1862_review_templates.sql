-- Templates of campaigns of access reviews: `reviewTemplates`, `reviewTemplate` (GN-15).
CREATE TABLE read.review_templates (
  tenant_id uuid NOT NULL,
  template_id uuid NOT NULL,
  -- What it says, as the events have it.
  terms jsonb NOT NULL,
  -- Tenant position of its making; the order of every list.
  created_position bigint NOT NULL,
  created_at timestamptz NOT NULL,
  -- Who said so last.
  set_by uuid NOT NULL,
  set_at timestamptz NOT NULL,
  -- The last date of its recurrence that was seen to, and why nothing was opened then.
  last_due date,
  last_skip text,
  -- The campaign that it opened last.
  last_campaign_id uuid,
  last_opened_at timestamptz,
  retired_at timestamptz,
  version bigint NOT NULL,
  PRIMARY KEY (tenant_id, template_id),
  CONSTRAINT review_templates_last_skip_check CHECK (last_skip IN ('NO_ORGANIZATIONS', 'TOO_MANY'))
);
CREATE INDEX review_templates_created_position_idx
  ON read.review_templates (tenant_id, created_position DESC);
SELECT ops.secure_tenant_table('read.review_templates');
