//! The rules of the roster: who joins, in which role, and who leaves.
//!
//! Invariant: the organisation's own people never leave it without an active administrator (GN-10).

mod leaving;

use self::leaving::Leaving;
use super::{Decided, Organization, OrganizationEvent, OrganizationRefusal};
use crate::kernel::ids::{InvitationId, OrganizationId, RegistrationId, UserId};
use crate::organizations::organization::{Member, Phase, Record, RosterCommand, Standing};
use crate::organizations::{Authority, MembershipOrigin, OrgRole};
use crate::permissions::Cause;
use crate::values::Reason;
use crate::{Decision, Sealed};

pub(super) fn decide(
    state: &Organization,
    record: &Record,
    decision: &Decision<'_>,
    command: RosterCommand,
) -> Decided {
    use RosterCommand as C;
    let roster = Roster { state, organization: record.organization, decision };
    match command {
        C::RegisterOrganization { registration, user, email_domain, signed_in, by } => {
            roster.check_registrable()?;
            let mut events = vec![OrganizationEvent::OrganizationRegistered {
                organization: record.organization,
                name: record.name.clone(),
                kinds: record.kinds.clone(),
                registration,
            }];
            let joining = Joining { user, role: OrgRole::Admin, email_domain, by, signed_in };
            events.extend(roster.join(joining, OrgRole::None, Cause::Registration));
            Ok(events)
        }
        C::InviteMember { user, invitation, email_domain } => {
            roster.check_open()?;
            roster.check_contract()?;
            roster.check_newcomer(user)?;
            let organization = record.organization;
            let mut events = roster.domain_if_new(&email_domain);
            events.push(OrganizationEvent::MemberInvited {
                organization,
                user,
                invitation,
                email_domain,
            });
            Ok(events)
        }
        C::JoinByInvitation { user, invitation, signed_in } => {
            roster.check_open()?;
            roster.check_contract()?;
            let member = roster.invited(user, invitation)?;
            let joining = Joining {
                user,
                role: member.role,
                email_domain: member.email_domain.clone(),
                by: MembershipOrigin::Invitation,
                signed_in,
            };
            Ok(roster.join(joining, member.role, Cause::Administrator))
        }
        C::AttachUser { user, email_domain, role } => {
            roster.check_open()?;
            roster.check_newcomer(user)?;
            if role > OrgRole::None && decision.actor.person() == Some(user) {
                return Err(OrganizationRefusal::SelfGrant);
            }
            let by = MembershipOrigin::Plan;
            let joining = Joining { user, role, email_domain, by, signed_in: false };
            Ok(roster.join(joining, OrgRole::None, Cause::Plan))
        }
        C::OpenByPlan => {
            roster.check_registrable()?;
            Ok(vec![opened_without_letter(record)])
        }
        C::ImportMember { user, email_domain, role } => {
            let by = MembershipOrigin::Import;
            roster.import(record, Joining { user, role, email_domain, by, signed_in: false })
        }
        C::EndMemberInvitation { user, invitation, cause } => {
            roster.invited(user, invitation)?;
            let organization = record.organization;
            Ok(vec![OrganizationEvent::MemberInvitationEnded {
                organization,
                user,
                invitation,
                cause,
            }])
        }
        C::AssignOrgRole { user, role, cause, authority } => {
            roster.assign_role(user, role, cause, authority)
        }
        C::DeactivateUser { user, confirmed, reason, left_on, authority } => {
            let leaving = Leaving { user, confirmed, reason, left_on, authority };
            roster.deactivate(leaving)
        }
        C::CancelMembershipEnd { user } => {
            let member = state.member(user).ok_or(OrganizationRefusal::NotAMember)?;
            let planned = member.ends_at().filter(|end| decision.now < *end);
            let effective_at = planned.ok_or(OrganizationRefusal::NoEndPlanned)?;
            if decision.actor.person() == Some(user) {
                return Err(OrganizationRefusal::SelfGrant);
            }
            let organization = record.organization;
            Ok(vec![OrganizationEvent::MembershipEndCancelled { organization, user, effective_at }])
        }
        C::CarryOutMembershipEnd { user } => Ok(roster.carry_out_end(user)),
        C::RecordPlanEvidence { user, evidence } => {
            state.member(user).ok_or(OrganizationRefusal::NotAMember)?;
            let evidence = Sealed::new(user, evidence);
            let organization = record.organization;
            Ok(vec![OrganizationEvent::PlanEvidenceRecorded { organization, user, evidence }])
        }
        C::RequestAdmin { user, reason } => roster.request_admin(user, reason),
        C::DeclineAdminRequest { user, reason } => {
            let member = state.member(user).ok_or(OrganizationRefusal::NotAMember)?;
            member.admin_requested_by.ok_or(OrganizationRefusal::AdminNotRequested)?;
            let (organization, reason) = (record.organization, Sealed::new(user, reason));
            Ok(vec![OrganizationEvent::AdminRequestDeclined { organization, user, reason }])
        }
        C::ReactivateUser { user, confirmed, permissions_reviewed } => {
            roster.reactivate(user, confirmed, permissions_reviewed)
        }
        C::WatchUnassigned { user } => Ok(roster.watch_unassigned(user)),
        C::WatchDormant { user, seen } => Ok(roster.watch_dormant(user, seen)),
        C::ChangeMemberEmailDomain { user, email_domain } => {
            roster.change_domain(user, email_domain)
        }
        C::RemoveEmailDomain { domain } => {
            if !state.domains().contains(&domain) {
                return Err(OrganizationRefusal::DomainUnknown);
            }
            let users = state.active_users_of(&domain);
            if !users.is_empty() {
                return Err(OrganizationRefusal::DomainInUse(users));
            }
            let organization = record.organization;
            Ok(vec![OrganizationEvent::EmailDomainRemoved { organization, domain }])
        }
    }
}

fn opened_without_letter(record: &Record) -> OrganizationEvent {
    OrganizationEvent::OrganizationRegistered {
        organization: record.organization,
        name: record.name.clone(),
        kinds: record.kinds.clone(),
        // There is none; the organisation's own id says so.
        registration: RegistrationId(record.organization.0),
    }
}

pub(in crate::organizations::organization) struct Joining {
    pub user: UserId,
    pub role: OrgRole,
    pub email_domain: String,
    pub by: MembershipOrigin,
    pub signed_in: bool,
}

pub(in crate::organizations::organization) struct Roster<'a> {
    pub state: &'a Organization,
    pub organization: OrganizationId,
    pub decision: &'a Decision<'a>,
}

impl<'a> Roster<'a> {
    pub(in crate::organizations::organization) fn check_open(
        &self,
    ) -> Result<(), OrganizationRefusal> {
        if self.state.is_active() { Ok(()) } else { Err(OrganizationRefusal::NotActive) }
    }

    pub(in crate::organizations::organization) fn check_contract(
        &self,
    ) -> Result<(), OrganizationRefusal> {
        self.state.check_contract(self.decision.policy, self.decision.now)
    }

    /// Nobody new comes, and nobody comes back, where a merger is under way.
    fn check_stays(&self) -> Result<(), OrganizationRefusal> {
        if self.state.is_frozen() { Err(OrganizationRefusal::Merging) } else { Ok(()) }
    }

    fn check_registrable(&self) -> Result<(), OrganizationRefusal> {
        self.check_stays()?;
        match self.state.phase() {
            Phase::Registered | Phase::Suspended { registered: true } => {
                Err(OrganizationRefusal::AlreadyRegistered)
            }
            Phase::NotEnrolled | Phase::Suspended { registered: false } | Phase::Closed => {
                Err(OrganizationRefusal::NotActive)
            }
            Phase::Enrolled => self.check_contract(),
        }
    }

    /// A person who was never here, or whose invitation came to nothing.
    fn check_newcomer(&self, user: UserId) -> Result<(), OrganizationRefusal> {
        self.check_stays()?;
        match self.state.member(user).map(|member| member.standing) {
            None | Some(Standing::Ended { .. }) => Ok(()),
            Some(Standing::Invited { .. } | Standing::Active | Standing::Inactive { .. }) => {
                Err(OrganizationRefusal::EmailTakenInOrg)
            }
        }
    }

    fn invited(
        &self,
        user: UserId,
        invitation: InvitationId,
    ) -> Result<&'a Member, OrganizationRefusal> {
        self.state
            .member(user)
            .filter(|member| member.standing == Standing::Invited { invitation })
            .ok_or(OrganizationRefusal::NotInvited)
    }

    pub(in crate::organizations::organization) fn domain_if_new(
        &self,
        domain: &str,
    ) -> Vec<OrganizationEvent> {
        if self.state.domains().contains(domain) {
            return Vec::new();
        }
        let domain = domain.to_owned();
        vec![OrganizationEvent::EmailDomainAdded { organization: self.organization, domain }]
    }

    /// `assigned` is the role the person was given before joining.
    pub(in crate::organizations::organization) fn join(
        &self,
        joining: Joining,
        assigned: OrgRole,
        cause: Cause,
    ) -> Vec<OrganizationEvent> {
        let Joining { user, role, email_domain, by, signed_in } = joining;
        let organization = self.organization;
        let mut events = self.domain_if_new(&email_domain);
        events.push(OrganizationEvent::MembershipAdded {
            organization,
            user,
            role,
            email_domain,
            by,
            joined_at: self.decision.now,
            effective_from_next_login: signed_in,
        });
        if role != assigned {
            events.push(OrganizationEvent::OrgRoleAssigned {
                organization,
                user,
                old: assigned,
                new: role,
                cause,
            });
        }
        events
    }

    /// A newcomer joins, a member whose role is lower rises, and nobody's role is lowered.
    fn import(&self, record: &Record, joining: Joining) -> Decided {
        self.check_stays()?;
        let mut events = Vec::new();
        if self.state.phase() == Phase::Enrolled {
            self.check_registrable()?;
            events.push(opened_without_letter(record));
        } else {
            self.check_open()?;
        }
        let Joining { user, role, .. } = joining;
        let member = self.state.member(user);
        let old = match member.map(|member| member.standing) {
            None | Some(Standing::Ended { .. }) => None,
            Some(Standing::Active) => Some(self.state.role_of(user, self.decision.now)),
            Some(Standing::Invited { .. }) => return Err(OrganizationRefusal::EmailTakenInOrg),
            Some(Standing::Inactive { .. }) => return Err(OrganizationRefusal::AlreadyInactive),
        };
        if role > old.unwrap_or_default() && self.decision.actor.person() == Some(user) {
            return Err(OrganizationRefusal::SelfGrant);
        }
        let (organization, cause) = (self.organization, Cause::LegacyImport);
        match old {
            None => events.extend(self.join(joining, OrgRole::None, cause)),
            Some(old) if old < role => {
                let new = role;
                events.push(OrganizationEvent::OrgRoleAssigned {
                    organization,
                    user,
                    old,
                    new,
                    cause,
                });
            }
            Some(_) => {}
        }
        Ok(events)
    }

    /// Whether the organisation's own people would be left without administrator, now or when those
    /// who remain leave as planned (GN-10).
    fn check_admin_remains(
        &self,
        user: UserId,
        authority: Authority,
    ) -> Result<(), OrganizationRefusal> {
        let alone = || self.state.is_last_admin(user, self.decision.now);
        if authority == Authority::Organization && alone() {
            return Err(OrganizationRefusal::LastAdmin);
        }
        Ok(())
    }

    fn assign_role(
        &self,
        user: UserId,
        role: OrgRole,
        cause: Cause,
        authority: Authority,
    ) -> Decided {
        self.check_open()?;
        let member = self.state.member(user).ok_or(OrganizationRefusal::NotAMember)?;
        match member.standing {
            Standing::Active | Standing::Invited { .. } => {}
            Standing::Inactive { .. } => return Err(OrganizationRefusal::AlreadyInactive),
            Standing::Ended { .. } => return Err(OrganizationRefusal::NotAMember),
        }
        if member.role == role {
            return Ok(Vec::new());
        }
        if role > member.role && self.decision.actor.person() == Some(user) {
            return Err(OrganizationRefusal::SelfGrant);
        }
        if role < OrgRole::Admin {
            self.check_admin_remains(user, authority)?;
        }
        Ok(vec![OrganizationEvent::OrgRoleAssigned {
            organization: self.organization,
            user,
            old: member.role,
            new: role,
            cause,
        }])
    }

    /// For an active member, by somebody who is known.
    fn request_admin(&self, user: UserId, reason: Reason) -> Decided {
        self.check_open()?;
        let now = self.decision.now;
        let member = self.state.member(user).filter(|member| member.is_active(now));
        let member = member.ok_or(OrganizationRefusal::NotAMember)?;
        if member.role == OrgRole::Admin {
            return Err(OrganizationRefusal::AdminAlready);
        }
        if member.admin_requested_by.is_some() {
            return Err(OrganizationRefusal::AdminRequested);
        }
        let requested_by = self.decision.actor.person().ok_or(OrganizationRefusal::NotAMember)?;
        Ok(vec![OrganizationEvent::AdminRequestSubmitted {
            organization: self.organization,
            user,
            requested_by,
            requested_at: self.decision.now,
            reason: Sealed::new(user, reason),
        }])
    }

    fn change_domain(&self, user: UserId, email_domain: String) -> Decided {
        let member = self.state.member(user).ok_or(OrganizationRefusal::NotAMember)?;
        if member.email_domain == email_domain {
            return Ok(Vec::new());
        }
        let mut events = self.domain_if_new(&email_domain);
        events.push(OrganizationEvent::MemberEmailDomainChanged {
            organization: self.organization,
            user,
            old: member.email_domain.clone(),
            new: email_domain,
        });
        Ok(events)
    }
}
