-- What the scheduler has to do and when (design: processes and scheduler): one row per stream and
-- kind of end, taken away when the end no longer matters. Serves the scheduler's "what is due".
CREATE TABLE ops.due_times (
  tenant_id       uuid        NOT NULL,
  kind            text        NOT NULL,
  stream_id       uuid        NOT NULL,
  -- Which of the stream's ends it is, where it has several.
  detail          text        NOT NULL DEFAULT '',
  -- Whom it is about, where the command needs to know.
  subject_id      uuid,
  organization_id uuid,
  due_at          timestamptz NOT NULL,
  -- Later than due_at only after a failure.
  attempt_at      timestamptz NOT NULL,
  source_event    uuid        NOT NULL,
  correlation_id  uuid        NOT NULL,
  PRIMARY KEY (tenant_id, kind, stream_id, detail)
);
CREATE INDEX due_times_attempt_at_idx ON ops.due_times (attempt_at);
SELECT ops.secure_tenant_table('ops.due_times');
