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

-- Features, job roles, locations and tax ids as granted; the key is a feature's word or an id.
CREATE TABLE read.entitlements (
  tenant_id uuid NOT NULL,
  organization_id uuid NOT NULL,
  user_id uuid NOT NULL,
  kind text NOT NULL,
  key text NOT NULL,
  -- The grant ends here by itself.
  until timestamptz,
  granted_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, organization_id, user_id, kind, key),
  CONSTRAINT entitlements_kind_check CHECK (kind IN ('FEATURE', 'JOB_ROLE', 'LOCATION', 'TAX_ID'))
);
SELECT ops.secure_tenant_table('read.entitlements');

-- Named bundles of features, of one organisation or of the whole portal.
CREATE TABLE read.job_roles (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  organization_id uuid,
  name text NOT NULL,
  features text[] NOT NULL,
  is_retired boolean NOT NULL DEFAULT false,
  version bigint NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
SELECT ops.secure_tenant_table('read.job_roles');
