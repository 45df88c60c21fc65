//! Members and NPIs of an organisation, and how facts change them.
//!
//! Invariant: nobody leaves the roster; a person who is gone stays known with their standing.

use chrono::{DateTime, Utc};

use super::{Organization, OrganizationEvent, Phase, Record};
use crate::kernel::ids::{InvitationId, OrganizationId, UserId};
use crate::organizations::{Change, Contract, DeactivationCause, InvitationEnd, OrgRole};
use crate::values::{CalendarDate, OrganizationName, ProviderCommunity, ProviderType, Reason};
use crate::{Event, Sealed};

/// How a person belongs to an organisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Asked to join; holds nothing yet.
    Invited {
        invitation: InvitationId,
    },
    Active,
    /// Shown as "Deactivated User" (MC-30).
    Inactive {
        since: DateTime<Utc>,
    },
    /// Never joined.
    Ended {
        cause: InvitationEnd,
    },
}

/// When a member leaves, as planned ahead (GN-04).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedEnd {
    pub at: DateTime<Utc>,
    pub left_on: CalendarDate,
    pub reason: Option<Sealed<Reason>>,
}

/// When a holding ends, as planned ahead, and who holds the NPI then (GN-04).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedNpiEnd {
    pub at: DateTime<Utc>,
    pub to: Option<OrganizationId>,
    pub reason: Option<Sealed<Reason>>,
}

/// One person on the roster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    pub standing: Standing,
    /// The end still to come; nobody is active from then on, whether or not it is carried out.
    pub planned_end: Option<PlannedEnd>,
    /// What was assigned; it counts only while the member is active.
    pub role: OrgRole,
    pub email_domain: String,
    /// When the person became a member.
    pub joined_at: Option<DateTime<Utc>>,
    /// A session begun before `joined_at` does not see the organisation (MC-11).
    pub effective_from_next_login: bool,
    /// Since when the member has waited for a first permission, as far as the roster knows (MC-32).
    pub unassigned_since: Option<DateTime<Utc>>,
    /// The deactivation that the administrators were told of.
    pub warned_of: Option<DateTime<Utc>>,
    /// Since when the person is a member without interruption.
    pub active_since: Option<DateTime<Utc>>,
    /// The deactivation for want of sign-ins that people were told of (MC-32).
    pub dormancy_told: Option<DateTime<Utc>>,
    /// Who asked the plan to make the member administrator, while that is undecided (CX-05).
    pub admin_requested_by: Option<UserId>,
    /// How many facts the organisation has recorded about the person; the roster's part of the
    /// version that clients expect (GN-28).
    pub facts: i64,
}

impl Member {
    /// Whether the person is an active member at `now`.
    #[must_use]
    pub fn is_active(&self, now: DateTime<Utc>) -> bool {
        self.standing == Standing::Active && self.ends_at().is_none_or(|end| now < end)
    }

    /// The moment of a planned end.
    #[must_use]
    pub fn ends_at(&self) -> Option<DateTime<Utc>> {
        self.planned_end.as_ref().map(|end| end.at)
    }

    /// Whether a session that started then may act for the organisation at `now` (MC-11).
    #[must_use]
    pub fn is_visible_to_session(&self, started_at: DateTime<Utc>, now: DateTime<Utc>) -> bool {
        self.is_active(now)
            && (!self.effective_from_next_login
                || self.joined_at.is_none_or(|joined| joined < started_at))
    }
}

/// An NPI with the times at which the organisation held it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NpiHolding {
    pub name: OrganizationName,
    pub provider_type: ProviderType,
    pub community: ProviderCommunity,
    /// From, and before when, in order; only the last may be open.
    pub periods: Vec<(DateTime<Utc>, Option<DateTime<Utc>>)>,
    /// The end still to come of the open period; from then on it is not held, whether or not that is
    /// carried out.
    pub planned_end: Option<PlannedNpiEnd>,
}

impl NpiHolding {
    /// Whether it was or will be held at `at`.
    #[must_use]
    pub fn holds(&self, at: DateTime<Utc>) -> bool {
        let planned = self.planned_end.as_ref().map(|end| end.at);
        let before = |end: Option<DateTime<Utc>>| end.is_none_or(|end| at < end);
        self.periods.iter().any(|(from, until)| *from <= at && before(until.or(planned)))
    }

    /// The beginning of the holding that has no end yet.
    #[must_use]
    pub fn open_since(&self) -> Option<DateTime<Utc>> {
        self.periods.last().filter(|(_, until)| until.is_none()).map(|(from, _)| *from)
    }
}

pub(super) fn evolve(state: &mut Organization, event: &OrganizationEvent) {
    let about = event.facets().subject;
    let before = about.and_then(|user| state.member(user)).map_or(0, |member| member.facts);
    take_in(state, event);
    if let Some(user) = about {
        state.change_member(user, |member| member.facts = before + 1);
    }
}

fn take_in(state: &mut Organization, event: &OrganizationEvent) {
    use OrganizationEvent as E;
    match event {
        E::OrganizationEnrolled { .. }
        | E::EnrolmentUpdated { .. }
        | E::OrganizationContractStatusChanged { .. }
        | E::OrganizationKindsChanged { .. }
        | E::OrganizationRegistered { .. }
        | E::OrganizationSuspended { .. }
        | E::OrganizationReopened { .. }
        | E::OrganizationMerged { .. }
        | E::OrganizationClosed { .. } => evolve_record(state, event),
        E::NpiAttached { npi, name, provider_type, community, effective_at, .. } => {
            let mut periods =
                state.npis.get(npi).map(|held| held.periods.clone()).unwrap_or_default();
            periods.push((*effective_at, None));
            let (name, provider_type, community) =
                (name.clone(), provider_type.clone(), community.clone());
            let planned_end = None;
            let holding = NpiHolding { name, provider_type, community, periods, planned_end };
            state.npis.insert_mut(npi.clone(), holding);
        }
        E::NpiDetached { npi, effective_at, .. } => {
            if let Some(held) = state.npis.get_mut(npi) {
                held.planned_end = None;
                if held.open_since().is_some_and(|since| *effective_at <= since) {
                    held.periods.pop();
                } else if let Some(last) = held.periods.last_mut() {
                    last.1 = Some(*effective_at);
                }
            }
        }
        E::NpiEndPlanned { npi, to, effective_at, reason, .. } => {
            if let Some(held) = state.npis.get_mut(npi) {
                let (at, to, reason) = (*effective_at, *to, reason.clone());
                held.planned_end = Some(PlannedNpiEnd { at, to, reason });
            }
        }
        E::NpiEndCancelled { npi, .. } => {
            if let Some(held) = state.npis.get_mut(npi) {
                held.planned_end = None;
            }
        }
        E::NpiMoveFailed { .. } => {}
        E::MemberInvited { user, invitation, email_domain, .. } => {
            let member = Member {
                standing: Standing::Invited { invitation: *invitation },
                planned_end: None,
                role: OrgRole::None,
                email_domain: email_domain.clone(),
                joined_at: None,
                effective_from_next_login: false,
                unassigned_since: None,
                warned_of: None,
                active_since: None,
                dormancy_told: None,
                admin_requested_by: None,
                facts: 0,
            };
            state.put_member(*user, member);
        }
        E::MemberInvitationEnded { user, cause, .. } => state.change_member(*user, |member| {
            member.standing = Standing::Ended { cause: *cause };
            member.role = OrgRole::None;
        }),
        E::MembershipAdded {
            user,
            role,
            email_domain,
            joined_at,
            effective_from_next_login,
            ..
        } => {
            let member = Member {
                standing: Standing::Active,
                planned_end: None,
                role: *role,
                email_domain: email_domain.clone(),
                joined_at: Some(*joined_at),
                effective_from_next_login: *effective_from_next_login,
                unassigned_since: Some(*joined_at).filter(|_| *role == OrgRole::None),
                warned_of: None,
                active_since: Some(*joined_at),
                dormancy_told: None,
                admin_requested_by: None,
                facts: 0,
            };
            state.put_member(*user, member);
            state.peopled_since.get_or_insert(*joined_at);
        }
        E::OrgRoleAssigned { user, new, .. } => {
            state.change_member(*user, |member| {
                member.role = *new;
                if *new == OrgRole::Admin {
                    member.admin_requested_by = None;
                }
                member.unassigned_since = member.unassigned_since.filter(|_| *new == OrgRole::None);
            });
        }
        E::UserDeactivated { user, deactivated_at, .. }
        | E::UserAutoDeactivated { user, deactivated_at, .. } => {
            state.change_member(*user, |member| {
                member.standing = Standing::Inactive { since: *deactivated_at };
                member.planned_end = None;
                member.admin_requested_by = None;
            });
        }
        E::MemberMoved { user, moved_at, .. } => state.change_member(*user, |member| {
            member.standing = Standing::Inactive { since: *moved_at };
            member.planned_end = None;
            member.admin_requested_by = None;
        }),
        E::MembershipEndPlanned { user, left_on, effective_at, reason, .. } => {
            let (at, left_on, reason) = (*effective_at, *left_on, reason.clone());
            let planned_end = Some(PlannedEnd { at, left_on, reason });
            state.change_member(*user, |member| member.planned_end = planned_end);
        }
        E::MembershipEndCancelled { user, .. } => {
            state.change_member(*user, |member| member.planned_end = None);
        }
        E::UserDeactivationWarned { user, cause, deactivates_at, .. } => {
            state.change_member(*user, |member| match cause {
                DeactivationCause::NoPermissions => member.warned_of = Some(*deactivates_at),
                DeactivationCause::Dormant => member.dormancy_told = Some(*deactivates_at),
            });
        }
        E::PlanEvidenceRecorded { .. } => {}
        E::AdminRequestSubmitted { user, requested_by, .. } => {
            state.change_member(*user, |member| member.admin_requested_by = Some(*requested_by));
        }
        E::AdminRequestDeclined { user, .. } => {
            state.change_member(*user, |member| member.admin_requested_by = None);
        }
        E::UserReactivated { user, reactivated_at, .. } => state.change_member(*user, |member| {
            member.standing = Standing::Active;
            member.unassigned_since = reactivated_at.filter(|_| member.role == OrgRole::None);
            member.active_since = reactivated_at.or(member.active_since);
        }),
        E::MemberEmailDomainChanged { user, new, .. } => {
            state.change_member(*user, |member| member.email_domain.clone_from(new));
        }
        E::EmailDomainAdded { domain, .. } => {
            state.domains.insert(domain.clone());
        }
        E::EmailDomainRemoved { domain, .. } => {
            state.domains.remove(domain);
        }
        E::LocationRegistered { .. }
        | E::LocationCredentialingChanged { .. }
        | E::LocationTerminated { .. }
        | E::OrganizationMergeBegun { .. }
        | E::OrganizationMergeAdvanced { .. }
        | E::OrganizationAbsorptionBegun { .. }
        | E::OrganizationAbsorbed { .. }
        | E::TaxIdLinked { .. } => {}
    }
}

/// What the plan's record and the phase become; facts about members and NPIs change neither.
fn evolve_record(state: &mut Organization, event: &OrganizationEvent) {
    use OrganizationEvent as E;
    match event {
        E::OrganizationEnrolled {
            organization,
            name,
            kinds,
            tax_id,
            pay_to_address,
            pay_to_zip,
            contact_email,
            contract_status,
            ..
        } => {
            state.phase = Phase::Enrolled;
            state.record = Some(Record {
                organization: *organization,
                name: name.clone(),
                kinds: kinds.clone(),
                tax_id: tax_id.clone(),
                pay_to_address: pay_to_address.clone(),
                pay_to_zip: pay_to_zip.clone(),
                contact_email: contact_email.clone(),
                contract: Contract::new(*contract_status),
            });
        }
        E::EnrolmentUpdated { changes, .. } => state.change_record(|record| {
            take(&mut record.name, changes.name.as_ref());
            take(&mut record.tax_id, changes.tax_id.as_ref());
            take(&mut record.pay_to_address, changes.pay_to_address.as_ref());
            take(&mut record.pay_to_zip, changes.pay_to_zip.as_ref());
            take(&mut record.contact_email, changes.contact_email.as_ref());
        }),
        E::OrganizationContractStatusChanged { status, from, .. } => {
            state.change_record(|record| record.contract.set(*status, *from));
        }
        E::OrganizationKindsChanged { new, .. } => {
            state.change_record(|record| record.kinds.clone_from(new));
        }
        E::OrganizationRegistered { .. } => state.phase = Phase::Registered,
        E::OrganizationSuspended { .. } => {
            state.phase = Phase::Suspended { registered: state.phase == Phase::Registered };
        }
        E::OrganizationReopened { .. } => {
            state.phase = match state.phase {
                Phase::Suspended { registered: true } => Phase::Registered,
                Phase::Suspended { registered: false } => Phase::Enrolled,
                other @ (Phase::NotEnrolled
                | Phase::Enrolled
                | Phase::Registered
                | Phase::Closed) => other,
            };
        }
        E::OrganizationMerged { .. } | E::OrganizationClosed { .. } => state.phase = Phase::Closed,
        E::NpiAttached { .. }
        | E::NpiDetached { .. }
        | E::MemberInvited { .. }
        | E::MemberInvitationEnded { .. }
        | E::MembershipAdded { .. }
        | E::OrgRoleAssigned { .. }
        | E::UserDeactivated { .. }
        | E::UserDeactivationWarned { .. }
        | E::PlanEvidenceRecorded { .. }
        | E::AdminRequestSubmitted { .. }
        | E::AdminRequestDeclined { .. }
        | E::UserAutoDeactivated { .. }
        | E::UserReactivated { .. }
        | E::MemberEmailDomainChanged { .. }
        | E::EmailDomainAdded { .. }
        | E::EmailDomainRemoved { .. }
        | E::LocationRegistered { .. }
        | E::LocationCredentialingChanged { .. }
        | E::NpiEndPlanned { .. }
        | E::NpiEndCancelled { .. }
        | E::NpiMoveFailed { .. }
        | E::MembershipEndPlanned { .. }
        | E::MembershipEndCancelled { .. }
        | E::LocationTerminated { .. }
        | E::MemberMoved { .. }
        | E::OrganizationMergeBegun { .. }
        | E::OrganizationMergeAdvanced { .. }
        | E::OrganizationAbsorptionBegun { .. }
        | E::OrganizationAbsorbed { .. }
        | E::TaxIdLinked { .. } => {}
    }
}

fn take<T: Clone>(field: &mut T, change: Option<&Change<T>>) {
    if let Some(change) = change {
        field.clone_from(&change.new);
    }
}
