//! Who reviews in whose place while they are away: one stream per organisation (GN-15).
//!
//! Invariant: somebody has one substitute at a time, who is somebody else; whoever is away gives only what
//! they may themself, and no substitute passes it on.

mod refusal;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

pub use refusal::ReviewSubstitutesRefusal;

use crate::kernel::ids::{OrganizationId, UserId};
use crate::{Decider, Decision, Event, Facets};

/// The longest time away, in days.
pub const MOST_DAYS_AWAY: i64 = 366;

/// A time in which somebody else reviews in a person's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Absence {
    pub substitute: UserId,
    pub from: DateTime<Utc>,
    pub until: DateTime<Utc>,
}

impl Absence {
    fn lasts(&self, now: DateTime<Utc>) -> bool {
        self.from <= now && now < self.until
    }
}

/// A wish about who reviews in the place of whoever asks.
#[derive(Clone, Copy, Debug)]
pub enum ReviewSubstitutesCommand {
    /// Takes the place of a substitute named before.
    Name {
        organization: OrganizationId,
        substitute: UserId,
        /// `None`: from now on.
        from: Option<DateTime<Utc>>,
        until: DateTime<Utc>,
    },
    /// Whoever was away is back.
    End { organization: OrganizationId },
}

/// A fact about who reviews in whose place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReviewSubstitutesEvent {
    /// Somebody is away for a time, and somebody else reviews in their place (GN-15).
    ReviewSubstituteNamed {
        organization: OrganizationId,
        user: UserId,
        substitute: UserId,
        from: DateTime<Utc>,
        until: DateTime<Utc>,
    },
    /// They are back before that time is over, or do not go.
    ReviewSubstitutionEnded { organization: OrganizationId, user: UserId, substitute: UserId },
}

impl Event for ReviewSubstitutesEvent {
    fn event_type(&self) -> &'static str {
        match self {
            Self::ReviewSubstituteNamed { .. } => {
                "access_reviews.review_substitutes.review_substitute_named"
            }
            Self::ReviewSubstitutionEnded { .. } => {
                "access_reviews.review_substitutes.review_substitution_ended"
            }
        }
    }

    fn facets(&self) -> Facets {
        let (Self::ReviewSubstituteNamed { organization, user, .. }
        | Self::ReviewSubstitutionEnded { organization, user, .. }) = self;
        Facets { subject: Some(*user), ..Facets::default().organization(*organization) }
    }
}

/// Who reviews in whose place in an organisation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReviewSubstitutes {
    absences: BTreeMap<UserId, Absence>,
}

impl ReviewSubstitutes {
    /// Who reviews in the person's place now.
    #[must_use]
    pub fn substitute_of(&self, user: UserId, now: DateTime<Utc>) -> Option<UserId> {
        self.absences.get(&user).filter(|absence| absence.lasts(now)).map(|it| it.substitute)
    }

    /// In whose place the person reviews now, in the order of their ids.
    pub fn stood_in_for(&self, by: UserId, now: DateTime<Utc>) -> impl Iterator<Item = UserId> {
        let those = self.absences.iter();
        those
            .filter(move |(_, absence)| absence.substitute == by && absence.lasts(now))
            .map(|(user, _)| *user)
    }

    fn name(
        &self,
        decision: &Decision<'_>,
        (organization, substitute): (OrganizationId, UserId),
        (from, until): (Option<DateTime<Utc>>, DateTime<Utc>),
    ) -> Result<Vec<ReviewSubstitutesEvent>, ReviewSubstitutesRefusal> {
        use ReviewSubstitutesRefusal as R;
        let user = decision.actor.person().ok_or(R::NoPerson)?;
        if substitute == user {
            return Err(R::Oneself);
        }
        let from = from.unwrap_or(decision.now);
        if until <= decision.now || until <= from {
            return Err(R::EndsTooEarly);
        }
        if until - from.max(decision.now) > TimeDelta::days(MOST_DAYS_AWAY) {
            return Err(R::TooLong);
        }
        let absence = Absence { substitute, from, until };
        if self.absences.get(&user) == Some(&absence) {
            return Ok(Vec::new());
        }
        Ok(vec![ReviewSubstitutesEvent::ReviewSubstituteNamed {
            organization,
            user,
            substitute,
            from,
            until,
        }])
    }
}

impl Decider for ReviewSubstitutes {
    const TYPE: &'static str = "access_reviews.review_substitutes";
    type Command = ReviewSubstitutesCommand;
    type Event = ReviewSubstitutesEvent;
    type Refusal = ReviewSubstitutesRefusal;

    fn decide(
        &self,
        decision: &Decision<'_>,
        command: ReviewSubstitutesCommand,
    ) -> Result<Vec<ReviewSubstitutesEvent>, ReviewSubstitutesRefusal> {
        use ReviewSubstitutesRefusal as R;
        match command {
            ReviewSubstitutesCommand::Name { organization, substitute, from, until } => {
                self.name(decision, (organization, substitute), (from, until))
            }
            ReviewSubstitutesCommand::End { organization } => {
                let user = decision.actor.person().ok_or(R::NoPerson)?;
                let absence = self.absences.get(&user).filter(|it| decision.now < it.until);
                let substitute = absence.ok_or(R::NotAway)?.substitute;
                let ended = ReviewSubstitutesEvent::ReviewSubstitutionEnded {
                    organization,
                    user,
                    substitute,
                };
                Ok(vec![ended])
            }
        }
    }

    fn evolve(&mut self, event: &ReviewSubstitutesEvent) {
        match event {
            ReviewSubstitutesEvent::ReviewSubstituteNamed {
                user, substitute, from, until, ..
            } => {
                let absence = Absence { substitute: *substitute, from: *from, until: *until };
                self.absences.insert(*user, absence);
            }
            ReviewSubstitutesEvent::ReviewSubstitutionEnded { user, .. } => {
                self.absences.remove(user);
            }
        }
    }
}
