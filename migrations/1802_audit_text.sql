-- `auditEvents(filter: { text })`: the words of what is not personal in an event, and the names of
-- people and organisations, which are joined, so that a name that is erased finds nothing any more.

-- The words of a text: whatever stands between characters of ASCII that are neither letters nor
-- digits, in small letters. Two texts have a word in common if they would have it on paper.
CREATE FUNCTION ops.words(in_text text) RETURNS tsvector
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
  SELECT array_to_tsvector(array(
    SELECT DISTINCT left(w, 64)
      FROM regexp_split_to_table(lower(in_text), '[\u0001-\u002f\u003a-\u0040\u005b-\u0060\u007b-\u007f]+') w
     WHERE w <> ''))
$$;

-- The words of a person's name as sentences tell it.
CREATE FUNCTION ops.name_words(first_name text, last_name text) RETURNS tsvector
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
  SELECT ops.words(coalesce(first_name, '') || ' ' || coalesce(last_name, ''))
$$;

-- The words of what changed: without ids and moments, which have filters of their own, and without
-- the mark that stands for what is personal.
CREATE FUNCTION ops.change_words(before jsonb, after jsonb) RETURNS tsvector
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
  SELECT ops.words(string_agg(v #>> '{}', ' '))
    FROM jsonb_path_query('[]'::jsonb || coalesce(before, '[]') || coalesce(after, '[]'),
                          '$.** ? (@.type() == "string")') v
   WHERE v #>> '{}' !~ '^([0-9a-f]{8}-[0-9a-f]{4}-|[0-9]{4}-[0-9]{2}-[0-9]{2}T|\(personal\)$)'
$$;

-- Kept, because a word that many events share is looked for row by row.
ALTER TABLE read.audit_timeline
  ADD COLUMN words tsvector GENERATED ALWAYS AS (ops.change_words(before, after)) STORED;
CREATE INDEX audit_timeline_words_idx ON read.audit_timeline USING gin (words);
CREATE INDEX people_name_idx ON read.people USING gin (ops.name_words(first_name, last_name));
CREATE INDEX organizations_name_idx ON read.organizations USING gin (ops.words(name));

-- The types of events a tenant has, by as many probes of the index by type as there are.
CREATE FUNCTION ops.audit_types(in_tenant uuid) RETURNS SETOF text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_indexscan = on SET enable_indexonlyscan = on AS $$
  WITH RECURSIVE types(name) AS (
    (SELECT t.event_type FROM read.audit_timeline t
      WHERE t.tenant_id = in_tenant ORDER BY t.event_type LIMIT 1)
    UNION ALL
    SELECT (SELECT t.event_type FROM read.audit_timeline t
             WHERE t.tenant_id = in_tenant AND t.event_type > types.name
             ORDER BY t.event_type LIMIT 1)
      FROM types WHERE types.name IS NOT NULL)
  SELECT name FROM types WHERE name IS NOT NULL
$$;

-- What each word of a search may mean: types of events, people and organisations of that name, and
-- the events whose changes have the word. Null where there are more than `at_most`; the reader then
-- looks row by row, which finds a page soon because there are so many. Of three letters or more a
-- word's beginning is enough.
--
-- Row-level security lets no index serve an operator that might tell what it compares, `@@` among
-- them; hence a definer's function, which binds itself to the tenant of the session. What is left to
-- the planner is only which bitmap: it does not know how rare a word is and would read the table.
CREATE FUNCTION ops.audit_text(in_words text[], at_most integer)
RETURNS TABLE (word text, query text, types text[], people uuid[], organizations uuid[], positions bigint[])
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_indexscan = off SET enable_indexonlyscan = off AS $$
DECLARE
  tenant uuid := nullif(current_setting('rollcall.tenant', true), '')::uuid;
BEGIN
  FOREACH word IN ARRAY in_words LOOP
    word := left(lower(word), 64);
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
    positions := array(
      SELECT t.position FROM read.audit_timeline t
       WHERE t.tenant_id = tenant AND t.words @@ query::tsquery LIMIT at_most + 1);
    people := CASE WHEN cardinality(people) <= at_most THEN people END;
    organizations := CASE WHEN cardinality(organizations) <= at_most THEN organizations END;
    positions := CASE WHEN cardinality(positions) <= at_most THEN positions END;
    RETURN NEXT;
  END LOOP;
END
$$;

REVOKE ALL ON FUNCTION ops.audit_types(uuid), ops.audit_text(text[], integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ops.audit_text(text[], integer) TO rollcall_query;
