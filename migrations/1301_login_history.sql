-- What became of people's sign-ins, one row per event: query `loginHistory`.
CREATE TABLE read.login_history (
  tenant_id uuid NOT NULL,
  position bigint NOT NULL,
  user_id uuid NOT NULL,
  outcome text NOT NULL,
  -- Why it failed, or who or what unlocked.
  detail text,
  session_id uuid,
  locked_until timestamptz,
  at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, position)
);
SELECT ops.secure_tenant_table('read.login_history');
CREATE INDEX login_history_tenant_id_user_id_idx ON read.login_history (tenant_id, user_id, position DESC);
