-- The plan's statement as members signed it, one row per version and member: query `attestations`
-- (CC-14). The key finds what an organisation's people signed.
CREATE TABLE read.attestations (
  tenant_id uuid NOT NULL,
  organization_id uuid NOT NULL,
  user_id uuid NOT NULL,
  version text NOT NULL,
  -- Of the text signed.
  sha256 text NOT NULL,
  boxes text[] NOT NULL,
  signed_at timestamptz NOT NULL,
  -- Tenant position of the signature.
  position bigint NOT NULL,
  PRIMARY KEY (tenant_id, organization_id, user_id, version)
);
SELECT ops.secure_tenant_table('read.attestations');
