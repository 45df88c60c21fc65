//! The affiliation aggregate. Invariant: a request run out decides nothing any more, whether or
//! not its expiry has been recorded.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Days, NaiveDate, Utc};

use super::command::{AffiliationCommand, AssignNpis, RequestAffiliation, Signature, TakeOver};
use super::events::{AffiliationEvent, AffiliationScope, NpiSelection, Pair, Side, SignerRole};
use super::refusal::AffiliationRefusal;
use crate::kernel::ids::{OrganizationId, UserId};
use crate::organizations::OrganizationKind;
use crate::values::{Npi, Reason};
use crate::{Decider, Decision, Sealed};

type Decided = Result<Vec<AffiliationEvent>, AffiliationRefusal>;

/// One relation between a submitter and a provider, from request to end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Affiliation {
    /// The id is not in use.
    #[default]
    NotRequested,
    /// Waiting, first for the initiator's signature, then for the other side.
    Requested(Request),
    /// In force (until `ends_at`, once terminated).
    Active(Affiliated),
    /// One side has ended it.
    Terminated { affiliated: Affiliated, by: Side, ends_at: DateTime<Utc> },
    /// Refused, taken back or run out.
    Closed { pair: Pair, denied: Option<Denied> },
}

/// A request under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    pub pair: Pair,
    pub initiator: Side,
    pub scope: AffiliationScope,
    pub expires_at: DateTime<Utc>,
    /// Whether the side that asked has signed; before that the other sees nothing to decide.
    pub initiator_signed: bool,
    signed: Signed,
}

/// The version of the agreement that each side signed last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Signed {
    submitter: Option<String>,
    provider: Option<String>,
}

impl Signed {
    fn by(&self, side: Side) -> Option<&str> {
        match side {
            Side::Submitter => self.submitter.as_deref(),
            Side::Provider => self.provider.as_deref(),
        }
    }

    fn set(&mut self, side: Side, version: &str) {
        match side {
            Side::Submitter => self.submitter = Some(version.to_owned()),
            Side::Provider => self.provider = Some(version.to_owned()),
        }
    }
}

/// A request that was refused: who had asked, and when the answer came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Denied {
    pub initiator: Side,
    pub at: DateTime<Utc>,
}

/// What both sides agreed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Affiliated {
    pub pair: Pair,
    pub scope: AffiliationScope,
    signed: Signed,
    /// For which NPIs the submitter's people work.
    assigned: BTreeMap<UserId, BTreeSet<Npi>>,
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
    fn renew(&self, organization: OrganizationId, signature: Signature) -> Decided {
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

    fn assign(&self, decision: &Decision<'_>, assign: AssignNpis) -> Decided {
        let AssignNpis { organization, user, npis, held } = assign;
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
        Ok(vec![AffiliationEvent::AffiliationNpisAssigned { pair, user, added, removed, npis }])
    }
}

impl Affiliation {
    /// What is in force at `now`.
    #[must_use]
    pub fn in_force(&self, now: DateTime<Utc>) -> Option<&Affiliated> {
        match self {
            Self::Active(affiliated) => Some(affiliated),
            Self::Terminated { affiliated, ends_at, .. } if now < *ends_at => Some(affiliated),
            Self::NotRequested
            | Self::Requested(_)
            | Self::Terminated { .. }
            | Self::Closed { .. } => None,
        }
    }

    fn pending(&self, now: DateTime<Utc>) -> Result<&Request, AffiliationRefusal> {
        match self {
            Self::Requested(request) if now < request.expires_at => Ok(request),
            Self::NotRequested
            | Self::Requested(_)
            | Self::Active(_)
            | Self::Terminated { .. }
            | Self::Closed { .. } => Err(AffiliationRefusal::NotPending),
        }
    }

    /// What ends when one of the two is closed: a request by or to it, an affiliation in force.
    fn end_with(
        &self,
        decision: &Decision<'_>,
        organization: OrganizationId,
    ) -> Option<AffiliationEvent> {
        let now = decision.now;
        let side = self.pair()?.side_of(organization)?;
        match self {
            Self::Requested(Request { pair, initiator, expires_at, .. }) if now >= *expires_at => {
                let (pair, initiator) = (*pair, *initiator);
                Some(AffiliationEvent::AffiliationExpired { pair, initiator })
            }
            Self::Requested(Request { pair, initiator, .. }) => Some(if *initiator == side {
                AffiliationEvent::AffiliationWithdrawn { pair: *pair, side, reason: None }
            } else {
                let (pair, reason) = (*pair, None);
                AffiliationEvent::AffiliationDenied { pair, side, denied_at: now, reason }
            }),
            Self::Active(_) | Self::Terminated { .. } => {
                let pair = self.in_force(now)?.pair;
                let ends_on = decision.policy.time_zone().local_date(now);
                let (ends_at, reason) = (now, None);
                Some(AffiliationEvent::AffiliationTerminated {
                    pair,
                    side,
                    ends_on,
                    ends_at,
                    reason,
                })
            }
            Self::NotRequested | Self::Closed { .. } => None,
        }
    }

    fn active(&self) -> Result<&Affiliated, AffiliationRefusal> {
        match self {
            Self::Active(affiliated) => Ok(affiliated),
            Self::NotRequested
            | Self::Requested(_)
            | Self::Terminated { .. }
            | Self::Closed { .. } => Err(AffiliationRefusal::NotActive),
        }
    }
}

impl Request {
    /// The request as the deciding side meets it.
    fn to_decide(&self, organization: OrganizationId) -> Result<Side, AffiliationRefusal> {
        match self.pair.side_of(organization) {
            Some(side) if side != self.initiator && self.initiator_signed => Ok(side),
            Some(side) if side != self.initiator => Err(AffiliationRefusal::NotPending),
            Some(_) | None => Err(AffiliationRefusal::NotCounterparty),
        }
    }

    fn approve(
        &self,
        now: DateTime<Utc>,
        organization: OrganizationId,
        signature: Signature,
    ) -> Decided {
        let side = self.to_decide(organization)?;
        let (pair, effective_from) = (self.pair, now);
        Ok(vec![
            signed(pair, side, signature)?,
            AffiliationEvent::AffiliationApproved { pair, side, effective_from },
        ])
    }

    fn sign(
        &self,
        now: DateTime<Utc>,
        organization: OrganizationId,
        signature: Signature,
    ) -> Decided {
        if self.pair.side_of(organization) != Some(self.initiator) {
            self.approve(now, organization, signature)
        } else if self.initiator_signed {
            Err(AffiliationRefusal::AlreadySigned)
        } else {
            Ok(vec![signed(self.pair, self.initiator, signature)?])
        }
    }
}

fn requested(decision: &Decision<'_>, request: RequestAffiliation) -> Decided {
    let RequestAffiliation { affiliation, pair, initiator, scope, .. } = request;
    if pair.submitter == pair.provider {
        return Err(AffiliationRefusal::WithItself);
    }
    if !request.submitter_kinds.contains(&OrganizationKind::Submitter)
        || !request.provider_kinds.contains(&OrganizationKind::Provider)
    {
        return Err(AffiliationRefusal::KindWrong);
    }
    if scope.transaction_types.is_empty() {
        return Err(AffiliationRefusal::NoTransactionType);
    }
    if scope.npis == NpiSelection::Listed(BTreeSet::new()) {
        return Err(AffiliationRefusal::NoNpi);
    }
    let expires_at = decision.now + decision.policy.affiliation_request_ttl();
    let mut events = vec![AffiliationEvent::AffiliationRequested {
        affiliation,
        pair,
        initiator,
        scope,
        expires_at,
    }];
    if let Some(signature) = request.signature {
        events.push(signed(pair, initiator, signature)?);
    }
    Ok(events)
}

fn taken_over(now: DateTime<Utc>, take: TakeOver) -> AffiliationEvent {
    let TakeOver { affiliation, pair, side, predecessor, affiliated } = take;
    let version = |side| affiliated.signed.by(side).map(str::to_owned);
    AffiliationEvent::AffiliationTakenOver {
        affiliation,
        pair,
        side,
        predecessor,
        submitter_version: version(Side::Submitter),
        provider_version: version(Side::Provider),
        scope: affiliated.scope,
        effective_from: now,
    }
}

/// MC-57: box, both names, and a role from the list.
fn signed(
    pair: Pair,
    side: Side,
    signature: Signature,
) -> Result<AffiliationEvent, AffiliationRefusal> {
    if !signature.eligibility_confirmed {
        return Err(AffiliationRefusal::BoxNotTicked);
    }
    let user = signature.user;
    let first_name = signature.first_name.ok_or(AffiliationRefusal::FirstNameRequired)?;
    let last_name = signature.last_name.ok_or(AffiliationRefusal::LastNameRequired)?;
    Ok(AffiliationEvent::AffiliationAgreementSigned {
        pair,
        side,
        user,
        first_name: Sealed::new(user, first_name),
        last_name: Sealed::new(user, last_name),
        role: SignerRole::parse(&signature.role).ok_or(AffiliationRefusal::RoleUnknown)?,
        agreement_version: signature.agreement_version,
        sha256: signature.sha256,
        eligibility_confirmed: true,
    })
}

fn sealed(user: UserId, reason: Option<Reason>) -> Option<Sealed<Reason>> {
    reason.map(|reason| Sealed::new(user, reason))
}

fn confirmed(confirm: bool) -> Result<(), AffiliationRefusal> {
    if confirm { Ok(()) } else { Err(AffiliationRefusal::ConfirmationRequired) }
}

/// The first instant after the last day, in the tenant's zone.
fn end_of(
    decision: &Decision<'_>,
    ends_on: NaiveDate,
) -> Result<DateTime<Utc>, AffiliationRefusal> {
    let zone = decision.policy.time_zone();
    let day_after = ends_on.checked_add_days(Days::new(1));
    match day_after {
        Some(day_after) if ends_on >= zone.local_date(decision.now) => {
            Ok(zone.start_of_day(day_after))
        }
        Some(_) | None => Err(AffiliationRefusal::EndsInThePast),
    }
}

impl Decider for Affiliation {
    const TYPE: &'static str = "affiliations.affiliation";
    type Command = AffiliationCommand;
    type Event = AffiliationEvent;
    type Refusal = AffiliationRefusal;

    fn decide(&self, decision: &Decision<'_>, command: AffiliationCommand) -> Decided {
        let now = decision.now;
        match command {
            AffiliationCommand::Request(request) => match self {
                Self::NotRequested => requested(decision, *request),
                Self::Requested(_)
                | Self::Active(_)
                | Self::Terminated { .. }
                | Self::Closed { .. } => Err(AffiliationRefusal::Exists),
            },
            AffiliationCommand::Sign { organization, signature } => match self {
                Self::Active(affiliated) => affiliated.renew(organization, signature),
                Self::NotRequested
                | Self::Requested(_)
                | Self::Terminated { .. }
                | Self::Closed { .. } => self.pending(now)?.sign(now, organization, signature),
            },
            AffiliationCommand::Approve { organization, signature } => {
                self.pending(now)?.approve(now, organization, signature)
            }
            AffiliationCommand::Deny { organization, user, confirm, reason } => {
                let request = self.pending(now)?;
                let (pair, side) = (request.pair, request.to_decide(organization)?);
                confirmed(confirm)?;
                let reason = sealed(user, reason);
                Ok(vec![AffiliationEvent::AffiliationDenied { pair, side, denied_at: now, reason }])
            }
            AffiliationCommand::Withdraw { organization, user, reason } => {
                let Request { pair, initiator: side, .. } = *self.pending(now)?;
                if pair.of(side) != organization {
                    return Err(AffiliationRefusal::NotCounterparty);
                }
                let reason = sealed(user, reason);
                Ok(vec![AffiliationEvent::AffiliationWithdrawn { pair, side, reason }])
            }
            AffiliationCommand::Expire => Ok(match self {
                Self::Requested(Request { pair, initiator, expires_at, .. })
                    if now >= *expires_at =>
                {
                    let (pair, initiator) = (*pair, *initiator);
                    vec![AffiliationEvent::AffiliationExpired { pair, initiator }]
                }
                Self::NotRequested
                | Self::Requested(_)
                | Self::Active(_)
                | Self::Terminated { .. }
                | Self::Closed { .. } => Vec::new(),
            }),
            AffiliationCommand::TakeOver(take) => match self {
                Self::NotRequested => Ok(vec![taken_over(now, *take)]),
                Self::Requested(_)
                | Self::Active(_)
                | Self::Terminated { .. }
                | Self::Closed { .. } => Err(AffiliationRefusal::Exists),
            },
            AffiliationCommand::CancelTermination { organization } => match self {
                Self::Terminated { affiliated, by, ends_at } if now < *ends_at => {
                    let (pair, ends_at) = (affiliated.pair, *ends_at);
                    if pair.side_of(organization) != Some(*by) {
                        return Err(AffiliationRefusal::NotTerminating);
                    }
                    let side = *by;
                    let goes_on =
                        AffiliationEvent::AffiliationTerminationCancelled { pair, side, ends_at };
                    Ok(vec![goes_on])
                }
                Self::NotRequested
                | Self::Requested(_)
                | Self::Active(_)
                | Self::Terminated { .. }
                | Self::Closed { .. } => Err(AffiliationRefusal::NotEnding),
            },
            AffiliationCommand::EndWithOrganization { organization } => {
                Ok(self.end_with(decision, organization).into_iter().collect())
            }
            AffiliationCommand::AssignNpis(assign) => {
                let affiliated = self.in_force(now).ok_or(AffiliationRefusal::NotActive)?;
                affiliated.assign(decision, *assign)
            }
            AffiliationCommand::Terminate { organization, user, confirm, ends_on, reason } => {
                let pair = self.active()?.pair;
                let side = pair.side_of(organization).ok_or(AffiliationRefusal::NotCounterparty)?;
                confirmed(confirm)?;
                let ends_at = end_of(decision, ends_on)?;
                let reason = sealed(user, reason);
                Ok(vec![AffiliationEvent::AffiliationTerminated {
                    pair,
                    side,
                    ends_on,
                    ends_at,
                    reason,
                }])
            }
        }
    }

    fn evolve(&mut self, event: &AffiliationEvent) {
        match event {
            AffiliationEvent::AffiliationRequested {
                pair, initiator, scope, expires_at, ..
            } => {
                *self = Self::Requested(Request {
                    pair: *pair,
                    initiator: *initiator,
                    scope: scope.clone(),
                    expires_at: *expires_at,
                    initiator_signed: false,
                    signed: Signed::default(),
                });
            }
            AffiliationEvent::AffiliationAgreementSigned { side, agreement_version, .. } => {
                match self {
                    Self::Requested(request) => {
                        request.initiator_signed |= request.initiator == *side;
                        request.signed.set(*side, agreement_version);
                    }
                    Self::Active(affiliated) => affiliated.signed.set(*side, agreement_version),
                    Self::NotRequested | Self::Terminated { .. } | Self::Closed { .. } => {}
                }
            }
            AffiliationEvent::AffiliationApproved { pair, .. } => {
                if let Self::Requested(Request { scope, signed, .. }) = self {
                    *self = Self::Active(Affiliated {
                        pair: *pair,
                        scope: scope.clone(),
                        signed: signed.clone(),
                        assigned: BTreeMap::new(),
                    });
                }
            }
            AffiliationEvent::AffiliationTakenOver {
                pair,
                scope,
                submitter_version,
                provider_version,
                ..
            } => {
                let mut signed = Signed::default();
                let versions =
                    [(Side::Submitter, submitter_version), (Side::Provider, provider_version)];
                for (side, version) in versions {
                    if let Some(version) = version {
                        signed.set(side, version);
                    }
                }
                let (scope, assigned) = (scope.clone(), BTreeMap::new());
                *self = Self::Active(Affiliated { pair: *pair, scope, signed, assigned });
            }
            AffiliationEvent::AffiliationRenewed { .. } => {}
            AffiliationEvent::AffiliationNpisAssigned { user, npis, .. } => {
                if let Self::Active(affiliated) | Self::Terminated { affiliated, .. } = self {
                    if npis.is_empty() {
                        affiliated.assigned.remove(user);
                    } else {
                        affiliated.assigned.insert(*user, npis.clone());
                    }
                }
            }
            AffiliationEvent::AffiliationDenied { pair, side, denied_at, .. } => {
                let denied = Denied { initiator: side.other(), at: *denied_at };
                *self = Self::Closed { pair: *pair, denied: Some(denied) };
            }
            AffiliationEvent::AffiliationWithdrawn { pair, .. }
            | AffiliationEvent::AffiliationExpired { pair, .. } => {
                *self = Self::Closed { pair: *pair, denied: None };
            }
            AffiliationEvent::AffiliationTerminated { side, ends_at, .. } => {
                if let Self::Active(affiliated) | Self::Terminated { affiliated, .. } = self {
                    let (affiliated, by) = (affiliated.clone(), *side);
                    *self = Self::Terminated { affiliated, by, ends_at: *ends_at };
                }
            }
            AffiliationEvent::AffiliationTerminationCancelled { .. } => {
                if let Self::Terminated { affiliated, .. } = self {
                    *self = Self::Active(affiliated.clone());
                }
            }
        }
    }
}
