-- `auditEvents(filter: { causationId })` and `consequencesOf`, which goes from an event to what it
-- caused and on from there.
CREATE INDEX audit_timeline_causation_id_idx
  ON read.audit_timeline (tenant_id, causation_id, position) WHERE causation_id IS NOT NULL;
