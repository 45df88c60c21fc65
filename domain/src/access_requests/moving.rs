//! A user is to move from one organisation to another, which only the plan grants (AL-08): OPEN →
//! APPROVED / DENIED / WITHDRAWN / EXPIRED.
//!
//! Invariant: neither side learns of the other by asking: a wish names a number or an address, and
//! whom and where that is the plan finds out when it decides.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::AccessRequestRefusal as Refused;
use crate::kernel::ids::{AccessRequestId, OrganizationId, SubjectId, UserId};
use crate::values::{EmailAddress, Npi, Reason};
use crate::{Decider, Decision, Event, Facets, Sealed};

/// Who is to move where, seen from the organisation acted for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum MoveWish {
    /// Who asks leaves for the organisation that holds this NPI.
    Away { npi: Npi },
    /// The person with this address comes here.
    Here { email: Sealed<EmailAddress> },
}

impl MoveWish {
    /// What tells it from others of an organisation while it waits.
    #[must_use]
    pub fn key(&self, asked_by: UserId) -> String {
        match self {
            Self::Away { .. } => format!("MOVE_AWAY:{asked_by}"),
            Self::Here { email } => {
                let address = email.get().map(EmailAddress::key).unwrap_or_default();
                format!("MOVE_HERE:{address}")
            }
        }
    }
}

/// Who moves from where to where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Move {
    pub user: UserId,
    pub from: OrganizationId,
    pub to: OrganizationId,
}

/// An event of stream `access_requests.move_request`; `user` is who asks, and `organization` the one
/// that they act for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum MoveRequestEvent {
    /// It waits for the plan.
    MoveRequested {
        request: AccessRequestId,
        user: UserId,
        organization: OrganizationId,
        wish: MoveWish,
        why: Sealed<Reason>,
        expires_at: DateTime<Utc>,
    },
    /// The plan granted it; the end there and the beginning here are in the same append.
    MoveRequestApproved {
        user: UserId,
        organization: OrganizationId,
        moved: Move,
        note: Option<Sealed<Reason>>,
    },
    /// The plan refused.
    MoveRequestDenied { user: UserId, organization: OrganizationId, reason: Sealed<Reason> },
    /// Who asked took it back.
    MoveRequestWithdrawn { user: UserId, organization: OrganizationId },
    /// Nobody decided in time.
    MoveRequestExpired { user: UserId, organization: OrganizationId },
}

impl MoveRequestEvent {
    /// Who asks, and for which organisation they act.
    #[must_use]
    pub const fn parties(&self) -> (UserId, OrganizationId) {
        match self {
            Self::MoveRequested { user, organization, .. }
            | Self::MoveRequestApproved { user, organization, .. }
            | Self::MoveRequestDenied { user, organization, .. }
            | Self::MoveRequestWithdrawn { user, organization }
            | Self::MoveRequestExpired { user, organization } => (*user, *organization),
        }
    }
}

impl Event for MoveRequestEvent {
    fn event_type(&self) -> &'static str {
        match self {
            Self::MoveRequested { .. } => "access_requests.move_request.move_requested",
            Self::MoveRequestApproved { .. } => {
                "access_requests.move_request.move_request_approved"
            }
            Self::MoveRequestDenied { .. } => "access_requests.move_request.move_request_denied",
            Self::MoveRequestWithdrawn { .. } => {
                "access_requests.move_request.move_request_withdrawn"
            }
            Self::MoveRequestExpired { .. } => "access_requests.move_request.move_request_expired",
        }
    }

    fn facets(&self) -> Facets {
        let (user, organization) = self.parties();
        Facets::default().subject(user).organization(organization)
    }
}

/// A command to stream `access_requests.move_request`.
#[derive(Clone, Debug)]
pub enum MoveRequestCommand {
    Ask {
        request: AccessRequestId,
        user: UserId,
        organization: OrganizationId,
        wish: MoveWish,
        why: Reason,
    },
    /// By the plan; the end and the beginning are decided beside it, in the same append.
    Approve {
        moved: Move,
        note: Option<Reason>,
    },
    /// By the plan.
    Deny {
        reason: Reason,
    },
    Withdraw,
    Expire,
}

/// A request that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moving {
    pub user: UserId,
    pub organization: OrganizationId,
    pub wish: MoveWish,
    pub expires_at: DateTime<Utc>,
}

/// A request to move somebody.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum MoveRequest {
    /// The id is not in use.
    #[default]
    NotMade,
    Open(Moving),
    Closed(Moving),
}

impl MoveRequest {
    /// What was asked for, unless the id is not in use.
    #[must_use]
    pub const fn moving(&self) -> Option<&Moving> {
        match self {
            Self::NotMade => None,
            Self::Open(moving) | Self::Closed(moving) => Some(moving),
        }
    }

    /// The request while it waits; one run out decides nothing any more, whether or not its end has
    /// been recorded.
    ///
    /// # Errors
    /// NOT_FOUND or ALREADY_DECIDED.
    pub fn pending(&self, now: DateTime<Utc>) -> Result<&Moving, Refused> {
        match self {
            Self::NotMade => Err(Refused::Unknown),
            Self::Open(moving) if now < moving.expires_at => Ok(moving),
            Self::Open(_) | Self::Closed(_) => Err(Refused::AlreadyDecided),
        }
    }

    /// The request, if whoever acts neither asked nor is the one to move.
    fn to_decide(
        &self,
        decision: &Decision<'_>,
        moved: Option<UserId>,
    ) -> Result<&Moving, Refused> {
        let moving = self.pending(decision.now)?;
        let actor = decision.actor.person();
        if actor == Some(moving.user) || (moved.is_some() && actor == moved) {
            return Err(Refused::SelfApproval);
        }
        Ok(moving)
    }
}

impl Decider for MoveRequest {
    const TYPE: &'static str = "access_requests.move_request";
    type Command = MoveRequestCommand;
    type Event = MoveRequestEvent;
    type Refusal = Refused;

    fn decide(
        &self,
        decision: &Decision<'_>,
        command: MoveRequestCommand,
    ) -> Result<Vec<MoveRequestEvent>, Refused> {
        use MoveRequestCommand as C;
        use MoveRequestEvent as E;
        match command {
            C::Ask { request, user, organization, wish, why } => {
                if *self != Self::NotMade {
                    return Err(Refused::AlreadyDecided);
                }
                let why = Sealed::new(user, why);
                let expires_at = decision.now + decision.policy.access_request_ttl();
                Ok(vec![E::MoveRequested { request, user, organization, wish, why, expires_at }])
            }
            C::Approve { moved, note } => {
                let moving = self.to_decide(decision, Some(moved.user))?;
                if moved.from == moved.to {
                    return Err(Refused::MovesNowhere);
                }
                let (user, organization) = (moving.user, moving.organization);
                let note = note.map(|note| Sealed::new(user, note));
                Ok(vec![E::MoveRequestApproved { user, organization, moved, note }])
            }
            C::Deny { reason } => {
                let moving = self.to_decide(decision, None)?;
                let (user, organization) = (moving.user, moving.organization);
                let reason = Sealed::new(user, reason);
                Ok(vec![E::MoveRequestDenied { user, organization, reason }])
            }
            C::Withdraw => {
                let Moving { user, organization, .. } = *self.pending(decision.now)?;
                if decision.actor.person() != Some(user) {
                    return Err(Refused::Unknown);
                }
                Ok(vec![E::MoveRequestWithdrawn { user, organization }])
            }
            C::Expire => Ok(match self {
                Self::Open(moving) if decision.now >= moving.expires_at => {
                    let Moving { user, organization, .. } = *moving;
                    vec![E::MoveRequestExpired { user, organization }]
                }
                Self::NotMade | Self::Open(_) | Self::Closed(_) => Vec::new(),
            }),
        }
    }

    fn evolve(&mut self, event: &MoveRequestEvent) {
        use MoveRequestEvent as E;
        match event {
            E::MoveRequested { user, organization, wish, expires_at, .. } => {
                *self = Self::Open(Moving {
                    user: *user,
                    organization: *organization,
                    wish: wish.clone(),
                    expires_at: *expires_at,
                });
            }
            E::MoveRequestApproved { .. }
            | E::MoveRequestDenied { .. }
            | E::MoveRequestWithdrawn { .. }
            | E::MoveRequestExpired { .. } => {
                if let Some(moving) = self.moving().cloned() {
                    *self = Self::Closed(moving);
                }
            }
        }
    }
}

/// An address that a wish names, sealed under the request: whose it is, is not known yet.
#[must_use]
pub fn sealed_for(request: AccessRequestId, email: EmailAddress) -> Sealed<EmailAddress> {
    Sealed::new(SubjectId(request.0), email)
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::kernel::scenario::{Given, given, id, start};
    use crate::{Actor, Code};

    fn reason() -> Reason {
        Reason::parse("She changes offices.").unwrap()
    }

    fn wish() -> MoveWish {
        let email = EmailAddress::parse("ann@clinic.example").unwrap();
        MoveWish::Here { email: sealed_for(id(9), email) }
    }

    fn asked() -> MoveRequestEvent {
        MoveRequestEvent::MoveRequested {
            request: id(9),
            user: id(2),
            organization: id(10),
            wish: wish(),
            why: Sealed::new(id::<UserId>(2), reason()),
            expires_at: start() + TimeDelta::days(30),
        }
    }

    fn open() -> Given<MoveRequest> {
        given(&[asked()])
    }

    fn by(user: u128) -> Actor {
        Actor::plan_staff(id(user))
    }

    fn approve(from: u128) -> MoveRequestCommand {
        let moved = Move { user: id(1), from: id(from), to: id(10) };
        MoveRequestCommand::Approve { moved, note: None }
    }

    fn approved() -> MoveRequestEvent {
        MoveRequestEvent::MoveRequestApproved {
            user: id(2),
            organization: id(10),
            moved: Move { user: id(1), from: id(11), to: id(10) },
            note: None,
        }
    }

    #[test]
    fn a_move_is_asked_for_once_and_for_thirty_days() {
        let ask = || MoveRequestCommand::Ask {
            request: id(9),
            user: id(2),
            organization: id(10),
            wish: wish(),
            why: reason(),
        };
        given::<MoveRequest>(&[]).when(ask()).then(&[asked()]);
        open().when(ask()).refused(Code::AlreadyDecided);
        assert_eq!(wish().key(id(2)), "MOVE_HERE:ann@clinic.example");
        let away = MoveWish::Away { npi: Npi::parse("1234567893").unwrap() };
        assert_eq!(away.key(id(2)), format!("MOVE_AWAY:{}", id::<UserId>(2)));
    }

    #[test]
    fn neither_who_asked_nor_who_moves_decides() {
        open().by(by(7)).when(approve(11)).then(&[approved()]);
        open().by(by(2)).when(approve(11)).refused(Code::SelfApproval);
        open().by(by(1)).when(approve(11)).refused(Code::SelfApproval);
        open().by(by(7)).when(approve(10)).refused(Code::FieldInvalid);
    }

    #[test]
    fn it_is_decided_taken_back_or_runs_out_once() {
        let (user, organization) = (id::<UserId>(2), id::<OrganizationId>(10));
        let denied = MoveRequestEvent::MoveRequestDenied {
            user,
            organization,
            reason: Sealed::new(user, reason()),
        };
        let withdrawn = MoveRequestEvent::MoveRequestWithdrawn { user, organization };
        let expired = MoveRequestEvent::MoveRequestExpired { user, organization };
        let end = start() + TimeDelta::days(30);
        let deny = || MoveRequestCommand::Deny { reason: reason() };
        open().by(by(7)).when(deny()).then(std::slice::from_ref(&denied));
        open().by(by(2)).when(MoveRequestCommand::Withdraw).then(std::slice::from_ref(&withdrawn));
        open().by(by(7)).when(MoveRequestCommand::Withdraw).refused(Code::NotFound);
        open().at(end - TimeDelta::seconds(1)).when(MoveRequestCommand::Expire).then(&[]);
        open().at(end).when(MoveRequestCommand::Expire).then(std::slice::from_ref(&expired));
        open().at(end).by(by(7)).when(deny()).refused(Code::AlreadyDecided);
        for closed in [approved(), denied, withdrawn, expired] {
            let over = given::<MoveRequest>(&[asked(), closed]).by(by(7));
            over.when(deny()).refused(Code::AlreadyDecided);
        }
    }
}
