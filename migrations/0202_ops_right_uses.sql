-- Which rights were used today, a row per person, right and day of the tenant, until the day is over
-- and it is an event (GN-16). Serves commands::permissions::right_use.
CREATE TABLE ops.right_uses (
  tenant_id       uuid        NOT NULL,
  user_id         uuid        NOT NULL,
  -- The nil id for roles of the plan.
  organization_id uuid        NOT NULL,
  kind            text        NOT NULL,
  npi             text        NOT NULL DEFAULT '',
  -- The correspondence type, feature, plan role, job role, location or tax id.
  detail          text        NOT NULL DEFAULT '',
  day             date        NOT NULL,
  -- The day's end in the tenant's zone; later only after a failure.
  due_at          timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, user_id, organization_id, kind, npi, detail, day)
);
CREATE INDEX right_uses_due_at_idx ON ops.right_uses (due_at);
SELECT ops.secure_tenant_table('ops.right_uses');
GRANT SELECT, INSERT ON ops.right_uses TO rollcall_writer;
