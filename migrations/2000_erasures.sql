-- erasureRequests(status, …), and who is told as "a person who was erased": the newest request about
-- each person (GN-27). Reasons are personal and stay in the journal.
CREATE TABLE read.erasures (
  tenant_id uuid NOT NULL,
  user_id uuid NOT NULL,
  -- OPEN also when it ran out: that is asked with a time.
  status text NOT NULL,
  basis text,
  requested_by uuid,
  requested_at timestamptz,
  -- Tenant position of the newest event; the order of every list.
  position bigint NOT NULL,
  expires_at timestamptz,
  decided_by uuid,
  decided_at timestamptz,
  PRIMARY KEY (tenant_id, user_id),
  CONSTRAINT erasures_status_check CHECK (status IN ('OPEN', 'REFUSED', 'ERASED'))
);
CREATE INDEX erasures_position_idx ON read.erasures (tenant_id, position);
SELECT ops.secure_tenant_table('read.erasures');
