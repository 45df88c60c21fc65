-- The difference of effective access between two moments, both as known at one position: what was
-- gained, lost and changed, when, and by what. Serves `accessDifference` (GN-14).

-- Rights at a moment, each once: of several ways to one right the first is told. What is absent in a
-- key is empty, so that keys can be compared.
CREATE FUNCTION ops.access_states(
  in_tenant uuid, true_at timestamptz, known_at bigint,
  of_users uuid[], only_organization uuid, only_npi text
) RETURNS TABLE (
  user_id uuid, organization_id uuid, npi text, access_right text, detail text, level text, source text
) LANGUAGE sql STABLE AS $$
  SELECT DISTINCT ON (a.user_id, k.organization_id, k.npi, a.access_right, k.detail)
         a.user_id, k.organization_id, k.npi, a.access_right, k.detail, a.level, a.source
    FROM ops.effective_access(in_tenant, true_at, known_at, of_users, only_organization, only_npi) a
   CROSS JOIN LATERAL (
     SELECT coalesce(a.organization_id, '00000000-0000-0000-0000-000000000000') AS organization_id,
            coalesce(a.npi, '') AS npi,
            -- What it is a right to, where the level is not how much of it.
            CASE WHEN a.access_right IN ('USE_FEATURE', 'HOLD_JOB_ROLE', 'VIEW_LOCATION', 'CHOOSE_LOCATION',
                                         'READ_TAX_ID', 'PLAN_ROLE') THEN a.level
                 ELSE coalesce(a.correspondence_type, '') END AS detail) k
   ORDER BY a.user_id, k.organization_id, k.npi, a.access_right, k.detail,
            array_position('{ROLE,DIRECT,ALL_NPIS,JOB_ROLE,IMPLIED_BY_ADMIN,PLAN_ROLE,AFFILIATION}'::text[], a.source),
            a.level
$$;

-- When anything that a right rests on began or ended, after `from_at` and up to `to_at`, and by what:
-- the person's own grants, and the conditions under which they count. A right changes at no other
-- moment. More than what it rests on is no harm.
CREATE FUNCTION ops.access_boundaries(
  in_tenant uuid, from_at timestamptz, to_at timestamptz, known_at bigint,
  of_user uuid, in_organization uuid, of_npi text, of_right text, of_detail text
) RETURNS TABLE (moment timestamptz, kind text, cause text, cause_position bigint) LANGUAGE sql STABLE AS $$
  WITH known AS NOT MATERIALIZED (
    SELECT i.kind, i.holder_id, i.user_id, i.organization_id, i.npi, i.name, i.value, i.valid_from, i.valid_to,
           i.cause, i.cause_position, i.end_cause, i.end_position
      FROM read.access_intervals i
     WHERE i.tenant_id = in_tenant AND i.known_from <= known_at AND (i.known_to IS NULL OR i.known_to > known_at)
  ), job_roles AS NOT MATERIALIZED (
    SELECT k.* FROM known k
     WHERE k.organization_id = in_organization AND k.kind = 'JOB_ROLE' AND k.user_id = of_user
       AND CASE of_right WHEN 'HOLD_JOB_ROLE' THEN k.name = of_detail ELSE of_right IN ('USE_FEATURE', 'MANAGE_USERS') END
  ), submissions AS NOT MATERIALIZED (
    SELECT k.* FROM known k
     WHERE k.organization_id = in_organization AND k.kind = 'SUBMISSION' AND k.user_id = of_user AND k.npi = of_npi
       AND of_right = 'SUBMIT_TRANSACTIONS'
  ), affiliations AS NOT MATERIALIZED (
    SELECT k.* FROM submissions s JOIN known k ON k.kind = 'AFFILIATION' AND k.holder_id = s.holder_id
  ), timelines AS MATERIALIZED (
    SELECT k.* FROM known k WHERE k.kind = 'ACCOUNT_ACTIVE' AND k.holder_id = of_user
    UNION ALL
    SELECT k.* FROM known k
     WHERE k.kind = 'PLAN_ROLE' AND k.user_id = of_user AND of_right = 'PLAN_ROLE' AND k.name = of_detail
       AND coalesce(k.organization_id, '00000000-0000-0000-0000-000000000000') = in_organization
    UNION ALL
    SELECT k.* FROM known k
     WHERE k.organization_id = in_organization AND k.kind IN ('MEMBERSHIP_ACTIVE', 'ORG_ROLE') AND k.user_id = of_user
       AND of_right <> 'PLAN_ROLE'
    UNION ALL
    SELECT k.* FROM known k
     WHERE k.organization_id = in_organization AND k.user_id = of_user AND k.npi IN (of_npi, '*')
       AND (k.kind = 'NPI_LEVEL' AND of_right IN ('VIEW_NPI', 'MANAGE_PIN', 'READ_CORRESPONDENCE')
            OR k.kind = 'CORRESPONDENCE' AND of_right = 'READ_CORRESPONDENCE')
    UNION ALL
    SELECT k.* FROM known k
     WHERE k.organization_id = in_organization AND k.user_id = of_user
       AND (k.kind, k.name) IN (
         ('FEATURE', CASE of_right WHEN 'USE_FEATURE' THEN of_detail WHEN 'MANAGE_USERS' THEN 'USER_MANAGEMENT' END),
         ('LOCATION', CASE WHEN of_right IN ('VIEW_LOCATION', 'CHOOSE_LOCATION') THEN of_detail END),
         ('TAX_ID', CASE of_right WHEN 'READ_TAX_ID' THEN of_detail END))
    UNION ALL
    SELECT * FROM job_roles
    UNION ALL
    SELECT k.* FROM job_roles j
      JOIN known k ON k.kind = 'JOB_ROLE_BUNDLE' AND k.holder_id = CASE WHEN j.kind = 'JOB_ROLE' THEN j.name::uuid END
    UNION ALL
    SELECT k.* FROM known k
     WHERE k.holder_id = in_organization AND of_right <> 'PLAN_ROLE'
       AND (k.kind IN ('ORGANIZATION_ACTIVE', 'CONTRACTED')
            OR k.kind = 'NPI_HELD' AND k.npi = of_npi
            OR k.kind IN ('LOCATION_STATE', 'TAX_ID_HELD') AND k.name = of_detail)
    UNION ALL
    SELECT * FROM submissions
    UNION ALL
    SELECT * FROM affiliations
    UNION ALL
    SELECT k.* FROM affiliations a
      JOIN known k ON k.holder_id = CASE WHEN a.kind = 'AFFILIATION' THEN a.value[1]::uuid END
                  AND (k.kind = 'ORGANIZATION_ACTIVE' OR k.kind = 'NPI_HELD' AND k.npi = of_npi)
    UNION ALL
    SELECT k.* FROM known k WHERE k.kind = 'POLICY' AND k.holder_id = in_tenant AND of_right <> 'PLAN_ROLE'
  )
  SELECT t.valid_from, t.kind, t.cause, t.cause_position
    FROM timelines t WHERE t.valid_from > from_at AND t.valid_from <= to_at
  UNION ALL
  -- An end that no event set was set by what gave it. A policy ends by what follows it.
  SELECT t.valid_to, t.kind, coalesce(t.end_cause, 'EXPIRY'), coalesce(t.end_position, t.cause_position)
    FROM timelines t WHERE t.valid_to > from_at AND t.valid_to <= to_at AND t.kind <> 'POLICY'
$$;

-- The people whose rights may differ between two moments, from `from_user` on, in order. More than
-- those whose rights differ is no harm.
CREATE FUNCTION ops.access_changed_people(
  in_tenant uuid, from_at timestamptz, to_at timestamptz, known_at bigint,
  only_user uuid, only_organization uuid, only_npi text, only_right text, in_scope uuid[], from_user uuid
) RETURNS uuid[] LANGUAGE plpgsql STABLE SET plan_cache_mode = force_generic_plan AS $$
BEGIN
  -- A policy or what a job role bundles may change anybody's rights.
  IF only_user IS NOT NULL OR only_organization IS NOT NULL OR only_npi IS NOT NULL OR EXISTS (
    SELECT 1 FROM read.access_intervals i
     WHERE i.tenant_id = in_tenant AND i.known_from <= known_at AND (i.known_to IS NULL OR i.known_to > known_at)
       AND i.valid_from > from_at AND i.valid_from <= to_at AND i.kind IN ('POLICY', 'JOB_ROLE_BUNDLE')
    UNION ALL
    SELECT 1 FROM read.access_intervals i
     WHERE i.tenant_id = in_tenant AND i.known_from <= known_at AND (i.known_to IS NULL OR i.known_to > known_at)
       AND i.valid_to > from_at AND i.valid_to <= to_at AND i.valid_to < '9999-12-31 00:00:00+00'
       AND i.kind = 'JOB_ROLE_BUNDLE')
  THEN
    RETURN array(
      SELECT unnest(ops.access_candidates(in_tenant, from_at, known_at, only_user, only_organization,
        only_npi, only_right, in_scope, from_user, NULL, NULL))
      UNION
      SELECT unnest(ops.access_candidates(in_tenant, to_at, known_at, only_user, only_organization,
        only_npi, only_right, in_scope, from_user, NULL, NULL))
      ORDER BY 1);
  END IF;
  RETURN array(
    WITH changed AS MATERIALIZED (
      SELECT i.kind, i.user_id, i.organization_id, i.npi FROM read.access_intervals i
       WHERE i.tenant_id = in_tenant AND i.known_from <= known_at AND (i.known_to IS NULL OR i.known_to > known_at)
         AND i.valid_from > from_at AND i.valid_from <= to_at
      UNION
      SELECT i.kind, i.user_id, i.organization_id, i.npi FROM read.access_intervals i
       WHERE i.tenant_id = in_tenant AND i.known_from <= known_at AND (i.known_to IS NULL OR i.known_to > known_at)
         AND i.valid_to > from_at AND i.valid_to <= to_at AND i.valid_to < '9999-12-31 00:00:00+00'
    ), organizations AS MATERIALIZED (
      SELECT DISTINCT c.organization_id FROM changed c WHERE c.user_id IS NULL AND c.organization_id IS NOT NULL
    )
    SELECT c.user_id FROM changed c WHERE c.user_id >= from_user
    UNION
    SELECT i.user_id FROM organizations o
      JOIN read.access_intervals i ON i.tenant_id = in_tenant AND i.organization_id = o.organization_id
           AND i.kind = 'MEMBERSHIP_ACTIVE'
     WHERE i.user_id >= from_user
    UNION
    -- People of submitters work for the NPIs of providers.
    SELECT s.user_id FROM organizations o
      JOIN read.access_intervals n ON n.tenant_id = in_tenant AND n.organization_id = o.organization_id
           AND n.kind = 'NPI_HELD'
      JOIN read.access_intervals s ON s.tenant_id = in_tenant AND s.npi = n.npi AND s.kind = 'SUBMISSION'
     WHERE s.user_id >= from_user
    ORDER BY 1);
END
$$;

-- Up to `at_most` differences beyond `after_*` (null: all, and from the beginning), in the order of
-- their keys, in byte order as the register's.
--
-- A right is as it is at `to_at` since `happened_at`: since the first moment after the last one at
-- which it was otherwise. Only where several moments come into question is it asked how the right
-- stood at each, for all people of the page together.
CREATE FUNCTION ops.access_difference(
  in_tenant uuid, from_at timestamptz, to_at timestamptz, known_at bigint,
  only_user uuid, only_organization uuid, only_npi text, only_right text, in_scope uuid[],
  only_change text, only_cause text,
  after_user uuid, after_organization uuid, after_npi text, after_right text, after_detail text,
  at_most bigint
) RETURNS TABLE (
  change text, access_right text, user_id uuid, organization_id uuid, npi text, detail text,
  level_before text, source_before text, level_after text, source_after text,
  happened_at timestamptz, cause text, cause_position bigint
) LANGUAGE plpgsql STABLE SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
DECLARE
  nobody CONSTANT uuid := '00000000-0000-0000-0000-000000000000';
  everybody CONSTANT uuid[] := ops.access_changed_people(
    in_tenant, from_at, to_at, known_at, only_user, only_organization, only_npi, only_right, in_scope,
    coalesce(after_user, nobody));
  people uuid[];
  done int := 0;
  step int := 16;
  missing bigint := at_most;
  found_now bigint;
BEGIN
  WHILE done < cardinality(everybody) LOOP
    people := everybody[done + 1 : done + step];
    RETURN QUERY
      WITH was AS MATERIALIZED (
        SELECT * FROM ops.access_states(in_tenant, from_at, known_at, people, only_organization, only_npi)
      ), became AS MATERIALIZED (
        SELECT * FROM ops.access_states(in_tenant, to_at, known_at, people, only_organization, only_npi)
      ), compared AS (
        SELECT CASE WHEN w.source IS NULL THEN 'GAINED' WHEN b.source IS NULL THEN 'LOST' ELSE 'CHANGED' END AS change,
               user_id, organization_id, npi, access_right, detail,
               w.level AS level_before, w.source AS source_before, b.level AS level_after, b.source AS source_after
          FROM was w FULL JOIN became b USING (user_id, organization_id, npi, access_right, detail)
         WHERE w.level IS DISTINCT FROM b.level OR w.source IS DISTINCT FROM b.source
      ), differences AS MATERIALIZED (
        SELECT row_number() OVER () AS nth, c.* FROM (
          SELECT * FROM compared c
           WHERE (only_right IS NULL OR c.access_right = only_right)
             AND (only_change IS NULL OR c.change = only_change)
             AND (in_scope IS NULL OR c.organization_id = ANY (in_scope))
             AND (after_user IS NULL
                  OR (c.user_id, c.organization_id, c.npi COLLATE "C", c.access_right COLLATE "C", c.detail COLLATE "C")
                     > (after_user, after_organization, after_npi, after_right, after_detail))
           ORDER BY c.user_id, c.organization_id, c.npi COLLATE "C", c.access_right COLLATE "C", c.detail COLLATE "C"
           -- Which are by that cause is only known when all are looked at.
           LIMIT CASE WHEN only_cause IS NULL THEN missing END) c
      ), boundaries AS MATERIALIZED (
        SELECT d.nth, d.user_id, b.moment, b.cause, b.cause_position,
               -- At one moment first what a right always rests on, then by what it came to be so:
               -- what ended it first, or what was the last it lacked.
               b.kind = 'ORG_ROLE' AND d.access_right NOT IN ('VIEW_ORGANIZATION', 'MANAGE_USERS')
                 AND 'IMPLIED_BY_ADMIN' IS DISTINCT FROM d.source_before
                 AND 'IMPLIED_BY_ADMIN' IS DISTINCT FROM d.source_after AS is_aside,
               CASE d.change WHEN 'LOST' THEN b.cause_position ELSE -b.cause_position END AS rank
          FROM differences d
         CROSS JOIN LATERAL ops.access_boundaries(in_tenant, from_at, to_at, known_at,
               d.user_id, d.organization_id, d.npi, d.access_right, d.detail) b
      ), moments AS MATERIALIZED (
        SELECT m.nth, m.user_id, m.moment, count(*) OVER (PARTITION BY m.nth) AS of_all
          FROM (SELECT DISTINCT b.nth, b.user_id, b.moment FROM boundaries b) m
      ), asked AS MATERIALIZED (
        SELECT m.moment, array_agg(DISTINCT m.user_id) AS users FROM moments m WHERE m.of_all > 1 GROUP BY m.moment
      ), states AS MATERIALIZED (
        SELECT q.moment, s.* FROM asked q
         CROSS JOIN LATERAL ops.access_states(
               in_tenant, q.moment, known_at, q.users, only_organization, only_npi) s
      ), otherwise AS MATERIALIZED (
        SELECT d.nth, max(m.moment) AS moment
          FROM differences d
          JOIN moments m ON m.nth = d.nth AND m.of_all > 1
          LEFT JOIN states s ON s.moment = m.moment AND s.user_id = d.user_id
               AND s.organization_id = d.organization_id AND s.npi = d.npi
               AND s.access_right = d.access_right AND s.detail = d.detail
         WHERE s.level IS DISTINCT FROM d.level_after OR s.source IS DISTINCT FROM d.source_after
         GROUP BY d.nth
      ), happened AS MATERIALIZED (
        SELECT m.nth, min(m.moment) AS moment
          FROM moments m LEFT JOIN otherwise o ON o.nth = m.nth
         WHERE o.moment IS NULL OR m.moment > o.moment
         GROUP BY m.nth
      ), causes AS MATERIALIZED (
        SELECT DISTINCT ON (b.nth) b.nth, b.moment, b.cause, b.cause_position
          FROM boundaries b JOIN happened h ON h.nth = b.nth AND h.moment = b.moment
         ORDER BY b.nth, b.is_aside, b.rank, b.cause
      )
      SELECT d.change, d.access_right, d.user_id, nullif(d.organization_id, nobody), nullif(d.npi, ''), d.detail,
             d.level_before, d.source_before, d.level_after, d.source_after, c.moment, c.cause, c.cause_position
        FROM differences d LEFT JOIN causes c ON c.nth = d.nth
       WHERE only_cause IS NULL OR c.cause = only_cause
       ORDER BY d.nth
       LIMIT missing;
    GET DIAGNOSTICS found_now = ROW_COUNT;
    missing := missing - found_now;
    EXIT WHEN missing = 0;
    done := done + step;
    step := least(500, 2 * step);
  END LOOP;
END
$$;
REVOKE ALL ON FUNCTION ops.access_states, ops.access_boundaries, ops.access_changed_people, ops.access_difference FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ops.access_states, ops.access_boundaries, ops.access_changed_people, ops.access_difference TO rollcall_query;
