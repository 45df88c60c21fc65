//! Commands on who belongs to an organisation and in which role (MC-14, MC-30, MC-31, MC-47).
//!
//! Invariant: an organisation's own people never leave it without an active administrator; plan
//! staff may, and say why (GN-10).

mod assign_org_role;
mod deactivate_user;
mod email_domains;
mod reactivate_user;

use rollcall_domain::{
    Code, Refusal,
    organizations::{Authority as RosterAuthority, OrgRole},
    permissions::Cause,
    tenants::PlanRole,
};

pub use assign_org_role::AssignOrgRole;
pub use deactivate_user::DeactivateUser;
pub use email_domains::RemoveEmailDomain;
pub use reactivate_user::{FormerPermissions, ReactivateUser};

use crate::{Authority, Context, permissions::member::Member};

/// Plan staff who may step in where an administrator has left (CC-07, GN-10).
pub const MEMBER_STAFF: &[PlanRole] = &[PlanRole::Pa, PlanRole::Ps];

/// Demands that the caller may decide about the member: about an administrator only administrators
/// and the plan decide, whoever else manages users (CC-07).
fn require_power_over(authority: &Authority, member: &Member) -> Result<(), Refusal> {
    let role = member.organization.member(member.key.user).map_or(OrgRole::None, |it| it.role);
    let is_admin = authority.org_role == Some(OrgRole::Admin);
    if role < OrgRole::Admin || is_admin || authority.acts_for_plan() {
        return Ok(());
    }
    let message = "Only an administrator decides about administrators. Ask one of them.";
    Err(Refusal::new(Code::NotOrgAdmin, message).at("userId"))
}

fn roster_authority(authority: &Authority) -> RosterAuthority {
    if authority.acts_for_plan() { RosterAuthority::Plan } else { RosterAuthority::Organization }
}

fn cause(cx: &Context<'_>) -> Cause {
    if cx.authority.acts_for_plan() { Cause::Plan } else { Cause::Administrator }
}

fn reason_required() -> Refusal {
    Refusal::new(Code::ReasonRequired, "Enter the reason.").at("reason")
}
