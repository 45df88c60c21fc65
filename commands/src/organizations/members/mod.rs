//! Commands on who belongs to an organisation and in which role (MC-14, MC-30, MC-31, MC-47).
//!
//! Invariant: an organisation's own people never leave it without an active administrator; plan
//! staff may, and say why (GN-10).

mod admin_request;
mod assign_org_role;
mod attach_user;
mod deactivate_user;
mod email_domains;
mod planned_end;
mod reactivate_user;
mod watch_dormant;
mod watch_unassigned;

use rollcall_domain::{
    Code, Refusal,
    organizations::{
        Authority as RosterAuthority, OrgRole, Organization, OrganizationCommand,
        organization::RosterCommand,
    },
    permissions::{Cause, membership::MembershipKey},
    tenants::PlanRole,
    values::Reason,
};

pub use admin_request::{DeclineAdditionalAdmin, RequestAdditionalAdmin};
pub use assign_org_role::AssignOrgRole;
pub(crate) use assign_org_role::{Appointment, assign_role, check_creator, give_role_back};
pub use attach_user::{AttachUserToOrganization, Whom};
pub use deactivate_user::DeactivateUser;
pub use email_domains::RemoveEmailDomain;
pub use planned_end::{CancelUserDeactivation, CarryOutMembershipEnd};
pub(crate) use reactivate_user::former_permissions;
pub use reactivate_user::{FormerPermissions, ReactivateUser};
pub use watch_dormant::WatchDormant;
pub use watch_unassigned::{Watch, WatchUnassigned};

use crate::{Authority, Context, Failure, permissions::member::Member};

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

pub(crate) fn roster_authority(authority: &Authority) -> RosterAuthority {
    if authority.acts_for_plan() { RosterAuthority::Plan } else { RosterAuthority::Organization }
}

pub(crate) fn cause(cx: &Context<'_>) -> Cause {
    if cx.authority.acts_for_plan() { Cause::Plan } else { Cause::Administrator }
}

/// Keeps what shows that the plan had to step in for the organisation's administrators (CC-07).
///
/// # Errors
/// `EVIDENCE_REQUIRED`, or a fault.
pub(crate) async fn keep_evidence(
    cx: &mut Context<'_>,
    of: MembershipKey,
    evidence: Option<&Reason>,
) -> Result<(), Failure> {
    let Some(evidence) = evidence.cloned() else {
        let message = "Enter what shows that the administrator has left or that you were asked.";
        return Err(Refusal::new(Code::EvidenceRequired, message).at("evidence").into());
    };
    let record = RosterCommand::RecordPlanEvidence { user: of.user, evidence };
    cx.decide::<Organization>(of.organization, OrganizationCommand::from(record)).await?;
    Ok(())
}

pub(crate) fn reason_required() -> Refusal {
    Refusal::new(Code::ReasonRequired, "Enter the reason.").at("reason")
}
