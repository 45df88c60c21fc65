-- Machines' keys as their owners' administrators see them (GN-28): query `apiKeys`, and the names
-- that the audit timeline tells. When each was last used stands in ops.api_key_activity.
CREATE TABLE read.api_keys (
  tenant_id uuid NOT NULL,
  key_id uuid NOT NULL,
  -- Absent for the plan's.
  organization_id uuid,
  name text NOT NULL,
  scopes text[] NOT NULL,
  created_by uuid NOT NULL,
  created_position bigint NOT NULL,
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  revoked_at timestamptz,
  revoked_by uuid,
  PRIMARY KEY (tenant_id, key_id)
);
SELECT ops.secure_tenant_table('read.api_keys');
CREATE INDEX api_keys_tenant_id_organization_id_idx
  ON read.api_keys (tenant_id, organization_id, created_position);
