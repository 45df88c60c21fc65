-- Sessions as their people see them: query `sessions`. When each was last used stands in
-- ops.session_activity, which is no history.
CREATE TABLE read.sessions (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  user_id uuid NOT NULL,
  -- Acted for now, or last.
  organization_id uuid,
  must_change_password boolean NOT NULL,
  started_at timestamptz NOT NULL,
  absolute_expires_at timestamptz NOT NULL,
  ended_at timestamptz,
  end_cause text,
  PRIMARY KEY (tenant_id, id),
  CONSTRAINT sessions_end_check CHECK ((ended_at IS NULL) = (end_cause IS NULL))
);
SELECT ops.secure_tenant_table('read.sessions');
CREATE INDEX sessions_tenant_id_user_id_idx ON read.sessions (tenant_id, user_id, started_at DESC, id DESC);
