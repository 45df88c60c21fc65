-- Personal data in read models, all of it: other read tables hold user ids and join this one when
-- they are shown, so that erasing a person is one delete here. A person who was only invited stands
-- here with what the administrator typed.
CREATE TABLE read.people (
  tenant_id uuid NOT NULL,
  user_id uuid NOT NULL,
  first_name text,
  last_name text,
  email text,
  mobile text,
  business_phone text,
  username text,
  -- Whether mail to the address is known to arrive.
  email_verified boolean NOT NULL,
  PRIMARY KEY (tenant_id, user_id)
);
SELECT ops.secure_tenant_table('read.people');
