-- The only way events get in: one call per batch of requests, a verdict per request.
--
-- Requests that are good are written together, in the order given; of the others nothing is written.
-- The caller makes sure that no two requests of a batch touch the same stream, reservation, vault
-- entry, key or command, so each can be judged alone. Arrays belong to groups: r_ one element per
-- request, e_ per event, g_ per guard (a stream and the version it was read at), p_ which request
-- relies on which guard, s_ reservations, v_ vault entries, k_ keys. `*_request` counts from 1.
--
-- The settings: plans made while the tables are small choose other indexes and stay cached, and
-- planning ten-array statements on each call costs more than running them.
CREATE FUNCTION es.append(
  expected_epoch uuid, injected_now timestamptz,
  r_tenant uuid[], r_command uuid[], r_attempt uuid[], r_hash bytea[], r_result text[], r_last_event integer[],
  e_request integer[], e_tenant uuid[], e_type text[], e_stream text[], e_sequence bigint[], e_event uuid[],
  e_event_type text[], e_event_version text[], e_payload text[], e_metadata text[],
  e_actor_kind text[], e_actor uuid[], e_organization uuid[], e_subject uuid[], e_subject_organization uuid[], e_npi text[],
  e_correlation uuid[], e_causation uuid[], e_command uuid[], e_occurred timestamptz[], e_effective timestamptz[], e_salt bytea[],
  g_type text[], g_stream text[], g_version bigint[], p_request integer[], p_guard integer[],
  s_request integer[], s_tenant uuid[], s_kind text[], s_key bytea[], s_expected uuid[], s_owner uuid[],
  v_request integer[], v_tenant uuid[], v_kind text[], v_id uuid[], v_value bytea[],
  k_request integer[], k_tenant uuid[], k_subject uuid[], k_version integer[], k_wrapped bytea[], k_action text[],
  OUT epoch uuid, OUT recorded timestamptz, OUT last_position bigint,
  -- Per request; 0 where it was refused.
  OUT positions bigint[], OUT tenant_positions bigint[],
  -- The refused: which request, why (duplicate, conflict, key, taken), and which element of its group.
  OUT refused integer[], OUT reasons text[], OUT elements integer[]
) LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
DECLARE
  base bigint;
  repeated integer[];
  moved integer[];
  held integer[];
  locked integer[];
  event_positions bigint[];
  event_tenant_positions bigint[];
BEGIN
  refused := '{}';

  -- The lock on the head orders appends; everything below sees all that was committed before.
  UPDATE es.head h
     SET position = h.position + cardinality(e_request),
         last_at = greatest(coalesce(injected_now, clock_timestamp()), h.last_at + interval '1 microsecond')
   WHERE h.shard = 1 AND h.epoch = expected_epoch
  RETURNING h.position - cardinality(e_request), h.last_at, h.epoch INTO base, recorded, epoch;
  IF NOT FOUND THEN
    SELECT h.epoch INTO epoch FROM es.head h WHERE h.shard = 1;
    RETURN;
  END IF;

  -- A stream has moved on when the event after the version seen exists.
  SELECT (SELECT array_agg(c.o::integer) FROM unnest(r_tenant, r_command) WITH ORDINALITY c(tenant, command, o)
           WHERE EXISTS (SELECT FROM es.commands k WHERE k.tenant_id = c.tenant AND k.command_id = c.command)),
         (SELECT array_agg(g.o::integer) FROM unnest(g_type, g_stream, g_version) WITH ORDINALITY g(type, stream, version, o)
           WHERE EXISTS (SELECT FROM es.events e
                          WHERE e.aggregate_type = g.type AND e.aggregate_id = g.stream AND e.sequence = g.version + 1))
    INTO repeated, moved;
  IF cardinality(s_request) > 0 THEN
    SELECT array_agg(s.o::integer) INTO held
      FROM unnest(s_tenant, s_kind, s_key, s_expected, s_owner) WITH ORDINALITY s(tenant, kind, key, expected, owner, o)
     WHERE EXISTS (SELECT FROM es.reservations r
                    WHERE r.tenant_id = s.tenant AND r.kind = s.kind AND r.key = s.key
                      AND r.owner IS DISTINCT FROM s.owner AND r.owner IS DISTINCT FROM s.expected);
  END IF;
  IF cardinality(k_request) > 0 THEN
    SELECT array_agg(k.o::integer) INTO locked
      FROM unnest(k_tenant, k_subject, k_version, k_action) WITH ORDINALITY k(tenant, subject, version, action, o)
     WHERE CASE k.action
             WHEN 'create-tenant' THEN EXISTS (SELECT FROM es.tenant_keys t WHERE t.tenant_id = k.tenant)
             WHEN 'create' THEN EXISTS (SELECT FROM es.subject_keys t WHERE t.tenant_id = k.tenant AND t.subject_id = k.subject AND (t.version = k.version OR t.destroyed_at IS NOT NULL))
             WHEN 'use' THEN NOT EXISTS (SELECT FROM es.subject_keys t WHERE t.tenant_id = k.tenant AND t.subject_id = k.subject AND t.version = k.version AND t.destroyed_at IS NULL)
             ELSE false
           END;
  END IF;

  IF repeated IS NOT NULL OR moved IS NOT NULL OR held IS NOT NULL OR locked IS NOT NULL THEN
    SELECT array_agg(x.request ORDER BY x.request), array_agg(x.reason ORDER BY x.request), array_agg(x.element ORDER BY x.request)
      INTO refused, reasons, elements
      FROM (SELECT DISTINCT ON (y.request) y.request, y.reason, y.element
              FROM (SELECT o, 1, 'duplicate', 0 FROM unnest(repeated) o
                    UNION ALL SELECT p.request, 2, 'conflict', p.guard FROM unnest(p_request, p_guard) p(request, guard) WHERE p.guard = ANY (moved)
                    UNION ALL SELECT k_request[o], 3, 'key', o FROM unnest(locked) o
                    UNION ALL SELECT s_request[o], 4, 'taken', o FROM unnest(held) o) y(request, rank, reason, element)
             ORDER BY y.request, y.rank, y.element) x;
    UPDATE es.head h
       SET position = base + (SELECT count(*) FROM unnest(e_request) e(request) WHERE e.request <> ALL (refused))
     WHERE h.shard = 1;
  END IF;

  INSERT INTO es.tenant_heads AS h (tenant_id, position)
  SELECT e.tenant, count(*) FROM unnest(e_tenant, e_request) e(tenant, request)
   WHERE e.request <> ALL (refused) GROUP BY e.tenant
      ON CONFLICT (tenant_id) DO UPDATE SET position = h.position + excluded.position;

  IF cardinality(refused) = 0 AND e_tenant[1] = ALL (e_tenant) THEN
    SELECT array_agg(base + n ORDER BY n), array_agg(h.position - cardinality(e_request) + n ORDER BY n)
      INTO event_positions, event_tenant_positions
      FROM es.tenant_heads h, generate_series(1, cardinality(e_request)) n
     WHERE h.tenant_id = e_tenant[1];
  ELSE
    -- Tenant positions count back from the tenant's new head.
    SELECT array_agg(CASE WHEN x.good THEN base + x.nth ELSE 0 END ORDER BY x.o),
           array_agg(CASE WHEN x.good THEN x.head + 1 - x.from_last ELSE 0 END ORDER BY x.o)
      INTO event_positions, event_tenant_positions
      FROM (SELECT e.o, e.good, h.position AS head,
                   count(*) FILTER (WHERE e.good) OVER (ORDER BY e.o) AS nth,
                   count(*) FILTER (WHERE e.good) OVER (PARTITION BY e.tenant ORDER BY e.o DESC) AS from_last
              FROM (SELECT u.tenant, u.o, u.request <> ALL (refused) AS good
                      FROM unnest(e_tenant, e_request) WITH ORDINALITY u(tenant, request, o)) e
              LEFT JOIN es.tenant_heads h ON h.tenant_id = e.tenant) x;
  END IF;

  INSERT INTO es.events (
    position, tenant_id, tenant_position, aggregate_type, aggregate_id, sequence, event_id, event_type, event_version,
    payload, metadata, actor_kind, actor_id, organization_id, subject_id, subject_organization_id, npi,
    correlation_id, causation_id, command_id, recorded_at, occurred_at, effective_at, salt)
  SELECT e.position, e.tenant, e.tenant_position, e.type, e.stream, e.sequence, e.event, e.event_type, e.event_version,
         e.payload::json, e.metadata::json, e.actor_kind, e.actor, e.organization, e.subject, e.subject_organization, e.npi,
         e.correlation, e.causation, e.command, recorded, e.occurred, e.effective, e.salt
    FROM unnest(event_positions, e_tenant, event_tenant_positions, e_type, e_stream, e_sequence, e_event, e_event_type, e_event_version,
                e_payload, e_metadata, e_actor_kind, e_actor, e_organization, e_subject, e_subject_organization, e_npi,
                e_correlation, e_causation, e_command, e_occurred, e_effective, e_salt)
         e(position, tenant, tenant_position, type, stream, sequence, event, event_type, event_version,
           payload, metadata, actor_kind, actor, organization, subject, subject_organization, npi,
           correlation, causation, command, occurred, effective, salt)
   WHERE e.position > 0;

  -- A command without events stands after whatever its tenant had before.
  last_position := base + coalesce((SELECT count(*) FROM unnest(event_positions) p WHERE p > 0), 0);
  SELECT array_agg(x.position ORDER BY x.o), array_agg(x.tenant_position ORDER BY x.o)
    INTO positions, tenant_positions
    FROM (SELECT r.o,
                 CASE WHEN r.o = ANY (refused) THEN 0 WHEN r.last_event > 0 THEN event_positions[r.last_event]
                      ELSE last_position END AS position,
                 CASE WHEN r.o = ANY (refused) THEN 0 WHEN r.last_event > 0 THEN event_tenant_positions[r.last_event]
                      ELSE coalesce((SELECT h.position FROM es.tenant_heads h WHERE h.tenant_id = r.tenant), 0) END AS tenant_position
            FROM unnest(r_tenant, r_last_event) WITH ORDINALITY r(tenant, last_event, o)) x;
  INSERT INTO es.commands (tenant_id, command_id, attempt, request_hash, result, position, global_position, recorded_at)
  SELECT r.tenant, r.command, r.attempt, r.hash, r.result::json, r.tenant_position, r.position, recorded
    FROM unnest(r_tenant, r_command, r_attempt, r_hash, r_result, positions, tenant_positions) WITH ORDINALITY
         r(tenant, command, attempt, hash, result, position, tenant_position, o)
   WHERE r.o <> ALL (refused);

  IF cardinality(s_request) > 0 THEN
    DELETE FROM es.reservations r
     USING unnest(s_request, s_tenant, s_kind, s_key, s_owner) s(request, tenant, kind, key, owner)
     WHERE s.owner IS NULL AND s.request <> ALL (refused)
       AND r.tenant_id = s.tenant AND r.kind = s.kind AND r.key = s.key;
    INSERT INTO es.reservations (tenant_id, kind, key, owner)
    SELECT s.tenant, s.kind, s.key, s.owner
      FROM unnest(s_request, s_tenant, s_kind, s_key, s_owner) s(request, tenant, kind, key, owner)
     WHERE s.owner IS NOT NULL AND s.request <> ALL (refused)
        ON CONFLICT (tenant_id, kind, key) DO UPDATE SET owner = excluded.owner;
  END IF;
  IF cardinality(v_request) > 0 THEN
    DELETE FROM es.vault t
     USING unnest(v_request, v_tenant, v_kind, v_id, v_value) v(request, tenant, kind, id, value)
     WHERE v.value IS NULL AND v.request <> ALL (refused)
       AND t.tenant_id = v.tenant AND t.kind = v.kind AND t.id = v.id;
    INSERT INTO es.vault (tenant_id, kind, id, value)
    SELECT v.tenant, v.kind, v.id, v.value
      FROM unnest(v_request, v_tenant, v_kind, v_id, v_value) v(request, tenant, kind, id, value)
     WHERE v.value IS NOT NULL AND v.request <> ALL (refused)
        ON CONFLICT (tenant_id, kind, id) DO UPDATE SET value = excluded.value;
  END IF;
  IF cardinality(k_request) > 0 THEN
    INSERT INTO es.tenant_keys (tenant_id, wrapped)
    SELECT k.tenant, k.wrapped FROM unnest(k_request, k_tenant, k_wrapped, k_action) k(request, tenant, wrapped, action)
     WHERE k.action = 'create-tenant' AND k.request <> ALL (refused);
    INSERT INTO es.subject_keys (tenant_id, subject_id, version, wrapped)
    SELECT k.tenant, k.subject, k.version, k.wrapped
      FROM unnest(k_request, k_tenant, k_subject, k_version, k_wrapped, k_action) k(request, tenant, subject, version, wrapped, action)
     WHERE k.action = 'create' AND k.request <> ALL (refused);
    UPDATE es.subject_keys t SET wrapped = NULL, destroyed_at = recorded
      FROM unnest(k_request, k_tenant, k_subject, k_action) k(request, tenant, subject, action)
     WHERE k.action = 'destroy' AND k.request <> ALL (refused)
       AND t.tenant_id = k.tenant AND t.subject_id = k.subject AND t.destroyed_at IS NULL;
    PERFORM pg_notify('es_erased', k.tenant || '/' || k.subject)
       FROM unnest(k_request, k_tenant, k_subject, k_action) k(request, tenant, subject, action)
      WHERE k.action = 'destroy' AND k.request <> ALL (refused);
  END IF;

  IF last_position > base THEN
    PERFORM pg_notify('es_appended', last_position::text);
  END IF;
END
$$;

REVOKE ALL ON FUNCTION es.append FROM PUBLIC;
GRANT EXECUTE ON FUNCTION es.append TO rollcall_writer;
