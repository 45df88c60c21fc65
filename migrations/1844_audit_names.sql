-- `auditEvents(filter: { text })` by the name of a person or an organisation (GN-26): the words of the names
-- that an event's people and organisations had are terms of the event like the words of what changed. A name
-- that very many share was looked for row by row before (seconds), one that some hundred share by each of
-- their ids (half a second at ten million events).

-- Who had which word in which part of the name, from the event at `since` on and before the one at `until`.
-- `late`: there are earlier events, which do not have the word among their terms.
CREATE TABLE read.audit_names (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  part text NOT NULL CHECK (part IN ('FIRST', 'LAST', 'NAME')),
  word text COLLATE "C" NOT NULL,
  since bigint NOT NULL,
  until bigint,
  late boolean NOT NULL DEFAULT false,
  PRIMARY KEY (tenant_id, id, part, word, since)
);
CREATE INDEX audit_names_word_idx ON read.audit_names (tenant_id, word) WHERE until IS NULL;
CREATE INDEX audit_names_late_idx ON read.audit_names (tenant_id, word) WHERE until IS NULL AND late;
CREATE INDEX audit_names_former_idx ON read.audit_names (tenant_id, word) WHERE until IS NOT NULL;
SELECT ops.secure_tenant_table('read.audit_names');

DROP FUNCTION ops.audit_found(text[], bigint, bigint, boolean, bigint);
DROP INDEX read.audit_timeline_terms_idx;
DROP FUNCTION ops.audit_terms(uuid, bigint, text, text, text, text, text, uuid, uuid, uuid, uuid, tsvector);
DROP FUNCTION ops.audit_meanings(text[], integer);
ALTER TABLE read.people DROP COLUMN name_words;
ALTER TABLE read.organizations DROP COLUMN name_words;
DROP FUNCTION ops.name_words(text, text);
-- Each with the mark of a name. Rows from before have them once the timeline is rebuilt.
ALTER TABLE read.audit_timeline ADD COLUMN names tsvector;

-- The terms of an event, each after the id of its tenant, so that nobody's lists are longer for another's
-- events: the words of what changed, its NPI, and, marked by a character that no word has, the words of names
-- and their beginnings of three to five letters, its type, command, kind of actor and outcome, whom and which
-- organisations it is about, and the stretches of the tenant's log that it lies in, of 2^12, 2^15, 2^18 and 2^21
-- positions.
CREATE FUNCTION ops.audit_terms(
  tenant_id uuid, "position" bigint, event_type text, command text, actor_kind text, outcome text, npi text,
  actor_id uuid, subject_id uuid, organization_id uuid, subject_organization_id uuid, words tsvector,
  names tsvector)
RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
  SELECT array_to_tsvector(array_agg(tenant_id || term)) FROM (
    SELECT unnest(ARRAY[
      '/12/' || ("position" >> 12), '/15/' || ("position" >> 15), '/18/' || ("position" >> 18),
      '/21/' || ("position" >> 21), '=' || event_type, '!' || command, '%' || actor_kind, '?' || outcome, npi,
      '@' || actor_id, '@' || subject_id, '@' || organization_id, '@' || subject_organization_id])
    UNION ALL SELECT unnest(tsvector_to_array(words))
    UNION ALL SELECT unnest(tsvector_to_array(names))
    UNION ALL SELECT '^' || substr(name, 2, letters)
      FROM unnest(tsvector_to_array(names)) name, generate_series(3, 5) letters WHERE length(name) > letters
  ) terms(term) WHERE term IS NOT NULL
$$;
CREATE INDEX audit_timeline_terms_idx ON read.audit_timeline USING gin (
  ops.audit_terms(tenant_id, position, event_type, command, actor_kind, outcome, npi, actor_id, subject_id,
                  organization_id, subject_organization_id, words, names))
  WITH (gin_pending_list_limit = 128);

-- What each word of a search may mean: types of events by their names; something in what changed, in `forms`
-- that the index has, of events of the types `said_in`; or somebody's or something's name today (`is_name`),
-- in marked `forms` that events have since they were called so, and for earlier ones by the ids of those who
-- were `renamed` (null where there are more than `at_most`; each event is then asked). Where somebody
-- had the name once (`was_name`), events have the form that the word does not mean any more. Of three letters
-- or more a word's beginning is enough: whatever lies between `word` and `last`.
--
-- Row-level security lets no index serve an operator that might tell what it compares, `@@` among them; hence
-- a definer's function, which binds itself to the tenant of the session.
CREATE FUNCTION ops.audit_meanings(in_words text[], at_most integer)
RETURNS TABLE (word text, last text, query text, forms text[], said_in text[], types text[], is_name boolean,
               was_name boolean, renamed uuid[])
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_bitmapscan = off AS $$
DECLARE
  tenant uuid := nullif(current_setting('rollcall.tenant', true), '')::uuid;
  names text[];
  few boolean;
BEGIN
  FOREACH word IN ARRAY in_words LOOP
    word := left(lower(word), 64);
    last := word || CASE WHEN length(word) >= 3 THEN U&'\+10FFFF' ELSE '' END;
    query := quote_literal(word) || CASE WHEN length(word) >= 3 THEN ':*' ELSE '' END;
    types := array(
      SELECT t FROM ops.audit_types(tenant) t WHERE ops.words(t) @@ query::tsquery);
    SELECT array_agg(DISTINCT quote_literal(tenant || w.word)), coalesce(array_agg(DISTINCT w.event_type), '{}')
      INTO forms, said_in FROM read.audit_words w
     WHERE w.tenant_id = tenant AND w.word >= audit_meanings.word AND w.word <= audit_meanings.last;
    -- One after the other, since each may be the name of very many; of a beginning that is a term of its own
    -- the first says that there is one.
    few := length(word) BETWEEN 3 AND 5;
    names := array(
      WITH RECURSIVE form(word, nth) AS (
        (SELECT n.word, 1 FROM read.audit_names n
          WHERE n.tenant_id = tenant AND n.word >= audit_meanings.word AND n.word <= audit_meanings.last
            AND n.until IS NULL ORDER BY n.word LIMIT 1)
        UNION ALL
        SELECT (SELECT n.word FROM read.audit_names n
                 WHERE n.tenant_id = tenant AND n.word > form.word AND n.word <= audit_meanings.last
                   AND n.until IS NULL ORDER BY n.word LIMIT 1), nth + 1
          FROM form WHERE form.word IS NOT NULL AND nth <= 256 AND NOT few)
      SELECT quote_literal(tenant || '~' || form.word) FROM form WHERE form.word IS NOT NULL);
    is_name := names <> '{}';
    was_name := EXISTS (
      SELECT FROM read.audit_names n WHERE n.tenant_id = tenant AND n.word >= audit_meanings.word
         AND n.word <= audit_meanings.last AND n.until IS NOT NULL);
    renamed := array(
      SELECT DISTINCT n.id FROM read.audit_names n WHERE n.tenant_id = tenant AND n.word >= audit_meanings.word
         AND n.word <= audit_meanings.last AND n.until IS NULL AND n.late LIMIT at_most + 1);
    renamed := CASE WHEN cardinality(renamed) <= at_most THEN renamed END;
    -- Very many are few events each, and the index may as well read them all.
    forms := CASE WHEN cardinality(forms) > 64 THEN ARRAY[quote_literal(tenant || word) || ':*']
                  ELSE coalesce(forms, '{}') END
      || CASE WHEN few AND is_name THEN ARRAY[quote_literal(tenant || '^' || word)]
              WHEN cardinality(names) > 256 THEN ARRAY[quote_literal(tenant || '~' || word) || ':*']
              ELSE names END;
    RETURN NEXT;
  END LOOP;
END
$$;

-- The positions of the tenant's events that have all of the terms (each a `tsquery`), from `in_from` on and
-- before `in_before`, in order, as many as `in_limit` or all of them. One stretch of the log is looked at
-- after the other, small ones first and larger ones where there is little, then all that is left at once; what
-- has too many is looked at in parts. So what many events have is found in the first, and what few have
-- together costs no more than to go through the lists of their terms once: a stretch is a list as well, and
-- going through it costs more than it spares where little is found. Each term is a condition of its own: the index
-- goes through two conditions in leaps, and through two parts of one step by step. What the caller may see is
-- the caller's to demand.
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
  -- The length of a stretch as a power of two; null: all that is left.
  bits integer := CASE WHEN in_limit IS NULL THEN 21 ELSE 12 END;
  too_many bigint := CASE WHEN in_limit IS NOT NULL THEN greatest(2000, 2 * in_limit) END;
  -- A stretch that has too many, and the longest of its parts.
  full_since bigint;
  full_until bigint;
  longest integer;
  -- Whether all that is left may be looked at at once.
  at_once boolean := in_limit IS NOT NULL AND cardinality(in_terms) > 0;
  since bigint;
  until bigint;
  positions bigint[];
  stretch tsquery;
  demanded tsquery[] := in_terms::tsquery[];
BEGIN
  WHILE low < high AND coalesce(wanted > 0, true) LOOP
    IF bits IS NULL THEN
      stretch := demanded[1];
      since := low;
      until := high;
    ELSE
      since := CASE WHEN newest_first THEN high - 1 ELSE low END >> bits;
      stretch := quote_literal(tenant || '/' || bits || '/' || since)::tsquery;
      until := least((since + 1) << bits, high);
      since := greatest(since << bits, low);
    END IF;
    positions := array(
      SELECT t.position FROM read.audit_timeline t
       CROSS JOIN LATERAL (SELECT ops.audit_terms(t.tenant_id, t.position, t.event_type, t.command,
               t.actor_kind, t.outcome, t.npi, t.actor_id, t.subject_id, t.organization_id,
               t.subject_organization_id, t.words, t.names)) AS of(terms)
       WHERE of.terms @@ stretch
         AND of.terms @@ coalesce(demanded[1], stretch) AND of.terms @@ coalesce(demanded[2], stretch)
         AND of.terms @@ coalesce(demanded[3], stretch) AND of.terms @@ coalesce(demanded[4], stretch)
         AND of.terms @@ coalesce(demanded[5], stretch) AND of.terms @@ coalesce(demanded[6], stretch)
         AND t.position + 0 >= since AND t.position + 0 < until
       LIMIT CASE WHEN bits IS DISTINCT FROM 12 THEN too_many END);
    IF bits IS DISTINCT FROM 12 AND cardinality(positions) >= too_many THEN
      at_once := at_once AND bits IS NOT NULL;
      bits := coalesce(bits - 3, 21);
      full_since := since;
      full_until := until;
      longest := bits;
      CONTINUE;
    END IF;
    RETURN QUERY SELECT p FROM unnest(positions) p
      ORDER BY CASE WHEN newest_first THEN -p ELSE p END LIMIT wanted;
    wanted := wanted - cardinality(positions);
    IF newest_first THEN high := since; ELSE low := until; END IF;
    EXIT WHEN bits IS NULL;
    bits := CASE WHEN high > full_since AND low < full_until THEN least(bits + 3, longest)
                 WHEN bits >= 18 AND at_once THEN NULL
                 ELSE least(bits + 3, 21) END;
  END LOOP;
END
$$;

-- Takes the names of an erased person out of a timeline, the live one or one that a rebuild retired or a replay
-- left, and out of the names beside it.
CREATE FUNCTION ops.forget_names(in_timeline regclass, in_tenant uuid, in_user uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  schema name := (SELECT n.nspname FROM pg_class t JOIN pg_namespace n ON n.oid = t.relnamespace
                   WHERE t.oid = in_timeline);
BEGIN
  EXECUTE format('DELETE FROM %I.audit_names WHERE tenant_id = $1 AND id = $2', schema)
    USING in_tenant, in_user;
  EXECUTE format(
    'UPDATE %s t SET names = (
       SELECT array_to_tsvector(array_agg(DISTINCT ''~'' || n.word)) FROM %I.audit_names n
        WHERE n.tenant_id = $1
          AND n.id IN (t.actor_id, t.subject_id, t.organization_id, t.subject_organization_id)
          AND n.since <= t.position AND (n.until IS NULL OR n.until > t.position))
      WHERE t.tenant_id = $1 AND (t.actor_id = $2 OR t.subject_id = $2)', in_timeline, schema)
    USING in_tenant, in_user;
END
$$;

REVOKE ALL ON FUNCTION ops.forget_names(regclass, uuid, uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ops.forget_names(regclass, uuid, uuid) TO rollcall_runner;
REVOKE ALL ON FUNCTION ops.audit_meanings(text[], integer),
  ops.audit_found(text[], bigint, bigint, boolean, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ops.audit_meanings(text[], integer),
  ops.audit_found(text[], bigint, bigint, boolean, bigint) TO rollcall_query;
