-- The day before what of a kind was used: the last day of a right is the first entry of its part of the
-- index, read backwards, whatever of it was asked for (GN-16; projections::right_use::queries).
ALTER TABLE read.right_uses
  DROP CONSTRAINT right_uses_pkey,
  ADD PRIMARY KEY (tenant_id, user_id, organization_id, kind, npi, day, detail);
