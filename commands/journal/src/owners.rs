//! Natural keys looked up together, for whoever has many of them.
//!
//! Invariant: the answer is a head start. What rests on it is reserved or guarded at the append, or
//! looked up again.

use std::collections::HashMap;

use rollcall_domain::kernel::ids::TenantId;
use uuid::Uuid;

use crate::{error::JournalError, journal::Journal};

impl Journal {
    /// Whom each of several natural keys of a kind is reserved for in a tenant, by one query. They go
    /// by their hashes ([`crate::secrets::Secrets::lookup_key`]); one that is free is missing.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn owners_of_hashes(
        &self,
        tenant: TenantId,
        kind: &str,
        hashes: &[[u8; 32]],
    ) -> Result<HashMap<[u8; 32], Uuid>, JournalError> {
        if hashes.is_empty() {
            return Ok(HashMap::new());
        }
        let owned: Vec<(Vec<u8>, Uuid)> = sqlx::query_as(
            "SELECT key, owner FROM es.reservations
              WHERE tenant_id = $1 AND kind = $2 AND key = ANY($3)",
        )
        .bind(tenant.0)
        .bind(kind)
        .bind(hashes.iter().map(|hash| hash.as_slice()).collect::<Vec<_>>())
        .fetch_all(&self.0.pool)
        .await
        .map_err(JournalError::of)?;
        let sized = |(key, owner): (Vec<u8>, Uuid)| Some((key.try_into().ok()?, owner));
        Ok(owned.into_iter().filter_map(sized).collect())
    }
}
