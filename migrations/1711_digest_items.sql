-- Notices that wait for a person's next digest (MC-65), taken away when it is sent. Serves the
-- scheduler's "which notices".
CREATE TABLE ops.digest_items (
  tenant_id       uuid   NOT NULL,
  user_id         uuid   NOT NULL,
  notification_id uuid   NOT NULL,
  type            text   NOT NULL,
  frequency       text   NOT NULL,
  -- Where the notice stands in the tenant's log: the order in the digest.
  raised_position bigint NOT NULL,
  PRIMARY KEY (tenant_id, user_id, notification_id),
  CONSTRAINT digest_items_frequency_check CHECK (frequency IN ('DAILY', 'WEEKLY'))
);
SELECT ops.secure_tenant_table('ops.digest_items');
