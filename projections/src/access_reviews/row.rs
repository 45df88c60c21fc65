//! A review and its items as rows, and how a fact changes them.
//!
//! Invariant: the counts of a review are those of its items' outcomes.

use chrono::{DateTime, NaiveDate, Utc};
use rollcall_domain::{
    AnyEvent,
    access_reviews::{
        AccessReviewEvent, ItemOutcome, Opener, Recommendation, ReviewDecision, ReviewExecution,
        ReviewItem, ReviewItemDecision, ReviewScope, ReviewStatus, ReviewTotals, ReviewedAccess,
    },
    kernel::ids::OrganizationId,
};
use rollcall_journal::Recorded;
use serde::Serialize;
use sqlx::types::Json;
use uuid::Uuid;

/// The stored name of an outcome.
#[must_use]
pub const fn outcome_word(outcome: ItemOutcome) -> &'static str {
    match outcome {
        ItemOutcome::Undecided => "UNDECIDED",
        ItemOutcome::Pending => "PENDING",
        ItemOutcome::Kept => "KEPT",
        ItemOutcome::Revoked => "REVOKED",
        ItemOutcome::Changed => "CHANGED",
        ItemOutcome::Gone => "GONE",
    }
}

/// A decision in rows.
#[derive(Clone, Copy, Debug)]
pub(super) struct DecisionWords {
    pub decision: &'static str,
    /// The role or the level that it gives.
    pub new_role: Option<&'static str>,
    pub new_level: Option<&'static str>,
}

/// The stored names of a decision.
pub(super) const fn decision_words(decision: ReviewDecision) -> DecisionWords {
    let (decision, new_role, new_level) = match decision {
        ReviewDecision::Keep => ("KEEP", None, None),
        ReviewDecision::Revoke { .. } => ("REVOKE", None, None),
        ReviewDecision::Change { role } => ("CHANGE", Some(role.as_str()), None),
        ReviewDecision::ChangeLevel { level } => ("CHANGE", None, Some(level.as_str())),
    };
    DecisionWords { decision, new_role, new_level }
}

/// What an item is about, named as in `read.access_intervals`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Thing {
    pub kind: &'static str,
    pub npi: Option<String>,
    pub name: Option<String>,
    pub level: Option<&'static str>,
    pub until: Option<DateTime<Utc>>,
}

/// The kind of an item that is no single right.
pub const MEMBERSHIP: &str = "MEMBERSHIP";

impl Thing {
    pub fn of(access: Option<&ReviewedAccess>) -> Self {
        let none = Self { kind: MEMBERSHIP, npi: None, name: None, level: None, until: None };
        match access {
            None | Some(ReviewedAccess::Membership { .. }) => none,
            Some(ReviewedAccess::Npi { npi, level, until }) => Self {
                kind: "NPI_LEVEL",
                npi: Some(npi.to_string()),
                level: Some(level.as_str()),
                until: *until,
                ..none
            },
            Some(ReviewedAccess::Correspondence { npi, types }) => Self {
                kind: "CORRESPONDENCE",
                npi: Some(npi.to_string()),
                name: Some(types.to_string()),
                ..none
            },
            Some(ReviewedAccess::Grant { grant, until }) => {
                Self { kind: grant.kind().as_str(), name: Some(grant.key()), until: *until, ..none }
            }
        }
    }
}

/// One review.
#[derive(Clone, Debug, Serialize, sqlx::FromRow)]
pub struct AccessReviewRow {
    pub tenant_id: Uuid,
    pub review_id: Uuid,
    pub organization_id: Uuid,
    pub campaign_id: Option<Uuid>,
    pub scope: Json<ReviewScope>,
    pub status: String,
    /// Tenant position as of which the list was read.
    pub as_of: i64,
    pub population: i32,
    /// Of the list.
    pub sha256: String,
    /// `None`: the schedule.
    pub opened_by: Option<Uuid>,
    pub opened_position: i64,
    pub opened_at: DateTime<Utc>,
    pub due_at: DateTime<Utc>,
    pub grace_until: DateTime<Utc>,
    pub escalated_at: Option<DateTime<Utc>>,
    pub undecided: i32,
    pub pending: i32,
    pub kept: i32,
    pub revoked: i32,
    pub changed: i32,
    /// Whose person left, or whose right ended, for another reason; known since it was signed, as are the next three.
    pub gone: Option<i32>,
    pub joiners: Option<i32>,
    /// The version of the statement that was signed.
    pub statement: Option<String>,
    /// Of the results.
    pub results_sha256: Option<String>,
    /// When it was signed or cancelled.
    pub closed_at: Option<DateTime<Utc>>,
    pub closed_by: Option<Uuid>,
    /// Of the event.
    pub closed_position: Option<i64>,
    /// Who keeps almost everything, quicker than anybody reads.
    pub hasty_reviewers: Vec<Uuid>,
    pub version: i64,
}

/// A count as a column has it; no review has more than [`rollcall_domain::access_reviews::MOST_ITEMS`].
fn count(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

impl AccessReviewRow {
    /// The row of a review that begins; `None` where the event is another.
    pub(super) fn opened(recorded: &Recorded<AnyEvent>, event: &AccessReviewEvent) -> Option<Self> {
        let AccessReviewEvent::AccessReviewOpened {
            review,
            organization,
            campaign,
            scope,
            as_of,
            items,
            sha256,
            opened_by,
            opened_at,
            due_at,
            grace_until,
        } = event
        else {
            return None;
        };
        Some(Self {
            tenant_id: recorded.tenant.0,
            review_id: review.0,
            organization_id: organization.0,
            campaign_id: campaign.map(|campaign| campaign.0),
            scope: Json(scope.clone()),
            status: ReviewStatus::Open.as_str().to_owned(),
            as_of: *as_of,
            population: count(*items),
            sha256: sha256.clone(),
            opened_by: match opened_by {
                Opener::ByHand { user } => Some(user.0),
                Opener::Scheduled => None,
            },
            opened_position: recorded.tenant_position,
            opened_at: *opened_at,
            due_at: *due_at,
            grace_until: *grace_until,
            escalated_at: None,
            undecided: count(*items),
            pending: 0,
            kept: 0,
            revoked: 0,
            changed: 0,
            gone: None,
            joiners: None,
            statement: None,
            results_sha256: None,
            closed_at: None,
            closed_by: None,
            closed_position: None,
            hasty_reviewers: Vec::new(),
            version: recorded.sequence,
        })
    }

    /// What an event says about the review itself; about items see [`ItemRow`].
    pub(super) fn take_in(&mut self, recorded: &Recorded<AnyEvent>, event: &AccessReviewEvent) {
        use AccessReviewEvent as E;
        self.version = recorded.sequence;
        match event {
            E::AccessReviewOpened { .. }
            | E::ReviewItemsListed { .. }
            | E::ReviewItemDecided(_)
            | E::ReviewItemDelegated { .. }
            | E::ReviewRevocationExecuted(_)
            | E::ReviewChangeExecuted(_)
            | E::AccessReviewReminded { .. } => {}
            E::HastyReviewSuspected { reviewer, .. } => self.hasty_reviewers.push(reviewer.0),
            E::AccessReviewOverdue { .. } => self.stands(ReviewStatus::Overdue),
            E::AccessReviewEscalated { .. } => self.escalated_at = Some(recorded.occurred_at),
            E::AccessReviewCompleted {
                attested_by,
                signature,
                totals,
                joiners,
                sha256,
                completed_at,
                ..
            } => {
                self.stands(ReviewStatus::Completed);
                self.total(totals);
                self.joiners = Some(count(*joiners));
                self.statement = Some(signature.statement.clone());
                self.results_sha256 = Some(sha256.clone());
                self.closed_at = Some(*completed_at);
                self.closed_by = Some(attested_by.0);
                self.closed_position = Some(recorded.tenant_position);
            }
            E::AccessReviewCancelled { by, .. } => {
                self.stands(ReviewStatus::Cancelled);
                self.closed_at = Some(recorded.occurred_at);
                self.closed_by = by.map(|by| by.0);
                self.closed_position = Some(recorded.tenant_position);
            }
        }
    }

    fn stands(&mut self, status: ReviewStatus) {
        self.status = status.as_str().to_owned();
    }

    fn total(&mut self, totals: &ReviewTotals) {
        self.undecided = count(totals.undecided);
        self.pending = count(totals.pending);
        self.kept = count(totals.kept);
        self.revoked = count(totals.revoked);
        self.changed = count(totals.changed);
        self.gone = Some(count(totals.gone));
    }

    /// An item's outcome is another now.
    pub(super) fn recount(&mut self, before: &str, after: &str) {
        for (outcome, difference) in [(before, -1), (after, 1)] {
            let counter = match outcome {
                "UNDECIDED" => &mut self.undecided,
                "PENDING" => &mut self.pending,
                "KEPT" => &mut self.kept,
                "REVOKED" => &mut self.revoked,
                "CHANGED" => &mut self.changed,
                // Known by what is signed, which comes with totals.
                _ => continue,
            };
            *counter += difference;
        }
    }
}

/// One item.
#[derive(Clone, Debug, Serialize, sqlx::FromRow)]
pub struct ItemRow {
    pub tenant_id: Uuid,
    pub review_id: Uuid,
    /// The number in the list.
    pub item: i32,
    pub organization_id: Uuid,
    pub user_id: Uuid,
    /// The organisation-wide permission when the list was frozen; of a membership.
    pub org_role: Option<String>,
    pub outcome: String,
    pub delegated_to: Option<Uuid>,
    pub decision: Option<String>,
    pub new_role: Option<String>,
    pub left_on: Option<NaiveDate>,
    pub decided_by: Option<Uuid>,
    pub decided_at: Option<DateTime<Utc>>,
    pub decided_position: Option<i64>,
    /// What was recommended when it was decided.
    pub recommendation: Option<Json<Recommendation>>,
    pub executed_at: Option<DateTime<Utc>>,
    pub verified: bool,
    /// Seconds from the decision to its effect.
    pub delay_s: Option<i64>,
    /// What it is about, as `read.access_intervals` names it; MEMBERSHIP for the membership itself.
    pub kind: String,
    /// One NPI, or `*`.
    pub npi: Option<String>,
    /// The type of correspondence or `*`, the feature, or the id of a job role, location or tax id.
    pub name: Option<String>,
    /// When the list was frozen, as is `until`.
    pub level: Option<String>,
    pub until: Option<DateTime<Utc>>,
    pub new_level: Option<String>,
    /// What the last look found left of it.
    pub remaining: Vec<String>,
}

impl ItemRow {
    /// Whether it is about a single right, not the membership.
    #[must_use]
    pub fn is_right(&self) -> bool {
        self.kind != MEMBERSHIP
    }

    /// The row of an item when the list was frozen.
    pub(super) fn listed(
        recorded: &Recorded<AnyEvent>,
        organization: OrganizationId,
        listed: &ReviewItem,
    ) -> Self {
        let thing = Thing::of(Some(&listed.access));
        Self {
            tenant_id: recorded.tenant.0,
            review_id: recorded.aggregate_id,
            item: count(listed.item),
            organization_id: organization.0,
            user_id: listed.user.0,
            org_role: listed.access.role().map(|role| role.as_str().to_owned()),
            outcome: outcome_word(ItemOutcome::Undecided).to_owned(),
            delegated_to: None,
            decision: None,
            new_role: None,
            left_on: None,
            decided_by: None,
            decided_at: None,
            decided_position: None,
            recommendation: None,
            executed_at: None,
            verified: false,
            delay_s: None,
            kind: thing.kind.to_owned(),
            npi: thing.npi,
            name: thing.name,
            level: thing.level.map(str::to_owned),
            until: thing.until,
            new_level: None,
            remaining: Vec::new(),
        }
    }

    pub(super) fn decide(&mut self, recorded: &Recorded<AnyEvent>, decided: &ReviewItemDecision) {
        let words = decision_words(decided.new);
        self.outcome = outcome_word(match decided.new {
            ReviewDecision::Keep => ItemOutcome::Kept,
            ReviewDecision::Revoke { .. }
            | ReviewDecision::Change { .. }
            | ReviewDecision::ChangeLevel { .. } => ItemOutcome::Pending,
        })
        .to_owned();
        self.decision = Some(words.decision.to_owned());
        self.new_role = words.new_role.map(str::to_owned);
        self.new_level = words.new_level.map(str::to_owned);
        self.left_on = match decided.new {
            ReviewDecision::Revoke { left_on } => left_on.map(|day| day.date()),
            ReviewDecision::Keep
            | ReviewDecision::Change { .. }
            | ReviewDecision::ChangeLevel { .. } => None,
        };
        self.decided_by = Some(decided.reviewer.0);
        self.decided_at = Some(decided.decided_at);
        self.decided_position = Some(recorded.tenant_position);
        self.recommendation = decided.recommendation.clone().map(Json);
        self.executed_at = None;
        self.verified = false;
        self.delay_s = None;
        self.remaining.clear();
    }

    /// What became of a decision; of one that another took the place of, nothing.
    pub(super) fn execute(&mut self, done: &ReviewExecution, outcome: ItemOutcome) {
        if self.decided_at != Some(done.decided_at) {
            return;
        }
        self.executed_at = Some(done.executed_at);
        self.verified = done.verified;
        self.delay_s = Some(done.delay_s);
        self.remaining = done.remaining.iter().map(|left| left.as_str().to_owned()).collect();
        if done.verified {
            self.outcome = outcome_word(outcome).to_owned();
        }
    }
}
