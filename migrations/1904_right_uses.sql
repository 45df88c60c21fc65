-- On which days of the tenant somebody used a right (GN-16): `lastUse` of the access register and of
-- effective permissions, as of a day and as known at a position.
CREATE TABLE read.right_uses (
  tenant_id uuid NOT NULL,
  user_id uuid NOT NULL,
  -- The nil id for roles of the plan.
  organization_id uuid NOT NULL,
  kind text NOT NULL,
  npi text NOT NULL DEFAULT '',
  detail text NOT NULL DEFAULT '',
  day date NOT NULL,
  -- Tenant position of the event: known from there on.
  recorded_position bigint NOT NULL,
  PRIMARY KEY (tenant_id, user_id, organization_id, kind, npi, detail, day)
);
SELECT ops.secure_tenant_table('read.right_uses');
