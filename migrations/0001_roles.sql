-- The roles the service runs as. They are cluster-wide and cannot log in: each pool takes its role
-- by SET ROLE on connect. Whoever migrates becomes a member of each.
-- Several databases of one cluster may be migrated at the same time (advisory locks are per
-- database), so losing the race to create or grant a role is no error.
SELECT pg_advisory_xact_lock(hashtextextended('rollcall.roles', 0));

DO $$
DECLARE
  role_name text;
BEGIN
  FOREACH role_name IN ARRAY ARRAY['rollcall_writer', 'rollcall_runner', 'rollcall_sealer', 'rollcall_query'] LOOP
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role_name) THEN
      BEGIN
        EXECUTE format('CREATE ROLE %I NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS', role_name);
      EXCEPTION WHEN duplicate_object OR unique_violation THEN
        NULL;
      END;
    END IF;
    -- A superuser may SET ROLE without being a member.
    IF NOT pg_has_role(current_user, role_name, 'MEMBER') THEN
      BEGIN
        EXECUTE format('GRANT %I TO CURRENT_USER', role_name);
      EXCEPTION WHEN internal_error THEN -- "tuple concurrently updated": another database did it
        IF NOT pg_has_role(current_user, role_name, 'MEMBER') THEN
          RAISE;
        END IF;
      END;
    END IF;
  END LOOP;
END
$$;
