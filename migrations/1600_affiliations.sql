-- Affiliations with where they stand; names of organisations are joined, signatures and reasons are
-- in the events alone. Serves `affiliations`, `pendingAffiliations`, `providerNetwork` and
-- `affiliation` (MC-54 to MC-60).
CREATE TABLE read.affiliations (
  tenant_id uuid NOT NULL,
  affiliation_id uuid NOT NULL,
  submitter_id uuid NOT NULL,
  provider_id uuid NOT NULL,
  -- The one of the two that asked.
  initiator_id uuid NOT NULL,
  status text NOT NULL,
  -- NULL: all of the provider's, those attached later included.
  npis text[],
  transaction_types text[] NOT NULL,
  -- Tenant position of the request; the order of every list.
  requested_position bigint NOT NULL,
  requested_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  submitter_signed_at timestamptz,
  provider_signed_at timestamptz,
  -- The version of the agreement that each side signed last.
  submitter_version text,
  provider_version text,
  effective_from timestamptz,
  -- Last day of a terminated one, and the moment after it.
  ends_on date,
  ends_at timestamptz,
  -- When it was denied, withdrawn, expired or terminated.
  closed_at timestamptz,
  version bigint NOT NULL,
  PRIMARY KEY (tenant_id, affiliation_id),
  CONSTRAINT affiliations_status_check CHECK
    (status IN ('REQUESTED', 'ACTIVE', 'DENIED', 'WITHDRAWN', 'EXPIRED', 'TERMINATED'))
);
CREATE INDEX affiliations_tenant_id_submitter_id_requested_position_idx
  ON read.affiliations (tenant_id, submitter_id, requested_position DESC);
CREATE INDEX affiliations_tenant_id_provider_id_requested_position_idx
  ON read.affiliations (tenant_id, provider_id, requested_position DESC);
-- The plan's list of all.
CREATE INDEX affiliations_tenant_id_requested_position_idx
  ON read.affiliations (tenant_id, requested_position DESC);
SELECT ops.secure_tenant_table('read.affiliations');

-- What submitters offer and how the plan's tests of it stand; one that is absent offers nothing and is
-- listed. Serves `submitterDirectory` and `submitterProfile` (MC-61 to MC-63).
CREATE TABLE read.submitter_profiles (
  tenant_id uuid NOT NULL,
  organization_id uuid NOT NULL,
  visible boolean NOT NULL,
  PRIMARY KEY (tenant_id, organization_id)
);
SELECT ops.secure_tenant_table('read.submitter_profiles');
CREATE TABLE read.submitter_types (
  tenant_id uuid NOT NULL,
  organization_id uuid NOT NULL,
  transaction_type text NOT NULL,
  offered boolean NOT NULL,
  -- The newest test's, if there was one.
  result text CHECK (result IN ('PASSED', 'FAILED', 'SUSPENDED')),
  tested_at timestamptz,
  PRIMARY KEY (tenant_id, organization_id, transaction_type)
);
SELECT ops.secure_tenant_table('read.submitter_types');
