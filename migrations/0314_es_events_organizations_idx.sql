-- The keys, files, affiliations and requests of an organisation, which commands ask for. Partial, so that no
-- other append pays for them.
CREATE INDEX events_organizations_acting_idx ON es.events (tenant_id, organization_id, aggregate_type)
  WHERE aggregate_type IN ('api_keys.api_key', 'audit.export', 'affiliations.affiliation',
                           'access_requests.request');
CREATE INDEX events_organizations_acted_on_idx
    ON es.events (tenant_id, subject_organization_id, aggregate_type)
  WHERE aggregate_type IN ('api_keys.api_key', 'audit.export', 'affiliations.affiliation',
                           'access_requests.request');
