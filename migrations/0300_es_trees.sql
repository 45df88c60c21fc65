-- The proof of each tenant's log: an RFC 6962 tree over its events in the order of their tenant
-- positions, in tiles of 256 hashes (C2SP tlog-tiles). Built by the sealer from what es.events holds.
CREATE TABLE es.trees (
  tenant_id uuid PRIMARY KEY,
  -- The log's name in every checkpoint (C2SP tlog-checkpoint); never changed.
  origin text NOT NULL,
  -- Events sealed so far; the tree's size.
  size bigint NOT NULL CHECK (size >= 0)
) WITH (fillfactor = 50);

-- Hashes of one level; rewritten while it is not full, since then only at its end.
CREATE TABLE es.tree_tiles (
  tenant_id uuid NOT NULL,
  level smallint NOT NULL,
  index bigint NOT NULL,
  hashes bytea NOT NULL CHECK (octet_length(hashes) % 32 = 0 AND octet_length(hashes) BETWEEN 32 AND 8192),
  PRIMARY KEY (tenant_id, level, index)
);

-- Signed notes, the same that stand in the append-only files outside the database.
CREATE TABLE es.checkpoints (
  tenant_id uuid NOT NULL,
  size bigint NOT NULL,
  root bytea NOT NULL CHECK (octet_length(root) = 32),
  note text NOT NULL,
  signed_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, size)
);

SELECT ops.isolate_tenants('es.trees');
SELECT ops.isolate_tenants('es.tree_tiles');
SELECT ops.isolate_tenants('es.checkpoints');
GRANT SELECT ON es.trees, es.tree_tiles, es.checkpoints
  TO rollcall_writer, rollcall_runner, rollcall_sealer, rollcall_query;
GRANT INSERT, UPDATE ON es.trees, es.tree_tiles TO rollcall_sealer;
GRANT INSERT ON es.checkpoints TO rollcall_sealer;
