-- Requests for access with where they stand; what people wrote is in the events alone. Serves
-- `accessRequests`, `accessRequest` and `planQueue` (CC-11, CC-12, AL-08).
CREATE TABLE read.access_requests (
  tenant_id uuid NOT NULL,
  request_id uuid NOT NULL,
  organization_id uuid NOT NULL,
  user_id uuid NOT NULL,
  kind text NOT NULL,
  items jsonb NOT NULL,
  status text NOT NULL,
  -- Why it waits, or waited, for the plan.
  routed_because text,
  -- The access asked for ends here by itself.
  access_until timestamptz,
  -- Tenant position of the request; the order of every list.
  requested_position bigint NOT NULL,
  requested_at timestamptz NOT NULL,
  routed_at timestamptz,
  closed_at timestamptz,
  -- Who approved or denied.
  decided_by uuid,
  expires_at timestamptz NOT NULL,
  version bigint NOT NULL,
  PRIMARY KEY (tenant_id, request_id),
  CONSTRAINT access_requests_status_check CHECK
    (status IN ('OPEN', 'ROUTED', 'APPROVED', 'DENIED', 'WITHDRAWN', 'EXPIRED'))
);
CREATE INDEX access_requests_tenant_id_organization_id_requested_position_idx
  ON read.access_requests (tenant_id, organization_id, requested_position DESC);
-- The plan's queue.
CREATE INDEX access_requests_tenant_id_status_requested_position_idx
  ON read.access_requests (tenant_id, status, requested_position);
SELECT ops.secure_tenant_table('read.access_requests');
