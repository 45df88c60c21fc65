//! Machines' keys, told.

use rollcall_domain::api_keys::{ApiKeyEvent, Scope};

use super::{Telling, list, time};

pub(super) fn sentence(event: &ApiKeyEvent, telling: Telling<'_>) -> String {
    let who = telling.who();
    let owner = |organization: &Option<_>| {
        organization.map_or_else(|| "the plan".to_owned(), |id| telling.organization(id))
    };
    match event {
        ApiKeyEvent::ApiKeyCreated { organization, name, scopes, expires_at, .. } => format!(
            "{who} made the key {name} by which machines of {} may {} until {}.",
            owner(organization),
            list(scopes.iter().map(|scope| may(*scope).to_owned())),
            time(expires_at)
        ),
        ApiKeyEvent::ApiKeyRevoked { key, organization, .. } => {
            format!("{who} revoked {} of {}.", telling.key(*key), owner(organization))
        }
    }
}

pub(crate) const fn may(scope: Scope) -> &'static str {
    match scope {
        Scope::ReadDirectory => "read the directory",
        Scope::ReadAccess => "read the access register",
        Scope::ReadAudit => "read the audit timeline",
        Scope::ManageUsers => "manage users",
        Scope::ReportRightUse => "report uses of rights",
    }
}
