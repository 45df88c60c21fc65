//! Commands on who belongs to an organisation and in which role (MC-14, MC-30, MC-31, MC-47).
//!
//! Invariant: an organisation's own people never leave it without an active administrator; plan
//! staff may, and say why (GN-10).

mod assign_org_role;
mod deactivate_user;
mod email_domains;
mod reactivate_user;
mod watch_unassigned;

use rollcall_domain::{
    Code, Refusal, organizations::Authority as RosterAuthority, permissions::Cause,
    tenants::PlanRole,
};

pub use assign_org_role::AssignOrgRole;
pub use deactivate_user::DeactivateUser;
pub use email_domains::RemoveEmailDomain;
pub use reactivate_user::{FormerPermissions, ReactivateUser};
pub use watch_unassigned::{Watch, WatchUnassigned};

use crate::{Authority, Context};

/// Plan staff who may step in where an administrator has left (CC-07, GN-10).
pub const MEMBER_STAFF: &[PlanRole] = &[PlanRole::Pa, PlanRole::Ps];

pub(crate) fn roster_authority(authority: &Authority) -> RosterAuthority {
    if authority.acts_for_plan() { RosterAuthority::Plan } else { RosterAuthority::Organization }
}

pub(crate) fn cause(cx: &Context<'_>) -> Cause {
    if cx.authority.acts_for_plan() { Cause::Plan } else { Cause::Administrator }
}

pub(crate) fn reason_required() -> Refusal {
    Refusal::new(Code::ReasonRequired, "Enter the reason.").at("reason")
}
