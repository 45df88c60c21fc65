-- Keys of personal data: a tenant's key wrapped by the master key, a subject's by its tenant's.
-- Destroying a subject's key erases that person's data in every event.
CREATE TABLE es.tenant_keys (
  tenant_id uuid PRIMARY KEY,
  wrapped bytea NOT NULL
);
CREATE TABLE es.subject_keys (
  tenant_id uuid NOT NULL,
  subject_id uuid NOT NULL,
  version integer NOT NULL,
  wrapped bytea,
  destroyed_at timestamptz,
  PRIMARY KEY (tenant_id, subject_id, version),
  CONSTRAINT subject_keys_destroyed_check CHECK ((wrapped IS NULL) = (destroyed_at IS NOT NULL))
);
SELECT ops.isolate_tenants('es.tenant_keys');
SELECT ops.isolate_tenants('es.subject_keys');
GRANT SELECT ON es.tenant_keys, es.subject_keys TO rollcall_writer, rollcall_runner, rollcall_sealer;
