-- Since when uses of rights of a kind are noted in a tenant, where that began after the tenant did: for
-- tenants that were there before the portal noted anything (GN-16). Without a row it began with the
-- tenant. A migration that makes a further kind observable adds its rows for the tenants there are.
-- Serves projections::right_use::queries: nothing is called unused of a time when nobody looked.
CREATE TABLE ops.right_use_noting (
  tenant_id uuid        NOT NULL,
  kind      text        NOT NULL,
  since     timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, kind)
);
SELECT ops.secure_tenant_table('ops.right_use_noting');
INSERT INTO ops.right_use_noting (tenant_id, kind, since)
SELECT tenant_id, kind, now()
  FROM es.tenant_heads
 CROSS JOIN unnest(ARRAY['VIEW_ORGANIZATION', 'MANAGE_USERS', 'VIEW_NPI', 'MANAGE_PIN', 'PLAN_ROLE',
                         'SUBMIT_TRANSACTIONS']) kind;
