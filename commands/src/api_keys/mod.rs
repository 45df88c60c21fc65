//! Commands on machines' keys, and how a key becomes a caller (GN-28).
//!
//! Invariant: a key's text is given once, when it is made; what is kept of it is a keyed hash.

mod activity;
mod authenticate;
mod create;
mod revoke;
mod text;

pub use activity::ApiKeyActivity;
pub use create::{CreateApiKey, CreatedApiKey};
pub use revoke::RevokeApiKey;
pub use text::{ApiKeyText, PREFIX, prefix_of};

use rollcall_domain::{kernel::ids::OrganizationId, tenants::PlanRole};

use crate::Access;

/// The reservation kind under which keys are found.
pub(crate) const API_KEY: &str = "api_key";

/// Who of the plan makes and revokes its keys, and revokes an organisation's where one got about.
const KEY_STAFF: &[PlanRole] = &[PlanRole::Pa];
/// Who of the plan sees keys.
const KEY_READERS: &[PlanRole] = &[PlanRole::Pa, PlanRole::Au];

/// Who makes keys: administrators, for their own organisation or for the plan. No machine does.
fn making(organization: Option<OrganizationId>) -> Access {
    organization.map_or(Access::Plan(KEY_STAFF), Access::OrgAdmin)
}

fn revoking(organization: Option<OrganizationId>) -> Access {
    organization.map_or(Access::Plan(KEY_STAFF), |id| Access::OrgAdminOrPlan(id, KEY_STAFF))
}

/// Who sees an owner's keys.
#[must_use]
pub fn seeing(organization: Option<OrganizationId>) -> Access {
    organization.map_or(Access::Plan(KEY_READERS), |id| Access::OrgAdminOrPlan(id, KEY_READERS))
}
