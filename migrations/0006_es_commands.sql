-- One row per committed command: answers its repetition with the first result, and tells after a lost
-- connection whether it was committed. `attempt` tells one's own commit from somebody else's.
CREATE TABLE es.commands (
  tenant_id uuid NOT NULL,
  command_id uuid NOT NULL,
  attempt uuid NOT NULL,
  request_hash bytea NOT NULL,
  result json NOT NULL,
  -- The tenant's and the log's position after the command.
  position bigint NOT NULL,
  global_position bigint NOT NULL,
  recorded_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, command_id)
);
SELECT ops.isolate_tenants('es.commands');
GRANT SELECT ON es.commands TO rollcall_writer;
