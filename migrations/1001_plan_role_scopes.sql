-- The organisations that a plan role counts for, none for the whole plan: query `planStaff` (GN-31).
ALTER TABLE read.plan_roles ADD COLUMN organizations uuid[] NOT NULL DEFAULT '{}';
ALTER TABLE read.plan_staff ADD COLUMN invited_organizations uuid[] NOT NULL DEFAULT '{}';
