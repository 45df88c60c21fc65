//! From a key's text to a caller. Invariant: a key is looked up by its hash alone; that it was
//! revoked or has expired is told only to who presents it whole.

use rollcall_domain::{api_keys::ApiKey, kernel::ids::ApiKeyId};

use super::API_KEY;
use crate::{
    Caller, Commands, Failure, Identity,
    authentication::Presented,
    authorization::{key_refused, not_signed_in},
};

impl Commands {
    /// The machine behind a key.
    ///
    /// # Errors
    /// `NOT_SIGNED_IN` (unknown key, or one of another tenant), `API_KEY_REVOKED`,
    /// `API_KEY_EXPIRED`, or a fault.
    pub(crate) async fn authenticate_key(
        &self,
        presented: Presented<'_>,
    ) -> Result<Caller, Failure> {
        let hash = self.journal.secrets().link_hash(presented.token);
        let found = self.journal.tenant_of_hash(API_KEY, &hash).await?;
        let Some((tenant, id)) = found else { return Err(not_signed_in().into()) };
        if presented.tenant.is_some_and(|named| named != tenant) {
            return Err(not_signed_in().into());
        }
        let now = self.journal.now();
        // Fresh, because another process may have revoked it.
        let key = self.journal.load_fresh::<ApiKey>(tenant, id).await?.state;
        let grant = key.usable(now).map_err(key_refused)?;
        if presented.is_activity {
            self.key_activity.touch(tenant, ApiKeyId(id), now).await?;
        }
        Ok(Caller {
            tenant,
            identity: Identity::ApiKey { key: ApiKeyId(id), organization: grant.organization },
            address: presented.address,
            correlation_id: presented.correlation_id,
        })
    }
}
