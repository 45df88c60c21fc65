-- Agreements that people accepted, one row per acceptance: query `acceptances`.
CREATE TABLE read.acceptances (
  tenant_id uuid NOT NULL,
  position bigint NOT NULL,
  -- Absent while a registrant has no account yet.
  user_id uuid,
  -- The organisation it was accepted for; absent for plan roles and of one's own accord.
  organization_id uuid,
  -- The registration it was accepted in, whose completion tells the person.
  registration_id uuid,
  occasion text NOT NULL,
  kind text NOT NULL,
  version text NOT NULL,
  boxes text[] NOT NULL,
  accepted_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, position),
  CONSTRAINT acceptances_occasion_check
    CHECK (occasion IN ('REGISTRATION', 'INVITATION', 'ACCOUNT'))
);
SELECT ops.secure_tenant_table('read.acceptances');
CREATE INDEX acceptances_tenant_id_user_id_idx
  ON read.acceptances (tenant_id, user_id, position DESC);
CREATE INDEX acceptances_tenant_id_registration_id_idx
  ON read.acceptances (tenant_id, registration_id) WHERE registration_id IS NOT NULL;
