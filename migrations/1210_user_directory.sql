-- The user directory: one row per person and organisation, for users(…) and user(id).
CREATE TABLE read.directory_members (
  tenant_id uuid NOT NULL,
  organization_id uuid NOT NULL,
  user_id uuid NOT NULL,
  standing text NOT NULL,
  org_role text NOT NULL,
  email_domain text NOT NULL,
  invitation_id uuid,
  invited_at timestamptz,
  joined_at timestamptz,
  deactivated_at timestamptz,
  left_on date,
  -- When the person last began to act for this organisation.
  last_login_at timestamptz,
  -- Since when an active member has had no role; with a permission, once given, nobody waits (MC-32).
  unassigned_since timestamptz,
  was_assigned boolean NOT NULL,
  -- An administrator's request that the plan make the member administrator, while it is undecided.
  admin_requested_at timestamptz,
  admin_requested_by uuid,
  setup text NOT NULL,
  -- Steps of the permission wizard that are done, in alphabetical order.
  setup_steps text[] NOT NULL,
  -- Facts on the roster and on the membership's stream; together the version clients expect.
  roster_facts bigint NOT NULL,
  permission_facts bigint NOT NULL,
  PRIMARY KEY (tenant_id, organization_id, user_id),
  CONSTRAINT directory_members_standing_check
    CHECK (standing IN ('UNLISTED', 'INVITED', 'ACTIVE', 'INACTIVE', 'ENDED')),
  CONSTRAINT directory_members_org_role_check CHECK (org_role IN ('NONE', 'PROCESSOR', 'ADMIN')),
  CONSTRAINT directory_members_setup_check
    CHECK (setup IN ('NOT_STARTED', 'DEFERRED', 'ASSIGNED'))
);
SELECT ops.secure_tenant_table('read.directory_members');
-- The plan's queue: adminRequests.
CREATE INDEX directory_members_admin_requested_at_idx
  ON read.directory_members (tenant_id, admin_requested_at) WHERE admin_requested_at IS NOT NULL;
-- The plan finds a person by id alone: query `node`.
CREATE INDEX directory_members_user_id_idx ON read.directory_members (tenant_id, user_id);

-- What an account adds to each of its memberships.
CREATE TABLE read.directory_accounts (
  tenant_id uuid NOT NULL,
  user_id uuid NOT NULL,
  has_password boolean NOT NULL,
  is_locked boolean NOT NULL,
  -- When the lock ends by itself; absent: only a person lifts it.
  locked_until timestamptz,
  -- When an email to the present address came back last.
  email_bounced_at timestamptz,
  -- What became of the newest email to the present address: SENT, BOUNCED or GAVE_UP, and when.
  last_delivery text,
  last_delivery_at timestamptz,
  PRIMARY KEY (tenant_id, user_id)
);
SELECT ops.secure_tenant_table('read.directory_accounts');

CREATE TABLE read.directory_invitations (
  tenant_id uuid NOT NULL,
  invitation_id uuid NOT NULL,
  status text NOT NULL,
  sent_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  -- When the newest email with its link came back.
  email_bounced_at timestamptz,
  -- What became of that email: SENT, BOUNCED or GAVE_UP, and when.
  last_delivery text,
  last_delivery_at timestamptz,
  PRIMARY KEY (tenant_id, invitation_id),
  CONSTRAINT directory_invitations_status_check
    CHECK (status IN ('SENT', 'OPENED', 'COMPLETED', 'EXPIRED', 'CANCELLED'))
);
SELECT ops.secure_tenant_table('read.directory_invitations');

-- user(id){history}: what happened to a person in an organisation, newest first.
CREATE TABLE read.directory_history (
  tenant_id uuid NOT NULL,
  organization_id uuid NOT NULL,
  user_id uuid NOT NULL,
  position bigint NOT NULL,
  fact text NOT NULL,
  npi text,
  old text,
  new text,
  actor_kind text NOT NULL,
  actor_id uuid,
  occurred_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, organization_id, user_id, position)
);
SELECT ops.secure_tenant_table('read.directory_history');
