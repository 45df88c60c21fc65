//! The affiliation aggregate. Invariant: a request run out decides nothing any more, whether or
//! not its expiry has been recorded.

use chrono::{DateTime, Days, NaiveDate, Utc};

use super::command::{AffiliationCommand, RequestAffiliation, Signature};
use super::events::{AffiliationEvent, AffiliationScope, NpiSelection, Pair, Side, SignerRole};
use super::refusal::AffiliationRefusal;
use crate::kernel::ids::{OrganizationId, UserId};
use crate::organizations::OrganizationKind;
use crate::values::Reason;
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
    Terminated { affiliated: Affiliated, ends_at: DateTime<Utc> },
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
}

impl Affiliation {
    /// What is in force at `now`.
    #[must_use]
    pub fn in_force(&self, now: DateTime<Utc>) -> Option<&Affiliated> {
        match self {
            Self::Active(affiliated) => Some(affiliated),
            Self::Terminated { affiliated, ends_at } if now < *ends_at => Some(affiliated),
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
    if scope.npis == NpiSelection::Listed(std::collections::BTreeSet::new()) {
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
                Self::Active(affiliated) if affiliated.pair.side_of(organization).is_some() => {
                    Err(AffiliationRefusal::AlreadySigned)
                }
                Self::NotRequested
                | Self::Requested(_)
                | Self::Active(_)
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
                });
            }
            AffiliationEvent::AffiliationAgreementSigned { side, .. } => {
                if let Self::Requested(request) = self
                    && request.initiator == *side
                {
                    request.initiator_signed = true;
                }
            }
            AffiliationEvent::AffiliationApproved { pair, .. } => {
                if let Self::Requested(Request { scope, .. }) = self {
                    *self = Self::Active(Affiliated { pair: *pair, scope: scope.clone() });
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
            AffiliationEvent::AffiliationTerminated { ends_at, .. } => {
                if let Self::Active(affiliated) = self {
                    let affiliated = affiliated.clone();
                    *self = Self::Terminated { affiliated, ends_at: *ends_at };
                }
            }
        }
    }
}
