-- The clones' people, organisations and intervals; then the heads of the log and everybody's place in it.
CREATE FUNCTION bench.later(at timestamptz, c bench.clones) RETURNS timestamptz LANGUAGE sql STABLE AS $$
  SELECT CASE WHEN at BETWEEN '1900-01-01' AND '9999-01-01'
    THEN s.begins + s.span * (c.born + extract(epoch FROM at - s.begins) / extract(epoch FROM s.span) * c.stretch)
    ELSE at END FROM bench.seed s
$$;
-- Grows with the position, so what was known together is so still.
CREATE FUNCTION bench.later(place bigint, c bench.clones) RETURNS bigint LANGUAGE sql STABLE AS $$
  SELECT s.n * (c.born + floor((place - 1) * c.stretch / s.n::numeric)::bigint) + place FROM bench.seed s
$$;

INSERT INTO read.access_intervals (tenant_id, known_from, ordinal, kind, holder_id, user_id, organization_id,
       npi, name, value, valid_from, valid_to, known_from_at, known_to, known_to_at, cause, cause_position,
       end_position, end_cause)
SELECT i.tenant_id, bench.later(i.known_from, c), i.ordinal + 100 * c.clone, i.kind,
       bench.id(i.holder_id, c.variant), bench.id(i.user_id, c.variant), bench.id(i.organization_id, c.variant),
       CASE WHEN i.npi = '*' THEN '*' ELSE p.becomes END, i.name, i.value,
       bench.later(i.valid_from, c), bench.later(i.valid_to, c), bench.later(i.known_from_at, c),
       bench.later(i.known_to, c), bench.later(i.known_to_at, c), i.cause, bench.later(i.cause_position, c),
       bench.later(i.end_position, c), i.end_cause
  FROM bench.clones c
 CROSS JOIN read.access_intervals i
  LEFT JOIN bench.npis p ON p.npi = i.npi AND p.clone = c.clone
 WHERE c.clone > 0 AND i.tenant_id = bench.tenant() AND i.kind NOT IN ('POLICY', 'PLAN_ROLE')
   AND (i.npi IS NULL OR i.npi = '*' OR p.becomes IS NOT NULL);

INSERT INTO read.people
SELECT p.tenant_id, bench.id(p.user_id, c.variant), p.first_name, p.last_name || c.clone, c.clone || p.email,
       NULL, NULL, NULL, p.email_verified
  FROM bench.clones c CROSS JOIN read.people p WHERE c.clone > 0 AND p.tenant_id = bench.tenant();
INSERT INTO read.organizations
SELECT o.tenant_id, bench.id(o.id, c.variant), o.name || ' of ' || c.clone, o.is_provider, o.is_submitter,
       o.tax_id_kind, o.tax_id_last4, o.pay_to_address, o.pay_to_zip, o.contract, o.status, o.was_registered,
       o.version, o.enrolled_at, o.registered_at
  FROM bench.clones c CROSS JOIN read.organizations o WHERE c.clone > 0 AND o.tenant_id = bench.tenant();

UPDATE es.head SET position = s.last + s.n * s.copies, last_at = greatest(last_at, s.begins + s.span * (s.copies + 1))
  FROM bench.seed s;
UPDATE es.tenant_heads SET position = s.n * (s.copies + 1) FROM bench.seed s WHERE tenant_id = bench.tenant();
UPDATE ops.checkpoints SET position = s.n * (s.copies + 1) FROM bench.seed s WHERE tenant_id = bench.tenant();
-- Nobody is told now that they were not here for years.
DELETE FROM ops.due_times;
