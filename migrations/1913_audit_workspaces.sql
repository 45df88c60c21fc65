-- `auditWorkspaces` and `auditWorkspaceAnswer`: places of the log that auditors work at, and the questions
-- saved there.
CREATE TABLE read.audit_workspaces (
  tenant_id uuid NOT NULL,
  workspace_id uuid NOT NULL,
  opened_by uuid NOT NULL,
  name text NOT NULL,
  -- Tenant position for which its answers hold.
  position bigint NOT NULL,
  opened_at timestamptz NOT NULL,
  -- Tenant position of its own first event; the order of the list.
  opened_position bigint NOT NULL,
  closed_at timestamptz,
  PRIMARY KEY (tenant_id, workspace_id)
);
CREATE INDEX audit_workspaces_opened_position_idx ON read.audit_workspaces (tenant_id, opened_position);
SELECT ops.secure_tenant_table('read.audit_workspaces');

CREATE TABLE read.audit_workspace_questions (
  tenant_id uuid NOT NULL,
  workspace_id uuid NOT NULL,
  -- Tenant position of the event that saved it.
  saved_position bigint NOT NULL,
  question_id uuid NOT NULL,
  name text NOT NULL,
  document text NOT NULL,
  variables text NOT NULL,
  PRIMARY KEY (tenant_id, workspace_id, saved_position)
);
SELECT ops.secure_tenant_table('read.audit_workspace_questions');
