-- The ledger of erasures outside the database is compared with these each minute.
CREATE INDEX events_erasures_idx ON es.events (position)
  WHERE event_type = 'audit.erasure.person_erased';
