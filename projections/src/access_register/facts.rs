//! What an event says about access.
//!
//! Invariant: this follows the `evolve` of the aggregates: what they hold after an event is what the
//! ledger holds at its position, so that the register and the rule that decides agree.

mod permissions;
mod policies;

use std::collections::BTreeSet;

use rollcall_domain::{
    AnyEvent,
    affiliations::{AffiliationEvent, Pair},
    kernel::ids::{AffiliationId, LocationId, OrganizationId, TaxIdId, TenantId, UserId},
    organizations::{ContractStatus, OrgRole, OrganizationEvent},
    permissions::{JobRoleEvent, MembershipEvent},
    policies::PolicyEvent,
    tenants::PlanStaffEvent,
    users::user::UserEvent,
    values::Npi,
};
use rollcall_journal::Recorded;
use uuid::Uuid;

use super::{
    cause::Cause,
    interval::Timeline,
    ledger::{Happening, Held, Ledger},
};

/// The word of a location that people may be granted.
const CREDENTIALED: &str = "CREDENTIALED";

fn nothing() -> Vec<String> {
    Vec::new()
}

fn so(cause: Cause) -> Held {
    Held { value: nothing(), until: None, cause }
}

/// A value that names the provider.
fn of_provider(pair: &Pair, cause: Cause) -> Held {
    Held { value: vec![pair.provider.to_string()], until: None, cause }
}

/// An event the register reads.
enum Fact<'a> {
    TenantChanged,
    Policy(&'a PolicyEvent),
    PlanStaff(&'a PlanStaffEvent),
    User(&'a UserEvent),
    Organization(&'a OrganizationEvent),
    Membership(&'a MembershipEvent),
    Affiliation(&'a AffiliationEvent),
    JobRole(&'a JobRoleEvent),
}

fn fact(event: &AnyEvent) -> Option<Fact<'_>> {
    if let AnyEvent::Membership(event) = event {
        Some(Fact::Membership(event))
    } else if let AnyEvent::JobRole(event) = event {
        Some(Fact::JobRole(event))
    } else if let AnyEvent::Organization(event) = event {
        Some(Fact::Organization(event))
    } else if let AnyEvent::User(event) = event {
        Some(Fact::User(event))
    } else if let AnyEvent::PlanStaff(event) = event {
        Some(Fact::PlanStaff(event))
    } else if let AnyEvent::Policy(event) = event {
        Some(Fact::Policy(event))
    } else if let AnyEvent::Affiliation(event) = event {
        Some(Fact::Affiliation(event))
    } else if let AnyEvent::Tenant(_) = event {
        Some(Fact::TenantChanged)
    } else {
        None
    }
}

/// The holders whose timelines an event may change.
pub(super) fn holders(event: &Recorded<AnyEvent>, into: &mut BTreeSet<Uuid>) {
    let tenant = event.tenant;
    let both = event.subject.as_ref().zip(event.subject_organization.as_ref());
    let member = both.map(|(user, organization)| {
        Timeline::MembershipActive(*user, *organization).holder(tenant)
    });
    match fact(&event.event) {
        Some(Fact::TenantChanged | Fact::Policy(_)) => {
            into.insert(tenant.0);
        }
        Some(Fact::PlanStaff(_) | Fact::User(_)) => into.extend(event.subject.map(Uuid::from)),
        Some(Fact::Organization(_)) => {
            into.extend(event.subject_organization.map(Uuid::from));
            into.extend(member);
        }
        Some(Fact::Membership(_)) => into.extend(member),
        Some(Fact::Affiliation(_) | Fact::JobRole(_)) => {
            into.insert(event.aggregate_id);
        }
        None => {}
    }
}

/// Takes an event in.
pub(crate) fn take_in(ledger: &mut Ledger, event: &Recorded<AnyEvent>) {
    let mut change = Change {
        ledger,
        by: Happening { position: event.tenant_position, recorded_at: event.recorded_at },
        event,
    };
    match fact(&event.event) {
        Some(Fact::TenantChanged) => change.policies_begin(),
        Some(Fact::Policy(policy)) => change.policy(policy),
        Some(Fact::PlanStaff(staff)) => change.plan_staff(staff),
        Some(Fact::Organization(organization)) => change.organization(organization),
        Some(Fact::Membership(membership)) => change.membership(membership),
        Some(Fact::JobRole(role)) => change.job_role(role),
        Some(Fact::User(user)) => change.user(user),
        Some(Fact::Affiliation(affiliation)) => change.affiliation(affiliation),
        None => {}
    }
}

struct Change<'a> {
    ledger: &'a mut Ledger,
    by: Happening,
    event: &'a Recorded<AnyEvent>,
}

impl Change<'_> {
    fn begins(&mut self, timeline: &Timeline, held: Held) {
        self.ledger.set(self.by, timeline, self.event.effective_at, held);
    }

    fn ends(&mut self, timeline: &Timeline, why: Cause) {
        // Nothing goes on being enforced after the event, however late the right itself ended.
        let at = self.event.effective_at.min(self.event.occurred_at);
        self.ledger.end(self.by, timeline, at, why);
    }

    /// It ends at the event's effective time, which may be to come.
    fn will_end(&mut self, timeline: &Timeline, why: Cause) {
        self.ledger.end(self.by, timeline, self.event.effective_at, why);
    }

    /// What was planned to end at the event's effective time does not end.
    fn goes_on(&mut self, timeline: &Timeline) {
        self.ledger.prolong(self.by, timeline, self.event.effective_at);
    }

    fn user(&mut self, event: &UserEvent) {
        match event {
            UserEvent::UserRegistered { user, .. } => {
                self.begins(&Timeline::AccountActive(*user), so(Cause::Registration));
            }
            UserEvent::UserErased { user } => {
                self.ends(&Timeline::AccountActive(*user), Cause::Deactivation);
            }
            UserEvent::ProfileUpdated { .. }
            | UserEvent::UserDetailsCorrected { .. }
            | UserEvent::PhoneChanged { .. }
            | UserEvent::EmailChanged { .. }
            | UserEvent::EmailVerificationSent { .. }
            | UserEvent::EmailVerified { .. }
            | UserEvent::UsernameDisclosed { .. }
            | UserEvent::UserImported { .. }
            | UserEvent::AgreementAccepted { .. }
            | UserEvent::NotificationPreferenceChanged { .. } => {}
        }
    }

    fn plan_staff(&mut self, event: &PlanStaffEvent) {
        match event {
            PlanStaffEvent::PlanRoleAssigned { user, role, until, organizations, .. } => {
                for timeline in Timeline::plan_roles(*user, *role, organizations) {
                    let held = Held { value: nothing(), until: *until, cause: Cause::Plan };
                    self.begins(&timeline, held);
                }
            }
            PlanStaffEvent::PlanRoleScoped { user, role, old, new, until, .. } => {
                let (old, new) = (
                    Timeline::plan_roles(*user, *role, old),
                    Timeline::plan_roles(*user, *role, new),
                );
                for left in old.difference(&new) {
                    self.ends(left, Cause::Plan);
                }
                for joined in new.difference(&old) {
                    let held = Held { value: nothing(), until: *until, cause: Cause::Plan };
                    self.begins(joined, held);
                }
            }
            PlanStaffEvent::PlanRoleEnded { user, role, cause, .. } => {
                let first = Timeline::PlanRole(*user, role.as_str(), None);
                let held = self.ledger.timelines_from(&first);
                let held = held.take_while(|held| held.is_plan_role(*user, *role));
                let held: Vec<Timeline> = held.cloned().collect();
                for timeline in held {
                    self.ends(&timeline, Cause::from(*cause));
                }
            }
            PlanStaffEvent::PlanStaffInvited { .. } => {}
        }
    }

    fn organization(&mut self, event: &OrganizationEvent) {
        use OrganizationEvent as E;
        match event {
            E::OrganizationRegistered { organization, .. } => {
                let active = Timeline::OrganizationActive(*organization);
                self.begins(&active, so(Cause::Registration));
            }
            E::OrganizationSuspended { organization, .. }
            | E::OrganizationClosed { organization, .. } => {
                let active = Timeline::OrganizationActive(*organization);
                self.ends(&active, Cause::OrganizationClosed);
            }
            E::OrganizationMerged { organization, .. } => {
                self.ends(&Timeline::OrganizationActive(*organization), Cause::Merge);
            }
            E::OrganizationReopened { organization } => {
                let active = Timeline::OrganizationActive(*organization);
                // One that was suspended before it registered has yet to register.
                if self.ledger.has_any(&active) {
                    self.begins(&active, so(Cause::Plan));
                }
            }
            E::NpiAttached { organization, npi, .. } => {
                self.begins(&Timeline::npi_held(*organization, npi), so(Cause::Plan));
            }
            E::NpiDetached { organization, npi, .. }
            | E::NpiEndPlanned { organization, npi, .. } => {
                self.will_end(&Timeline::npi_held(*organization, npi), Cause::NpiEnded);
            }
            E::NpiEndCancelled { organization, npi, .. } => {
                self.goes_on(&Timeline::npi_held(*organization, npi));
            }
            E::MembershipEndPlanned { organization, user, .. } => {
                let active = Timeline::MembershipActive(*user, *organization);
                self.will_end(&active, Cause::Deactivation);
            }
            E::MembershipEndCancelled { organization, user, .. } => {
                self.goes_on(&Timeline::MembershipActive(*user, *organization));
            }
            E::MembershipAdded { organization, user, role, by, .. } => {
                let cause = Cause::from(*by);
                self.begins(&Timeline::MembershipActive(*user, *organization), so(cause));
                self.org_role(*user, *organization, *role, cause);
            }
            E::OrgRoleAssigned { organization, user, new, cause, .. } => {
                self.org_role(*user, *organization, *new, Cause::from(*cause));
            }
            E::UserDeactivated { organization, user, .. }
            | E::UserAutoDeactivated { organization, user, .. } => {
                let active = Timeline::MembershipActive(*user, *organization);
                self.ends(&active, Cause::Deactivation);
            }
            E::MemberMoved { organization, user, .. } => {
                self.ends(&Timeline::MembershipActive(*user, *organization), Cause::Merge);
            }
            E::UserReactivated { organization, user, .. } => {
                let active = Timeline::MembershipActive(*user, *organization);
                self.begins(&active, so(Cause::Administrator));
            }
            E::MemberInvited { organization, user, .. }
            | E::MemberInvitationEnded { organization, user, .. } => {
                let active = Timeline::MembershipActive(*user, *organization);
                self.ends(&active, Cause::Invitation);
                self.ends(&Timeline::OrgRole(*user, *organization), Cause::Invitation);
            }
            E::OrganizationEnrolled { organization, contract_status, .. } => {
                let own = TaxIdId::of_enrolment(*organization);
                self.begins(&Timeline::TaxIdHeld(*organization, own), so(Cause::Plan));
                self.contract(*organization, *contract_status);
            }
            E::OrganizationContractStatusChanged { organization, status, .. } => {
                self.contract(*organization, *status);
            }
            E::TaxIdLinked { organization, tax_id, .. } => {
                self.begins(&Timeline::TaxIdHeld(*organization, *tax_id), so(Cause::Plan));
            }
            E::LocationRegistered { organization, location, credentialed, .. }
            | E::LocationCredentialingChanged { organization, location, credentialed } => {
                let words = credentialed.then(|| CREDENTIALED.to_owned());
                self.location(*organization, *location, words.into_iter().collect());
            }
            E::LocationTerminated { organization, location, .. } => {
                let words = self.ledger.last(&Timeline::Location(*organization, *location));
                let mut words = words.map(<[String]>::to_vec).unwrap_or_default();
                words.push("TERMINATED".to_owned());
                self.location(*organization, *location, words);
            }
            E::NpiMoveFailed { .. }
            | E::OrganizationMergeBegun { .. }
            | E::OrganizationMergeAdvanced { .. }
            | E::OrganizationAbsorptionBegun { .. }
            | E::OrganizationAbsorbed { .. }
            | E::EnrolmentUpdated { .. }
            | E::OrganizationKindsChanged { .. }
            | E::UserDeactivationWarned { .. }
            | E::PlanEvidenceRecorded { .. }
            | E::AdminRequestSubmitted { .. }
            | E::AdminRequestDeclined { .. }
            | E::MemberEmailDomainChanged { .. }
            | E::EmailDomainAdded { .. }
            | E::EmailDomainRemoved { .. } => {}
        }
    }

    fn contract(&mut self, organization: OrganizationId, status: ContractStatus) {
        let contracted = Timeline::Contracted(organization);
        match status {
            ContractStatus::Contracted => self.begins(&contracted, so(Cause::Plan)),
            ContractStatus::NotContracted | ContractStatus::Terminated => {
                self.will_end(&contracted, Cause::ContractEnded);
            }
        }
    }

    fn location(&mut self, of: OrganizationId, location: LocationId, words: Vec<String>) {
        let held = Held { value: words, until: None, cause: Cause::Plan };
        self.begins(&Timeline::Location(of, location), held);
    }

    fn job_role(&mut self, event: &JobRoleEvent) {
        let by_whom = |organization: &Option<OrganizationId>| {
            if organization.is_some() { Cause::Administrator } else { Cause::Plan }
        };
        match event {
            JobRoleEvent::JobRoleDefined { role, organization, features, .. } => {
                let value = features.iter().map(|feature| feature.as_str().to_owned()).collect();
                let cause = by_whom(organization);
                self.begins(&Timeline::JobRole(*role), Held { value, until: None, cause });
            }
            JobRoleEvent::JobRoleRetired { role, organization } => {
                self.ends(&Timeline::JobRole(*role), by_whom(organization));
            }
        }
    }

    fn org_role(
        &mut self,
        user: UserId,
        organization: OrganizationId,
        role: OrgRole,
        cause: Cause,
    ) {
        let timeline = Timeline::OrgRole(user, organization);
        let word = match role {
            OrgRole::None => return self.ends(&timeline, cause),
            OrgRole::Processor => "PROCESSOR",
            OrgRole::Admin => "ADMIN",
        };
        self.begins(&timeline, Held { value: vec![word.to_owned()], until: None, cause });
    }

    fn affiliation(&mut self, event: &AffiliationEvent) {
        use AffiliationEvent as E;
        let id = AffiliationId(self.event.aggregate_id);
        match event {
            E::AffiliationApproved { pair, .. } | E::AffiliationTakenOver { pair, .. } => {
                let in_force = Timeline::Affiliation(id, pair.submitter);
                self.begins(&in_force, of_provider(pair, Cause::Affiliation));
            }
            // What its people were given ends with it, since it counts only while this holds.
            E::AffiliationTerminated { pair, .. } => {
                let in_force = Timeline::Affiliation(id, pair.submitter);
                self.will_end(&in_force, Cause::AffiliationEnded);
            }
            E::AffiliationTerminationCancelled { pair, .. } => {
                self.goes_on(&Timeline::Affiliation(id, pair.submitter));
            }
            E::AffiliationNpisAssigned { pair, user, added, removed, cause, .. } => {
                let cause = match cause {
                    Some(by) => Cause::from(*by),
                    None => Cause::Administrator,
                };
                let of =
                    |npi: &Npi| Timeline::Submission(*user, pair.submitter, npi.to_string(), id);
                for npi in removed {
                    self.ends(&of(npi), cause);
                }
                for npi in added {
                    self.begins(&of(npi), of_provider(pair, cause));
                }
            }
            E::AffiliationRequested { .. }
            | E::AffiliationAgreementSigned { .. }
            | E::AffiliationRenewed { .. }
            | E::AffiliationDenied { .. }
            | E::AffiliationWithdrawn { .. }
            | E::AffiliationExpired { .. } => {}
        }
    }
}

/// Whose rows to load for a batch, and in which tenant.
pub(super) fn all_holders(batch: &[&Recorded<AnyEvent>]) -> Option<(TenantId, Vec<Uuid>)> {
    let tenant = batch.first()?.tenant;
    let mut ids = BTreeSet::new();
    batch.iter().for_each(|event| holders(event, &mut ids));
    Some((tenant, ids.into_iter().collect()))
}
