-- What happened after which access is reviewed at once: `accessReview { openedBecause }` (GN-15).
ALTER TABLE read.access_reviews
  ADD COLUMN opened_because text,
  ADD COLUMN opened_after uuid;
