-- Which grants a rule would have ended, had it been in force from `from_at` on, and when: unused for so
-- many days, or older than that (GN-16). A day has 24 hours; a day of use ends with the tenant's day.
-- Grants of people who were no members then are none that it would have reached. What is not observed
-- is left out by the caller, who names the kinds. Serves `policySimulation`, page by page in the order
-- in which the grants were written down.
CREATE FUNCTION ops.simulated_ends(
  in_tenant uuid, known_at bigint, only_unused boolean, after_days int, from_at timestamptz, to_at timestamptz,
  in_zone text, watched_roles timestamptz, watched_levels timestamptz, watched_plan_roles timestamptz,
  watched_submissions timestamptz, only_kinds text[], only_organization uuid, in_scope uuid[]
) RETURNS TABLE (
  known_from bigint, ordinal smallint, kind text, user_id uuid, organization_id uuid, npi text, name text,
  value text[], granted_from timestamptz, held_until timestamptz, cause text, cause_position bigint,
  ends_at timestamptz, last_used date
) LANGUAGE sql STABLE AS $$
  SELECT i.known_from, i.ordinal, i.kind, i.user_id, i.organization_id, i.npi, i.name,
         i.value, i.valid_from, i.valid_to, i.cause, i.cause_position, e.ends_at,
         -- Uses too old to matter for when it ends are only told.
         coalesce(e.last_used, CASE WHEN only_unused THEN (
           SELECT max(r.day) FROM read.right_uses r
            WHERE r.tenant_id = in_tenant AND r.user_id = i.user_id AND r.organization_id = u.place
              AND r.kind = ANY (u.kinds) AND (u.npi IS NULL OR r.npi = u.npi) AND (u.detail IS NULL OR r.detail = u.detail)
              AND r.day >= u.since_day AND r.day < u.counted_from AND r.recorded_position <= known_at) END)
    FROM read.access_intervals i
   CROSS JOIN LATERAL (
     SELECT greatest(i.valid_from, CASE i.kind WHEN 'ORG_ROLE' THEN watched_roles
                                               WHEN 'NPI_LEVEL' THEN watched_levels
                                               WHEN 'PLAN_ROLE' THEN watched_plan_roles
                                               WHEN 'SUBMISSION' THEN watched_submissions END) AS since) w
    -- Which uses are uses of the grant, and from which day on they may put off its end.
   CROSS JOIN LATERAL (
     SELECT CASE i.kind WHEN 'PLAN_ROLE' THEN '00000000-0000-0000-0000-000000000000'::uuid ELSE i.organization_id END AS place,
            CASE i.kind WHEN 'ORG_ROLE' THEN '{VIEW_ORGANIZATION,MANAGE_USERS}'::text[]
                        WHEN 'NPI_LEVEL' THEN '{VIEW_NPI,MANAGE_PIN}'
                        WHEN 'SUBMISSION' THEN '{SUBMIT_TRANSACTIONS}'
                        ELSE '{PLAN_ROLE}' END AS kinds,
            CASE WHEN i.kind NOT IN ('ORG_ROLE', 'PLAN_ROLE') THEN nullif(i.npi, '*') END AS npi,
            CASE i.kind WHEN 'PLAN_ROLE' THEN i.name END AS detail,
            (w.since AT TIME ZONE in_zone)::date AS since_day,
            (from_at AT TIME ZONE in_zone)::date - after_days - 2 AS counted_from) u
   CROSS JOIN LATERAL (
     SELECT greatest(i.valid_from + after_days * interval '24 hours', from_at) AS ends_at, NULL::date AS last_used
      WHERE NOT only_unused
     UNION ALL
     -- Of the times without use the first that is long enough, not broken off before the rule began.
     (SELECT g.ends_at, g.day FROM (
        SELECT p.day, p.starts,
               greatest(from_at, CASE WHEN p.day IS NULL THEN w.since + after_days * interval '24 hours'
                                      ELSE ((p.day + 1 + after_days)::timestamp AT TIME ZONE in_zone) END) AS ends_at,
               lead(p.starts) OVER (ORDER BY p.starts) AS next_use
          FROM (SELECT NULL::date AS day, '-infinity'::timestamptz AS starts
                UNION ALL
                SELECT d.day, (d.day::timestamp AT TIME ZONE in_zone) FROM (
                  SELECT DISTINCT r.day FROM read.right_uses r
                   WHERE only_unused AND r.tenant_id = in_tenant AND r.user_id = i.user_id AND r.organization_id = u.place
                     AND r.kind = ANY (u.kinds) AND (u.npi IS NULL OR r.npi = u.npi)
                     AND (u.detail IS NULL OR r.detail = u.detail)
                     AND r.day >= greatest(u.since_day, u.counted_from) AND r.recorded_position <= known_at) d) p) g
       WHERE only_unused AND (g.next_use IS NULL OR g.next_use >= g.ends_at)
       ORDER BY g.starts LIMIT 1)) e
    -- One at a moment, as of every timeline.
    LEFT JOIN read.access_intervals m
           ON m.tenant_id = in_tenant AND m.user_id = i.user_id AND m.kind = 'MEMBERSHIP_ACTIVE'
          AND m.organization_id = i.organization_id
          AND m.known_from <= known_at AND (m.known_to IS NULL OR m.known_to > known_at)
          AND m.valid_from <= e.ends_at AND m.valid_to > e.ends_at
   WHERE i.tenant_id = in_tenant AND i.known_from <= known_at AND (i.known_to IS NULL OR i.known_to > known_at)
     AND i.kind = ANY (only_kinds) AND i.user_id IS NOT NULL
     AND i.value <> '{NONE}' AND (i.kind <> 'CORRESPONDENCE' OR i.value <> '{}')
     AND i.valid_from < to_at AND i.valid_to > from_at
     AND e.ends_at < i.valid_to AND e.ends_at < to_at AND e.ends_at >= i.valid_from
     AND (only_organization IS NULL OR i.organization_id = only_organization)
     AND (in_scope IS NULL OR i.organization_id = ANY (in_scope))
     AND (i.kind = 'PLAN_ROLE' OR m.user_id IS NOT NULL)
$$;
REVOKE ALL ON FUNCTION ops.simulated_ends FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ops.simulated_ends TO rollcall_query;
