-- retention(userId): what a person signed that is in force. Partial, so that no other append pays.
CREATE INDEX events_affiliations_actor_id_idx ON es.events (tenant_id, actor_id)
  WHERE aggregate_type = 'affiliations.affiliation';
