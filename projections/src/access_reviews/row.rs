//! A review as a row, and how a fact changes it; its items are in `item_row`.
//!
//! Invariant: the counts of a review are those of its items' outcomes.

use chrono::{DateTime, Utc};
use rollcall_domain::{
    AnyEvent,
    access_reviews::{AccessReviewEvent, Opener, ReviewScope, ReviewStatus, ReviewTotals},
    policies::{RevocationMode, SecondReviewer},
};
use rollcall_journal::Recorded;
use serde::Serialize;
use sqlx::types::Json;
use uuid::Uuid;

use super::item_row::ItemRow;

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
    /// `None`: a rule.
    pub opened_by: Option<Uuid>,
    /// What happened after which the policy has it reviewed, and the event.
    pub opened_because: Option<String>,
    pub opened_after: Option<Uuid>,
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
    /// Whether only what changed is to be decided, and the signed review that was compared with.
    pub changed_only: bool,
    pub compared_with: Option<Uuid>,
    pub carried_forward: i32,
    /// When what is decided is carried out.
    pub revocations: String,
    /// Since when nobody decides any more, and who had it so.
    pub closing_at: Option<DateTime<Utc>>,
    pub closing_by: Option<Uuid>,
    /// Of the items decided, those that the policy decided, and of these those that it kept.
    pub by_policy: i32,
    pub kept_by_policy: i32,
    /// Whether people are asked to say of their own access whether they need it still.
    pub self_attestation: bool,
    /// Who has to confirm what is decided.
    pub second_reviewer: String,
    pub version: i64,
}

/// A count as a column has it; no review has more than [`rollcall_domain::access_reviews::MOST_ITEMS`].
pub(super) fn count(count: u32) -> i32 {
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
            changed_only,
            compared_with,
            revocations,
            asks_for_attestation,
            second_reviewer,
        } = event
        else {
            return None;
        };
        let because = match opened_by {
            Opener::ByChange { change, event } => Some((*change, *event)),
            Opener::ByHand { .. } | Opener::Scheduled => None,
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
                Opener::Scheduled | Opener::ByChange { .. } => None,
            },
            opened_because: because.map(|(change, _)| change.as_str().to_owned()),
            opened_after: because.map(|(_, event)| event),
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
            changed_only: *changed_only,
            compared_with: compared_with.map(|review| review.0),
            carried_forward: 0,
            revocations: revocations.as_str().to_owned(),
            closing_at: None,
            closing_by: None,
            by_policy: 0,
            kept_by_policy: 0,
            self_attestation: *asks_for_attestation,
            second_reviewer: second_reviewer.as_str().to_owned(),
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
            | E::ReviewItemConfirmed { .. }
            | E::ReviewItemAttested { .. }
            | E::ReviewItemDelegated { .. }
            | E::ReviewDelegationLapsed { .. }
            | E::ReviewDecisionCarriedOut { .. }
            | E::ReviewDecisionNotCarriedOut { .. }
            | E::ReviewItemDecidedByPolicy(_)
            | E::ReviewItemLeftByPolicy { .. }
            | E::ReviewRevocationExecuted(_)
            | E::ReviewChangeExecuted(_)
            | E::AccessReviewReminded { .. } => {}
            E::ReviewItemsCarriedForward { items, .. } => {
                let items = i32::try_from(items.len()).unwrap_or(i32::MAX);
                self.undecided -= items;
                self.carried_forward += items;
            }
            E::HastyReviewSuspected { reviewer, .. } => self.hasty_reviewers.push(reviewer.0),
            E::AccessReviewClosing { by, closing_at, .. } => {
                self.closing_at = Some(*closing_at);
                self.closing_by = Some(by.0);
            }
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
        self.carried_forward = count(totals.carried_forward);
        self.by_policy = count(totals.by_policy);
    }

    /// Whether decisions are only recorded by now.
    pub(super) fn keeps_for_closing(&self) -> bool {
        self.revocations == RevocationMode::AtClose.as_str() && self.closing_at.is_none()
    }

    /// Whether somebody has to confirm what another decides.
    pub(super) fn has_second_reviewer(&self) -> bool {
        self.second_reviewer != SecondReviewer::None.as_str()
    }

    /// An item stands otherwise now.
    pub(super) fn recount(&mut self, before: &ItemRow, after: &ItemRow) {
        for (item, difference) in [(before, -1), (after, 1)] {
            if item.by_policy {
                self.by_policy += difference;
                self.kept_by_policy += difference * i32::from(item.outcome == "KEPT");
            }
            let counter = match item.outcome.as_str() {
                "UNDECIDED" => &mut self.undecided,
                "PENDING" => &mut self.pending,
                "KEPT" => &mut self.kept,
                "REVOKED" => &mut self.revoked,
                "CHANGED" => &mut self.changed,
                "CARRIED_FORWARD" => &mut self.carried_forward,
                // Known by what is signed, which comes with totals.
                _ => continue,
            };
            *counter += difference;
        }
    }
}
