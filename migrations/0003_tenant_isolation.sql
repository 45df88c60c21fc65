-- Row-level security for a table with tenant_id: the query role sees the tenant named by
-- `SET LOCAL rollcall.tenant`, and nothing where none is named; the service's other roles see all.
-- Forced, so that it binds the owner too, whose definer functions need their own policy for it.
CREATE FUNCTION ops.isolate_tenants(target regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', target);
  EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', target);
  EXECUTE format('CREATE POLICY service_roles ON %s TO CURRENT_USER, rollcall_writer, rollcall_runner, rollcall_sealer USING (true) WITH CHECK (true)', target);
  EXECUTE format('CREATE POLICY own_tenant ON %s FOR SELECT TO rollcall_query USING (tenant_id = nullif(current_setting(''rollcall.tenant'', true), '''')::uuid)', target);
END
$$;

-- What every migration that adds a projection's or process's table calls on it.
CREATE FUNCTION ops.secure_tenant_table(target regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM ops.isolate_tenants(target);
  EXECUTE format('GRANT SELECT ON %s TO rollcall_query', target);
  EXECUTE format('GRANT ALL ON %s TO rollcall_runner', target);
END
$$;

REVOKE ALL ON FUNCTION ops.isolate_tenants(regclass), ops.secure_tenant_table(regclass) FROM PUBLIC;
