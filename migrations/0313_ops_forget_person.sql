-- What is left of an erased person outside the events and the tables that follow from them: answers
-- and fingerprints of commands about the person, which came of what was typed, and the tables that a
-- rebuild retired or a replay left, which no event reaches. The process `erasure_leftovers` calls it
-- with the streams of what the person did before they had an account. What is kept is the answer to the
-- command that erased them: it holds no more than the event, and whoever repeats the command is told
-- what was done.
CREATE FUNCTION ops.forget_person(in_tenant uuid, in_user uuid, in_streams uuid[]) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  left_over record;
BEGIN
  DELETE FROM es.commands c
   WHERE c.tenant_id = in_tenant AND c.command_id IN (
         SELECT e.command_id FROM es.events e
          WHERE e.tenant_id = in_tenant AND e.subject_id = in_user
         UNION
         SELECT e.command_id FROM es.events e
          WHERE e.tenant_id = in_tenant AND e.aggregate_id = ANY (in_streams::text[]))
     AND NOT EXISTS (
         SELECT FROM es.events e
          WHERE e.tenant_id = in_tenant AND e.subject_id = in_user
            AND e.event_type = 'audit.erasure.person_erased' AND e.command_id = c.command_id);
  FOR left_over IN
    SELECT n.nspname, t.relname, a.attname
      FROM pg_namespace n
      JOIN pg_class t ON t.relnamespace = n.oid AND t.relkind = 'r'
      JOIN pg_attribute a ON a.attrelid = t.oid AND NOT a.attisdropped
     WHERE (n.nspname LIKE 'retired\_%' OR n.nspname LIKE 'replay\_%')
       AND (t.relname, a.attname) IN (('people', 'user_id'), ('invited_people', 'user_id'),
                                      ('former_details', 'user_id'), ('account_requests', 'user_id'))
  LOOP
    EXECUTE format('DELETE FROM %I.%I WHERE tenant_id = $1 AND %I = $2',
                   left_over.nspname, left_over.relname, left_over.attname)
      USING in_tenant, in_user;
    IF left_over.relname = 'account_requests' THEN
      EXECUTE format('DELETE FROM %I.account_requests WHERE tenant_id = $1 AND request_id = ANY ($2)',
                     left_over.nspname)
        USING in_tenant, in_streams;
    END IF;
  END LOOP;
END
$$;

REVOKE ALL ON FUNCTION ops.forget_person(uuid, uuid, uuid[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ops.forget_person(uuid, uuid, uuid[]) TO rollcall_runner;
