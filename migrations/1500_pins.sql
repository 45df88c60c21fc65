-- The NPIs of each organisation with what is known of their PINs; never a PIN. Serves the queries
-- `pins` and `pin`: the tile, its search and the full page (MC-50, MC-51, MC-53).
CREATE TABLE read.pins (
  tenant_id uuid NOT NULL,
  organization_id uuid NOT NULL,
  npi text COLLATE "C" NOT NULL,
  provider_name text NOT NULL DEFAULT '',
  -- Lower case, for order and search.
  sort_name text COLLATE "C" NOT NULL DEFAULT '',
  -- Counts the NPI's PINs; 0 while it has none.
  version integer NOT NULL DEFAULT 0,
  issued_at timestamptz,
  last_reset_at timestamptz,
  -- Until when files that depend on the PIN may lag behind it (GN-17).
  propagation_due_at timestamptz,
  PRIMARY KEY (tenant_id, organization_id, npi)
);
CREATE INDEX pins_tenant_id_organization_id_sort_name_npi_idx
  ON read.pins (tenant_id, organization_id, sort_name, npi);
SELECT ops.secure_tenant_table('read.pins');

-- Every issue, reset and reveal, by the organisation that held the NPI then. Serves `pinHistory`
-- and the count of a day's resets (MC-52, MC-53).
CREATE TABLE read.pin_history (
  tenant_id uuid NOT NULL,
  position bigint NOT NULL,
  organization_id uuid NOT NULL,
  npi text COLLATE "C" NOT NULL,
  fact text NOT NULL,
  version integer NOT NULL,
  actor_id uuid,
  -- Plan support did it, for a caller it validated (GN-17).
  by_support boolean NOT NULL,
  at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, position),
  CONSTRAINT pin_history_fact_check CHECK (fact IN ('ISSUED', 'RESET', 'REVEALED'))
);
CREATE INDEX pin_history_tenant_id_organization_id_npi_position_idx
  ON read.pin_history (tenant_id, organization_id, npi, position DESC);
SELECT ops.secure_tenant_table('read.pin_history');
