//! The rules of permissions.
//!
//! Invariant: within one command every change is decided on the state that the changes before it
//! led to, so the facts in one commit never contradict each other.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use super::{
    Membership, MembershipCommand, MembershipEvent, MembershipKey, MembershipRefusal, NpiChange,
    NpiGrant,
};
use crate::permissions::{
    Cause, CorrespondenceScope, Entitlement, EntitlementGrant, GrantEnd, NpiLevel, NpiScope,
    WizardStep,
};
use crate::values::{CorrespondenceType, Npi};
use crate::{Decider, Decision};

type Decided = Result<Vec<MembershipEvent>, MembershipRefusal>;

pub(super) fn decide(
    state: &Membership,
    decision: &Decision<'_>,
    command: MembershipCommand,
) -> Decided {
    let draft = Draft { state: state.clone(), decision, events: Vec::new() };
    match command {
        MembershipCommand::SetNpiPermissions { of, changes, held, cause } => {
            draft.set_levels(of, changes, &held, cause)
        }
        MembershipCommand::SetCorrespondencePermissions { of, npis, add, remove, known, cause } => {
            check_types(&add, &remove, &known)?;
            draft.set_correspondence(of, &npis, &add, &remove, cause)
        }
        MembershipCommand::Grant { of, grants, cause } => draft.grant(of, grants, cause),
        MembershipCommand::Revoke { of, entitlements, cause } => {
            if entitlements.is_empty() {
                return Err(MembershipRefusal::NothingChosen);
            }
            let held = entitlements.into_iter().filter(|it| state.holds(it, decision.now));
            let key = (of.user, of.organization);
            Ok(held.map(|it| MembershipEvent::revoked(key, it, cause)).collect())
        }
        MembershipCommand::ExpireGrant { of, entitlement } => {
            expire(state, decision.now, of, entitlement)
        }
        MembershipCommand::FinishPermissionWizard { of, steps } => {
            if !steps.contains(&WizardStep::Npi) || state.is_unassigned(decision.now) {
                return Err(MembershipRefusal::NpiStepRequired);
            }
            let MembershipKey { user, organization } = of;
            Ok(vec![MembershipEvent::PermissionsAssigned { user, organization, steps }])
        }
        MembershipCommand::DeferPermissions { of: MembershipKey { user, organization } } => {
            Ok(vec![MembershipEvent::PermissionsDeferred { user, organization }])
        }
        MembershipCommand::EndNpiPermission { of, npi, cause, effective_at } => {
            draft.end_level(of, npi, cause, effective_at)
        }
        MembershipCommand::ConfirmFormerPermissions {
            of: MembershipKey { user, organization },
        } => Ok(vec![MembershipEvent::FormerPermissionsConfirmed { user, organization }]),
        MembershipCommand::EndMembershipPermissions { of, cause } => {
            let MembershipKey { user, organization } = of;
            Ok(if state.is_empty() {
                Vec::new()
            } else {
                vec![MembershipEvent::MembershipPermissionsEnded { user, organization, cause }]
            })
        }
    }
}

/// A grant that ran out is written down once, with the end it had.
fn expire(
    state: &Membership,
    now: DateTime<Utc>,
    MembershipKey { user, organization }: MembershipKey,
    grant: Entitlement,
) -> Decided {
    match state.entitlements.get(&grant).copied().flatten() {
        None => Err(MembershipRefusal::NothingToEnd),
        Some(until) if now < until => Err(MembershipRefusal::NotExpired(until)),
        Some(effective_at) => {
            Ok(vec![MembershipEvent::GrantExpired { user, organization, grant, effective_at }])
        }
    }
}

/// At least one type is named, none is both added and removed, and the tenant knows them all.
fn check_types(
    add: &BTreeSet<CorrespondenceScope>,
    remove: &BTreeSet<CorrespondenceScope>,
    known: &BTreeSet<CorrespondenceType>,
) -> Result<(), MembershipRefusal> {
    if (add.is_empty() && remove.is_empty()) || !add.is_disjoint(remove) {
        return Err(MembershipRefusal::TypesUnclear);
    }
    let unknown = add.iter().chain(remove).find_map(|scope| match scope {
        CorrespondenceScope::All => None,
        CorrespondenceScope::One(kind) => (!known.contains(kind)).then(|| kind.clone()),
    });
    unknown.map_or(Ok(()), |kind| Err(MembershipRefusal::TypeUnknown(kind)))
}

/// The state as the events decided so far leave it.
struct Draft<'a> {
    state: Membership,
    decision: &'a Decision<'a>,
    events: Vec<MembershipEvent>,
}

impl Draft<'_> {
    fn push(&mut self, event: MembershipEvent) {
        self.state.evolve(&event);
        self.events.push(event);
    }

    /// A change by the person themself, other than the registrant's own beginning (GN-13).
    fn is_own(&self, of: MembershipKey, cause: Cause) -> bool {
        self.decision.actor.person() == Some(of.user) && cause != Cause::Registration
    }

    fn set_levels(
        mut self,
        of: MembershipKey,
        changes: Vec<NpiChange>,
        held: &BTreeSet<Npi>,
        cause: Cause,
    ) -> Decided {
        if changes.is_empty() {
            return Err(MembershipRefusal::NoChange);
        }
        let mut seen = BTreeSet::new();
        for (at, NpiChange { npi, level, until }) in changes.into_iter().enumerate() {
            if !seen.insert(npi.clone()) {
                return Err(MembershipRefusal::NpiTwice { at, npi });
            }
            if npi.npi().is_some_and(|one| !held.contains(one)) {
                return Err(MembershipRefusal::NpiNotInOrg { at, npi });
            }
            if until.is_some_and(|until| until <= self.decision.now) {
                return Err(MembershipRefusal::UntilPast { at });
            }
            self.set_level(of, npi, NpiGrant { level, until }, cause)?;
        }
        Ok(self.events)
    }

    fn set_level(
        &mut self,
        of: MembershipKey,
        npi: NpiScope,
        grant: NpiGrant,
        cause: Cause,
    ) -> Result<(), MembershipRefusal> {
        let now = self.decision.now;
        let entry = self.state.entry(&npi, now);
        let covered = entry.is_some() || self.state.entry(&NpiScope::All, now).is_some();
        if entry == Some(grant) || (!covered && grant.level == NpiLevel::None) {
            return Ok(());
        }
        if self.is_own(of, cause) && self.raises(&npi, grant) {
            return Err(MembershipRefusal::SelfGrant);
        }
        let MembershipKey { user, organization } = of;
        let old = self.state.level_in(&npi, now);
        let NpiGrant { level: new, until } = grant;
        self.push(MembershipEvent::NpiPermissionSet {
            user,
            organization,
            npi: npi.clone(),
            old,
            new,
            until,
            cause,
        });
        self.drop_unfounded_correspondence(of, &npi);
        Ok(())
    }

    /// A higher level, or the same one for longer, is a raise. So is an entry whose later end would
    /// uncover more than now: a lowering with an end is none, as it only returns what there was.
    fn raises(&self, npi: &NpiScope, grant: NpiGrant) -> bool {
        let now = self.decision.now;
        let current = self.state.entry(npi, now).or_else(|| self.state.entry(&NpiScope::All, now));
        let Some(current) = current else { return grant.level > NpiLevel::None };
        let longer = match (current.until, grant.until) {
            (Some(old), Some(new)) => new > old,
            (Some(_), None) => true,
            (None, _) => false,
        };
        grant.level > current.level || (grant.level > NpiLevel::None && longer)
    }

    /// Correspondence goes with the NPI permission it stands on (GN-12).
    fn drop_unfounded_correspondence(&mut self, of: MembershipKey, changed: &NpiScope) {
        let scopes: BTreeSet<NpiScope> = match changed {
            NpiScope::One(_) => BTreeSet::from([changed.clone()]),
            NpiScope::All => self.state.correspondence.keys().cloned().collect(),
        };
        for npi in scopes {
            let removed = self.state.types_in(&npi);
            let founded = self.state.level_in(&npi, self.decision.now) > NpiLevel::None;
            if founded || removed.is_empty() {
                continue;
            }
            self.push(MembershipEvent::CorrespondencePermissionSet {
                user: of.user,
                organization: of.organization,
                npi,
                added: BTreeSet::new(),
                removed,
                types: BTreeSet::new(),
                cause: Cause::NpiPermissionRemoved,
            });
        }
    }

    fn set_correspondence(
        mut self,
        of: MembershipKey,
        npis: &[NpiScope],
        add: &BTreeSet<CorrespondenceScope>,
        remove: &BTreeSet<CorrespondenceScope>,
        cause: Cause,
    ) -> Decided {
        if npis.is_empty() {
            return Err(MembershipRefusal::NoNpi);
        }
        for (at, npi) in npis.iter().enumerate() {
            if self.state.level_in(npi, self.decision.now) == NpiLevel::None {
                return Err(MembershipRefusal::NpiNotAssigned { at, npi: npi.clone() });
            }
            let before = self.state.types_in(npi);
            let types: BTreeSet<_> = before.union(add).cloned().collect::<BTreeSet<_>>();
            let types: BTreeSet<_> = types.difference(remove).cloned().collect();
            let added: BTreeSet<_> = types.difference(&before).cloned().collect();
            let removed: BTreeSet<_> = before.difference(&types).cloned().collect();
            if added.is_empty() && removed.is_empty() {
                continue;
            }
            if !added.is_empty() && self.is_own(of, cause) {
                return Err(MembershipRefusal::SelfGrant);
            }
            self.push(MembershipEvent::CorrespondencePermissionSet {
                user: of.user,
                organization: of.organization,
                npi: npi.clone(),
                added,
                removed,
                types,
                cause,
            });
        }
        Ok(self.events)
    }

    fn grant(mut self, of: MembershipKey, grants: Vec<EntitlementGrant>, cause: Cause) -> Decided {
        if grants.is_empty() {
            return Err(MembershipRefusal::NothingChosen);
        }
        for grant in grants {
            let EntitlementGrant { entitlement, until } = grant;
            if until.is_some_and(|until| until <= self.decision.now) {
                return Err(MembershipRefusal::GrantUntilPast);
            }
            let held = self.state.entitlements.get(&entitlement).copied();
            let held = held.filter(|_| self.state.holds(&entitlement, self.decision.now));
            if held == Some(until) {
                continue;
            }
            let shortens = match (held, until) {
                (Some(None), _) => true,
                (Some(Some(old)), Some(new)) => new < old,
                (Some(Some(_)), None) | (None, _) => false,
            };
            if self.is_own(of, cause) && !shortens {
                return Err(MembershipRefusal::SelfGrant);
            }
            self.push(MembershipEvent::granted((of.user, of.organization), grant, cause));
        }
        Ok(self.events)
    }

    fn end_level(
        mut self,
        of: MembershipKey,
        npi: NpiScope,
        cause: GrantEnd,
        effective_at: DateTime<Utc>,
    ) -> Decided {
        let grant = *self.state.levels.get(&npi).ok_or(MembershipRefusal::NothingToEnd)?;
        let effective_at = match (cause, grant.until) {
            (GrantEnd::Expired, None) => return Err(MembershipRefusal::NothingToEnd),
            (GrantEnd::Expired, Some(until)) if self.decision.now < until => {
                return Err(MembershipRefusal::NotExpired(until));
            }
            (GrantEnd::Expired, Some(until)) => until,
            (GrantEnd::NpiDetached, _) => effective_at,
        };
        let MembershipKey { user, organization } = of;
        self.push(MembershipEvent::NpiPermissionEnded {
            user,
            organization,
            npi: npi.clone(),
            old: grant.level,
            cause,
            effective_at,
        });
        self.drop_unfounded_correspondence(of, &npi);
        Ok(self.events)
    }
}
