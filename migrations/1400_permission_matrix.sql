-- Levels per NPI as granted; npi '*' stands for all NPIs, later ones included.
CREATE TABLE read.npi_permissions (
  tenant_id uuid NOT NULL,
  organization_id uuid NOT NULL,
  user_id uuid NOT NULL,
  npi text NOT NULL,
  level text NOT NULL,
  -- The level ends here by itself.
  until timestamptz,
  set_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, organization_id, user_id, npi),
  CONSTRAINT npi_permissions_level_check CHECK (level IN ('NONE', 'PROCESSOR', 'ADMIN'))
);
SELECT ops.secure_tenant_table('read.npi_permissions');

-- Correspondence types per NPI as granted; '*' stands for all, as NPI and as type.
CREATE TABLE read.correspondence_permissions (
  tenant_id uuid NOT NULL,
  organization_id uuid NOT NULL,
  user_id uuid NOT NULL,
  npi text NOT NULL,
  types text[] NOT NULL,
  PRIMARY KEY (tenant_id, organization_id, user_id, npi)
);
SELECT ops.secure_tenant_table('read.correspondence_permissions');
