//! The session aggregate. Invariant: idle time is judged from `last_seen`, which lives outside the
//! events; everything else about a session follows from its events.

use chrono::{DateTime, TimeDelta, Utc};

use super::events::{EndCause, LoginMethod, SessionEvent};
use crate::kernel::ids::{OrganizationId, UserId};
use crate::{Code, Decider, Decision, Refusal};

/// One sign-in, from login to end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Session {
    /// The id is not in use.
    #[default]
    NotStarted,
    /// Not ended by an event; whether it still answers is [`Session::status`]'s matter.
    Live(LiveSession),
    /// Over for good.
    Ended { user: UserId, cause: EndCause },
}

/// What a running session is bound to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveSession {
    pub user: UserId,
    /// The organisation it acts for; `None` until one is selected, and for plan staff.
    pub organization: Option<OrganizationId>,
    /// It can do nothing but set a new password.
    pub must_change_password: bool,
    /// It can do nothing but enrol an authenticator app.
    pub must_enrol: bool,
    pub started_at: DateTime<Utc>,
    pub absolute_expires_at: DateTime<Utc>,
}

/// Whether a session may be used now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionStatus {
    /// It may, and without further activity until the instant named.
    Live { expires_at: DateTime<Utc> },
    /// It ran out without its end having been recorded yet; the cause to record.
    Expired(EndCause),
    /// Its end is recorded.
    Ended(EndCause),
    /// No such session.
    Unknown,
}

/// What can be asked of a session.
#[derive(Clone, Debug)]
pub enum SessionCommand {
    /// Open it after a successful login; the organisation is given when there is but one.
    StartSession {
        user: UserId,
        method: LoginMethod,
        organization: Option<OrganizationId>,
        must_change_password: bool,
        must_enrol: bool,
        absolute_expires_at: DateTime<Utc>,
    },
    /// The password that was due has been changed; without a restriction it is no error.
    LiftRestriction,
    /// An authenticator app was enrolled; where none was asked for it is no error.
    LiftEnrolment,
    /// Act for `organization` from now on: the first choice (MC-35) or a switch (MC-36).
    /// `memberships` are the organisations of which the person is an active member.
    SelectOrganization { organization: OrganizationId, memberships: Vec<OrganizationId> },
    /// The person signs out.
    SignOut,
    /// End it for another cause; ending it twice is no error.
    EndSession { cause: EndCause },
}

/// Why a session refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SessionRefusal {
    #[error("You are not signed in. Sign in and try again.")]
    NotSignedIn,
    #[error("This session has ended. Sign in again.")]
    SessionEnded,
    #[error("This session has expired. Sign in again.")]
    SessionExpired,
    #[error("You are not an active member of this organization. Choose one from your list.")]
    NotAMember,
    #[error("This session exists already. Sign in again.")]
    AlreadyStarted,
}

impl From<SessionRefusal> for Refusal {
    fn from(refusal: SessionRefusal) -> Self {
        let message = refusal.to_string();
        match refusal {
            SessionRefusal::NotSignedIn => Self::new(Code::NotSignedIn, message),
            SessionRefusal::SessionEnded => Self::new(Code::SessionEnded, message),
            SessionRefusal::SessionExpired => Self::new(Code::SessionExpired, message),
            SessionRefusal::NotAMember => Self::new(Code::NotAMember, message).at("organizationId"),
            SessionRefusal::AlreadyStarted => Self::new(Code::VersionConflict, message),
        }
    }
}

impl Session {
    /// Whether the session may be used at `now`, having been used last at `last_seen`.
    ///
    /// With 70 minutes of `idle` it lives at 69:59 and is over at 70:00 (CX-10).
    #[must_use]
    pub fn status(
        &self,
        now: DateTime<Utc>,
        last_seen: DateTime<Utc>,
        idle: TimeDelta,
    ) -> SessionStatus {
        let live = match self {
            Self::NotStarted => return SessionStatus::Unknown,
            Self::Ended { cause, .. } => return SessionStatus::Ended(*cause),
            Self::Live(live) => live,
        };
        let idle_expires_at = last_seen + idle;
        if now >= live.absolute_expires_at {
            SessionStatus::Expired(EndCause::Absolute)
        } else if now >= idle_expires_at {
            SessionStatus::Expired(EndCause::Inactivity)
        } else {
            SessionStatus::Live { expires_at: idle_expires_at.min(live.absolute_expires_at) }
        }
    }

    /// The running session, unless it has ended or never was.
    #[must_use]
    pub fn live(&self) -> Option<&LiveSession> {
        match self {
            Self::Live(live) => Some(live),
            Self::NotStarted | Self::Ended { .. } => None,
        }
    }

    fn require_usable(&self, now: DateTime<Utc>) -> Result<&LiveSession, SessionRefusal> {
        match self {
            Self::NotStarted => Err(SessionRefusal::NotSignedIn),
            Self::Ended { .. } => Err(SessionRefusal::SessionEnded),
            Self::Live(live) if now >= live.absolute_expires_at => {
                Err(SessionRefusal::SessionExpired)
            }
            Self::Live(live) => Ok(live),
        }
    }
}

impl LiveSession {
    fn select(
        &self,
        organization: OrganizationId,
        memberships: &[OrganizationId],
    ) -> Result<Vec<SessionEvent>, SessionRefusal> {
        if !memberships.contains(&organization) {
            return Err(SessionRefusal::NotAMember);
        }
        let user = self.user;
        Ok(match self.organization {
            None => vec![SessionEvent::OrganizationSelected { user, organization }],
            Some(current) if current == organization => Vec::new(),
            Some(from) => {
                vec![SessionEvent::OrganizationSwitched { user, from, to: organization }]
            }
        })
    }

    fn end(&self, cause: EndCause) -> Vec<SessionEvent> {
        let Self { user, organization, .. } = *self;
        vec![SessionEvent::SessionEnded { user, organization, cause }]
    }
}

impl Decider for Session {
    const TYPE: &'static str = "sessions.session";
    type Command = SessionCommand;
    type Event = SessionEvent;
    type Refusal = SessionRefusal;

    fn decide(
        &self,
        decision: &Decision<'_>,
        command: SessionCommand,
    ) -> Result<Vec<SessionEvent>, SessionRefusal> {
        match command {
            SessionCommand::StartSession {
                user,
                method,
                organization,
                must_change_password,
                must_enrol,
                absolute_expires_at,
            } => match self {
                Self::NotStarted => Ok(vec![SessionEvent::SessionStarted {
                    user,
                    method,
                    organization,
                    must_change_password,
                    must_enrol,
                    started_at: decision.now,
                    absolute_expires_at,
                }]),
                Self::Live(_) | Self::Ended { .. } => Err(SessionRefusal::AlreadyStarted),
            },
            SessionCommand::LiftRestriction => {
                let live = self.require_usable(decision.now)?;
                let lifted = SessionEvent::RestrictionLifted { user: live.user };
                Ok(live.must_change_password.then_some(lifted).into_iter().collect())
            }
            SessionCommand::LiftEnrolment => {
                let live = self.require_usable(decision.now)?;
                let enrolled = SessionEvent::SecondFactorEnrolled { user: live.user };
                Ok(live.must_enrol.then_some(enrolled).into_iter().collect())
            }
            SessionCommand::SelectOrganization { organization, memberships } => {
                self.require_usable(decision.now)?.select(organization, &memberships)
            }
            SessionCommand::SignOut => Ok(self.require_usable(decision.now)?.end(EndCause::User)),
            SessionCommand::EndSession { cause } => match self {
                Self::NotStarted => Err(SessionRefusal::NotSignedIn),
                Self::Live(live) => Ok(live.end(cause)),
                Self::Ended { .. } => Ok(Vec::new()),
            },
        }
    }

    fn evolve(&mut self, event: &SessionEvent) {
        match event {
            SessionEvent::SessionStarted {
                user,
                organization,
                must_change_password,
                must_enrol,
                started_at,
                absolute_expires_at,
                ..
            } => {
                *self = Self::Live(LiveSession {
                    user: *user,
                    organization: *organization,
                    must_change_password: *must_change_password,
                    must_enrol: *must_enrol,
                    started_at: *started_at,
                    absolute_expires_at: *absolute_expires_at,
                });
            }
            SessionEvent::RestrictionLifted { .. } => {
                if let Self::Live(live) = self {
                    live.must_change_password = false;
                }
            }
            SessionEvent::SecondFactorEnrolled { .. } => {
                if let Self::Live(live) = self {
                    live.must_enrol = false;
                }
            }
            SessionEvent::OrganizationSelected { organization: to, .. }
            | SessionEvent::OrganizationSwitched { to, .. } => {
                if let Self::Live(live) = self {
                    live.organization = Some(*to);
                }
            }
            SessionEvent::SessionEnded { user, cause, .. } => {
                *self = Self::Ended { user: *user, cause: *cause };
            }
        }
    }
}
