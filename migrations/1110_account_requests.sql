-- Requests for portal accounts: accountRequests(status, …). What visitors say of themselves stands
-- here alone; erasure deletes by request.
CREATE TABLE read.account_requests (
  tenant_id uuid NOT NULL,
  request_id uuid NOT NULL,
  status text NOT NULL,
  organization_name text NOT NULL,
  npi text,
  tax_id_kind text,
  tax_id_last4 text,
  first_name text,
  last_name text,
  email text,
  phone text,
  -- Tenant position of the request; the order of every list.
  submitted_position bigint NOT NULL,
  submitted_at timestamptz NOT NULL,
  due_at timestamptz NOT NULL,
  decided_at timestamptz,
  -- Where the person was invited, and who that is.
  organization_id uuid,
  user_id uuid,
  PRIMARY KEY (tenant_id, request_id),
  CONSTRAINT account_requests_status_check
    CHECK (status IN ('SUBMITTED', 'FULFILLED', 'REJECTED'))
);
CREATE INDEX account_requests_submitted_position_idx
  ON read.account_requests (tenant_id, submitted_position);
SELECT ops.secure_tenant_table('read.account_requests');
