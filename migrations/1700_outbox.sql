-- Messages on their way (GN-19), deleted when they have left: which, to whom and when to try again; ids only, no body, no secret,
-- no address. Serves the sender's "what is due" and the operators' list of dead letters.
CREATE TABLE ops.outbox (
  tenant_id       uuid        NOT NULL,
  delivery_id     uuid        NOT NULL,
  -- The event it tells of, and where that stands in the tenant's log.
  source_event    uuid        NOT NULL,
  source_position bigint      NOT NULL,
  correlation_id  uuid        NOT NULL,
  template        text        NOT NULL,
  channel         text        NOT NULL,
  addressee       jsonb       NOT NULL,
  particulars     jsonb       NOT NULL,
  dedupe_key      text        NOT NULL,
  status          text        NOT NULL DEFAULT 'PENDING',
  attempts        integer     NOT NULL DEFAULT 0,
  -- How often it was taken up again after it had been given up.
  retries         integer     NOT NULL DEFAULT 0,
  queued_at       timestamptz NOT NULL,
  next_attempt_at timestamptz NOT NULL,
  -- The kind of the last failure; a server's own words may name people.
  last_failure    text,
  PRIMARY KEY (tenant_id, delivery_id),
  CONSTRAINT outbox_dedupe_key_key UNIQUE (tenant_id, dedupe_key),
  CONSTRAINT outbox_status_check CHECK (status IN ('PENDING', 'DEAD'))
);
CREATE INDEX outbox_next_attempt_at_idx ON ops.outbox (next_attempt_at) WHERE status = 'PENDING';
CREATE INDEX outbox_dead_idx ON ops.outbox (tenant_id, queued_at) WHERE status = 'DEAD';
SELECT ops.secure_tenant_table('ops.outbox');
