//! Somebody without an account asks an organisation's administrators for one (CC-11): OPEN →
//! APPROVED / DENIED / EXPIRED.
//!
//! Invariant: what the visitor says of themself is sealed under the request's own id; who that is in
//! the portal is found out by the invitation that an approval sends, never before.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{AccessRequestRefusal as Refused, RouteCause};
use crate::kernel::ids::{AccessRequestId, InvitationId, OrganizationId, SubjectId, UserId};
use crate::values::{EmailAddress, PersonName, PhoneNumber, Reason};
use crate::{Decider, Decision, Event, Facets, Sealed};

/// What a visitor says.
#[derive(Clone, Debug)]
pub struct JoinWish {
    pub first_name: PersonName,
    pub last_name: PersonName,
    pub email: EmailAddress,
    pub phone: PhoneNumber,
    pub why: Reason,
}

/// Who asks, as kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visitor {
    pub first_name: Sealed<PersonName>,
    pub last_name: Sealed<PersonName>,
    pub email: Sealed<EmailAddress>,
    pub phone: Sealed<PhoneNumber>,
}

/// An event of stream `access_requests.join_request`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum JoinRequestEvent {
    /// A visitor asked to join the organisation.
    JoinRequested {
        request: AccessRequestId,
        organization: OrganizationId,
        visitor: Box<Visitor>,
        why: Sealed<Reason>,
        /// Why the plan decides, where nobody administers the organisation.
        routed: Option<RouteCause>,
        expires_at: DateTime<Utc>,
    },
    /// It was granted; the invitation is in the same append.
    JoinRequestApproved {
        request: AccessRequestId,
        organization: OrganizationId,
        user: UserId,
        invitation: InvitationId,
        note: Option<Sealed<Reason>>,
    },
    /// It was refused.
    JoinRequestDenied {
        request: AccessRequestId,
        organization: OrganizationId,
        reason: Sealed<Reason>,
    },
    /// Nobody decided in time.
    JoinRequestExpired { request: AccessRequestId, organization: OrganizationId },
}

impl JoinRequestEvent {
    /// The organisation it is about.
    #[must_use]
    pub const fn organization(&self) -> OrganizationId {
        match self {
            Self::JoinRequested { organization, .. }
            | Self::JoinRequestApproved { organization, .. }
            | Self::JoinRequestDenied { organization, .. }
            | Self::JoinRequestExpired { organization, .. } => *organization,
        }
    }
}

impl Event for JoinRequestEvent {
    fn event_type(&self) -> &'static str {
        match self {
            Self::JoinRequested { .. } => "access_requests.join_request.join_requested",
            Self::JoinRequestApproved { .. } => {
                "access_requests.join_request.join_request_approved"
            }
            Self::JoinRequestDenied { .. } => "access_requests.join_request.join_request_denied",
            Self::JoinRequestExpired { .. } => "access_requests.join_request.join_request_expired",
        }
    }

    fn facets(&self) -> Facets {
        let facets = Facets::default().organization(self.organization());
        match self {
            Self::JoinRequestApproved { user, .. } => facets.subject(*user),
            Self::JoinRequested { .. }
            | Self::JoinRequestDenied { .. }
            | Self::JoinRequestExpired { .. } => facets,
        }
    }
}

/// Which side answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Administrator,
    /// The plan, which decides where the organisation has nobody who could.
    Plan {
        is_adminless: bool,
    },
}

/// A command to stream `access_requests.join_request`.
#[derive(Clone, Debug)]
pub enum JoinRequestCommand {
    Ask {
        request: AccessRequestId,
        organization: OrganizationId,
        wish: Box<JoinWish>,
        /// Nobody administers the organisation.
        is_adminless: bool,
    },
    /// The invitation is decided beside it, in the same append.
    Approve {
        side: Side,
        user: UserId,
        invitation: InvitationId,
        note: Option<Reason>,
    },
    Deny {
        side: Side,
        reason: Reason,
    },
    Expire,
}

/// A request that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Joining {
    pub request: AccessRequestId,
    pub organization: OrganizationId,
    pub visitor: Box<Visitor>,
    pub expires_at: DateTime<Utc>,
    routed: bool,
}

/// A visitor's request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum JoinRequest {
    /// The id is not in use.
    #[default]
    NotMade,
    Open(Joining),
    Closed(Joining),
}

impl JoinRequest {
    /// What was asked for, unless the id is not in use.
    #[must_use]
    pub const fn joining(&self) -> Option<&Joining> {
        match self {
            Self::NotMade => None,
            Self::Open(joining) | Self::Closed(joining) => Some(joining),
        }
    }

    /// The request while it waits; one run out decides nothing any more, whether or not its end has
    /// been recorded.
    ///
    /// # Errors
    /// NOT_FOUND or ALREADY_DECIDED.
    pub fn pending(&self, now: DateTime<Utc>) -> Result<&Joining, Refused> {
        match self {
            Self::NotMade => Err(Refused::Unknown),
            Self::Open(joining) if now < joining.expires_at => Ok(joining),
            Self::Open(_) | Self::Closed(_) => Err(Refused::AlreadyDecided),
        }
    }

    fn to_decide(&self, now: DateTime<Utc>, side: Side) -> Result<&Joining, Refused> {
        let joining = self.pending(now)?;
        match side {
            Side::Plan { is_adminless: false } if !joining.routed => {
                Err(Refused::AdministratorDecides)
            }
            Side::Administrator | Side::Plan { .. } => Ok(joining),
        }
    }
}

fn requested(decision: &Decision<'_>, ask: JoinRequestCommand) -> Option<JoinRequestEvent> {
    let JoinRequestCommand::Ask { request, organization, wish, is_adminless } = ask else {
        return None;
    };
    let subject = SubjectId(request.0);
    let JoinWish { first_name, last_name, email, phone, why } = *wish;
    Some(JoinRequestEvent::JoinRequested {
        request,
        organization,
        visitor: Box::new(Visitor {
            first_name: Sealed::new(subject, first_name),
            last_name: Sealed::new(subject, last_name),
            email: Sealed::new(subject, email),
            phone: Sealed::new(subject, phone),
        }),
        why: Sealed::new(subject, why),
        routed: is_adminless.then_some(RouteCause::NoAdministrator),
        expires_at: decision.now + decision.policy.access_request_ttl(),
    })
}

impl Decider for JoinRequest {
    const TYPE: &'static str = "access_requests.join_request";
    type Command = JoinRequestCommand;
    type Event = JoinRequestEvent;
    type Refusal = Refused;

    fn decide(
        &self,
        decision: &Decision<'_>,
        command: JoinRequestCommand,
    ) -> Result<Vec<JoinRequestEvent>, Refused> {
        use JoinRequestCommand as C;
        use JoinRequestEvent as E;
        match command {
            ask @ C::Ask { .. } => match self {
                Self::NotMade => Ok(requested(decision, ask).into_iter().collect()),
                Self::Open(_) | Self::Closed(_) => Err(Refused::AlreadyDecided),
            },
            C::Approve { side, user, invitation, note } => {
                let Joining { request, organization, .. } = *self.to_decide(decision.now, side)?;
                let note = note.map(|note| Sealed::new(SubjectId(request.0), note));
                Ok(vec![E::JoinRequestApproved { request, organization, user, invitation, note }])
            }
            C::Deny { side, reason } => {
                let Joining { request, organization, .. } = *self.to_decide(decision.now, side)?;
                let reason = Sealed::new(SubjectId(request.0), reason);
                Ok(vec![E::JoinRequestDenied { request, organization, reason }])
            }
            C::Expire => Ok(match self {
                Self::Open(joining) if decision.now >= joining.expires_at => {
                    let Joining { request, organization, .. } = *joining;
                    vec![E::JoinRequestExpired { request, organization }]
                }
                Self::NotMade | Self::Open(_) | Self::Closed(_) => Vec::new(),
            }),
        }
    }

    fn evolve(&mut self, event: &JoinRequestEvent) {
        use JoinRequestEvent as E;
        match event {
            E::JoinRequested { request, organization, visitor, routed, expires_at, .. } => {
                *self = Self::Open(Joining {
                    request: *request,
                    organization: *organization,
                    visitor: visitor.clone(),
                    expires_at: *expires_at,
                    routed: routed.is_some(),
                });
            }
            E::JoinRequestApproved { .. }
            | E::JoinRequestDenied { .. }
            | E::JoinRequestExpired { .. } => {
                if let Some(joining) = self.joining().cloned() {
                    *self = Self::Closed(joining);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::Code;
    use crate::kernel::scenario::{given, id, start};

    fn reason() -> Reason {
        Reason::parse("I keep the books.").unwrap()
    }

    fn ask(is_adminless: bool) -> JoinRequestCommand {
        let wish = JoinWish {
            first_name: PersonName::parse("Ann").unwrap(),
            last_name: PersonName::parse("Lee").unwrap(),
            email: EmailAddress::parse("ann@clinic.example").unwrap(),
            phone: PhoneNumber::parse("+12025550123").unwrap(),
            why: reason(),
        };
        let (request, organization) = (id(9), id(10));
        JoinRequestCommand::Ask { request, organization, wish: Box::new(wish), is_adminless }
    }

    fn asked(is_adminless: bool) -> JoinRequestEvent {
        given::<JoinRequest>(&[]).when(ask(is_adminless)).events()[0].clone()
    }

    fn approve(side: Side) -> JoinRequestCommand {
        JoinRequestCommand::Approve { side, user: id(1), invitation: id(5), note: None }
    }

    fn approved() -> JoinRequestEvent {
        JoinRequestEvent::JoinRequestApproved {
            request: id(9),
            organization: id(10),
            user: id(1),
            invitation: id(5),
            note: None,
        }
    }

    #[test]
    fn a_visitor_is_sealed_under_the_request_and_asks_for_thirty_days() {
        let JoinRequestEvent::JoinRequested { visitor, routed, expires_at, .. } = asked(false)
        else {
            panic!("a request");
        };
        assert_eq!(visitor.email.subject(), id(9));
        assert_eq!((routed, expires_at), (None, start() + TimeDelta::days(30)));
        given::<JoinRequest>(&[asked(false)]).when(ask(false)).refused(Code::AlreadyDecided);
    }

    #[test]
    fn administrators_decide_and_the_plan_only_where_there_are_none() {
        let plan = |is_adminless| Side::Plan { is_adminless };
        let open = || given::<JoinRequest>(&[asked(false)]);
        open().when(approve(Side::Administrator)).then(&[approved()]);
        open().when(approve(plan(false))).refused(Code::NotOrgAdmin);
        open().when(approve(plan(true))).then(&[approved()]);
        given::<JoinRequest>(&[asked(true)]).when(approve(plan(false))).then(&[approved()]);
    }

    #[test]
    fn it_is_decided_once_and_denied_with_a_reason() {
        let deny = JoinRequestCommand::Deny { side: Side::Administrator, reason: reason() };
        let denied = JoinRequestEvent::JoinRequestDenied {
            request: id(9),
            organization: id(10),
            reason: Sealed::new(id::<SubjectId>(9), reason()),
        };
        given::<JoinRequest>(&[asked(false)])
            .when(deny.clone())
            .then(std::slice::from_ref(&denied));
        for closed in [denied, approved()] {
            given::<JoinRequest>(&[asked(false), closed])
                .when(deny.clone())
                .refused(Code::AlreadyDecided);
        }
        given::<JoinRequest>(&[]).when(deny).refused(Code::NotFound);
    }

    #[test]
    fn it_runs_out_to_the_second() {
        let end = start() + TimeDelta::days(30);
        let expired = JoinRequestEvent::JoinRequestExpired { request: id(9), organization: id(10) };
        let open = || given::<JoinRequest>(&[asked(false)]);
        let expire = || JoinRequestCommand::Expire;
        open().at(end - TimeDelta::seconds(1)).when(expire()).then(&[]);
        open().at(end).when(expire()).then(std::slice::from_ref(&expired));
        open().at(end).when(approve(Side::Administrator)).refused(Code::AlreadyDecided);
        given::<JoinRequest>(&[asked(false), expired]).at(end).when(expire()).then(&[]);
    }
}
