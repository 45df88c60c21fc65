//! An affiliation in force: what both sides agreed on, who works under it, and how it ends.
//!
//! Invariant: what is renewed or goes over stands on the signatures that both sides gave.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};

use super::affiliation::Decided;
use super::command::{AssignNpis, Signature, TakeOver};
use super::events::{AffiliationEvent, AffiliationScope, NpiSelection, Pair, Side};
use super::refusal::AffiliationRefusal;
use super::request::signed;
use crate::kernel::ids::{AffiliationId, OrganizationId, UserId};
use crate::values::{Npi, Reason};
use crate::{Decision, Sealed};

/// What both sides agreed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Affiliated {
    pub pair: Pair,
    pub scope: AffiliationScope,
    /// The affiliation of an organisation merged away that it goes on with (GN-03).
    pub predecessor: Option<AffiliationId>,
    pub(super) signed: Signed,
    /// For which NPIs the submitter's people work.
    pub(super) assigned: BTreeMap<UserId, BTreeSet<Npi>>,
}

impl Affiliated {
    /// The version of the agreement that a side signed last.
    #[must_use]
    pub fn signed_version(&self, side: Side) -> Option<&str> {
        self.signed.by(side)
    }

    /// The NPIs for which a person of the submitter works; whether the provider holds them still is
    /// for the provider's own stream to say.
    #[must_use]
    pub fn npis_of(&self, user: UserId) -> Option<&BTreeSet<Npi>> {
        self.assigned.get(&user)
    }

    /// Everybody who works for NPIs of the provider.
    pub fn assigned(&self) -> impl Iterator<Item = (UserId, &BTreeSet<Npi>)> {
        self.assigned.iter().map(|(user, npis)| (*user, npis))
    }

    /// Whether its scope reaches the NPI.
    #[must_use]
    pub fn covers(&self, npi: &Npi) -> bool {
        match &self.scope.npis {
            NpiSelection::All => true,
            NpiSelection::Listed(npis) => npis.contains(npi),
        }
    }

    /// A newer version is signed by each side in its own time; with the second one it is renewed.
    pub(super) fn renew(&self, organization: OrganizationId, signature: Signature) -> Decided {
        let pair = self.pair;
        let side = pair.side_of(organization).ok_or(AffiliationRefusal::NotCounterparty)?;
        let version = signature.agreement_version.clone();
        if self.signed.by(side) == Some(version.as_str()) {
            return Err(AffiliationRefusal::AlreadySigned);
        }
        let mut events = vec![signed(pair, side, signature)?];
        if self.signed.by(side.other()) == Some(version.as_str()) {
            let agreement_version = version;
            events.push(AffiliationEvent::AffiliationRenewed { pair, side, agreement_version });
        }
        Ok(events)
    }

    pub(super) fn assign(&self, decision: &Decision<'_>, assign: AssignNpis) -> Decided {
        let AssignNpis { organization, user, npis, held, cause } = assign;
        if organization != self.pair.submitter {
            return Err(AffiliationRefusal::NotSubmitter);
        }
        let former = self.assigned.get(&user).cloned().unwrap_or_default();
        let added: BTreeSet<Npi> = npis.difference(&former).cloned().collect();
        let removed: BTreeSet<Npi> = former.difference(&npis).cloned().collect();
        if added.iter().any(|npi| !self.covers(npi) || !held.contains(npi)) {
            return Err(AffiliationRefusal::NpiNotInScope);
        }
        if !added.is_empty() && decision.actor.person() == Some(user) {
            return Err(AffiliationRefusal::SelfGrant);
        }
        if added.is_empty() && removed.is_empty() {
            return Ok(Vec::new());
        }
        let pair = self.pair;
        Ok(vec![AffiliationEvent::AffiliationNpisAssigned {
            pair,
            user,
            added,
            removed,
            npis,
            cause,
        }])
    }
}

/// The version of the agreement that each side signed last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Signed {
    submitter: Option<String>,
    provider: Option<String>,
}

impl Signed {
    pub(super) fn by(&self, side: Side) -> Option<&str> {
        match side {
            Side::Submitter => self.submitter.as_deref(),
            Side::Provider => self.provider.as_deref(),
        }
    }

    pub(super) fn set(&mut self, side: Side, version: &str) {
        match side {
            Side::Submitter => self.submitter = Some(version.to_owned()),
            Side::Provider => self.provider = Some(version.to_owned()),
        }
    }
}

/// Who ended an affiliation, and when it is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    pub by: Side,
    /// The last day.
    pub ends_on: NaiveDate,
    pub ends_at: DateTime<Utc>,
    pub reason: Option<Sealed<Reason>>,
}

impl Ending {
    pub(super) fn of(self, pair: Pair) -> AffiliationEvent {
        let Self { by: side, ends_on, ends_at, reason } = self;
        AffiliationEvent::AffiliationTerminated { pair, side, ends_on, ends_at, reason }
    }
}

pub(super) fn taken_over(now: DateTime<Utc>, take: TakeOver) -> Vec<AffiliationEvent> {
    let TakeOver { affiliation, pair, side, predecessor, affiliated, ending } = take;
    let version = |side| affiliated.signed.by(side).map(str::to_owned);
    let taken = AffiliationEvent::AffiliationTakenOver {
        affiliation,
        pair,
        side,
        predecessor,
        submitter_version: version(Side::Submitter),
        provider_version: version(Side::Provider),
        scope: affiliated.scope,
        effective_from: now,
    };
    let ending = ending.filter(|ending| now < ending.ends_at).map(|ending| ending.of(pair));
    [taken].into_iter().chain(ending).collect()
}
