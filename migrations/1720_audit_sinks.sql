-- Receivers to which the audit timeline is pushed (GN-26), as far as deliveries need it: how far each
-- is, where the batch under way ends, and when to try again. Serves the sender's "who waits" and the
-- standing in query `auditSinks`; name, address and filter stand in the stream.
CREATE TABLE ops.audit_sinks (
  tenant_id        uuid        NOT NULL,
  sink_id          uuid        NOT NULL,
  status           text        NOT NULL,
  -- Everything up to here was taken.
  cursor           bigint      NOT NULL,
  -- Set before the batch is first sent, so that every try sends the same range under the same id.
  batch_to         bigint,
  attempts         integer     NOT NULL DEFAULT 0,
  failing_since    timestamptz,
  next_attempt_at  timestamptz NOT NULL,
  last_delivery_at timestamptz,
  -- The status that the receiver answered, or why there was no answer; nothing of what it said.
  last_error       text,
  -- What was taken is on record up to here, and what was taken since.
  recorded_to      bigint      NOT NULL,
  recorded_at      timestamptz NOT NULL,
  events           bigint      NOT NULL DEFAULT 0,
  batches          bigint      NOT NULL DEFAULT 0,
  PRIMARY KEY (tenant_id, sink_id),
  CONSTRAINT audit_sinks_status_check CHECK (status IN ('ACTIVE', 'PAUSED', 'DELETED'))
);
SELECT ops.secure_tenant_table('ops.audit_sinks');
