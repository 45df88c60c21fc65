-- Somebody without an account asks to join (CC-11): such a request has no person until it is
-- approved. Serves `accessRequests`.
ALTER TABLE read.access_requests ALTER COLUMN user_id DROP NOT NULL;
