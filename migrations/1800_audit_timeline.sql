-- One row per event, without personal data: what `auditEvents` and `eventAppended` filter and page by.
-- Sentences and names are rendered when asked (projections::audit_timeline).
CREATE TABLE read.audit_timeline (
  tenant_id uuid NOT NULL,
  -- The tenant position: the page's key.
  position bigint NOT NULL,
  event_id uuid NOT NULL,
  event_type text NOT NULL,
  outcome text NOT NULL CHECK (outcome IN ('SUCCEEDED', 'REFUSED')),
  -- Who may see it besides auditors and plan administrators (audit_timeline::visibility).
  audience text NOT NULL,
  actor_kind text NOT NULL,
  actor_id uuid,
  -- The organisation the actor acted for.
  organization_id uuid,
  subject_id uuid,
  subject_organization_id uuid,
  npi text,
  command text NOT NULL,
  session_id uuid,
  policy_version bigint NOT NULL,
  correlation_id uuid NOT NULL,
  causation_id uuid,
  command_id uuid NOT NULL,
  recorded_at timestamptz NOT NULL,
  occurred_at timestamptz NOT NULL,
  effective_at timestamptz NOT NULL,
  before jsonb,
  after jsonb,
  PRIMARY KEY (tenant_id, position)
);
-- `auditEvents` by one of its filters, newest first.
CREATE INDEX audit_timeline_event_id_idx ON read.audit_timeline (tenant_id, event_id);
CREATE INDEX audit_timeline_actor_id_idx ON read.audit_timeline (tenant_id, actor_id, position) WHERE actor_id IS NOT NULL;
CREATE INDEX audit_timeline_subject_id_idx ON read.audit_timeline (tenant_id, subject_id, position) WHERE subject_id IS NOT NULL;
CREATE INDEX audit_timeline_npi_idx ON read.audit_timeline (tenant_id, npi, position) WHERE npi IS NOT NULL;
CREATE INDEX audit_timeline_organization_id_idx ON read.audit_timeline (tenant_id, organization_id, position) WHERE organization_id IS NOT NULL;
CREATE INDEX audit_timeline_subject_organization_id_idx ON read.audit_timeline (tenant_id, subject_organization_id, position) WHERE subject_organization_id IS NOT NULL;
CREATE INDEX audit_timeline_event_type_idx ON read.audit_timeline (tenant_id, event_type, position);
CREATE INDEX audit_timeline_correlation_id_idx ON read.audit_timeline (tenant_id, correlation_id, position);
CREATE INDEX audit_timeline_recorded_at_idx ON read.audit_timeline (tenant_id, recorded_at);
SELECT ops.secure_tenant_table('read.audit_timeline');
