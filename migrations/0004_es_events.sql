-- The log. One head for the whole log and one per tenant: both positions are gap-free and in commit
-- order, because every append holds the head's row lock until it commits.
CREATE TABLE es.head (
  shard integer PRIMARY KEY,
  position bigint NOT NULL,
  last_at timestamptz NOT NULL,
  -- Changed after a restore from backup: appends of a process that knew the lost events are refused.
  epoch uuid NOT NULL
) WITH (fillfactor = 10);
INSERT INTO es.head VALUES (1, 0, '-infinity', gen_random_uuid());

CREATE TABLE es.tenant_heads (
  tenant_id uuid PRIMARY KEY,
  position bigint NOT NULL
) WITH (fillfactor = 10);

CREATE TABLE es.events (
  position bigint PRIMARY KEY,
  tenant_id uuid NOT NULL,
  tenant_position bigint NOT NULL,
  aggregate_type text NOT NULL,
  aggregate_id text NOT NULL,
  sequence bigint NOT NULL CHECK (sequence > 0),
  event_id uuid NOT NULL,
  event_type text NOT NULL,
  event_version text NOT NULL,
  payload json NOT NULL,
  metadata json NOT NULL,
  actor_kind text NOT NULL,
  actor_id uuid,
  organization_id uuid,
  subject_id uuid,
  subject_organization_id uuid,
  npi text,
  correlation_id uuid NOT NULL,
  causation_id uuid,
  command_id uuid NOT NULL,
  recorded_at timestamptz NOT NULL,
  occurred_at timestamptz NOT NULL,
  effective_at timestamptz NOT NULL,
  salt bytea NOT NULL CHECK (octet_length(salt) = 16),
  -- Loading a stream, the guards of es.append, and postgres-es, which asks by exactly these. An index
  -- that begins with the tenant cannot serve those; stream ids are unique over all tenants, and come
  -- first because they differ in their first letters, which types do not.
  CONSTRAINT events_stream_key UNIQUE (aggregate_id, aggregate_type, sequence),
  -- Subscriptions and the proof's leaves.
  CONSTRAINT events_tenant_position_key UNIQUE (tenant_id, tenant_position)
);

-- The streams about a person, which commands ask for; proofs over a time. Audit questions by actor,
-- NPI or correlation are put to the audit timeline: an index here would cost every append
-- (with these two and those three an append was measured 15% dearer).
CREATE INDEX events_tenant_id_subject_id_idx ON es.events (tenant_id, subject_id, tenant_position) WHERE subject_id IS NOT NULL;
CREATE INDEX events_recorded_at_idx ON es.events USING brin (recorded_at);

SELECT ops.isolate_tenants('es.events');
SELECT ops.isolate_tenants('es.tenant_heads');
GRANT SELECT ON es.head, es.tenant_heads, es.events
  TO rollcall_writer, rollcall_runner, rollcall_sealer, rollcall_query;
