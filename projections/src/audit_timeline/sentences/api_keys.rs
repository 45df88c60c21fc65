//! Machines' keys, told.

use rollcall_domain::api_keys::ApiKeyEvent;

use super::{Telling, list, lower, time};

pub(super) fn sentence(event: &ApiKeyEvent, telling: Telling<'_>) -> String {
    let who = telling.who();
    let owner = |organization: &Option<_>| {
        organization.map_or_else(|| "the plan".to_owned(), |id| telling.organization(id))
    };
    match event {
        ApiKeyEvent::ApiKeyCreated { organization, name, scopes, expires_at, .. } => format!(
            "{who} made the key {name} by which machines of {} may {} until {}.",
            owner(organization),
            list(scopes.iter().map(lower)),
            time(expires_at)
        ),
        ApiKeyEvent::ApiKeyRevoked { key, organization, .. } => {
            format!("{who} revoked {} of {}.", telling.key(*key), owner(organization))
        }
    }
}
