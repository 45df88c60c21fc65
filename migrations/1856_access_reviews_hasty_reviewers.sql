-- Who kept almost everything in a review, quicker than anybody reads: `accessReview { figures { reviewers } }` (GN-15).
ALTER TABLE read.access_reviews ADD COLUMN hasty_reviewers uuid[] NOT NULL DEFAULT '{}';
