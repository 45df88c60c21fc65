-- Operational state that is not history (invariant 1): last use of sessions, counters against guessing.
-- Serves commands::session_activity and commands::rate_limit.
CREATE TABLE ops.session_activity (
  tenant_id    uuid        NOT NULL,
  session_id   uuid        NOT NULL,
  last_seen_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, session_id)
);
SELECT ops.secure_tenant_table('ops.session_activity');
GRANT SELECT, INSERT, UPDATE, DELETE ON ops.session_activity TO rollcall_writer;

CREATE TABLE ops.rate_limits (
  tenant_id      uuid        NOT NULL,
  name           text        NOT NULL,
  key            bytea       NOT NULL,
  tries          integer     NOT NULL,
  window_ends_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, name, key)
);
SELECT ops.secure_tenant_table('ops.rate_limits');
GRANT SELECT, INSERT, UPDATE, DELETE ON ops.rate_limits TO rollcall_writer;
