-- When each machine's key was last used (GN-28), to the minute; no history (invariant 1).
-- Serves commands::api_keys::activity and the query `apiKeys`.
CREATE TABLE ops.api_key_activity (
  tenant_id    uuid        NOT NULL,
  key_id       uuid        NOT NULL,
  last_used_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, key_id)
);
SELECT ops.secure_tenant_table('ops.api_key_activity');
GRANT SELECT, INSERT, UPDATE ON ops.api_key_activity TO rollcall_writer;
