-- `accessRegister` as of a past date: who was no member then is not looked at. Of a page of the whole
-- tenant each person without rights cost as much as one with.
CREATE FUNCTION ops.is_held(
  valid_from timestamptz, valid_to timestamptz, known_from bigint, known_to bigint,
  true_at timestamptz, known_at bigint
) RETURNS boolean LANGUAGE sql IMMUTABLE
  RETURN known_from <= known_at AND (known_to IS NULL OR known_to > known_at)
     AND valid_from <= true_at AND valid_to > true_at;
REVOKE ALL ON FUNCTION ops.is_held FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ops.is_held TO rollcall_query;

-- As in 1905 but for that.
CREATE OR REPLACE FUNCTION ops.access_candidates(
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
         AND ops.is_held(i.valid_from, i.valid_to, i.known_from, i.known_to, true_at, known_at)
       ORDER BY i.user_id LIMIT at_most);
  ELSIF only_npi IS NOT NULL THEN
    -- Members of its holder, and people of submitters who work for it; of those no more than asked for.
    RETURN array(
      SELECT m.user_id
        FROM read.access_intervals n CROSS JOIN LATERAL (
          SELECT DISTINCT i.user_id FROM read.access_intervals i
           WHERE i.tenant_id = in_tenant AND i.organization_id = n.organization_id
             AND i.kind = 'MEMBERSHIP_ACTIVE'
             AND i.user_id >= from_user AND i.user_id IS DISTINCT FROM done
             AND ops.is_held(i.valid_from, i.valid_to, i.known_from, i.known_to, true_at, known_at)
           ORDER BY i.user_id LIMIT at_most) m
       WHERE n.tenant_id = in_tenant AND n.npi = only_npi AND n.kind = 'NPI_HELD'
         AND ops.is_held(n.valid_from, n.valid_to, n.known_from, n.known_to, true_at, known_at)
      UNION
      SELECT s.user_id FROM read.access_intervals s
       WHERE s.tenant_id = in_tenant AND s.npi = only_npi AND s.kind = 'SUBMISSION'
         AND s.user_id >= from_user AND s.user_id IS DISTINCT FROM done
         AND ops.is_held(s.valid_from, s.valid_to, s.known_from, s.known_to, true_at, known_at)
       ORDER BY user_id LIMIT at_most);
  ELSIF in_scope IS NOT NULL THEN
    RETURN array(
      SELECT DISTINCT i.user_id FROM read.access_intervals i
       WHERE i.tenant_id = in_tenant AND i.organization_id = ANY (in_scope)
         AND i.kind IN ('MEMBERSHIP_ACTIVE', 'PLAN_ROLE')
         AND i.user_id >= from_user AND i.user_id IS DISTINCT FROM done
         AND ops.is_held(i.valid_from, i.valid_to, i.known_from, i.known_to, true_at, known_at)
       ORDER BY i.user_id LIMIT at_most);
  ELSIF only_right = 'PLAN_ROLE' THEN
    -- A few of many: found by what they are.
    RETURN array(
      SELECT DISTINCT i.user_id FROM read.access_intervals i
       WHERE i.tenant_id = in_tenant AND i.kind = 'PLAN_ROLE'
         AND i.user_id >= from_user AND i.user_id IS DISTINCT FROM done
         AND ops.is_held(i.valid_from, i.valid_to, i.known_from, i.known_to, true_at, known_at)
       ORDER BY i.user_id LIMIT at_most);
  ELSE
    RETURN array(
      SELECT DISTINCT i.user_id FROM read.access_intervals i
       WHERE i.tenant_id = in_tenant AND i.kind IN ('MEMBERSHIP_ACTIVE', 'PLAN_ROLE')
         AND i.user_id >= from_user AND i.user_id IS DISTINCT FROM done
         AND ops.is_held(i.valid_from, i.valid_to, i.known_from, i.known_to, true_at, known_at)
       ORDER BY i.user_id LIMIT at_most);
  END IF;
END
$$;
