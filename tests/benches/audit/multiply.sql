-- Makes a log of years out of one of some weeks: the seed's events follow again and again, each time
-- those of other organisations with other people, a few of which have most of it; and for every
-- clone of an organisation the register's intervals, spread over the years.
--
-- Settings: bench.tenant, bench.copies (how often the events follow), bench.clones (how many of each
-- organisation there are), bench.first and bench.last (the copies this session makes, 1 to copies).

CREATE SCHEMA IF NOT EXISTS bench;

CREATE FUNCTION bench.tenant() RETURNS uuid LANGUAGE sql STABLE
  RETURN current_setting('bench.tenant')::uuid;
CREATE FUNCTION bench.id(id uuid, variant text) RETURNS uuid LANGUAGE sql IMMUTABLE
  RETURN CASE WHEN variant = '' THEN id ELSE md5(id::text || variant)::uuid END;
-- The n-th NPI beyond the seed's, with its check digit.
CREATE FUNCTION bench.npi(n bigint) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT base || (10 - (24 + sum(CASE WHEN i % 2 = 1 THEN d * 2 / 10 + d * 2 % 10 ELSE d END)) % 10) % 10
    FROM (SELECT '1' || (50000000 + n)::text AS base) b,
         LATERAL (SELECT i, substr(base, i, 1)::int AS d FROM generate_series(1, 9) i) digits
   GROUP BY base
$$;

-- The seed: how long it is, where it lies, and how far each clone is stretched.
CREATE TABLE bench.seed AS
  SELECT count(*) AS n, max(position) AS last, min(recorded_at) AS begins,
         max(recorded_at) - min(recorded_at) + interval '1 second' AS span,
         current_setting('bench.copies')::int AS copies, current_setting('bench.clones')::int AS clones
    FROM es.events WHERE tenant_id = bench.tenant();
CREATE TABLE bench.clones AS
  SELECT c AS clone, CASE WHEN c = 0 THEN '' ELSE '/' || c END AS variant,
         c * copies / clones AS born, copies + 1 - c * copies / clones AS stretch
    FROM bench.seed, generate_series(0, clones - 1) c;
CREATE UNIQUE INDEX ON bench.clones (clone);
CREATE TABLE bench.npis AS
  SELECT npi, clone, CASE WHEN clone = 0 THEN npi ELSE bench.npi(clone * 1000 + row_number() OVER (PARTITION BY clone ORDER BY npi)) END AS becomes
    FROM (SELECT DISTINCT npi FROM read.organization_npis WHERE tenant_id = bench.tenant()) n, bench.clones;
CREATE UNIQUE INDEX ON bench.npis (npi, clone);
-- Whose events a copy has: of the clones there are by then, the first ones most often.
CREATE TABLE bench.turns AS
  SELECT k AS copy, o.id AS organization, c.clone, c.variant
    FROM bench.seed s, generate_series(1, s.copies) k, read.organizations o, bench.clones c
   WHERE o.tenant_id = bench.tenant()
     AND c.clone = floor((1 + k * (s.clones - 1) / s.copies)
                         * (abs(hashtext(o.id::text || k)) % 1000000 / 1e6) ^ 3);
CREATE UNIQUE INDEX ON bench.turns (copy, organization);
ANALYZE bench.turns, bench.npis, bench.clones;
-- What clones are called, as their people and organisations are.
INSERT INTO read.audit_names (tenant_id, id, part, word, since)
SELECT n.tenant_id, bench.id(n.id, c.variant), n.part,
       CASE WHEN n.part = 'LAST' THEN n.word || c.clone ELSE n.word END, n.since
  FROM bench.clones c CROSS JOIN read.audit_names n
 WHERE c.clone > 0 AND n.tenant_id = bench.tenant() AND n.until IS NULL
UNION ALL
SELECT o.tenant_id, bench.id(o.id, c.variant), 'NAME', w, 1
  FROM bench.clones c CROSS JOIN read.organizations o CROSS JOIN LATERAL (VALUES ('of'), (c.clone::text)) words(w)
 WHERE c.clone > 0 AND o.tenant_id = bench.tenant()
ON CONFLICT DO NOTHING;
ANALYZE read.audit_names;
