-- How far each projection and process has come, per tenant. Written in the transaction that writes
-- their rows; read by the same transaction that answers a question, to name the position it holds for.
CREATE TABLE ops.checkpoints (
  name text NOT NULL,
  version integer NOT NULL,
  tenant_id uuid NOT NULL,
  -- The tenant position of the last event taken in.
  position bigint NOT NULL CHECK (position >= 0),
  status text NOT NULL DEFAULT 'RUNNING',
  -- Why it is stalled.
  error text,
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (name, version, tenant_id),
  CONSTRAINT checkpoints_status_check CHECK (status IN ('RUNNING', 'STALLED')),
  CONSTRAINT checkpoints_error_check CHECK ((error IS NOT NULL) = (status = 'STALLED'))
) WITH (fillfactor = 50);
SELECT ops.secure_tenant_table('ops.checkpoints');

-- Which version of each projection the tables of schema read hold. Changed by a rebuild only.
CREATE TABLE ops.projections (
  name text PRIMARY KEY,
  version integer NOT NULL
);
GRANT SELECT, INSERT ON ops.projections TO rollcall_runner;
GRANT SELECT ON ops.projections TO rollcall_query;
