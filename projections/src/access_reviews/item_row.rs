//! An item of a review as a row, and how a fact changes it.
//!
//! Invariant: the outcome in the row is the aggregate's, but for who or what is gone, which is known when
//! the review is signed.

use chrono::{DateTime, NaiveDate, Utc};
use rollcall_domain::{
    AnyEvent, Refusal,
    access_reviews::{
        AccessReviewEvent, CarriedItem, ItemOutcome, PolicyDecision, Recommendation,
        ReviewDecision, ReviewExecution, ReviewItem, ReviewItemDecision, ReviewedAccess,
    },
    kernel::ids::{OrganizationId, UserId},
};
use rollcall_journal::Recorded;
use serde::Serialize;
use sqlx::types::Json;
use uuid::Uuid;

use super::row::count;

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
        ItemOutcome::CarriedForward => "CARRIED_FORWARD",
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
/// The kind of an item that is a machine's key, which no interval of the access register is of.
pub const API_KEY: &str = "API_KEY";

/// The kind of an item that is a role of the plan's own people.
pub const PLAN_ROLE: &str = "PLAN_ROLE";

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
            // Of whose affiliation it is, the decision knows.
            Some(ReviewedAccess::Submission { npi, .. }) => {
                Self { kind: "SUBMISSION", npi: Some(npi.to_string()), ..none }
            }
            Some(ReviewedAccess::Grant { grant, until }) => {
                Self { kind: grant.kind().as_str(), name: Some(grant.key()), until: *until, ..none }
            }
            Some(ReviewedAccess::ApiKey { key, until, .. }) => {
                Self { kind: API_KEY, name: Some(key.to_string()), until: Some(*until), ..none }
            }
            Some(ReviewedAccess::PlanRole { role, until, .. }) => {
                let name = Some(role.as_str().to_owned());
                Self { kind: PLAN_ROLE, name, until: *until, ..none }
            }
        }
    }
}

/// One item.
#[derive(Clone, Debug, Default, Serialize, sqlx::FromRow)]
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
    /// The type of correspondence or `*`, the feature, the plan's role, or the id of a job role, location, tax id or
    /// key.
    pub name: Option<String>,
    /// When the list was frozen, as is `until`.
    pub level: Option<String>,
    pub until: Option<DateTime<Utc>>,
    pub new_level: Option<String>,
    /// What the last look found left of it.
    pub remaining: Vec<String>,
    /// Whether what was decided is carried out at the closing, which has not come to it yet.
    pub waits: bool,
    /// Why it could not be carried out, or the policy could not take it away.
    pub refusal: Option<Json<Refusal>>,
    /// Whether the policy decided, and nobody.
    pub by_policy: bool,
    /// Who was away, in whose place it was decided.
    pub in_place_of: Option<Uuid>,
    /// Whether its person needs it still, as they say, since when and by which event.
    pub needed: Option<bool>,
    pub attested_at: Option<DateTime<Utc>>,
    pub attested_position: Option<i64>,
    /// Whether somebody decided and nobody else confirmed it yet; who did.
    pub awaits_second: bool,
    pub confirmed_by: Option<Uuid>,
    pub confirmed_at: Option<DateTime<Utc>>,
    /// Where somebody decided what is carried forward, who and when.
    pub certified_review: Option<Uuid>,
    pub certified_by: Option<Uuid>,
    pub certified_at: Option<DateTime<Utc>>,
}

impl ItemRow {
    /// Whether it is about a single right, not the membership.
    #[must_use]
    pub fn is_right(&self) -> bool {
        self.kind != MEMBERSHIP
    }

    /// Whether it is a machine's key, which works whether or not its person is a member.
    #[must_use]
    pub fn is_key(&self) -> bool {
        self.kind == API_KEY
    }

    /// Whether it is a role of one of the plan's own people, who are nobody's members.
    #[must_use]
    pub fn is_plan_role(&self) -> bool {
        self.kind == PLAN_ROLE
    }

    /// The rows of a part of a list; none where the event is another.
    pub(super) fn all_of(recorded: &Recorded<AnyEvent>, event: &AccessReviewEvent) -> Vec<Self> {
        if let AccessReviewEvent::ReviewItemsListed { organization, items, .. } = event {
            let of = |it: &ReviewItem| {
                Self::listed(recorded, *organization, (it.item, it.user, &it.access))
            };
            return items.iter().map(of).collect();
        }
        let AccessReviewEvent::ReviewItemsCarriedForward { organization, items, .. } = event else {
            return Vec::new();
        };
        let of = |it: &CarriedItem| Self {
            outcome: outcome_word(ItemOutcome::CarriedForward).to_owned(),
            certified_review: Some(it.certified.review.0),
            certified_by: Some(it.certified.by.0),
            certified_at: Some(it.certified.at),
            ..Self::listed(recorded, *organization, (it.item, it.user, &it.access))
        };
        items.iter().map(of).collect()
    }

    /// The row of an item when the list was frozen.
    fn listed(
        recorded: &Recorded<AnyEvent>,
        organization: OrganizationId,
        (item, user, access): (u32, UserId, &ReviewedAccess),
    ) -> Self {
        let thing = Thing::of(Some(access));
        Self {
            tenant_id: recorded.tenant.0,
            review_id: recorded.aggregate_id,
            item: count(item),
            organization_id: organization.0,
            user_id: user.0,
            org_role: access.role().map(|role| role.as_str().to_owned()),
            outcome: outcome_word(ItemOutcome::Undecided).to_owned(),
            kind: thing.kind.to_owned(),
            npi: thing.npi,
            name: thing.name,
            level: thing.level.map(str::to_owned),
            until: thing.until,
            ..Self::default()
        }
    }

    /// A person's decision; `waits` where it would be carried out at the closing.
    pub(super) fn decide(
        &mut self,
        recorded: &Recorded<AnyEvent>,
        decided: &ReviewItemDecision,
        waits: bool,
    ) {
        self.stands(recorded, (decided.new, decided.decided_at));
        self.decided_by = Some(decided.reviewer.0);
        self.in_place_of = decided.in_place_of.map(|away| away.0);
        self.recommendation = decided.recommendation.clone().map(Json);
        self.waits = waits && decided.new.is_to_be_carried_out();
    }

    /// The policy's, because nobody decided.
    pub(super) fn decide_by_policy(
        &mut self,
        recorded: &Recorded<AnyEvent>,
        decided: &PolicyDecision,
    ) {
        self.stands(recorded, (decided.new, decided.decided_at));
        self.by_policy = true;
    }

    fn stands(
        &mut self,
        recorded: &Recorded<AnyEvent>,
        (new, decided_at): (ReviewDecision, DateTime<Utc>),
    ) {
        let words = decision_words(new);
        self.outcome = outcome_word(match new {
            ReviewDecision::Keep => ItemOutcome::Kept,
            ReviewDecision::Revoke { .. }
            | ReviewDecision::Change { .. }
            | ReviewDecision::ChangeLevel { .. } => ItemOutcome::Pending,
        })
        .to_owned();
        self.decision = Some(words.decision.to_owned());
        self.new_role = words.new_role.map(str::to_owned);
        self.new_level = words.new_level.map(str::to_owned);
        self.left_on = match new {
            ReviewDecision::Revoke { left_on } => left_on.map(|day| day.date()),
            ReviewDecision::Keep
            | ReviewDecision::Change { .. }
            | ReviewDecision::ChangeLevel { .. } => None,
        };
        (self.decided_by, self.in_place_of) = (None, None);
        self.decided_at = Some(decided_at);
        self.decided_position = Some(recorded.tenant_position);
        self.recommendation = None;
        self.executed_at = None;
        self.verified = false;
        self.delay_s = None;
        self.remaining.clear();
        (self.waits, self.refusal, self.by_policy) = (false, None, false);
        (self.awaits_second, self.confirmed_by, self.confirmed_at) = (false, None, None);
    }

    /// A second reviewer agrees; `waits` where it is carried out at the closing.
    pub(super) fn confirm(&mut self, (by, at): (Uuid, DateTime<Utc>), waits: bool) {
        self.awaits_second = false;
        (self.confirmed_by, self.confirmed_at) = (Some(by), Some(at));
        self.waits &= waits;
    }

    /// What its person says of it.
    pub(super) fn attest(
        &mut self,
        recorded: &Recorded<AnyEvent>,
        (needed, at): (bool, DateTime<Utc>),
    ) {
        self.needed = Some(needed);
        self.attested_at = Some(at);
        self.attested_position = Some(recorded.tenant_position);
    }

    /// What became of a decision that waited for the closing.
    pub(super) fn carry(&mut self, refusal: Option<&Refusal>) {
        self.waits = false;
        self.refusal = refusal.cloned().map(Json);
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
