-- The last signed review of an organisation, which one of what changed since is compared with (GN-15). Partial, so
-- that no other append pays for it.
CREATE INDEX events_signed_reviews_idx ON es.events (tenant_id, subject_organization_id, tenant_position)
  WHERE event_type = 'access_reviews.access_review.access_review_completed';
