-- Secret values that may never stand in an event, encrypted before they get here: password hashes, PINs.
CREATE TABLE es.vault (
  tenant_id uuid NOT NULL,
  kind text NOT NULL,
  id uuid NOT NULL,
  value bytea NOT NULL,
  PRIMARY KEY (tenant_id, kind, id)
);
SELECT ops.isolate_tenants('es.vault');
GRANT SELECT ON es.vault TO rollcall_writer;
