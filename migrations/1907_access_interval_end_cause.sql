-- Why a row of the access register ends, where an event set its end, and what begins or ends in a
-- time. Serves `accessDifference`.
ALTER TABLE read.access_intervals ADD COLUMN end_cause text;
CREATE INDEX access_intervals_valid_from_idx ON read.access_intervals (tenant_id, valid_from);
-- Most have no end.
CREATE INDEX access_intervals_valid_to_idx ON read.access_intervals (tenant_id, valid_to) WHERE valid_to < '9999-12-31 00:00:00+00';
