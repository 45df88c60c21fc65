//! Erasing a person by destroying their keys: asked for by one administrator of the plan, approved by
//! another (GN-27).
//!
//! Invariant: nobody is erased while something of theirs is in effect, before retention ends, or
//! while a legal hold covers them; it is asked anew at the approval. Nobody decides alone, and
//! nobody about themself.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::kernel::ids::{SubjectId, UserId};
use crate::values::Reason;
use crate::{Code, Decider, Decision, Event, Facets, Refusal, Sealed};

/// How long a request waits for another administrator.
pub const DECIDED_WITHIN: TimeDelta = TimeDelta::days(7);

/// By what right a person is erased. Words instead of text: this stays when the person is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum LegalBasis {
    /// They have to be kept no longer and are needed for nothing.
    RetentionEnded,
    /// The person asked for it where a law gives them that right.
    PersonsRequest,
    /// A court or an authority ordered it.
    Order,
}

impl LegalBasis {
    /// Reads a stored name back.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::RetentionEnded, Self::PersonsRequest, Self::Order]
            .into_iter()
            .find(|basis| basis.as_str() == name)
    }

    /// The stored name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RetentionEnded => "RETENTION_ENDED",
            Self::PersonsRequest => "PERSONS_REQUEST",
            Self::Order => "ORDER",
        }
    }
}

/// What stands against an erasure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Obstacles {
    /// Something of the person's is in effect.
    pub in_effect: bool,
    /// The end of retention that is still to come.
    pub retained_until: Option<DateTime<Utc>>,
    /// Holds that cover the person.
    pub holds: usize,
    /// Whether who asks may know how many.
    pub may_know_holds: bool,
}

/// An event of stream `audit.erasure`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ErasureEvent {
    /// An administrator of the plan wants a person erased.
    ErasureRequested {
        user: UserId,
        by: UserId,
        basis: LegalBasis,
        /// About the person, and erased with them.
        reason: Sealed<Reason>,
        /// From when on nobody can approve it.
        expires_at: DateTime<Utc>,
    },
    /// Another one refused it.
    ErasureRefused { user: UserId, by: UserId, reason: Sealed<Reason> },
    /// The person's keys are destroyed.
    PersonErased {
        user: UserId,
        /// Who approved it; `None`: a database older than the erasure was put back, and the ledger
        /// outside of it has the person.
        by: Option<UserId>,
        /// Under whose keys something was sealed about the person: themself, and each stream of what
        /// they did before they had an account. Not named are their single requests as a visitor, whose
        /// keys are destroyed as well.
        subjects: Vec<SubjectId>,
        /// When they were erased first.
        first_at: DateTime<Utc>,
    },
}

impl Event for ErasureEvent {
    fn event_type(&self) -> &'static str {
        match self {
            Self::ErasureRequested { .. } => "audit.erasure.erasure_requested",
            Self::ErasureRefused { .. } => "audit.erasure.erasure_refused",
            Self::PersonErased { .. } => "audit.erasure.person_erased",
        }
    }

    fn facets(&self) -> Facets {
        match self {
            Self::ErasureRequested { user, .. }
            | Self::ErasureRefused { user, .. }
            | Self::PersonErased { user, .. } => Facets::default().subject(*user),
        }
    }
}

/// A command to stream `audit.erasure`.
#[derive(Clone, Debug)]
pub enum ErasureCommand {
    Request {
        user: UserId,
        by: UserId,
        basis: LegalBasis,
        reason: Reason,
        obstacles: Obstacles,
    },
    Approve {
        by: UserId,
        subjects: Vec<SubjectId>,
        obstacles: Obstacles,
    },
    Refuse {
        by: UserId,
        reason: Reason,
    },
    /// By the ledger.
    Repeat {
        user: UserId,
        subjects: Vec<SubjectId>,
        first_at: DateTime<Utc>,
    },
}

/// Why an erasure is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ErasureRefusal {
    #[error("Nobody asked for this person to be erased, or it was decided. Look at the list.")]
    NotRequested,
    #[error("Somebody asked for this already; another administrator has to decide.")]
    Duplicate,
    #[error("This request ran out. Ask for the erasure again.")]
    Expired,
    #[error("Nobody decides about their own request or about themself. Ask another administrator.")]
    SelfApproval,
    #[error("This person was erased already.")]
    AlreadyErased,
    #[error(
        "The person belongs to an organization or the plan, or signed what is in force. End that first."
    )]
    InEffect,
    #[error("The law wants the records about this person kept for now. Ask again after that.")]
    Retained(DateTime<Utc>),
    #[error(
        "A legal matter wants the records about this person kept. Ask whoever keeps the holds."
    )]
    Held(Option<usize>),
}

impl From<ErasureRefusal> for Refusal {
    fn from(refusal: ErasureRefusal) -> Self {
        use ErasureRefusal as R;
        let message = refusal.to_string();
        let about = |code| Self::new(code, message.clone()).at("userId");
        match refusal {
            R::NotRequested => about(Code::NotPending),
            R::Duplicate => about(Code::DuplicateRequest),
            R::Expired => about(Code::RequestExpired),
            R::SelfApproval => about(Code::SelfApproval),
            R::AlreadyErased => about(Code::AlreadyErased),
            R::InEffect => about(Code::StillInEffect),
            R::Retained(until) => about(Code::RetentionActive).retry_at(until),
            R::Held(count) => {
                about(Code::LegalHoldActive).details(count.map(|holds| format!("holds={holds}")))
            }
        }
    }
}

/// A request that is not decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestedErasure {
    pub user: UserId,
    pub by: UserId,
    pub expires_at: DateTime<Utc>,
}

/// Whether a person is to be erased, or was.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Erasure {
    #[default]
    NotRequested,
    Requested(RequestedErasure),
    Erased,
}

impl Obstacles {
    fn check(self, now: DateTime<Utc>) -> Result<(), ErasureRefusal> {
        if self.in_effect {
            return Err(ErasureRefusal::InEffect);
        }
        if let Some(until) = self.retained_until.filter(|until| now < *until) {
            return Err(ErasureRefusal::Retained(until));
        }
        match self.holds {
            0 => Ok(()),
            holds => Err(ErasureRefusal::Held(self.may_know_holds.then_some(holds))),
        }
    }
}

impl Erasure {
    /// Whether `by` may decide now, whatever stands against the erasure itself.
    ///
    /// # Errors
    /// Nobody asked for it, it was decided, the request ran out, or it is theirs or about them.
    pub fn decidable(&self, by: UserId, now: DateTime<Utc>) -> Result<(), ErasureRefusal> {
        self.decided(by, now).map(drop)
    }

    /// The request that `by` may decide.
    fn decided(&self, by: UserId, now: DateTime<Utc>) -> Result<&RequestedErasure, ErasureRefusal> {
        match self {
            Self::NotRequested => Err(ErasureRefusal::NotRequested),
            Self::Erased => Err(ErasureRefusal::AlreadyErased),
            Self::Requested(open) if open.expires_at <= now => Err(ErasureRefusal::Expired),
            Self::Requested(open) if open.by == by || open.user == by => {
                Err(ErasureRefusal::SelfApproval)
            }
            Self::Requested(open) => Ok(open),
        }
    }

    fn requestable(
        &self,
        user: UserId,
        by: UserId,
        now: DateTime<Utc>,
    ) -> Result<(), ErasureRefusal> {
        match self {
            _ if user == by => Err(ErasureRefusal::SelfApproval),
            Self::Erased => Err(ErasureRefusal::AlreadyErased),
            Self::Requested(open) if now < open.expires_at => Err(ErasureRefusal::Duplicate),
            Self::Requested(_) | Self::NotRequested => Ok(()),
        }
    }
}

impl Decider for Erasure {
    const TYPE: &'static str = "audit.erasure";
    type Command = ErasureCommand;
    type Event = ErasureEvent;
    type Refusal = ErasureRefusal;

    fn decide(
        &self,
        decision: &Decision<'_>,
        command: ErasureCommand,
    ) -> Result<Vec<ErasureEvent>, ErasureRefusal> {
        use ErasureCommand as C;
        use ErasureEvent as E;
        let now = decision.now;
        let event = match command {
            C::Request { user, by, basis, reason, obstacles } => {
                self.requestable(user, by, now)?;
                obstacles.check(now)?;
                let (reason, expires_at) = (Sealed::new(user, reason), now + DECIDED_WITHIN);
                E::ErasureRequested { user, by, basis, reason, expires_at }
            }
            C::Approve { by, subjects, obstacles } => {
                let user = self.decided(by, now)?.user;
                obstacles.check(now)?;
                E::PersonErased { user, by: Some(by), subjects, first_at: now }
            }
            C::Refuse { by, reason } => {
                let user = self.decided(by, now)?.user;
                E::ErasureRefused { user, by, reason: Sealed::new(user, reason) }
            }
            C::Repeat { .. } if *self == Self::Erased => return Ok(Vec::new()),
            C::Repeat { user, subjects, first_at } => {
                E::PersonErased { user, by: None, subjects, first_at }
            }
        };
        Ok(vec![event])
    }

    fn evolve(&mut self, event: &ErasureEvent) {
        *self = match event {
            ErasureEvent::ErasureRequested { user, by, expires_at, .. } => {
                Self::Requested(RequestedErasure { user: *user, by: *by, expires_at: *expires_at })
            }
            ErasureEvent::ErasureRefused { .. } => Self::NotRequested,
            ErasureEvent::PersonErased { .. } => Self::Erased,
        };
    }
}

#[cfg(test)]
#[path = "erasure_tests.rs"]
mod tests;
