//! The affiliation aggregate. Invariant: a request run out decides nothing any more, whether or
//! not its expiry has been recorded.

use chrono::{DateTime, Days, NaiveDate, Utc};

use super::affiliated::{Affiliated, Ending, taken_over};
use super::command::AffiliationCommand;
use super::events::{AffiliationEvent, Pair};
use super::evolve;
use super::refusal::AffiliationRefusal;
use super::request::{Denied, Request, requested};
use crate::kernel::ids::{OrganizationId, UserId};
use crate::values::Reason;
use crate::{Decider, Decision, Sealed};

pub(super) type Decided = Result<Vec<AffiliationEvent>, AffiliationRefusal>;

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
    Terminated { affiliated: Affiliated, ending: Ending },
    /// Refused, taken back or run out.
    Closed { pair: Pair, denied: Option<Denied> },
}

impl Affiliation {
    /// What is in force at `now`.
    #[must_use]
    pub fn in_force(&self, now: DateTime<Utc>) -> Option<&Affiliated> {
        match self {
            Self::Active(affiliated) => Some(affiliated),
            Self::Terminated { affiliated, ending } if now < ending.ends_at => Some(affiliated),
            Self::NotRequested
            | Self::Requested(_)
            | Self::Terminated { .. }
            | Self::Closed { .. } => None,
        }
    }

    /// The end that one side has given it.
    #[must_use]
    pub fn ending(&self) -> Option<&Ending> {
        match self {
            Self::Terminated { ending, .. } => Some(ending),
            Self::NotRequested | Self::Requested(_) | Self::Active(_) | Self::Closed { .. } => None,
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
                Some(Ending { by: side, ends_on, ends_at: now, reason: None }.of(pair))
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
                Self::NotRequested => Ok(taken_over(now, *take)),
                Self::Requested(_)
                | Self::Active(_)
                | Self::Terminated { .. }
                | Self::Closed { .. } => Err(AffiliationRefusal::Exists),
            },
            AffiliationCommand::CancelTermination { organization } => match self {
                Self::Terminated { affiliated, ending } if now < ending.ends_at => {
                    let (pair, side, ends_at) = (affiliated.pair, ending.by, ending.ends_at);
                    if pair.side_of(organization) != Some(side) {
                        return Err(AffiliationRefusal::NotTerminating);
                    }
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
                Ok(vec![Ending { by: side, ends_on, ends_at, reason }.of(pair)])
            }
        }
    }

    fn evolve(&mut self, event: &AffiliationEvent) {
        evolve::evolve(self, event);
    }
}
