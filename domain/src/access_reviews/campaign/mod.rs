//! Campaigns: the same review in many organisations (GN-15): OPENING → OPEN → COMPLETED / CANCELLED.
//!
//! Invariant: the organisations are frozen when it opens; each has one review of it, or a reason why
//! not, and it is completed when none of these reviews is under way.

mod events;
mod refusal;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use rpds::RedBlackTreeMapSync;

use super::{ReviewScope, sha256_of_lines};
use crate::kernel::ids::{AccessReviewId, CampaignId, OrganizationId, UserId};
use crate::values::{ContentLine, Reason};
use crate::{Decider, Decision, Sealed};

pub use events::{CampaignTotals, FromTemplate, ReviewCampaignEvent, ReviewEnd, SkipReason};
pub use refusal::ReviewCampaignRefusal;

/// The most organisations of a campaign.
pub const MOST_ORGANIZATIONS: usize = 20_000;
/// The longest time for which its reviews may be open, in days.
pub const MOST_DAYS_OPEN: u32 = 366;
/// The most organisations in one event of the list.
const LISTED_AT_ONCE: usize = 1_000;

/// A campaign to open.
#[derive(Clone, Debug)]
pub struct NewCampaign {
    pub campaign: CampaignId,
    pub name: ContentLine,
    pub scope: ReviewScope,
    /// Whether its reviews are about what changed only.
    pub changed_only: bool,
    /// The tenant's position as of which `organizations` was read.
    pub as_of: i64,
    /// In the order of the list; each once.
    pub organizations: Vec<OrganizationId>,
    pub open_days: u32,
    /// How long after it is due a review is escalated, in days.
    pub grace_days: u32,
    /// Of one that is opened by itself, in whose name.
    pub opened_by: Option<UserId>,
    pub template: Option<FromTemplate>,
}

/// A wish about a campaign.
#[derive(Clone, Debug)]
pub enum ReviewCampaignCommand {
    Open(Box<NewCampaign>),
    /// The review of an organisation was opened for it.
    RecordOpened {
        organization: OrganizationId,
        review: AccessReviewId,
        items: u32,
    },
    /// An organisation gets none.
    Skip {
        organization: OrganizationId,
        reason: SkipReason,
    },
    /// A review of it was signed or cancelled.
    RecordClosed {
        organization: OrganizationId,
        end: ReviewEnd,
    },
    Cancel {
        reason: Reason,
    },
}

/// Where a campaign stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CampaignStatus {
    /// Not every organisation has its review yet.
    Opening,
    Open,
    Completed,
    Cancelled,
}

impl CampaignStatus {
    /// The name in rows.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Opening => "OPENING",
            Self::Open => "OPEN",
            Self::Completed => "COMPLETED",
            Self::Cancelled => "CANCELLED",
        }
    }
}

/// Where an organisation of a campaign stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Covered {
    /// Its review is to be opened.
    Waiting,
    UnderWay(AccessReviewId),
    Closed(AccessReviewId, ReviewEnd),
    Skipped(SkipReason),
}

/// A campaign that was opened.
#[derive(Clone, Debug, PartialEq)]
pub struct Campaign {
    pub campaign: CampaignId,
    pub scope: ReviewScope,
    pub changed_only: bool,
    /// Of one that was opened by itself, who set the template.
    pub opened_by: UserId,
    pub template: Option<FromTemplate>,
    pub due_at: DateTime<Utc>,
    pub grace_until: DateTime<Utc>,
    is_completed: bool,
    is_cancelled: bool,
    covered: RedBlackTreeMapSync<OrganizationId, Covered>,
}

impl Campaign {
    /// Whether its time had come, and nobody opened it.
    #[must_use]
    pub fn is_scheduled(&self) -> bool {
        self.template.is_some_and(|from| from.due_on.is_some())
    }

    #[must_use]
    pub fn status(&self) -> CampaignStatus {
        match (self.is_cancelled, self.is_completed) {
            (true, _) => CampaignStatus::Cancelled,
            (false, true) => CampaignStatus::Completed,
            (false, false) if self.waiting().next().is_some() => CampaignStatus::Opening,
            (false, false) => CampaignStatus::Open,
        }
    }

    #[must_use]
    pub const fn is_cancelled(&self) -> bool {
        self.is_cancelled
    }

    /// The organisations whose review is to be opened; none once it was cancelled.
    pub fn waiting(&self) -> impl Iterator<Item = OrganizationId> + '_ {
        let waiting = self.covered.iter().filter(|(_, it)| **it == Covered::Waiting);
        waiting.map(|(organization, _)| *organization).filter(|_| !self.is_cancelled)
    }

    /// The reviews that are neither signed nor cancelled.
    pub fn under_way(&self) -> impl Iterator<Item = (OrganizationId, AccessReviewId)> + '_ {
        self.covered.iter().filter_map(|(organization, it)| match it {
            Covered::UnderWay(review) => Some((*organization, *review)),
            Covered::Waiting | Covered::Closed(..) | Covered::Skipped(_) => None,
        })
    }

    fn is(&self, organization: OrganizationId, covered: Covered) -> bool {
        self.covered.get(&organization) == Some(&covered)
    }

    /// The event, and that it was the last one.
    fn and_completed(
        &self,
        decision: &Decision<'_>,
        event: ReviewCampaignEvent,
    ) -> Vec<ReviewCampaignEvent> {
        let mut then = self.clone();
        then.evolve(&event);
        let is_over = then.status() == CampaignStatus::Open && then.under_way().next().is_none();
        let completed = is_over.then(|| ReviewCampaignEvent::ReviewCampaignCompleted {
            totals: then.totals(),
            completed_at: decision.now,
        });
        [event].into_iter().chain(completed).collect()
    }

    fn totals(&self) -> CampaignTotals {
        let mut totals = CampaignTotals::default();
        for covered in self.covered.values() {
            totals.organizations += 1;
            match covered {
                Covered::Closed(_, ReviewEnd::Signed) => totals.signed += 1,
                Covered::Closed(_, ReviewEnd::Cancelled) => totals.cancelled += 1,
                Covered::Skipped(_) => totals.skipped += 1,
                Covered::Waiting | Covered::UnderWay(_) => {}
            }
        }
        totals
    }

    fn evolve(&mut self, event: &ReviewCampaignEvent) {
        use ReviewCampaignEvent as E;
        match event {
            // Taken in where it begins.
            E::ReviewCampaignOpened { .. } => {}
            E::CampaignOrganizationsListed { organizations, .. } => {
                for organization in organizations {
                    self.covered.insert_mut(*organization, Covered::Waiting);
                }
            }
            E::CampaignReviewOpened { organization, review, .. } => {
                self.covered.insert_mut(*organization, Covered::UnderWay(*review));
            }
            E::CampaignOrganizationSkipped { organization, reason } => {
                self.covered.insert_mut(*organization, Covered::Skipped(*reason));
            }
            E::CampaignReviewClosed { organization, review, end } => {
                self.covered.insert_mut(*organization, Covered::Closed(*review, *end));
            }
            E::ReviewCampaignCompleted { .. } => self.is_completed = true,
            E::ReviewCampaignCancelled { .. } => self.is_cancelled = true,
        }
    }
}

/// A campaign.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum ReviewCampaign {
    /// The id is not in use.
    #[default]
    NotOpened,
    Opened(Box<Campaign>),
}

type Decided = Result<Vec<ReviewCampaignEvent>, ReviewCampaignRefusal>;

impl ReviewCampaign {
    /// The campaign, unless the id is not in use.
    ///
    /// # Errors
    /// `NOT_FOUND`.
    pub fn campaign(&self) -> Result<&Campaign, ReviewCampaignRefusal> {
        match self {
            Self::NotOpened => Err(ReviewCampaignRefusal::Unknown),
            Self::Opened(campaign) => Ok(campaign),
        }
    }
}

fn opened(decision: &Decision<'_>, new: NewCampaign) -> Decided {
    use ReviewCampaignRefusal as R;
    let NewCampaign { organizations, open_days, .. } = new;
    let opened_by = decision.actor.person().or(new.opened_by).ok_or(R::NoPerson)?;
    if organizations.is_empty() {
        return Err(R::NoOrganizations);
    }
    if organizations.len() > MOST_ORGANIZATIONS {
        return Err(R::TooMany);
    }
    if organizations.iter().collect::<BTreeSet<_>>().len() < organizations.len() {
        return Err(R::ChosenTwice);
    }
    if !(1..=MOST_DAYS_OPEN).contains(&open_days) {
        return Err(R::DaysOpen);
    }
    let zone = decision.policy.time_zone();
    let due_at = zone.days_later(decision.now, i64::from(open_days));
    let mut events = vec![ReviewCampaignEvent::ReviewCampaignOpened {
        campaign: new.campaign,
        name: new.name,
        scope: new.scope,
        as_of: new.as_of,
        organizations: u32::try_from(organizations.len()).expect("no more than the most"),
        sha256: sha256_of_lines(&organizations),
        opened_by,
        opened_at: decision.now,
        due_at,
        grace_until: zone.days_later(due_at, i64::from(new.grace_days)),
        changed_only: new.changed_only,
        template: new.template,
    }];
    let parts = (0..).step_by(LISTED_AT_ONCE).zip(organizations.chunks(LISTED_AT_ONCE));
    events.extend(parts.map(|(before, part)| ReviewCampaignEvent::CampaignOrganizationsListed {
        first: before + 1,
        organizations: part.to_vec(),
    }));
    Ok(events)
}

fn begin(event: &ReviewCampaignEvent) -> ReviewCampaign {
    let ReviewCampaignEvent::ReviewCampaignOpened {
        campaign,
        scope,
        opened_by,
        due_at,
        grace_until,
        changed_only,
        template,
        ..
    } = event
    else {
        return ReviewCampaign::NotOpened;
    };
    ReviewCampaign::Opened(Box::new(Campaign {
        campaign: *campaign,
        scope: scope.clone(),
        changed_only: *changed_only,
        template: *template,
        opened_by: *opened_by,
        due_at: *due_at,
        grace_until: *grace_until,
        is_completed: false,
        is_cancelled: false,
        covered: RedBlackTreeMapSync::default(),
    }))
}

impl Decider for ReviewCampaign {
    const TYPE: &'static str = "access_reviews.review_campaign";
    type Command = ReviewCampaignCommand;
    type Event = ReviewCampaignEvent;
    type Refusal = ReviewCampaignRefusal;

    fn decide(&self, decision: &Decision<'_>, command: ReviewCampaignCommand) -> Decided {
        use ReviewCampaignCommand as C;
        use ReviewCampaignRefusal as R;
        let Self::Opened(campaign) = self else {
            return match command {
                C::Open(new) => opened(decision, *new),
                C::RecordOpened { .. }
                | C::Skip { .. }
                | C::RecordClosed { .. }
                | C::Cancel { .. } => Err(R::Unknown),
            };
        };
        let event = match command {
            C::Open(_) => return Err(R::Opened),
            C::RecordOpened { organization, .. } | C::Skip { organization, .. }
                if campaign.is_cancelled || !campaign.is(organization, Covered::Waiting) =>
            {
                return Ok(Vec::new());
            }
            C::RecordOpened { organization, review, items } => {
                ReviewCampaignEvent::CampaignReviewOpened { organization, review, items }
            }
            C::Skip { organization, reason } => {
                ReviewCampaignEvent::CampaignOrganizationSkipped { organization, reason }
            }
            C::RecordClosed { organization, end } => {
                let under_way = campaign.under_way().find(|(of, _)| *of == organization);
                let Some((_, review)) = under_way else { return Ok(Vec::new()) };
                ReviewCampaignEvent::CampaignReviewClosed { organization, review, end }
            }
            C::Cancel { reason } => {
                if campaign.is_cancelled || campaign.is_completed {
                    return Err(R::Closed);
                }
                ReviewCampaignEvent::ReviewCampaignCancelled {
                    by: decision.actor.person().ok_or(R::NoPerson)?,
                    reason: Sealed::new(campaign.campaign, reason),
                }
            }
        };
        Ok(campaign.and_completed(decision, event))
    }

    fn evolve(&mut self, event: &ReviewCampaignEvent) {
        match self {
            Self::NotOpened => *self = begin(event),
            Self::Opened(campaign) => campaign.evolve(event),
        }
    }
}
