-- user(id){formerDetails}: what stood in an account before it was changed. Erasure deletes by person.
CREATE TABLE read.former_details (
  tenant_id uuid NOT NULL,
  user_id uuid NOT NULL,
  position bigint NOT NULL,
  field text NOT NULL,
  value text,
  replaced_at timestamptz NOT NULL,
  -- Who changed it, where that was a person.
  actor_id uuid,
  PRIMARY KEY (tenant_id, user_id, position, field),
  CONSTRAINT former_details_field_check CHECK (field IN (
    'FIRST_NAME', 'LAST_NAME', 'EMAIL', 'MOBILE', 'BUSINESS_PHONE'))
);
SELECT ops.secure_tenant_table('read.former_details');
