//! The request aggregate: OPEN → ROUTED → APPROVED / DENIED / WITHDRAWN / EXPIRED. Invariant: a
//! request run out decides nothing any more, whether or not its expiry has been recorded.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use super::{
    AccessRequestCommand, AccessRequestEvent, AccessRequestRefusal, NewRequest, RequestItem,
    RequestKind, RouteCause,
};
use crate::kernel::ids::{OrganizationId, UserId};
use crate::{Decider, Decision, Sealed};

type Decided = Result<Vec<AccessRequestEvent>, AccessRequestRefusal>;

/// The most items of one request.
const MOST: usize = 20;

/// What was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    pub user: UserId,
    pub organization: OrganizationId,
    pub items: Vec<RequestItem>,
    pub until: Option<DateTime<Utc>>,
    pub expires_at: DateTime<Utc>,
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closing {
    Approved,
    Denied,
    Withdrawn,
    Expired,
}

/// A request for access.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum AccessRequest {
    /// The id is not in use.
    #[default]
    NotMade,
    /// Waits for an administrator of the organisation.
    Open(Asked),
    /// Waits for the plan.
    Routed(Asked),
    Closed(Asked, Closing),
}

impl AccessRequest {
    /// What was asked for, unless the id is not in use.
    #[must_use]
    pub fn asked(&self) -> Option<&Asked> {
        match self {
            Self::NotMade => None,
            Self::Open(asked) | Self::Routed(asked) | Self::Closed(asked, _) => Some(asked),
        }
    }

    /// Whether the plan decides.
    #[must_use]
    pub fn is_routed(&self) -> bool {
        matches!(self, Self::Routed(_))
    }

    fn pending(&self, now: DateTime<Utc>) -> Result<&Asked, AccessRequestRefusal> {
        match self {
            Self::NotMade => Err(AccessRequestRefusal::Unknown),
            Self::Open(asked) | Self::Routed(asked) if now < asked.expires_at => Ok(asked),
            Self::Open(_) | Self::Routed(_) | Self::Closed(..) => {
                Err(AccessRequestRefusal::AlreadyDecided)
            }
        }
    }

    /// The request, if this side decides about it now and whoever acts is not who asks.
    fn to_decide(
        &self,
        decision: &Decision<'_>,
        by_plan: bool,
    ) -> Result<&Asked, AccessRequestRefusal> {
        let asked = self.pending(decision.now)?;
        if decision.actor.person() == Some(asked.user) {
            return Err(AccessRequestRefusal::SelfApproval);
        }
        match (self.is_routed(), by_plan) {
            (true, true) | (false, false) => Ok(asked),
            (true, false) => Err(AccessRequestRefusal::PlanDecides),
            (false, true) => Err(AccessRequestRefusal::AdministratorDecides),
        }
    }
}

fn requested(decision: &Decision<'_>, new: NewRequest) -> Decided {
    let NewRequest { request, user, organization, items, why, until, route } = new;
    let distinct: BTreeSet<String> = items.iter().map(RequestItem::key).collect();
    if items.is_empty() || items.len() > MOST || distinct.len() < items.len() {
        return Err(AccessRequestRefusal::Items);
    }
    if until.is_some_and(|until| until <= decision.now) {
        return Err(AccessRequestRefusal::UntilPast);
    }
    let mut events = vec![AccessRequestEvent::AccessRequested {
        request,
        user,
        organization,
        kind: RequestKind::of(&items),
        items,
        why: Sealed::new(user, why),
        until,
        expires_at: decision.now + decision.policy.access_request_ttl(),
    }];
    events.extend(route.map(|cause| routed((user, organization), cause)));
    Ok(events)
}

fn routed((user, organization): (UserId, OrganizationId), cause: RouteCause) -> AccessRequestEvent {
    AccessRequestEvent::AccessRequestRouted { user, organization, cause, note: None }
}

impl Decider for AccessRequest {
    const TYPE: &'static str = "access_requests.request";
    type Command = AccessRequestCommand;
    type Event = AccessRequestEvent;
    type Refusal = AccessRequestRefusal;

    fn decide(&self, decision: &Decision<'_>, command: AccessRequestCommand) -> Decided {
        use AccessRequestCommand as C;
        use AccessRequestEvent as E;
        match command {
            C::Request(new) => match self {
                Self::NotMade => requested(decision, *new),
                Self::Open(_) | Self::Routed(_) | Self::Closed(..) => {
                    Err(AccessRequestRefusal::AlreadyDecided)
                }
            },
            C::Route { cause, note } => {
                let Asked { user, organization, .. } = *self.pending(decision.now)?;
                if self.is_routed() {
                    return Err(AccessRequestRefusal::PlanDecides);
                }
                let note = note.map(|note| Sealed::new(user, note));
                Ok(vec![E::AccessRequestRouted { user, organization, cause, note }])
            }
            C::Approve { by_plan, note } => {
                let Asked { user, organization, .. } = *self.to_decide(decision, by_plan)?;
                let note = note.map(|note| Sealed::new(user, note));
                Ok(vec![E::AccessRequestApproved { user, organization, note }])
            }
            C::Deny { by_plan, reason } => {
                let Asked { user, organization, .. } = *self.to_decide(decision, by_plan)?;
                let reason = Sealed::new(user, reason);
                Ok(vec![E::AccessRequestDenied { user, organization, reason }])
            }
            C::Withdraw => {
                let Asked { user, organization, .. } = *self.pending(decision.now)?;
                if decision.actor.person() != Some(user) {
                    return Err(AccessRequestRefusal::Unknown);
                }
                Ok(vec![E::AccessRequestWithdrawn { user, organization }])
            }
            C::EndWithOrganization { organization: of } => Ok(match self {
                Self::Open(asked) | Self::Routed(asked) if asked.organization == of => {
                    let Asked { user, organization, .. } = *asked;
                    vec![E::AccessRequestWithdrawn { user, organization }]
                }
                Self::NotMade | Self::Open(_) | Self::Routed(_) | Self::Closed(..) => Vec::new(),
            }),
            C::Expire => Ok(match self {
                Self::Open(asked) | Self::Routed(asked) if decision.now >= asked.expires_at => {
                    let Asked { user, organization, .. } = *asked;
                    vec![E::AccessRequestExpired { user, organization }]
                }
                Self::NotMade | Self::Open(_) | Self::Routed(_) | Self::Closed(..) => Vec::new(),
            }),
        }
    }

    fn evolve(&mut self, event: &AccessRequestEvent) {
        use AccessRequestEvent as E;
        let closing = match event {
            E::AccessRequested { user, organization, items, until, expires_at, .. } => {
                *self = Self::Open(Asked {
                    user: *user,
                    organization: *organization,
                    items: items.clone(),
                    until: *until,
                    expires_at: *expires_at,
                });
                return;
            }
            E::AccessRequestRouted { .. } => {
                if let Self::Open(asked) = self {
                    *self = Self::Routed(asked.clone());
                }
                return;
            }
            E::AccessRequestApproved { .. } => Closing::Approved,
            E::AccessRequestDenied { .. } => Closing::Denied,
            E::AccessRequestWithdrawn { .. } => Closing::Withdrawn,
            E::AccessRequestExpired { .. } => Closing::Expired,
        };
        if let Some(asked) = self.asked().cloned() {
            *self = Self::Closed(asked, closing);
        }
    }
}
