-- Organisations as the plan and their members see them: projection `organizations`, queries
-- `organization`, `organizations`, `npis`, `registrationTokens`.
CREATE TABLE read.organizations (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  name text NOT NULL,
  is_provider boolean NOT NULL,
  is_submitter boolean NOT NULL,
  tax_id_kind text NOT NULL,
  tax_id_last4 text NOT NULL,
  pay_to_address jsonb,
  pay_to_zip text,
  -- [{status, from}] in order; the last that has begun holds.
  contract jsonb NOT NULL,
  status text NOT NULL,
  -- What a suspended organisation is again once reopened.
  was_registered boolean NOT NULL,
  version bigint NOT NULL,
  enrolled_at timestamptz NOT NULL,
  registered_at timestamptz,
  PRIMARY KEY (tenant_id, id)
);
SELECT ops.secure_tenant_table('read.organizations');
-- The list for plan staff, by name.
CREATE INDEX organizations_tenant_id_name_idx ON read.organizations (tenant_id, lower(name), id);

-- The times at which organisations hold NPIs; the matrix of permissions takes its rows from here.
CREATE TABLE read.organization_npis (
  tenant_id uuid NOT NULL,
  organization_id uuid NOT NULL,
  npi text NOT NULL,
  name text NOT NULL,
  provider_type text NOT NULL,
  community text NOT NULL,
  attached_at timestamptz NOT NULL,
  detached_at timestamptz,
  PRIMARY KEY (tenant_id, organization_id, npi, attached_at)
);
SELECT ops.secure_tenant_table('read.organization_npis');
CREATE INDEX organization_npis_tenant_id_npi_idx ON read.organization_npis (tenant_id, npi);

-- Who belongs to an organisation and as what; names are in read.people.
CREATE TABLE read.organization_members (
  tenant_id uuid NOT NULL,
  organization_id uuid NOT NULL,
  user_id uuid NOT NULL,
  role text NOT NULL,
  standing text NOT NULL,
  email_domain text NOT NULL,
  PRIMARY KEY (tenant_id, organization_id, user_id)
);
SELECT ops.secure_tenant_table('read.organization_members');

CREATE TABLE read.organization_domains (
  tenant_id uuid NOT NULL,
  organization_id uuid NOT NULL,
  domain text NOT NULL,
  PRIMARY KEY (tenant_id, organization_id, domain)
);
SELECT ops.secure_tenant_table('read.organization_domains');

-- Letter tokens; their text is nowhere.
CREATE TABLE read.registration_tokens (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  organization_id uuid NOT NULL,
  status text NOT NULL,
  issued_on date NOT NULL,
  expires_at timestamptz NOT NULL,
  letter_id uuid,
  letter_returned boolean NOT NULL DEFAULT false,
  ended_at timestamptz,
  PRIMARY KEY (tenant_id, id)
);
SELECT ops.secure_tenant_table('read.registration_tokens');

-- Branches and sites: query `locations`. A terminated one stays, as a "Z" location.
CREATE TABLE read.locations (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  organization_id uuid NOT NULL,
  name text NOT NULL,
  npi text,
  credentialed boolean NOT NULL,
  terminated_from timestamptz,
  PRIMARY KEY (tenant_id, id)
);
SELECT ops.secure_tenant_table('read.locations');
CREATE INDEX locations_tenant_id_organization_id_idx ON read.locations (tenant_id, organization_id, lower(name), id);

-- An organisation's tax ids; the one of its enrolment has the organisation's own id.
CREATE TABLE read.tax_ids (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  organization_id uuid NOT NULL,
  kind text NOT NULL,
  last4 text NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
SELECT ops.secure_tenant_table('read.tax_ids');
CREATE INDEX tax_ids_tenant_id_organization_id_idx ON read.tax_ids (tenant_id, organization_id);
