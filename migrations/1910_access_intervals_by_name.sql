-- Who was ever granted a feature, job role, location, tax id or plan role. Serves `accessExposure` and
-- `policySimulation`.
CREATE INDEX access_intervals_name_idx ON read.access_intervals (tenant_id, kind, name, user_id)
  WHERE name IS NOT NULL AND kind <> 'POLICY';
