-- What a look at access that was taken away or changed found left of it: `accessReviewItems { remaining }` (GN-15).
ALTER TABLE read.access_review_items ADD COLUMN remaining text[] NOT NULL DEFAULT '{}';
