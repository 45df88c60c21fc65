-- What an administrator typed about a person when inviting them. Until the person has joined, their
-- organisation sees this and nothing of an account they may have elsewhere.
CREATE TABLE read.invited_people (
  tenant_id uuid NOT NULL,
  invitation_id uuid NOT NULL,
  user_id uuid NOT NULL,
  first_name text,
  last_name text,
  email text,
  mobile text,
  business_phone text,
  PRIMARY KEY (tenant_id, invitation_id)
);
-- Erasure deletes by person.
CREATE INDEX invited_people_user_id_idx ON read.invited_people (tenant_id, user_id);
SELECT ops.secure_tenant_table('read.invited_people');
