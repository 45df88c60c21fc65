-- Erasing a person: what they asked for before they had an account is found by their address, which
-- is sealed, so each first event of such a stream is opened and compared. Partial, so that no other
-- append pays for it.
CREATE INDEX events_visitors_idx ON es.events (tenant_id, aggregate_type)
  WHERE sequence = 1
    AND aggregate_type IN ('organizations.registration', 'organizations.account_request',
                           'access_requests.join_request', 'access_requests.move_request');
