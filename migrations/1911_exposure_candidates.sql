-- What job roles bundle, without all that people were granted: they belong to no organisation and have no
-- name by which another index would find them.
CREATE INDEX access_intervals_job_role_bundle_idx ON read.access_intervals (tenant_id, holder_id)
  WHERE kind = 'JOB_ROLE_BUNDLE';

-- The next `at_most` people, each with an organisation, who may ever have held a right, from a key on
-- (`from_*`, itself included), in the order of their keys; nil stands for the whole plan. More than
-- those who held it is no harm. Found by what gave it, so that an organisation's other members cost
-- nothing. Serves `accessExposure`.
CREATE FUNCTION ops.exposure_candidates(
  in_tenant uuid, known_at bigint, of_right text, of_npi text, of_name text,
  only_user uuid, only_organization uuid, in_scope uuid[],
  from_user uuid, from_organization uuid, at_most bigint
) RETURNS TABLE (user_id uuid, organization_id uuid)
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
DECLARE
  nobody CONSTANT uuid := '00000000-0000-0000-0000-000000000000';
  holders uuid[] := '{}';
  roles text[] := '{}';
BEGIN
  IF only_user IS NOT NULL THEN
    RETURN QUERY
      SELECT DISTINCT only_user, coalesce(i.organization_id, nobody) AS organization
        FROM read.access_intervals i
       WHERE i.tenant_id = in_tenant AND i.user_id = only_user AND i.known_from <= known_at
         AND i.kind = CASE of_right WHEN 'PLAN_ROLE' THEN 'PLAN_ROLE' ELSE 'MEMBERSHIP_ACTIVE' END
         AND (of_right <> 'PLAN_ROLE' OR i.name = of_name)
         AND (only_organization IS NULL OR i.organization_id = only_organization)
         AND (in_scope IS NULL OR i.organization_id = ANY (in_scope))
         AND (only_user, coalesce(i.organization_id, nobody)) >= (from_user, from_organization)
       ORDER BY organization LIMIT at_most;
    RETURN;
  END IF;
  -- The organisations whose administrators, and people granted all NPIs, come into question.
  IF of_right IN ('VIEW_NPI', 'MANAGE_PIN', 'READ_CORRESPONDENCE') THEN
    holders := array(
      SELECT DISTINCT n.organization_id FROM read.access_intervals n
       WHERE n.tenant_id = in_tenant AND n.npi = of_npi AND n.kind = 'NPI_HELD' AND n.known_from <= known_at
         AND (only_organization IS NULL OR n.organization_id = only_organization)
         AND (in_scope IS NULL OR n.organization_id = ANY (in_scope)));
  ELSIF of_right IN ('VIEW_LOCATION', 'CHOOSE_LOCATION') THEN
    holders := array(
      SELECT DISTINCT l.organization_id FROM read.access_intervals l
       WHERE l.tenant_id = in_tenant AND l.kind = 'LOCATION_STATE' AND l.name = of_name AND l.known_from <= known_at
         AND (only_organization IS NULL OR l.organization_id = only_organization)
         AND (in_scope IS NULL OR l.organization_id = ANY (in_scope)));
  ELSIF of_right IN ('VIEW_ORGANIZATION', 'MANAGE_USERS') THEN
    holders := ARRAY[only_organization];
  ELSIF of_right = 'USE_FEATURE' THEN
    holders := CASE WHEN of_name = 'USER_MANAGEMENT' THEN ARRAY[only_organization] ELSE '{}' END;
  END IF;
  IF of_right IN ('MANAGE_USERS', 'USE_FEATURE') THEN
    roles := array(
      SELECT DISTINCT b.holder_id::text FROM read.access_intervals b
       WHERE b.tenant_id = in_tenant AND b.kind = 'JOB_ROLE_BUNDLE' AND b.user_id IS NULL
         AND b.value @> ARRAY[CASE of_right WHEN 'MANAGE_USERS' THEN 'USER_MANAGEMENT' ELSE of_name END]);
  END IF;
  RETURN QUERY
    SELECT c.person, c.place FROM (
      SELECT g.user_id AS person, g.organization_id AS place FROM read.access_intervals g
       WHERE g.tenant_id = in_tenant AND g.known_from <= known_at
         AND g.kind = CASE WHEN of_right IN ('VIEW_NPI', 'MANAGE_PIN', 'READ_CORRESPONDENCE') THEN 'NPI_LEVEL'
                           WHEN of_right = 'SUBMIT_TRANSACTIONS' THEN 'SUBMISSION' END
         AND g.npi = of_npi
      UNION
      SELECT g.user_id, g.organization_id FROM unnest(holders) h(id)
        JOIN read.access_intervals g ON g.tenant_id = in_tenant AND g.organization_id = h.id
             AND g.kind = 'NPI_LEVEL' AND g.npi = '*' AND g.known_from <= known_at
       WHERE of_right IN ('VIEW_NPI', 'MANAGE_PIN', 'READ_CORRESPONDENCE')
      UNION
      SELECT r.user_id, r.organization_id FROM unnest(holders) h(id)
        JOIN read.access_intervals r ON r.tenant_id = in_tenant AND r.organization_id = h.id
             AND r.kind = 'ORG_ROLE' AND r.known_from <= known_at
             AND (of_right = 'VIEW_ORGANIZATION' OR r.value = '{ADMIN}')
      UNION
      SELECT g.user_id, coalesce(g.organization_id, nobody) FROM read.access_intervals g
       WHERE g.tenant_id = in_tenant AND g.known_from <= known_at AND g.kind <> 'POLICY'
         AND g.kind = CASE of_right WHEN 'MANAGE_USERS' THEN 'FEATURE' WHEN 'USE_FEATURE' THEN 'FEATURE'
                                    WHEN 'HOLD_JOB_ROLE' THEN 'JOB_ROLE' WHEN 'VIEW_LOCATION' THEN 'LOCATION'
                                    WHEN 'CHOOSE_LOCATION' THEN 'LOCATION' WHEN 'READ_TAX_ID' THEN 'TAX_ID'
                                    WHEN 'PLAN_ROLE' THEN 'PLAN_ROLE' END
         AND g.name = CASE of_right WHEN 'MANAGE_USERS' THEN 'USER_MANAGEMENT' ELSE of_name END
      UNION
      SELECT g.user_id, g.organization_id FROM unnest(roles) j(id)
        JOIN read.access_intervals g ON g.tenant_id = in_tenant AND g.kind = 'JOB_ROLE' AND g.name = j.id
             AND g.kind <> 'POLICY' AND g.known_from <= known_at) c
     WHERE (c.person, c.place) >= (from_user, from_organization)
       AND (only_organization IS NULL OR c.place = only_organization)
       AND (in_scope IS NULL OR c.place = ANY (in_scope))
     ORDER BY c.person, c.place LIMIT at_most;
END
$$;
REVOKE ALL ON FUNCTION ops.exposure_candidates FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ops.exposure_candidates TO rollcall_query;
