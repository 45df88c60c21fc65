-- As in 1902; what is new is `in_scope`: plan staff kept to some organisations see rights there only
-- (GN-31). Serves `accessRegister`.
DROP FUNCTION ops.access_page;
DROP FUNCTION ops.access_candidates;

-- The next `at_most` people who may have rights, from `from_user` on and without `done`, in order.
-- More than those who have some now is no harm.
CREATE FUNCTION ops.access_candidates(
  in_tenant uuid, true_at timestamptz, known_at bigint,
  only_user uuid, only_organization uuid, only_npi text, only_right text, in_scope uuid[],
  from_user uuid, done uuid, at_most bigint
) RETURNS uuid[] LANGUAGE plpgsql STABLE SET plan_cache_mode = force_generic_plan AS $$
BEGIN
  IF only_user IS NOT NULL THEN
    RETURN array(SELECT only_user WHERE only_user >= from_user AND only_user IS DISTINCT FROM done);
  ELSIF only_organization IS NOT NULL THEN
    RETURN array(
      SELECT DISTINCT i.user_id FROM read.access_intervals i
       WHERE i.tenant_id = in_tenant AND i.organization_id = only_organization
         AND i.kind IN ('MEMBERSHIP_ACTIVE', 'PLAN_ROLE')
         AND i.user_id >= from_user AND i.user_id IS DISTINCT FROM done
       ORDER BY i.user_id LIMIT at_most);
  ELSIF only_npi IS NOT NULL THEN
    -- Members of its holder, and people of submitters who work for it.
    RETURN array(
      SELECT i.user_id
        FROM read.access_intervals n
        JOIN read.access_intervals i ON i.tenant_id = n.tenant_id
             AND i.organization_id = n.organization_id AND i.kind = 'MEMBERSHIP_ACTIVE'
       WHERE n.tenant_id = in_tenant AND n.npi = only_npi AND n.kind = 'NPI_HELD'
         AND n.known_from <= known_at AND (n.known_to IS NULL OR n.known_to > known_at)
         AND n.valid_from <= true_at AND n.valid_to > true_at
         AND i.user_id >= from_user AND i.user_id IS DISTINCT FROM done
      UNION
      SELECT s.user_id FROM read.access_intervals s
       WHERE s.tenant_id = in_tenant AND s.npi = only_npi AND s.kind = 'SUBMISSION'
         AND s.user_id >= from_user AND s.user_id IS DISTINCT FROM done
       ORDER BY user_id LIMIT at_most);
  ELSIF in_scope IS NOT NULL THEN
    RETURN array(
      SELECT DISTINCT i.user_id FROM read.access_intervals i
       WHERE i.tenant_id = in_tenant AND i.organization_id = ANY (in_scope)
         AND i.kind IN ('MEMBERSHIP_ACTIVE', 'PLAN_ROLE')
         AND i.user_id >= from_user AND i.user_id IS DISTINCT FROM done
       ORDER BY i.user_id LIMIT at_most);
  ELSIF only_right = 'PLAN_ROLE' THEN
    -- A few of many: found by what they are.
    RETURN array(
      SELECT DISTINCT i.user_id FROM read.access_intervals i
       WHERE i.tenant_id = in_tenant AND i.kind = 'PLAN_ROLE'
         AND i.user_id >= from_user AND i.user_id IS DISTINCT FROM done
       ORDER BY i.user_id LIMIT at_most);
  ELSE
    RETURN array(
      SELECT DISTINCT i.user_id FROM read.access_intervals i
       WHERE i.tenant_id = in_tenant AND i.kind IN ('MEMBERSHIP_ACTIVE', 'PLAN_ROLE')
         AND i.user_id >= from_user AND i.user_id IS DISTINCT FROM done
       ORDER BY i.user_id LIMIT at_most);
  END IF;
END
$$;

-- Up to `at_most` rights beyond `after_*` (null: all, and from the beginning), in the order of their
-- keys; what is absent in a key stands first. Byte order, so that it is the same everywhere.
--
-- One plan serves all questions: planning this many joins anew takes longer than running them.
CREATE FUNCTION ops.access_page(
  in_tenant uuid, true_at timestamptz, known_at bigint,
  only_user uuid, only_organization uuid, only_npi text, only_right text, in_scope uuid[],
  after_user uuid, after_organization uuid, after_npi text, after_right text, after_of text,
  at_most bigint
) RETURNS TABLE (
  access_right text, user_id uuid, organization_id uuid, npi text, correspondence_type text, level text,
  source text, valid_from timestamptz, valid_to timestamptz,
  known_from bigint, known_from_at timestamptz, cause text, cause_position bigint
) LANGUAGE plpgsql STABLE SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
DECLARE
  people uuid[];
  done uuid;
  -- Somebody has several rights, but few for one NPI.
  step bigint := least(500, CASE WHEN only_npi IS NULL THEN greatest(8, at_most / 3) ELSE at_most END);
  missing bigint := at_most;
  found_now bigint;
BEGIN
  LOOP
    people := ops.access_candidates(
      in_tenant, true_at, known_at, only_user, only_organization, only_npi, only_right, in_scope,
      coalesce(done, after_user, '00000000-0000-0000-0000-000000000000'), done, step);
    EXIT WHEN cardinality(people) = 0;
    RETURN QUERY
      SELECT a.* FROM ops.effective_access(
          in_tenant, true_at, known_at, people, only_organization, only_npi) a
       WHERE (only_right IS NULL OR a.access_right = only_right)
         AND (in_scope IS NULL OR a.organization_id = ANY (in_scope))
         AND (after_user IS NULL
              OR (a.user_id, coalesce(a.organization_id, '00000000-0000-0000-0000-000000000000'),
                  coalesce(a.npi, '') COLLATE "C", a.access_right COLLATE "C",
                  (coalesce(a.correspondence_type, a.level) || ':' || a.source) COLLATE "C")
                 > (after_user, after_organization, after_npi, after_right, after_of))
       ORDER BY a.user_id, coalesce(a.organization_id, '00000000-0000-0000-0000-000000000000'),
                coalesce(a.npi, '') COLLATE "C", a.access_right COLLATE "C",
                (coalesce(a.correspondence_type, a.level) || ':' || a.source) COLLATE "C"
       LIMIT missing;
    GET DIAGNOSTICS found_now = ROW_COUNT;
    missing := missing - found_now;
    EXIT WHEN missing = 0;
    done := people[cardinality(people)];
    step := least(500, 2 * step);
  END LOOP;
END
$$;
REVOKE ALL ON FUNCTION ops.access_candidates, ops.access_page FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ops.access_candidates, ops.access_page TO rollcall_query;
