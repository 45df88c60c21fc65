//! Templates: the saved choice of a campaign, opened by hand or again and again (GN-15).
//!
//! Invariant: a date of the recurrence is seen to once, and of those that were missed only the last; what
//! the template says when it is opened is what counts then.

mod events;
mod recurrence;
mod refusal;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::ReviewScope;
use super::campaign::MOST_DAYS_OPEN;
use crate::kernel::ids::{CampaignId, OrganizationId, ReviewTemplateId, UserId};
use crate::organizations::OrganizationKind;
use crate::values::{CalendarDate, ContentLine, TenantZone};
use crate::{Decider, Decision};

pub use events::{ReviewTemplateEvent, TemplateSkip};
pub use recurrence::{MOST_DATES, MOST_DAYS_BETWEEN, MonthDay, Recurrence};
pub use refusal::ReviewTemplateRefusal;

/// The most organisations that a template names.
pub const MOST_NAMED: usize = 1_000;

/// Which organisations a campaign covers, chosen anew at each opening.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Covers {
    /// These, as far as they are active then; none named: all.
    pub only: Option<Vec<OrganizationId>>,
    /// Only those of this kind.
    pub kind: Option<OrganizationKind>,
}

/// What a template says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateTerms {
    pub name: ContentLine,
    pub scope: ReviewScope,
    pub covers: Covers,
    /// How long the reviews are open; none: as the policy has it then.
    pub open_days: Option<u32>,
    /// Whether only what changed since the last signed review of the same is to be decided.
    pub changed_only: bool,
    /// None: only by hand.
    pub recurrence: Option<Recurrence>,
}

/// A wish about a template.
#[derive(Clone, Debug)]
pub enum ReviewTemplateCommand {
    Create {
        template: ReviewTemplateId,
        terms: Box<TemplateTerms>,
    },
    Change(Box<TemplateTerms>),
    /// A campaign was opened by it; by hand if there is no date.
    RecordOpened {
        campaign: CampaignId,
        due_on: Option<CalendarDate>,
    },
    /// There was nothing to open.
    RecordSkipped {
        due_on: CalendarDate,
        reason: TemplateSkip,
    },
    Retire,
}

/// A template that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    pub template: ReviewTemplateId,
    pub terms: TemplateTerms,
    /// Who said so last, in whose name it is opened.
    pub set_by: UserId,
    pub set_at: DateTime<Utc>,
    /// The last date of a recurrence that was seen to.
    pub last_due: Option<CalendarDate>,
    pub is_retired: bool,
}

/// When a template is opened by itself.
#[derive(Clone, Copy, Debug)]
pub struct Calendar<'a> {
    pub recurrence: &'a Recurrence,
    pub zone: TenantZone,
    /// When the recurrence was set: what came before that day is none of its dates.
    pub set_at: DateTime<Utc>,
    pub last_due: Option<CalendarDate>,
}

impl Calendar<'_> {
    /// The date that has come and that nothing was opened for yet; the last one of those that were missed.
    #[must_use]
    pub fn due(self, now: DateTime<Utc>) -> Option<NaiveDate> {
        let last = self.recurrence.last(self.zone.local_date(now))?;
        let is_done = self.last_due.is_some_and(|done| last <= done.date());
        (last >= self.zone.local_date(self.set_at) && !is_done).then_some(last)
    }

    /// The date on which it is opened next, which may have come already.
    #[must_use]
    pub fn next(self, now: DateTime<Utc>) -> Option<NaiveDate> {
        let today = self.zone.local_date(now);
        let seen_to = self.last_due.map_or(today, |done| today.max(done.date()));
        self.due(now).or_else(|| self.recurrence.next(seen_to))
    }
}

impl Template {
    /// When it is opened by itself; not where it is retired or has no recurrence.
    #[must_use]
    pub fn calendar(&self, zone: TenantZone) -> Option<Calendar<'_>> {
        let recurrence = self.terms.recurrence.as_ref().filter(|_| !self.is_retired)?;
        let (set_at, last_due) = (self.set_at, self.last_due);
        Some(Calendar { recurrence, zone, set_at, last_due })
    }

    fn evolve(&mut self, event: &ReviewTemplateEvent) {
        use ReviewTemplateEvent as E;
        match event {
            // Taken in where it begins.
            E::ReviewTemplateCreated { .. } => {}
            E::ReviewTemplateChanged { terms, by, changed_at } => {
                self.terms = (**terms).clone();
                (self.set_by, self.set_at) = (*by, *changed_at);
            }
            E::ReviewTemplateOpened { due_on, .. } => {
                self.last_due = due_on.or(self.last_due);
            }
            E::ReviewTemplateSkipped { due_on, .. } => self.last_due = Some(*due_on),
            E::ReviewTemplateRetired { .. } => self.is_retired = true,
        }
    }
}

/// A template.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum ReviewTemplate {
    /// The id is not in use.
    #[default]
    NotCreated,
    Created(Box<Template>),
}

type Decided = Result<Vec<ReviewTemplateEvent>, ReviewTemplateRefusal>;

impl ReviewTemplate {
    /// The template, if something can be opened by it.
    ///
    /// # Errors
    /// `NOT_FOUND` or `ALREADY_INACTIVE`.
    pub fn in_use(&self) -> Result<&Template, ReviewTemplateRefusal> {
        match self {
            Self::NotCreated => Err(ReviewTemplateRefusal::Unknown),
            Self::Created(template) if template.is_retired => Err(ReviewTemplateRefusal::Retired),
            Self::Created(template) => Ok(template),
        }
    }
}

fn check(terms: &TemplateTerms) -> Result<(), ReviewTemplateRefusal> {
    use ReviewTemplateRefusal as R;
    if terms.open_days.is_some_and(|days| !(1..=MOST_DAYS_OPEN).contains(&days)) {
        return Err(R::DaysOpen);
    }
    if terms.recurrence.as_ref().is_some_and(|recurrence| !recurrence.is_bounded()) {
        return Err(R::Recurrence);
    }
    let Some(only) = &terms.covers.only else { return Ok(()) };
    let is_once = only.iter().collect::<BTreeSet<_>>().len() == only.len();
    let is_bounded = (1..=MOST_NAMED).contains(&only.len());
    if is_once && is_bounded { Ok(()) } else { Err(R::Organizations) }
}

impl Decider for ReviewTemplate {
    const TYPE: &'static str = "access_reviews.review_template";
    type Command = ReviewTemplateCommand;
    type Event = ReviewTemplateEvent;
    type Refusal = ReviewTemplateRefusal;

    fn decide(&self, decision: &Decision<'_>, command: ReviewTemplateCommand) -> Decided {
        use ReviewTemplateCommand as C;
        use ReviewTemplateRefusal as R;
        let by = || decision.actor.person().ok_or(R::NoPerson);
        Ok(vec![match command {
            C::Create { template, terms } => {
                if *self != Self::NotCreated {
                    return Err(R::Created);
                }
                check(&terms)?;
                let (by, created_at) = (by()?, decision.now);
                ReviewTemplateEvent::ReviewTemplateCreated { template, terms, by, created_at }
            }
            C::Change(terms) => {
                let current = self.in_use()?;
                check(&terms)?;
                if current.terms == *terms {
                    return Ok(Vec::new());
                }
                let (by, changed_at) = (by()?, decision.now);
                ReviewTemplateEvent::ReviewTemplateChanged { terms, by, changed_at }
            }
            C::RecordOpened { campaign, due_on } => {
                self.in_use()?;
                let opened_at = decision.now;
                ReviewTemplateEvent::ReviewTemplateOpened { campaign, due_on, opened_at }
            }
            C::RecordSkipped { due_on, reason } => {
                self.in_use()?;
                ReviewTemplateEvent::ReviewTemplateSkipped { due_on, reason }
            }
            C::Retire => {
                self.in_use()?;
                let (by, retired_at) = (by()?, decision.now);
                ReviewTemplateEvent::ReviewTemplateRetired { by, retired_at }
            }
        }])
    }

    fn evolve(&mut self, event: &ReviewTemplateEvent) {
        match self {
            Self::NotCreated => *self = begin(event),
            Self::Created(template) => template.evolve(event),
        }
    }
}

fn begin(event: &ReviewTemplateEvent) -> ReviewTemplate {
    let ReviewTemplateEvent::ReviewTemplateCreated { template, terms, by, created_at } = event
    else {
        return ReviewTemplate::NotCreated;
    };
    ReviewTemplate::Created(Box::new(Template {
        template: *template,
        terms: (**terms).clone(),
        set_by: *by,
        set_at: *created_at,
        last_due: None,
        is_retired: false,
    }))
}
