//! What happens to a key. Invariant: neither the key nor anything it could be made from is in an
//! event.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::Scope;
use crate::kernel::ids::{ApiKeyId, OrganizationId, UserId};
use crate::values::{ApiKeyName, Reason};
use crate::{Event, Facets, Sealed};

/// An event of stream `api_keys.api_key`. That a key expires is no event: it is over from
/// `expires_at` on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ApiKeyEvent {
    /// An administrator made a key for one of their systems.
    ApiKeyCreated {
        key: ApiKeyId,
        /// `None`: it acts for the plan.
        organization: Option<OrganizationId>,
        name: ApiKeyName,
        scopes: BTreeSet<Scope>,
        by: UserId,
        expires_at: DateTime<Utc>,
    },
    /// It works no longer.
    ApiKeyRevoked {
        key: ApiKeyId,
        organization: Option<OrganizationId>,
        /// Nobody where the policy had it so after a review that nobody decided in (GN-15).
        by: Option<UserId>,
        reason: Option<Sealed<Reason>>,
    },
}

impl Event for ApiKeyEvent {
    fn event_type(&self) -> &'static str {
        match self {
            Self::ApiKeyCreated { .. } => "api_keys.api_key.api_key_created",
            Self::ApiKeyRevoked { .. } => "api_keys.api_key.api_key_revoked",
        }
    }

    fn facets(&self) -> Facets {
        match self {
            Self::ApiKeyCreated { organization, .. } | Self::ApiKeyRevoked { organization, .. } => {
                Facets { organization: *organization, ..Facets::default() }
            }
        }
    }
}
