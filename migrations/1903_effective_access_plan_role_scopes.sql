-- As in 1901; what is new is the scope of plan roles: those for some organisations are told with each
-- of them (GN-31). Serves `accessRegister` and `attestations`.
CREATE OR REPLACE FUNCTION ops.effective_access(
  in_tenant uuid, true_at timestamptz, known_at bigint,
  of_users uuid[], only_organization uuid, only_npi text
) RETURNS TABLE (
  access_right text, user_id uuid, organization_id uuid, npi text, correspondence_type text, level text,
  source text, valid_from timestamptz, valid_to timestamptz,
  known_from bigint, known_from_at timestamptz, cause text, cause_position bigint
) LANGUAGE sql STABLE AS $$
  WITH held AS NOT MATERIALIZED (
    SELECT * FROM read.access_intervals i
     WHERE i.tenant_id = in_tenant
       AND i.known_from <= known_at AND (i.known_to IS NULL OR i.known_to > known_at)
       AND i.valid_from <= true_at AND i.valid_to > true_at
  ), policy AS MATERIALIZED (
    SELECT coalesce(bool_or(h.value @> '{USER_MANAGEMENT}') FILTER (WHERE name = 'admin.implied'), false) AS manages_users,
           coalesce(bool_or(h.value @> '{ALL_NPIS}') FILTER (WHERE name = 'admin.implied'), false) AS all_npis,
           coalesce(bool_or(h.value @> '{ALL_CORRESPONDENCE}') FILTER (WHERE name = 'admin.implied'), false) AS all_correspondence,
           coalesce(bool_or(h.value @> '{LOCATIONS}') FILTER (WHERE name = 'admin.implied'), false) AS all_locations,
           coalesce(bool_or(h.value @> '{true}') FILTER (WHERE name = 'features.per_user'), false) AS grants_features,
           coalesce(bool_or(h.value @> '{true}') FILTER (WHERE name = 'job_roles.enabled'), false) AS job_roles,
           coalesce(bool_or(h.value <> '{OFF}') FILTER (WHERE name = 'locations.mode'), false) AS locations,
           max(h.valid_from) FILTER (WHERE name = 'features.per_user') AS grants_from,
           min(h.valid_to) FILTER (WHERE name = 'features.per_user') AS grants_to,
           max(h.valid_from) FILTER (WHERE name = 'job_roles.enabled') AS job_roles_from,
           min(h.valid_to) FILTER (WHERE name = 'job_roles.enabled') AS job_roles_to,
           max(h.valid_from) FILTER (WHERE name = 'locations.mode') AS locations_from,
           min(h.valid_to) FILTER (WHERE name = 'locations.mode') AS locations_to,
           coalesce(bool_or(h.value @> '{true}') FILTER (WHERE name = 'pins.enabled'), false)
             AND NOT coalesce(bool_or(h.value && '{OFF,COMING_SOON}') FILTER (WHERE name = 'feature.PINS'), false) AS pins,
           coalesce(bool_or(h.value @> '{NPI_ADMIN}') FILTER (WHERE name = 'pins.roles'), false) AS pins_for_admins,
           coalesce(bool_or(h.value @> '{NPI_PROCESSOR}') FILTER (WHERE name = 'pins.roles'), false) AS pins_for_processors,
           coalesce(bool_or(h.value @> '{true}') FILTER (WHERE name = 'portal.contracted_only'), false) AS contracted_only,
           max(h.valid_from) FILTER (WHERE name = 'portal.contracted_only') AS contracted_only_from,
           min(h.valid_to) FILTER (WHERE name = 'portal.contracted_only') AS contracted_only_to,
           max(h.valid_from) FILTER (WHERE name = 'admin.implied') AS implied_from,
           min(h.valid_to) FILTER (WHERE name = 'admin.implied') AS implied_to,
           max(h.known_from) FILTER (WHERE name = 'admin.implied') AS implied_known_from,
           max(h.known_from_at) FILTER (WHERE name = 'admin.implied') AS implied_known_from_at,
           max(h.cause_position) FILTER (WHERE name = 'admin.implied') AS implied_cause_position,
           max(h.valid_from) FILTER (WHERE name IN ('pins.enabled', 'pins.roles', 'feature.PINS')) AS pins_from,
           min(h.valid_to) FILTER (WHERE name IN ('pins.enabled', 'pins.roles', 'feature.PINS')) AS pins_to
      FROM held h WHERE h.kind = 'POLICY' AND h.holder_id = in_tenant
  ), features AS MATERIALIZED (
    -- What is on: as an administrator of the plan said last, else as the parameter lists it.
    SELECT coalesce(said.feature, listed.feature) AS feature,
           CASE WHEN said.state = 'ON' THEN said.valid_from ELSE greatest(listed.valid_from, said.valid_from) END AS valid_from,
           CASE WHEN said.state = 'ON' THEN said.valid_to ELSE least(listed.valid_to, said.valid_to) END AS valid_to
      FROM (SELECT l.feature, h.valid_from, h.valid_to
              FROM held h CROSS JOIN LATERAL unnest(h.value) l(feature)
             WHERE h.kind = 'POLICY' AND h.holder_id = in_tenant AND h.name = 'portal.features') listed
      FULL JOIN (SELECT substr(h.name, 9) AS feature, h.value[1] AS state, h.valid_from, h.valid_to
                   FROM held h
                  WHERE h.kind = 'POLICY' AND h.holder_id = in_tenant AND h.name LIKE 'feature.%') said
             ON said.feature = listed.feature
     WHERE CASE WHEN coalesce(said.state, 'DEFAULT') = 'DEFAULT' THEN listed.feature IS NOT NULL ELSE said.state = 'ON' END
    UNION ALL
    SELECT 'USER_MANAGEMENT', '-infinity', 'infinity'
  ), members AS NOT MATERIALIZED (
    SELECT m.holder_id, m.user_id, m.organization_id, coalesce(r.value[1], 'NONE') AS role,
           greatest(m.valid_from, a.valid_from, o.valid_from,
                    CASE WHEN p.contracted_only THEN c.valid_from ELSE least(c.valid_from, p.contracted_only_from) END) AS valid_from,
           least(m.valid_to, a.valid_to, o.valid_to,
                 CASE WHEN p.contracted_only THEN c.valid_to ELSE greatest(c.valid_to, p.contracted_only_to) END) AS valid_to,
           r.valid_from AS role_from, r.valid_to AS role_to, r.known_from AS role_known_from,
           r.known_from_at AS role_known_from_at, r.cause AS role_cause, r.cause_position AS role_cause_position
      FROM held m
      JOIN held a ON a.kind = 'ACCOUNT_ACTIVE' AND a.holder_id = m.user_id
      JOIN held o ON o.kind = 'ORGANIZATION_ACTIVE' AND o.holder_id = m.organization_id
      -- A contract, or a policy that serves organisations without one.
      CROSS JOIN policy p
      LEFT JOIN held c ON c.kind = 'CONTRACTED' AND c.holder_id = m.organization_id
      LEFT JOIN held r ON r.kind = 'ORG_ROLE' AND r.holder_id = m.holder_id
     WHERE m.kind = 'MEMBERSHIP_ACTIVE' AND m.user_id = ANY (of_users)
       AND (c.holder_id IS NOT NULL OR NOT p.contracted_only)
       AND (only_organization IS NULL OR m.organization_id = only_organization)
  ), levels AS MATERIALIZED (
    -- Every member with every NPI of the organisation: the NPI's own entry, else the one for all,
    -- unless the policy gives administrators more.
    SELECT m.*, n.npi, n.valid_from AS npi_from, n.valid_to AS npi_to,
           own.holder_id IS NULL AS for_all,
           CASE WHEN own.holder_id IS NULL THEN every.value[1] ELSE own.value[1] END AS granted,
           CASE WHEN own.holder_id IS NULL THEN every.valid_from ELSE own.valid_from END AS granted_from,
           CASE WHEN own.holder_id IS NULL THEN every.valid_to ELSE own.valid_to END AS granted_to,
           CASE WHEN own.holder_id IS NULL THEN every.known_from ELSE own.known_from END AS granted_known_from,
           CASE WHEN own.holder_id IS NULL THEN every.known_from_at ELSE own.known_from_at END AS granted_known_from_at,
           CASE WHEN own.holder_id IS NULL THEN every.cause ELSE own.cause END AS granted_cause,
           CASE WHEN own.holder_id IS NULL THEN every.cause_position ELSE own.cause_position END AS granted_cause_position
      FROM members m
      -- One NPI or all of them as a range, so that the same plan finds either by index.
      JOIN held n ON n.kind = 'NPI_HELD' AND n.organization_id = m.organization_id AND n.user_id IS NULL
                 AND n.npi BETWEEN coalesce(only_npi, '0') AND coalesce(only_npi, '9999999999')
      LEFT JOIN held own ON own.kind = 'NPI_LEVEL' AND own.holder_id = m.holder_id AND own.npi = n.npi
      LEFT JOIN held every ON every.kind = 'NPI_LEVEL' AND every.holder_id = m.holder_id AND every.npi = '*'
  ), seen AS NOT MATERIALIZED (
    SELECT l.*, x.implied,
           CASE WHEN x.implied THEN 'ADMIN' ELSE l.granted END AS level,
           CASE WHEN x.implied THEN 'IMPLIED_BY_ADMIN' WHEN l.for_all THEN 'ALL_NPIS' ELSE 'DIRECT' END AS source,
           greatest(l.valid_from, l.npi_from, CASE WHEN x.implied THEN greatest(l.role_from, p.implied_from) ELSE l.granted_from END) AS seen_from,
           least(l.valid_to, l.npi_to, CASE WHEN x.implied THEN least(l.role_to, p.implied_to) ELSE l.granted_to END) AS seen_to,
           CASE WHEN x.implied THEN p.implied_known_from ELSE l.granted_known_from END AS known_from,
           CASE WHEN x.implied THEN p.implied_known_from_at ELSE l.granted_known_from_at END AS known_from_at,
           CASE WHEN x.implied THEN 'POLICY' ELSE l.granted_cause END AS cause,
           CASE WHEN x.implied THEN p.implied_cause_position ELSE l.granted_cause_position END AS cause_position
      FROM levels l
      CROSS JOIN policy p
      CROSS JOIN LATERAL (SELECT l.role = 'ADMIN' AND p.all_npis AND l.granted IS DISTINCT FROM 'ADMIN' AS implied) x
     WHERE x.implied OR l.granted <> 'NONE'
  ), correspondence AS MATERIALIZED (
    SELECT s.*, own.holder_id IS NULL AS types_for_all,
           CASE WHEN own.holder_id IS NULL THEN every.value ELSE own.value END AS types,
           CASE WHEN own.holder_id IS NULL THEN every.valid_from ELSE own.valid_from END AS types_from,
           CASE WHEN own.holder_id IS NULL THEN every.valid_to ELSE own.valid_to END AS types_to,
           CASE WHEN own.holder_id IS NULL THEN every.known_from ELSE own.known_from END AS types_known_from,
           CASE WHEN own.holder_id IS NULL THEN every.known_from_at ELSE own.known_from_at END AS types_known_from_at,
           CASE WHEN own.holder_id IS NULL THEN every.cause ELSE own.cause END AS types_cause,
           CASE WHEN own.holder_id IS NULL THEN every.cause_position ELSE own.cause_position END AS types_cause_position
      FROM seen s
      LEFT JOIN held own ON own.kind = 'CORRESPONDENCE' AND own.holder_id = s.holder_id AND own.npi = s.npi
      LEFT JOIN held every ON every.kind = 'CORRESPONDENCE' AND every.holder_id = s.holder_id AND every.npi = '*'
  ), people AS MATERIALIZED (
    SELECT * FROM members WHERE only_npi IS NULL
  ), job_roles AS MATERIALIZED (
    SELECT m.*, g.name AS job_role, r.value AS bundle,
           greatest(m.valid_from, g.valid_from, r.valid_from, p.grants_from, p.job_roles_from) AS held_from,
           least(m.valid_to, g.valid_to, r.valid_to, p.grants_to, p.job_roles_to) AS held_to,
           g.known_from, g.known_from_at, g.cause, g.cause_position
      FROM people m CROSS JOIN policy p
      JOIN held g ON g.kind = 'JOB_ROLE' AND g.holder_id = m.holder_id
      JOIN held r ON r.kind = 'JOB_ROLE_BUNDLE' AND r.holder_id = CASE WHEN g.kind = 'JOB_ROLE' THEN g.name::uuid END
     WHERE p.grants_features AND p.job_roles
  ), uses AS MATERIALIZED (
    SELECT m.user_id, m.organization_id, m.role, g.name AS feature, 'DIRECT' AS source,
           greatest(m.valid_from, g.valid_from, f.valid_from, p.grants_from) AS held_from,
           least(m.valid_to, g.valid_to, f.valid_to, p.grants_to) AS held_to,
           g.known_from, g.known_from_at, g.cause, g.cause_position
      FROM people m CROSS JOIN policy p
      JOIN held g ON g.kind = 'FEATURE' AND g.holder_id = m.holder_id
      JOIN features f ON f.feature = g.name
     WHERE p.grants_features
    UNION ALL
    -- Of several job roles that bundle a feature one is told.
    (SELECT DISTINCT ON (j.holder_id, b.feature)
            j.user_id, j.organization_id, j.role, b.feature, 'JOB_ROLE',
            greatest(j.held_from, f.valid_from), least(j.held_to, f.valid_to),
            j.known_from, j.known_from_at, j.cause, j.cause_position
       FROM job_roles j CROSS JOIN LATERAL unnest(j.bundle) b(feature)
       JOIN features f ON f.feature = b.feature
      ORDER BY j.holder_id, b.feature, j.job_role)
    UNION ALL
    SELECT m.user_id, m.organization_id, m.role, 'USER_MANAGEMENT', 'IMPLIED_BY_ADMIN',
           greatest(m.valid_from, m.role_from, p.implied_from, p.grants_from),
           least(m.valid_to, m.role_to, p.implied_to, p.grants_to),
           p.implied_known_from, p.implied_known_from_at, 'POLICY', p.implied_cause_position
      FROM people m CROSS JOIN policy p
     WHERE m.role = 'ADMIN' AND p.manages_users AND p.grants_features
  ), places AS MATERIALIZED (
    SELECT m.user_id, m.organization_id, l.name AS location, l.value AS state, x.implied,
           greatest(m.valid_from, l.valid_from, p.locations_from,
                    CASE WHEN x.implied THEN greatest(m.role_from, p.implied_from) ELSE g.valid_from END) AS held_from,
           least(m.valid_to, l.valid_to, p.locations_to,
                 CASE WHEN x.implied THEN least(m.role_to, p.implied_to) ELSE g.valid_to END) AS held_to,
           CASE WHEN x.implied THEN p.implied_known_from ELSE g.known_from END AS known_from,
           CASE WHEN x.implied THEN p.implied_known_from_at ELSE g.known_from_at END AS known_from_at,
           CASE WHEN x.implied THEN 'POLICY' ELSE g.cause END AS cause,
           CASE WHEN x.implied THEN p.implied_cause_position ELSE g.cause_position END AS cause_position
      FROM people m CROSS JOIN policy p
      JOIN held l ON l.kind = 'LOCATION_STATE' AND l.holder_id = m.organization_id
      LEFT JOIN held g ON g.kind = 'LOCATION' AND g.holder_id = m.holder_id AND g.name = l.name
      CROSS JOIN LATERAL (SELECT g.holder_id IS NULL AS implied) x
     WHERE p.locations AND (NOT x.implied OR m.role = 'ADMIN' AND p.all_locations)
       AND l.value && '{CREDENTIALED,TERMINATED}'
  )
  SELECT 'VIEW_ORGANIZATION', m.user_id, m.organization_id, NULL, NULL, m.role, 'ROLE',
         greatest(m.valid_from, m.role_from), least(m.valid_to, m.role_to),
         m.role_known_from, m.role_known_from_at, m.role_cause, m.role_cause_position
    FROM members m WHERE m.role IN ('ADMIN', 'PROCESSOR') AND only_npi IS NULL
  UNION ALL
  SELECT 'MANAGE_USERS', m.user_id, m.organization_id, NULL, NULL, m.role, 'ROLE',
         greatest(m.valid_from, m.role_from, p.implied_from), least(m.valid_to, m.role_to, p.implied_to),
         m.role_known_from, m.role_known_from_at, m.role_cause, m.role_cause_position
    FROM members m CROSS JOIN policy p WHERE m.role = 'ADMIN' AND p.manages_users AND only_npi IS NULL
  UNION ALL
  SELECT 'MANAGE_USERS', u.user_id, u.organization_id, NULL, NULL, u.role, u.source,
         u.held_from, u.held_to, u.known_from, u.known_from_at, u.cause, u.cause_position
    FROM uses u CROSS JOIN policy p
   WHERE u.feature = 'USER_MANAGEMENT' AND NOT (u.role = 'ADMIN' AND p.manages_users)
  UNION ALL
  SELECT 'USE_FEATURE', u.user_id, u.organization_id, NULL, NULL, u.feature, u.source,
         u.held_from, u.held_to, u.known_from, u.known_from_at, u.cause, u.cause_position
    FROM uses u
  UNION ALL
  SELECT 'HOLD_JOB_ROLE', j.user_id, j.organization_id, NULL, NULL, j.job_role, 'DIRECT',
         j.held_from, j.held_to, j.known_from, j.known_from_at, j.cause, j.cause_position
    FROM job_roles j
  UNION ALL
  -- A "Z" location stays open to the search of its claims and is chosen no more.
  SELECT r.name, l.user_id, l.organization_id, NULL, NULL, l.location,
         CASE WHEN l.implied THEN 'IMPLIED_BY_ADMIN' ELSE 'DIRECT' END,
         l.held_from, l.held_to, l.known_from, l.known_from_at, l.cause, l.cause_position
    FROM places l CROSS JOIN (VALUES ('VIEW_LOCATION'), ('CHOOSE_LOCATION')) r(name)
   WHERE r.name = 'VIEW_LOCATION' OR NOT l.state @> '{TERMINATED}'
  UNION ALL
  SELECT 'READ_TAX_ID', m.user_id, m.organization_id, NULL, NULL, g.name, 'DIRECT',
         greatest(m.valid_from, g.valid_from, t.valid_from), least(m.valid_to, g.valid_to, t.valid_to),
         g.known_from, g.known_from_at, g.cause, g.cause_position
    FROM people m
    JOIN held g ON g.kind = 'TAX_ID' AND g.holder_id = m.holder_id
    JOIN held t ON t.kind = 'TAX_ID_HELD' AND t.holder_id = m.organization_id AND t.name = g.name
  UNION ALL
  SELECT 'VIEW_NPI', s.user_id, s.organization_id, s.npi, NULL, s.level, s.source,
         s.seen_from, s.seen_to, s.known_from, s.known_from_at, s.cause, s.cause_position
    FROM seen s
  UNION ALL
  SELECT 'MANAGE_PIN', s.user_id, s.organization_id, s.npi, NULL, s.level, s.source,
         greatest(s.seen_from, p.pins_from), least(s.seen_to, p.pins_to),
         s.known_from, s.known_from_at, s.cause, s.cause_position
    FROM seen s CROSS JOIN policy p
   WHERE p.pins AND CASE s.level WHEN 'ADMIN' THEN p.pins_for_admins ELSE p.pins_for_processors END
  UNION ALL
  -- Types granted count only with a level granted; a level that policy implies does not open them.
  SELECT 'READ_CORRESPONDENCE', c.user_id, c.organization_id, c.npi, t.type, c.level,
         CASE WHEN c.types_for_all THEN 'ALL_NPIS' ELSE 'DIRECT' END,
         greatest(c.valid_from, c.npi_from, c.granted_from, c.types_from, f.valid_from),
         least(c.valid_to, c.npi_to, c.granted_to, c.types_to, f.valid_to),
         c.types_known_from, c.types_known_from_at, c.types_cause, c.types_cause_position
    FROM correspondence c CROSS JOIN LATERAL unnest(c.types) t(type)
    JOIN features f ON f.feature = 'CORRESPONDENCE'
   WHERE c.granted <> 'NONE'
  UNION ALL
  SELECT 'READ_CORRESPONDENCE', c.user_id, c.organization_id, c.npi, '*', c.level, 'IMPLIED_BY_ADMIN',
         greatest(c.seen_from, c.role_from, p.implied_from, f.valid_from), least(c.seen_to, c.role_to, p.implied_to, f.valid_to),
         p.implied_known_from, p.implied_known_from_at, 'POLICY', p.implied_cause_position
    FROM correspondence c CROSS JOIN policy p JOIN features f ON f.feature = 'CORRESPONDENCE'
   WHERE c.role = 'ADMIN' AND p.all_correspondence
     AND NOT coalesce(c.granted <> 'NONE' AND c.types @> '{*}', false)
  UNION ALL
  -- A row for each organisation that the role counts for; one without, for the whole plan.
  SELECT 'PLAN_ROLE', r.user_id, r.organization_id, NULL, NULL, r.name, 'PLAN_ROLE',
         greatest(r.valid_from, a.valid_from), least(r.valid_to, a.valid_to),
         r.known_from, r.known_from_at, r.cause, r.cause_position
    FROM held r JOIN held a ON a.kind = 'ACCOUNT_ACTIVE' AND a.holder_id = r.user_id
   WHERE r.kind = 'PLAN_ROLE' AND r.user_id = ANY (of_users)
     AND (only_organization IS NULL OR r.organization_id = only_organization) AND only_npi IS NULL
  UNION ALL
  -- A submitter's people submit for a provider's NPI while the affiliation is in force, the provider
  -- is open and holds the NPI (GN-18).
  SELECT 'SUBMIT_TRANSACTIONS', m.user_id, m.organization_id, s.npi, NULL, 'SUBMITTER', 'AFFILIATION',
         greatest(m.valid_from, s.valid_from, a.valid_from, o.valid_from, n.valid_from),
         least(m.valid_to, s.valid_to, a.valid_to, o.valid_to, n.valid_to),
         s.known_from, s.known_from_at, s.cause, s.cause_position
    FROM members m
    JOIN held s ON s.kind = 'SUBMISSION' AND s.user_id = m.user_id AND s.organization_id = m.organization_id
               AND s.npi BETWEEN coalesce(only_npi, '0') AND coalesce(only_npi, '9999999999')
    JOIN held a ON a.kind = 'AFFILIATION' AND a.holder_id = s.holder_id
    JOIN held o ON o.kind = 'ORGANIZATION_ACTIVE' AND o.holder_id = a.value[1]::uuid
    JOIN held n ON n.kind = 'NPI_HELD' AND n.holder_id = a.value[1]::uuid AND n.npi = s.npi
$$;
