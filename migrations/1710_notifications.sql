-- The notices in each person's list (MC-67, MC-68): newest first, unread ones counted.
CREATE TABLE read.notifications (
  tenant_id       uuid        NOT NULL,
  user_id         uuid        NOT NULL,
  notification_id uuid        NOT NULL,
  -- Where it stands in the tenant's log: the order of the list.
  raised_position bigint      NOT NULL,
  raised_at       timestamptz NOT NULL,
  type            text        NOT NULL,
  -- In whose list it stands; NULL for the person's own affairs.
  organization_id uuid,
  subject_kind    text        NOT NULL,
  subject_id      uuid        NOT NULL,
  npi             text,
  -- What happened, where the type alone does not say, and with which other organisation.
  happening       text,
  counterparty_id uuid,
  read_at         timestamptz,
  PRIMARY KEY (tenant_id, user_id, notification_id)
);
CREATE INDEX notifications_list_idx
  ON read.notifications (tenant_id, user_id, raised_position DESC);
CREATE INDEX notifications_unread_idx
  ON read.notifications (tenant_id, user_id) WHERE read_at IS NULL;
SELECT ops.secure_tenant_table('read.notifications');

-- Names of organisations, which are not personal, for the notices' titles and their search.
CREATE TABLE read.notification_organizations (
  tenant_id       uuid NOT NULL,
  organization_id uuid NOT NULL,
  name            text NOT NULL,
  PRIMARY KEY (tenant_id, organization_id)
);
SELECT ops.secure_tenant_table('read.notification_organizations');

-- What people chose about mail: notificationPreferences (MC-64, MC-65).
CREATE TABLE read.notification_preferences (
  tenant_id uuid        NOT NULL,
  user_id   uuid        NOT NULL,
  type      text        NOT NULL,
  email     boolean     NOT NULL,
  frequency text        NOT NULL,
  chosen_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, user_id, type),
  CONSTRAINT notification_preferences_frequency_check
    CHECK (frequency IN ('IMMEDIATE', 'DAILY', 'WEEKLY', 'OFF'))
);
SELECT ops.secure_tenant_table('read.notification_preferences');
