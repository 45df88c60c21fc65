-- Whether what somebody was assigned under an affiliation counts at a moment, as is known now: it is in force,
-- and its provider is open and holds the NPI (GN-18); for `accessReviewItems` and `accessReviewJoiners`
-- (GN-15).
CREATE FUNCTION ops.submission_counts(of_tenant uuid, affiliation uuid, of_npi text, at timestamptz)
RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT EXISTS (
    SELECT 1 FROM read.access_intervals a
      JOIN read.access_intervals o ON o.tenant_id = of_tenant AND o.kind = 'ORGANIZATION_ACTIVE'
       AND o.holder_id = a.value[1]::uuid AND o.known_to IS NULL AND o.valid_from <= at AND o.valid_to > at
      JOIN read.access_intervals n ON n.tenant_id = of_tenant AND n.kind = 'NPI_HELD'
       AND n.holder_id = a.value[1]::uuid AND n.npi = of_npi AND n.known_to IS NULL
       AND n.valid_from <= at AND n.valid_to > at
     WHERE a.tenant_id = of_tenant AND a.kind = 'AFFILIATION' AND a.holder_id = affiliation
       AND a.known_to IS NULL AND a.valid_from <= at AND a.valid_to > at)
$$;
