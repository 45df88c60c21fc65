-- What became of commands whose append was cut off: the lock on the head waits for an append that is
-- still under way, so "unknown" means that it did not commit.
CREATE FUNCTION es.outcomes(tenants uuid[], command_ids uuid[])
RETURNS SETOF es.commands LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM FROM es.head WHERE shard = 1 FOR UPDATE;
  RETURN QUERY
  SELECT k.* FROM es.commands k JOIN unnest(tenants, command_ids) c(tenant, command)
      ON k.tenant_id = c.tenant AND k.command_id = c.command;
END
$$;

REVOKE ALL ON FUNCTION es.outcomes FROM PUBLIC;
GRANT EXECUTE ON FUNCTION es.outcomes TO rollcall_writer;
