-- `auditEvents(filter: { text })` beside any other filter (GN-26): what an event can be found by is one set
-- of terms, and one inverted index has them all. Words that many events share and that few have together
-- were tested row by row before (8.7 s at two million events).

-- The terms of an event: the words of what changed, its NPI, and, marked by a character that no word has,
-- its type, command, kind of actor and outcome, whom and which organisations it is about, and the stretches
-- of the tenant's log that it lies in, of 2^12, 2^15, 2^18 and 2^21 positions.
CREATE FUNCTION ops.audit_terms(
  tenant_id uuid, "position" bigint, event_type text, command text, actor_kind text, outcome text, npi text,
  actor_id uuid, subject_id uuid, organization_id uuid, subject_organization_id uuid, words tsvector)
RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
  SELECT coalesce(words, '') || array_to_tsvector(array_remove(ARRAY[
    tenant_id || '/12/' || ("position" >> 12), tenant_id || '/15/' || ("position" >> 15),
    tenant_id || '/18/' || ("position" >> 18), tenant_id || '/21/' || ("position" >> 21),
    '=' || event_type, '!' || command, '%' || actor_kind, '?' || outcome, npi, '@' || actor_id,
    '@' || subject_id, '@' || organization_id, '@' || subject_organization_id], NULL))
$$;

DROP INDEX read.audit_timeline_words_idx;
CREATE INDEX audit_timeline_terms_idx ON read.audit_timeline USING gin (
  ops.audit_terms(tenant_id, position, event_type, command, actor_kind, outcome, npi, actor_id, subject_id,
                  organization_id, subject_organization_id, words))
  WITH (gin_pending_list_limit = 128);

-- Which words events of a type have in what changed. Of a word only the beginning may be typed, and the
-- index would read all events of all such words before it tells the first; and two words that many events
-- have each, but no type both, are together in none.
CREATE TABLE read.audit_words (
  tenant_id uuid NOT NULL,
  word text COLLATE "C" NOT NULL,
  event_type text NOT NULL,
  PRIMARY KEY (tenant_id, word, event_type)
);
SELECT ops.secure_tenant_table('read.audit_words');
INSERT INTO read.audit_words
SELECT DISTINCT t.tenant_id, w, t.event_type FROM read.audit_timeline t, unnest(tsvector_to_array(t.words)) w;

-- What each word of a search may mean: types of events by their names, people and organisations of that
-- name (null where there are more than `at_most`; the reader then looks row by row, which finds a page soon
-- because there are so many), or something in what changed, in `forms` that the index has, of events of the
-- types `said_in`. Of three letters or more a word's beginning is enough.
--
-- Row-level security lets no index serve an operator that might tell what it compares, `@@` among them; hence
-- a definer's function, which binds itself to the tenant of the session.
DROP FUNCTION ops.audit_text(text[], integer);
CREATE FUNCTION ops.audit_meanings(in_words text[], at_most integer)
RETURNS TABLE (word text, query text, forms text[], said_in text[], types text[], people uuid[],
               organizations uuid[])
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_indexscan = off SET enable_indexonlyscan = off AS $$
DECLARE
  tenant uuid := nullif(current_setting('rollcall.tenant', true), '')::uuid;
  last text;
BEGIN
  FOREACH word IN ARRAY in_words LOOP
    word := left(lower(word), 64);
    last := word || CASE WHEN length(word) >= 3 THEN U&'\+10FFFF' ELSE '' END;
    query := quote_literal(word) || CASE WHEN length(word) >= 3 THEN ':*' ELSE '' END;
    types := array(
      SELECT t FROM ops.audit_types(tenant) t WHERE ops.words(t) @@ query::tsquery);
    people := array(
      SELECT p.user_id FROM read.people p
       WHERE p.tenant_id = tenant
         AND ops.name_words(p.first_name, p.last_name) @@ query::tsquery LIMIT at_most + 1);
    organizations := array(
      SELECT o.id FROM read.organizations o
       WHERE o.tenant_id = tenant AND ops.words(o.name) @@ query::tsquery LIMIT at_most + 1);
    people := CASE WHEN cardinality(people) <= at_most THEN people END;
    organizations := CASE WHEN cardinality(organizations) <= at_most THEN organizations END;
    SELECT array_agg(DISTINCT quote_literal(w.word)), array_agg(DISTINCT w.event_type)
      INTO forms, said_in FROM read.audit_words w
     WHERE w.tenant_id = tenant AND w.word >= audit_meanings.word AND w.word <= last;
    -- Very many are few events each, and the index may as well read them all.
    forms := CASE WHEN cardinality(forms) > 64 THEN ARRAY[query] ELSE coalesce(forms, '{}') END;
    said_in := coalesce(said_in, '{}');
    RETURN NEXT;
  END LOOP;
END
$$;

-- The positions of the tenant's events that have all of the terms (each a `tsquery`), from `in_from` on and
-- before `in_before`, in order, as many as `in_limit` or all of them. One stretch of the log is looked at
-- after the other, small ones first and ever larger ones where there is little; one that has too many is
-- looked at in parts. So what many events have is found in the first, and what few have together costs little
-- more than the shortest list of a term. Each term is a condition of its own: the index goes through two
-- conditions in leaps, and through two parts of one step by step. What the caller may see is the caller's
-- to demand.
CREATE FUNCTION ops.audit_found(
  in_terms text[], in_from bigint, in_before bigint, newest_first boolean, in_limit bigint)
RETURNS SETOF bigint
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_indexscan = off SET enable_indexonlyscan = off
SET max_parallel_workers_per_gather = 0 SET plan_cache_mode = force_generic_plan AS $$
DECLARE
  tenant uuid := nullif(current_setting('rollcall.tenant', true), '')::uuid;
  low bigint := in_from;
  high bigint := in_before;
  wanted bigint := in_limit;
  -- The length of a stretch as a power of two.
  bits integer := CASE WHEN in_limit IS NULL THEN 21 ELSE 12 END;
  too_many bigint := CASE WHEN in_limit IS NOT NULL THEN greatest(2000, 2 * in_limit) END;
  since bigint;
  until bigint;
  positions bigint[];
  stretch tsquery;
  demanded tsquery[] := in_terms::tsquery[];
BEGIN
  WHILE low < high AND coalesce(wanted > 0, true) LOOP
    since := CASE WHEN newest_first THEN high - 1 ELSE low END >> bits;
    stretch := quote_literal(tenant || '/' || bits || '/' || since)::tsquery;
    until := least((since + 1) << bits, high);
    since := greatest(since << bits, low);
    positions := array(
      SELECT t.position FROM read.audit_timeline t
       CROSS JOIN LATERAL (SELECT ops.audit_terms(t.tenant_id, t.position, t.event_type, t.command,
               t.actor_kind, t.outcome, t.npi, t.actor_id, t.subject_id, t.organization_id,
               t.subject_organization_id, t.words)) AS of(terms)
       WHERE of.terms @@ stretch
         AND of.terms @@ coalesce(demanded[1], stretch) AND of.terms @@ coalesce(demanded[2], stretch)
         AND of.terms @@ coalesce(demanded[3], stretch) AND of.terms @@ coalesce(demanded[4], stretch)
         AND of.terms @@ coalesce(demanded[5], stretch) AND of.terms @@ coalesce(demanded[6], stretch)
         AND t.position + 0 >= since AND t.position + 0 < until
       LIMIT CASE WHEN bits > 12 THEN too_many END);
    IF bits > 12 AND cardinality(positions) >= too_many THEN
      bits := bits - 3;
      CONTINUE;
    END IF;
    RETURN QUERY SELECT p FROM unnest(positions) p
      ORDER BY CASE WHEN newest_first THEN -p ELSE p END LIMIT wanted;
    wanted := wanted - cardinality(positions);
    IF newest_first THEN high := since; ELSE low := until; END IF;
    bits := least(bits + 3, 21);
  END LOOP;
END
$$;

REVOKE ALL ON FUNCTION ops.audit_meanings(text[], integer),
  ops.audit_found(text[], bigint, bigint, boolean, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ops.audit_meanings(text[], integer),
  ops.audit_found(text[], bigint, bigint, boolean, bigint) TO rollcall_query;
