-- `auditEvents` by the address a request came from (GN-26), the only personal datum in a row: an erasure
-- takes it out. `address_subject` is under whose key it is sealed in the event. Rows from before have
-- both once the timeline is rebuilt.
ALTER TABLE read.audit_timeline ADD COLUMN client_address inet, ADD COLUMN address_subject uuid;
CREATE INDEX audit_timeline_client_address_idx
  ON read.audit_timeline (tenant_id, client_address, position) INCLUDE (facet)
  WHERE client_address IS NOT NULL;
-- Of visitors and machines; who is signed in is found as the actor.
CREATE INDEX audit_timeline_address_subject_idx ON read.audit_timeline (tenant_id, address_subject)
  WHERE address_subject IS NOT NULL AND address_subject IS DISTINCT FROM actor_id;

-- Takes the addresses of an erased person out of a timeline: of what they did, and of what they asked
-- for as a visitor, whose keys were destroyed with theirs. `in_timeline` is the live table, or one that
-- a rebuild retired or a replay left.
CREATE FUNCTION ops.forget_addresses(in_timeline regclass, in_tenant uuid, in_user uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  EXECUTE format(
    'UPDATE %s SET client_address = NULL, address_subject = NULL
      WHERE tenant_id = $1 AND actor_id = $2 AND address_subject = $2', in_timeline)
    USING in_tenant, in_user;
  EXECUTE format(
    'UPDATE %s t SET client_address = NULL, address_subject = NULL FROM es.subject_keys k
      WHERE k.tenant_id = $1 AND k.destroyed_at IS NOT NULL
        AND t.tenant_id = $1 AND t.address_subject = k.subject_id
        AND t.address_subject IS DISTINCT FROM t.actor_id', in_timeline)
    USING in_tenant;
END
$$;
REVOKE ALL ON FUNCTION ops.forget_addresses(regclass, uuid, uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ops.forget_addresses(regclass, uuid, uuid) TO rollcall_runner;
