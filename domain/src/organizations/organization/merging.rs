//! An organisation is merged into another one, part by part (GN-03).
//!
//! Invariant: on the way nobody is without their rights and nobody has them twice. The successor
//! holds the NPIs before people come, a member leaves one roster and joins the other in one append,
//! and the former organisation closes only when nobody active and no NPI is left in it.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use super::decide::members::{Joining, Roster};
use super::{
    Location, NpiHolding, Organization, OrganizationEvent, OrganizationRefusal, Phase, PlannedEnd,
    Record, Standing,
};
use crate::kernel::ids::{LocationId, OrganizationId, SubjectId, TaxIdId, UserId};
use crate::organizations::{
    MembershipOrigin, MergePart, MergeStage, MergedRoles, OrgRole, TaxIdRef,
};
use crate::permissions::Cause;
use crate::values::{Npi, OrganizationName, ProviderCommunity, ProviderType, Reason};
use crate::{Decision, Sealed};

/// A wish about a merger (GN-03).
#[derive(Clone, Debug)]
pub enum MergeCommand {
    /// The same once more changes nothing.
    BeginMerge {
        into: OrganizationId,
        parts: BTreeSet<MergePart>,
        roles: MergedRoles,
        reason: Reason,
    },
    /// At the successor; the same once more changes nothing.
    BeginAbsorption {
        from: OrganizationId,
    },
    /// The successor holds an NPI before the former organisation has let go of it.
    TakeNpi {
        npi: Npi,
        name: OrganizationName,
        provider_type: ProviderType,
        community: ProviderCommunity,
        effective_at: DateTime<Utc>,
    },
    /// The successor has a location of the former organisation, under the id it had.
    TakeLocation {
        id: LocationId,
        location: Location,
        /// What tells it from one of the same name.
        suffix: String,
    },
    TakeTaxId {
        tax_id: TaxIdId,
        reference: TaxIdRef,
    },
    TakeEmailDomain {
        domain: String,
    },
    /// A member leaves for the successor.
    MoveMember {
        user: UserId,
    },
    /// A member of the former organisation belongs to the successor, in at least this role.
    TakeMember(Box<TakeMember>),
    /// The former organisation lets go of an NPI that the successor holds.
    HandOverNpi {
        npi: Npi,
    },
    RecordProgress {
        stage: MergeStage,
        count: u32,
    },
    /// Nobody and nothing is left.
    CompleteMerge,
    /// At the successor.
    CompleteAbsorption {
        from: OrganizationId,
    },
}

/// Who comes from the former organisation.
#[derive(Clone, Debug)]
pub struct TakeMember {
    pub user: UserId,
    pub email_domain: String,
    pub role: OrgRole,
    /// The end to come of the membership there; it goes over with whoever is new here.
    pub planned_end: Option<PlannedEnd>,
}

type Decided = Result<Vec<OrganizationEvent>, OrganizationRefusal>;

/// Into which organisation another one is merged, and how far that has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Merger {
    pub into: OrganizationId,
    pub parts: BTreeSet<MergePart>,
    pub roles: MergedRoles,
    /// Earlier steps have nothing left.
    pub reached: MergeStage,
}

impl Organization {
    /// The merger that takes the organisation away, also when it is complete.
    #[must_use]
    pub fn merger(&self) -> Option<&Merger> {
        self.merger.as_ref()
    }

    /// Whether it is being merged away: what goes over stays as it is, and nobody new joins.
    #[must_use]
    pub fn is_frozen(&self) -> bool {
        self.merger.is_some()
    }

    /// Whether it is on either side of a merger under way.
    pub(super) fn is_merging(&self) -> bool {
        self.is_frozen() || !self.absorbing.is_empty()
    }

    /// The members whom a merger has not come to yet, by id.
    pub fn members_left(&self) -> impl Iterator<Item = UserId> {
        self.members()
            .filter(|(_, member)| member.standing == Standing::Active)
            .map(|(user, _)| user)
    }

    /// The NPIs that are held, or will be, without an end on record.
    pub fn open_npis(&self) -> impl Iterator<Item = (&Npi, &NpiHolding)> {
        self.npis.iter().filter(|(_, holding)| holding.open_since().is_some())
    }
}

pub(super) fn decide(
    state: &Organization,
    record: &Record,
    decision: &Decision<'_>,
    command: MergeCommand,
) -> Decided {
    use MergeCommand as C;
    use OrganizationEvent as E;
    let organization = record.organization;
    let roster = Roster { state, organization, decision };
    match command {
        C::BeginMerge { into, parts, roles, reason } => {
            begin(state, organization, (into, parts, roles), reason)
        }
        C::BeginAbsorption { from } => {
            if state.absorbing.contains(&from) {
                return Ok(Vec::new());
            }
            if state.is_frozen() {
                return Err(OrganizationRefusal::Merging);
            }
            roster.check_open()?;
            roster.check_contract()?;
            Ok(vec![E::OrganizationAbsorptionBegun { organization, from }])
        }
        C::TakeNpi { npi, name, provider_type, community, effective_at } => {
            if state.npi(&npi).and_then(NpiHolding::open_since).is_some() {
                return Ok(Vec::new());
            }
            Ok(vec![E::NpiAttached {
                organization,
                npi,
                name,
                provider_type,
                community,
                effective_at,
            }])
        }
        C::TakeLocation { id: location, location: of, suffix } => {
            if state.location(location).is_some() {
                return Ok(Vec::new());
            }
            let taken = state.locations().any(|(_, other)| other.name == of.name);
            let longer = || OrganizationName::parse(&format!("{} ({suffix})", of.name)).ok();
            let name = taken.then(longer).flatten().unwrap_or_else(|| of.name.clone());
            let (npi, credentialed) = (of.npi, of.credentialed);
            let registered =
                E::LocationRegistered { organization, location, name, npi, credentialed };
            let ended = of.terminated_from;
            let ended = ended.map(|from| E::LocationTerminated { organization, location, from });
            Ok([registered].into_iter().chain(ended).collect())
        }
        C::TakeTaxId { tax_id, reference } => {
            if state.tax_ids().contains_key(&tax_id) {
                return Ok(Vec::new());
            }
            Ok(vec![E::TaxIdLinked { organization, tax_id, reference }])
        }
        C::TakeEmailDomain { domain } => Ok(roster.domain_if_new(&domain)),
        C::MoveMember { user } => {
            let into = state.merger().ok_or(OrganizationRefusal::NotMerging)?.into;
            let member = state.member(user).filter(|it| it.standing == Standing::Active);
            member.ok_or(OrganizationRefusal::NotAMember)?;
            Ok(vec![E::MemberMoved { organization, user, into, moved_at: decision.now }])
        }
        C::TakeMember(take) => take_in(&roster, *take),
        C::HandOverNpi { npi } => {
            state.merger().ok_or(OrganizationRefusal::NotMerging)?;
            let holding = state.npi(&npi).and_then(NpiHolding::open_since);
            let since = holding.ok_or(OrganizationRefusal::NpiNotInOrg)?;
            let effective_at = decision.now.max(since);
            Ok(vec![E::NpiDetached { organization, npi, effective_at, reason: None }])
        }
        C::RecordProgress { stage, count } => {
            let into = state.merger().ok_or(OrganizationRefusal::NotMerging)?.into;
            Ok(vec![E::OrganizationMergeAdvanced { organization, into, stage, count }])
        }
        C::CompleteMerge => {
            let into = state.merger().ok_or(OrganizationRefusal::NotMerging)?.into;
            if state.members_left().next().is_some() || state.open_npis().next().is_some() {
                return Err(OrganizationRefusal::NotMerging);
            }
            Ok(vec![E::OrganizationMerged { organization, into }])
        }
        C::CompleteAbsorption { from } => {
            let done = E::OrganizationAbsorbed { organization, from };
            Ok(state.absorbing.contains(&from).then_some(done).into_iter().collect())
        }
    }
}

fn begin(
    state: &Organization,
    organization: OrganizationId,
    (into, parts, roles): (OrganizationId, BTreeSet<MergePart>, MergedRoles),
    reason: Reason,
) -> Decided {
    if into == organization {
        return Err(OrganizationRefusal::MergeIntoItself);
    }
    match state.merger() {
        Some(merger) if merger.into == into => return Ok(Vec::new()),
        Some(_) => return Err(OrganizationRefusal::MergedElsewhere),
        None if state.is_merging() => return Err(OrganizationRefusal::Merging),
        None => {}
    }
    match state.phase() {
        Phase::Enrolled | Phase::Registered => {}
        Phase::NotEnrolled | Phase::Suspended { .. } | Phase::Closed => {
            return Err(OrganizationRefusal::NotActive);
        }
    }
    let ending = state.open_npis().find(|(_, holding)| holding.planned_end.is_some());
    if let Some((npi, _)) = ending {
        return Err(OrganizationRefusal::MergeWithPlannedEnd(npi.clone()));
    }
    let reason = Sealed::new(SubjectId(organization.0), reason);
    Ok(vec![OrganizationEvent::OrganizationMergeBegun { organization, into, parts, roles, reason }])
}

/// Whoever belongs to the successor already keeps what they have there, and has no less than before.
/// A role has no end, so one that was about to end does not become a lasting one of theirs.
fn take_in(roster: &Roster<'_>, take: TakeMember) -> Decided {
    roster.check_open()?;
    roster.check_contract()?;
    let TakeMember { user, email_domain, role, planned_end } = take;
    let (organization, by) = (roster.organization, MembershipOrigin::Merge);
    let lasting = if planned_end.is_none() { role } else { OrgRole::None };
    let member = roster.state.member(user);
    let (role, assigned) = match member.map(|member| (member.standing, member.role)) {
        None | Some((Standing::Ended { .. }, _)) => {
            let joining = Joining { user, role, email_domain, by, signed_in: false };
            let mut events = roster.join(joining, OrgRole::None, Cause::Merge);
            events.extend(planned_end.map(|PlannedEnd { at, left_on, reason }| {
                let effective_at = at;
                OrganizationEvent::MembershipEndPlanned {
                    organization,
                    user,
                    left_on,
                    effective_at,
                    reason,
                }
            }));
            return Ok(events);
        }
        Some((Standing::Invited { .. }, promised)) => (lasting.max(promised), promised),
        Some((Standing::Active, held)) if lasting > held => {
            return Ok(vec![OrganizationEvent::OrgRoleAssigned {
                organization,
                user,
                old: held,
                new: lasting,
                cause: Cause::Merge,
            }]);
        }
        Some((Standing::Active, _)) => return Ok(Vec::new()),
        Some((Standing::Inactive { .. }, _)) => return Err(OrganizationRefusal::AlreadyInactive),
    };
    let joining = Joining { user, role, email_domain, by, signed_in: false };
    Ok(roster.join(joining, assigned, Cause::Merge))
}

pub(super) fn evolve(state: &mut Organization, event: &OrganizationEvent) {
    use OrganizationEvent as E;
    match event {
        E::OrganizationMergeBegun { into, parts, roles, .. } => {
            let (parts, reached) = (parts.clone(), MergeStage::Npis);
            state.merger = Some(Merger { into: *into, parts, roles: *roles, reached });
        }
        E::OrganizationMergeAdvanced { stage, .. } => {
            if let Some(merger) = &mut state.merger {
                merger.reached = merger.reached.max(*stage);
            }
        }
        E::OrganizationAbsorptionBegun { from, .. } => {
            state.absorbing.insert(*from);
        }
        E::OrganizationAbsorbed { from, .. } => {
            state.absorbing.remove(from);
        }
        E::OrganizationEnrolled { .. }
        | E::EnrolmentUpdated { .. }
        | E::OrganizationContractStatusChanged { .. }
        | E::OrganizationKindsChanged { .. }
        | E::NpiAttached { .. }
        | E::NpiDetached { .. }
        | E::NpiEndPlanned { .. }
        | E::NpiEndCancelled { .. }
        | E::NpiMoveFailed { .. }
        | E::OrganizationRegistered { .. }
        | E::MemberInvited { .. }
        | E::MemberInvitationEnded { .. }
        | E::MembershipAdded { .. }
        | E::OrgRoleAssigned { .. }
        | E::UserDeactivated { .. }
        | E::MembershipEndPlanned { .. }
        | E::MembershipEndCancelled { .. }
        | E::UserDeactivationWarned { .. }
        | E::UserAutoDeactivated { .. }
        | E::PlanEvidenceRecorded { .. }
        | E::AdminRequestSubmitted { .. }
        | E::AdminRequestDeclined { .. }
        | E::UserReactivated { .. }
        | E::MemberMoved { .. }
        | E::MemberEmailDomainChanged { .. }
        | E::EmailDomainAdded { .. }
        | E::EmailDomainRemoved { .. }
        | E::LocationRegistered { .. }
        | E::LocationCredentialingChanged { .. }
        | E::LocationTerminated { .. }
        | E::TaxIdLinked { .. }
        | E::OrganizationSuspended { .. }
        | E::OrganizationReopened { .. }
        | E::OrganizationMerged { .. }
        | E::OrganizationClosed { .. } => {}
    }
}
