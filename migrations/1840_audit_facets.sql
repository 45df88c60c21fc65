-- `auditEvents` by any two filters (GN-26): what few values have of an event (its type, command, kind
-- of actor and outcome) is one number, which the indexes by ids hold too. Two filters with much in
-- each and nothing in common were read row by row before (seconds at two million events).
ALTER TABLE read.audit_timeline
  ADD COLUMN facet bigint GENERATED ALWAYS AS (
    hashtextextended(event_type || ' ' || command || ' ' || actor_kind || ' ' || outcome, 0)) STORED;

CREATE INDEX audit_timeline_facet_idx ON read.audit_timeline (tenant_id, facet, position);
DROP INDEX read.audit_timeline_actor_id_idx,
  read.audit_timeline_subject_id_idx, read.audit_timeline_npi_idx,
  read.audit_timeline_organization_id_idx, read.audit_timeline_subject_organization_id_idx;
CREATE INDEX audit_timeline_actor_id_idx ON read.audit_timeline (tenant_id, actor_id, position)
  INCLUDE (facet) WHERE actor_id IS NOT NULL;
CREATE INDEX audit_timeline_subject_id_idx ON read.audit_timeline (tenant_id, subject_id, position)
  INCLUDE (facet) WHERE subject_id IS NOT NULL;
CREATE INDEX audit_timeline_npi_idx ON read.audit_timeline (tenant_id, npi, position)
  INCLUDE (facet) WHERE npi IS NOT NULL;
CREATE INDEX audit_timeline_organization_id_idx ON read.audit_timeline (tenant_id, organization_id, position)
  INCLUDE (facet) WHERE organization_id IS NOT NULL;
CREATE INDEX audit_timeline_subject_organization_id_idx
  ON read.audit_timeline (tenant_id, subject_organization_id, position)
  INCLUDE (facet) WHERE subject_organization_id IS NOT NULL;
CREATE INDEX audit_timeline_session_id_idx ON read.audit_timeline (tenant_id, session_id, position)
  WHERE session_id IS NOT NULL;

-- The facets a tenant has, by as many probes of their index as there are.
CREATE FUNCTION ops.audit_facets(in_tenant uuid)
RETURNS TABLE (facet bigint, event_type text, command text, actor_kind text, outcome text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_bitmapscan = off AS $$
  WITH RECURSIVE facets AS (
    (SELECT t.facet, t.event_type, t.command, t.actor_kind, t.outcome FROM read.audit_timeline t
      WHERE t.tenant_id = in_tenant ORDER BY t.facet LIMIT 1)
    UNION ALL
    SELECT n.* FROM facets f CROSS JOIN LATERAL (
      SELECT t.facet, t.event_type, t.command, t.actor_kind, t.outcome FROM read.audit_timeline t
       WHERE t.tenant_id = in_tenant AND t.facet > f.facet ORDER BY t.facet LIMIT 1) n)
  SELECT * FROM facets
$$;
REVOKE ALL ON FUNCTION ops.audit_facets(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ops.audit_facets(uuid) TO rollcall_query;
