-- Which organisation takes another one over, or has (GN-03): query `organization { successor }`.
ALTER TABLE read.organizations ADD COLUMN successor_id uuid;
