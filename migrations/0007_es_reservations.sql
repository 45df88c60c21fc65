-- Unique natural keys (email, username, NPI) and tokens: keyed hashes, never the value.
CREATE TABLE es.reservations (
  tenant_id uuid NOT NULL,
  kind text NOT NULL,
  key bytea NOT NULL,
  owner uuid NOT NULL,
  PRIMARY KEY (tenant_id, kind, key)
);
-- A session token or a link comes without its tenant.
CREATE INDEX reservations_kind_key_idx ON es.reservations (kind, key);
SELECT ops.isolate_tenants('es.reservations');
GRANT SELECT ON es.reservations TO rollcall_writer;
