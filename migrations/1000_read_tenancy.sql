-- Tenants, plan staff, policies and agreements: projection `tenancy`, queries `portal`, `tenants`,
-- `planStaff`, `policy`, `policyHistory`, `agreement`, `agreementHistory`.

-- What a visitor may know of the portal.
CREATE TABLE read.portals (
  tenant_id uuid NOT NULL,
  slug text NOT NULL,
  name text NOT NULL,
  state text NOT NULL,
  administrators_required integer NOT NULL,
  PRIMARY KEY (tenant_id)
);
SELECT ops.secure_tenant_table('read.portals');

-- The operators' directory of portals. Its rows belong to the operations tenant, so that row-level
-- security shows them to operators and to nobody else.
CREATE TABLE read.tenants (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  slug text NOT NULL,
  name text NOT NULL,
  preset text NOT NULL,
  state text NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
SELECT ops.secure_tenant_table('read.tenants');

-- People of the health plan, invited or at work; names are in read.people.
CREATE TABLE read.plan_staff (
  tenant_id uuid NOT NULL,
  user_id uuid NOT NULL,
  invitation_id uuid,
  invited_roles text[] NOT NULL DEFAULT '{}',
  invited_until timestamptz,
  invited_at timestamptz,
  version bigint NOT NULL,
  PRIMARY KEY (tenant_id, user_id)
);
SELECT ops.secure_tenant_table('read.plan_staff');

CREATE TABLE read.plan_roles (
  tenant_id uuid NOT NULL,
  user_id uuid NOT NULL,
  role text NOT NULL,
  valid_from timestamptz NOT NULL,
  valid_until timestamptz,
  PRIMARY KEY (tenant_id, user_id, role)
);
SELECT ops.secure_tenant_table('read.plan_roles');

-- Every change of policy as recorded; reasons are personal and stay in the journal.
CREATE TABLE read.policy_changes (
  tenant_id uuid NOT NULL,
  sequence bigint NOT NULL,
  preset text,
  key text,
  old_value jsonb,
  new_value jsonb,
  effective_at timestamptz NOT NULL,
  recorded_at timestamptz NOT NULL,
  actor_kind text NOT NULL,
  actor_id uuid,
  -- What people read of a feature that is on, off or coming soon; its key is `feature.<word>`.
  message text,
  PRIMARY KEY (tenant_id, sequence),
  CONSTRAINT policy_changes_one_kind_check CHECK ((preset IS NULL) <> (key IS NULL))
);
SELECT ops.secure_tenant_table('read.policy_changes');

-- Changes of policy that waited for another administrator; reasons stay in the journal.
CREATE TABLE read.policy_proposals (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  change jsonb NOT NULL,
  status text NOT NULL,
  effective_at timestamptz,
  proposed_by uuid NOT NULL,
  proposed_at timestamptz NOT NULL,
  -- Tenant position of the proposal; the order of the list.
  proposed_position bigint NOT NULL,
  decided_by uuid,
  decided_at timestamptz,
  PRIMARY KEY (tenant_id, id),
  CONSTRAINT policy_proposals_status_check CHECK (status IN ('OPEN', 'APPROVED', 'REJECTED', 'WITHDRAWN'))
);
SELECT ops.secure_tenant_table('read.policy_proposals');

-- What a browser and its screen should be like, in the tenant's words.
CREATE TABLE read.client_guidance (
  tenant_id uuid NOT NULL,
  guidance jsonb NOT NULL,
  set_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id)
);
SELECT ops.secure_tenant_table('read.client_guidance');

CREATE TABLE read.agreements (
  tenant_id uuid NOT NULL,
  kind text NOT NULL,
  sequence bigint NOT NULL,
  version text NOT NULL,
  title text NOT NULL,
  text text NOT NULL,
  sha256 text NOT NULL,
  boxes jsonb NOT NULL,
  effective_at timestamptz NOT NULL,
  published_at timestamptz NOT NULL,
  -- The event that published it: its global id, for `node`.
  event_id uuid NOT NULL,
  PRIMARY KEY (tenant_id, kind, sequence)
);
SELECT ops.secure_tenant_table('read.agreements');
