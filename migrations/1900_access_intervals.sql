-- The access register's bitemporal rows: when something was true, and between which positions of the
-- log it was held to be so. Grants and conditions stand apart; effective access is their intersection
-- (ops.effective_access), so a deactivation or a change of policy rewrites no grant.
CREATE TABLE read.access_intervals (
  tenant_id uuid NOT NULL,
  -- The position of the event that made the row, and which of that event's rows it is.
  known_from bigint NOT NULL,
  ordinal smallint NOT NULL,
  kind text NOT NULL CHECK (kind IN (
    'ORG_ROLE', 'NPI_LEVEL', 'CORRESPONDENCE', 'FEATURE', 'JOB_ROLE', 'LOCATION', 'TAX_ID', 'PLAN_ROLE',
    'ACCOUNT_ACTIVE', 'MEMBERSHIP_ACTIVE', 'ORGANIZATION_ACTIVE', 'CONTRACTED', 'NPI_HELD', 'LOCATION_STATE',
    'TAX_ID_HELD', 'JOB_ROLE_BUNDLE', 'POLICY', 'AFFILIATION', 'SUBMISSION')),
  -- Whose timeline it is: the membership, person, organisation, job role, affiliation or tenant.
  holder_id uuid NOT NULL,
  user_id uuid,
  organization_id uuid,
  -- One NPI, or `*` for all.
  npi text,
  -- The plan role, the feature or id granted, or the policy's key (`feature.<word>` for a feature that was switched).
  name text,
  -- The role or level; of affiliations, the provider; of correspondence, policy, a location and a job role, the words. Empty words are an entry too: they
  -- override what is set for all NPIs.
  value text[] NOT NULL,
  valid_from timestamptz NOT NULL,
  valid_to timestamptz NOT NULL,
  known_from_at timestamptz NOT NULL,
  -- The position of the event since which it is held otherwise.
  known_to bigint,
  known_to_at timestamptz,
  -- Why it was given, and by which event; why it ends, where it was ended.
  cause text NOT NULL,
  cause_position bigint NOT NULL,
  end_position bigint,
  PRIMARY KEY (tenant_id, known_from, ordinal),
  CONSTRAINT access_intervals_valid_check CHECK (valid_from < valid_to),
  CONSTRAINT access_intervals_known_check CHECK (known_from < known_to)
);
-- The fold reads a holder's timelines; effective access joins grants to their membership and NPI.
CREATE INDEX access_intervals_holder_id_idx ON read.access_intervals (tenant_id, holder_id, kind, npi);
-- A person's memberships and roles; who is to be looked at for a page of the whole tenant.
CREATE INDEX access_intervals_user_id_idx ON read.access_intervals (tenant_id, user_id, kind) WHERE user_id IS NOT NULL;
-- An organisation's members in the order of pages, and its NPIs.
CREATE INDEX access_intervals_organization_id_idx ON read.access_intervals (tenant_id, organization_id, kind, user_id, npi) WHERE organization_id IS NOT NULL;
-- Who holds an NPI.
CREATE INDEX access_intervals_npi_idx ON read.access_intervals (tenant_id, npi, kind) WHERE npi IS NOT NULL;
SELECT ops.secure_tenant_table('read.access_intervals');
