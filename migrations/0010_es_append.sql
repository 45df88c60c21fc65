-- The only way events get in: one call per batch of requests. Either every request is good and all are
-- written together, in the order given, or nothing is written and the answer says which are refused
-- and why; the caller then sends the others again. So the statements that write need no filter.
--
-- The caller makes sure that no two requests of a batch touch the same stream, reservation, vault
-- entry, key or command, so each can be judged alone. Arrays belong to groups: t_ one element per
-- tenant of the batch, r_ per request, e_ per event, g_ per guard (a stream and the version it was
-- read at), p_ which request relies on which guard, s_ reservations, v_ vault entries, k_ keys.
-- `*_request` and `*_tenant_nth` point into r_ and t_ and count from 1; `*_offset` counts the events
-- of the same tenant, or for r_last_* of the batch, up to and with that one. An array in which nothing
-- would stand is null: an argument costs the call a microsecond or two even when it is empty.
--
-- A caller that knows the log up to `known_position` gives guards only for streams it has not seen
-- since; if the log does not stand there, others are at work: nothing is done, `recorded` is null, and
-- the caller comes again with all guards and no known position.
--
-- A command that is repeated, and a written stream that has moved on, run into a unique index. That is
-- rare, so it is not asked beforehand: the caller sends the batch again, `thorough`, with guards for
-- the written streams too, and learns whose fault it was.
--
-- Elements are fetched by subscript: an argument is unpacked once and then costs nothing, while unnest
-- materialises every column of every call (measured at half of the whole function's time for one
-- event). `FROM (SELECT generate_series(1, n))` because a function in FROM is dearer to start.
--
-- It runs under the settings of the writer's connections: see pools.rs.
CREATE FUNCTION es.append(
  expected_epoch uuid, known_position bigint, thorough boolean, injected_now timestamptz,
  t_tenant uuid[], t_events integer[],
  r_tenant uuid[], r_command uuid[], r_attempt uuid[], r_hash bytea[], r_result text[],
  r_tenant_nth integer[], r_tenant_offset integer[], r_last_event integer[],
  e_tenant_nth integer[], e_tenant_offset integer[], e_type text[], e_stream text[], e_sequence bigint[], e_event uuid[],
  e_event_type text[], e_event_version text[], e_payload text[], e_metadata text[],
  e_actor_kind text[], e_actor uuid[], e_organization uuid[], e_subject uuid[], e_subject_organization uuid[], e_npi text[],
  e_correlation uuid[], e_causation uuid[], e_command uuid[], e_occurred timestamptz[], e_effective timestamptz[], e_salt bytea[],
  g_type text[], g_stream text[], g_version bigint[], p_request integer[], p_guard integer[],
  s_request integer[], s_tenant uuid[], s_kind text[], s_key bytea[], s_expected uuid[], s_owner uuid[],
  v_tenant uuid[], v_kind text[], v_id uuid[], v_value bytea[],
  k_request integer[], k_tenant uuid[], k_subject uuid[], k_version integer[], k_wrapped bytea[], k_action text[],
  OUT epoch uuid, OUT recorded timestamptz,
  -- Before the batch: of the log, and per tenant as in t_.
  OUT base bigint, OUT tenant_bases bigint[],
  -- The refused: which request, why (duplicate, conflict, key, taken), and which element of its group.
  OUT refused integer[], OUT reasons text[], OUT elements integer[]
) LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  events CONSTANT integer := cardinality(e_event);
  repeated integer[];
  moved integer[];
  held integer[];
  locked integer[];
BEGIN
  -- The lock on the head orders appends; everything below sees all that was committed before.
  UPDATE es.head h
     SET position = h.position + events,
         last_at = greatest(coalesce(injected_now, clock_timestamp()), h.last_at + interval '1 microsecond')
   WHERE h.shard = 1 AND h.epoch = expected_epoch AND (known_position IS NULL OR h.position = known_position)
  RETURNING h.position - events, h.last_at, h.epoch INTO base, recorded, epoch;
  IF NOT FOUND THEN
    SELECT h.epoch INTO epoch FROM es.head h WHERE h.shard = 1;
    RETURN;
  END IF;

  -- A stream has moved on when the event after the version seen exists. Asked for a value, because an
  -- EXISTS becomes a join, and one that was planned over an empty table reads all of it.
  IF g_type IS NOT NULL THEN
    SELECT array_agg(o) INTO moved FROM (SELECT generate_series(1, cardinality(g_type))) g(o)
     WHERE (SELECT true FROM es.events e
             WHERE e.aggregate_type = g_type[o] AND e.aggregate_id = g_stream[o] AND e.sequence = g_version[o] + 1);
  END IF;
  IF thorough THEN
    SELECT array_agg(o) INTO repeated FROM (SELECT generate_series(1, cardinality(r_command))) r(o)
     WHERE (SELECT true FROM es.commands k WHERE k.tenant_id = r_tenant[o] AND k.command_id = r_command[o]);
  END IF;
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
    UPDATE es.head h SET position = base WHERE h.shard = 1;
    RETURN;
  END IF;

  IF cardinality(t_tenant) = 1 THEN
    UPDATE es.tenant_heads h SET position = h.position + events
     WHERE h.tenant_id = t_tenant[1] RETURNING ARRAY[h.position - events] INTO tenant_bases;
  END IF;
  IF tenant_bases IS NULL THEN
    WITH heads AS (
      INSERT INTO es.tenant_heads AS h (tenant_id, position)
      SELECT t.tenant, t.events FROM unnest(t_tenant, t_events) t(tenant, events)
          ON CONFLICT (tenant_id) DO UPDATE SET position = h.position + excluded.position
      RETURNING h.tenant_id, h.position)
    SELECT array_agg(h.position - t.events ORDER BY t.o) INTO tenant_bases
      FROM unnest(t_tenant, t_events) WITH ORDINALITY t(tenant, events, o) JOIN heads h ON h.tenant_id = t.tenant;
  END IF;

  WITH commands AS (
    INSERT INTO es.commands (tenant_id, command_id, attempt, request_hash, result, position, global_position, recorded_at)
    SELECT r_tenant[o], r_command[o], r_attempt[o], r_hash[o], r_result[o]::json,
           tenant_bases[r_tenant_nth[o]] + r_tenant_offset[o], base + r_last_event[o], recorded
      FROM (SELECT generate_series(1, cardinality(r_command))) r(o))
  INSERT INTO es.events (
    position, tenant_id, tenant_position, aggregate_type, aggregate_id, sequence, event_id, event_type, event_version,
    payload, metadata, actor_kind, actor_id, organization_id, subject_id, subject_organization_id, npi,
    correlation_id, causation_id, command_id, recorded_at, occurred_at, effective_at, salt)
  SELECT base + o, t_tenant[e_tenant_nth[o]], tenant_bases[e_tenant_nth[o]] + e_tenant_offset[o],
         e_type[o], e_stream[o], e_sequence[o], e_event[o], e_event_type[o], e_event_version[o],
         e_payload[o]::json, e_metadata[o]::json, e_actor_kind[o], e_actor[o], e_organization[o],
         e_subject[o], e_subject_organization[o], e_npi[o], e_correlation[o], e_causation[o], e_command[o],
         recorded, e_occurred[o], e_effective[o], e_salt[o]
    FROM (SELECT generate_series(1, events)) e(o);

  IF cardinality(s_request) > 0 THEN
    DELETE FROM es.reservations r
     USING unnest(s_tenant, s_kind, s_key, s_owner) s(tenant, kind, key, owner)
     WHERE s.owner IS NULL AND r.tenant_id = s.tenant AND r.kind = s.kind AND r.key = s.key;
    INSERT INTO es.reservations (tenant_id, kind, key, owner)
    SELECT s.tenant, s.kind, s.key, s.owner FROM unnest(s_tenant, s_kind, s_key, s_owner) s(tenant, kind, key, owner)
     WHERE s.owner IS NOT NULL
        ON CONFLICT (tenant_id, kind, key) DO UPDATE SET owner = excluded.owner;
  END IF;
  IF cardinality(v_tenant) > 0 THEN
    DELETE FROM es.vault t
     USING unnest(v_tenant, v_kind, v_id, v_value) v(tenant, kind, id, value)
     WHERE v.value IS NULL AND t.tenant_id = v.tenant AND t.kind = v.kind AND t.id = v.id;
    INSERT INTO es.vault (tenant_id, kind, id, value)
    SELECT v.tenant, v.kind, v.id, v.value FROM unnest(v_tenant, v_kind, v_id, v_value) v(tenant, kind, id, value)
     WHERE v.value IS NOT NULL
        ON CONFLICT (tenant_id, kind, id) DO UPDATE SET value = excluded.value;
  END IF;
  IF cardinality(k_request) > 0 THEN
    INSERT INTO es.tenant_keys (tenant_id, wrapped)
    SELECT k.tenant, k.wrapped FROM unnest(k_tenant, k_wrapped, k_action) k(tenant, wrapped, action)
     WHERE k.action = 'create-tenant';
    INSERT INTO es.subject_keys (tenant_id, subject_id, version, wrapped)
    SELECT k.tenant, k.subject, k.version, k.wrapped
      FROM unnest(k_tenant, k_subject, k_version, k_wrapped, k_action) k(tenant, subject, version, wrapped, action)
     WHERE k.action = 'create';
    UPDATE es.subject_keys t SET wrapped = NULL, destroyed_at = recorded
      FROM unnest(k_tenant, k_subject, k_action) k(tenant, subject, action)
     WHERE k.action = 'destroy' AND t.tenant_id = k.tenant AND t.subject_id = k.subject AND t.destroyed_at IS NULL;
    PERFORM pg_notify('es_erased', k.tenant || '/' || k.subject)
       FROM unnest(k_tenant, k_subject, k_action) k(tenant, subject, action) WHERE k.action = 'destroy';
  END IF;

END
$$;

REVOKE ALL ON FUNCTION es.append FROM PUBLIC;
GRANT EXECUTE ON FUNCTION es.append TO rollcall_writer;
