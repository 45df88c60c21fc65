-- As in 1908; what is new is how many people are looked at together. Some of its joins grow with the
-- square of a step: 500 people took longer than eight times 64 (measured at 250,000 intervals: counting
-- 82,000 differences took 30 s instead of minutes). Serves `accessDifference` (GN-14).
CREATE OR REPLACE FUNCTION ops.access_difference(
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
    step := least(64, 2 * step);
  END LOOP;
END
$$;
