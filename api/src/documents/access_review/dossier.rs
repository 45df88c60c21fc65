//! What a review's file says. Invariant: whatever is said of an item follows from the review's events up
//! to one place of the log; only names, and who joined since, are looked up beside them.

use std::collections::{BTreeMap, BTreeSet};

use async_graphql::Result;
use chrono::{DateTime, Utc};
use rollcall_domain::{
    Decider, Refusal, Sealed,
    access_reviews::{
        AccessReview, AccessReviewEvent, Attested, CarriedItem, ItemOutcome, Opener,
        PolicyDecision, Recommendation, Review, ReviewDecision, ReviewExecution, ReviewItem,
        ReviewItemDecision, ReviewResult, ReviewTotals, Seen,
    },
    kernel::ids::{AuditExportId, UserId},
    policies::PolicyHistory,
    tenants::Tenant,
    values::{PersonName, Reason, TenantZone},
};
use rollcall_journal::Journal;
use rollcall_projections::{
    Snapshot,
    access_register::{self, Names},
    access_reviews::{Joined, ReviewView, joined},
};
use uuid::Uuid;

use crate::graphql::errors::fault;

/// By whom and when the file was asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Occasion {
    pub export: AuditExportId,
    pub by: UserId,
    pub at: DateTime<Utc>,
}

/// How a review ended.
pub(super) enum End {
    Signed {
        by: UserId,
        /// As typed; absent once erased.
        name: Option<String>,
        /// The version of what was signed.
        statement: String,
        joiners: u32,
        /// Of the results.
        sha256: String,
    },
    Cancelled {
        /// None where a rule did.
        by: Option<UserId>,
        reason: Option<String>,
    },
}

/// A decision as it was made.
pub(super) struct Made {
    /// The place of its event.
    pub position: i64,
    pub new: ReviewDecision,
    /// Nobody where the policy did.
    pub by: Option<UserId>,
    /// Who was away.
    pub in_place_of: Option<UserId>,
    pub reason: Option<Sealed<Reason>>,
    pub at: DateTime<Utc>,
    pub seen: Option<Seen>,
    pub recommendation: Option<Recommendation>,
}

impl Made {
    fn by_person(position: i64, decided: ReviewItemDecision) -> Self {
        Self {
            position,
            new: decided.new,
            by: Some(decided.reviewer),
            in_place_of: decided.in_place_of,
            reason: decided.reason,
            at: decided.decided_at,
            seen: Some(decided.seen),
            recommendation: decided.recommendation,
        }
    }

    fn by_policy(position: i64, decided: &PolicyDecision) -> Self {
        let (reason, seen, recommendation) = (None, None, None);
        let (new, at) = (decided.new, decided.decided_at);
        let (by, in_place_of) = (None, None);
        Self { position, new, by, in_place_of, reason, at, seen, recommendation }
    }
}

/// An item with all that happened about it.
pub(super) struct Entry {
    pub listed: ReviewItem,
    pub result: ReviewResult,
    pub decided: Option<Made>,
    /// Those that another took the place of, oldest first.
    pub former: Vec<Made>,
    /// What became of the decision.
    pub executed: Option<ReviewExecution>,
    /// What its person says of it.
    pub attested: Option<Attested>,
    /// The second reviewer of the decision.
    pub confirmed_by: Option<UserId>,
    /// Why it could not be carried out, or the policy could not take it away.
    pub refusal: Option<Refusal>,
    pub delegated: Option<UserId>,
}

impl Entry {
    /// Whether its access was to be taken away.
    pub fn is_removal(&self) -> bool {
        matches!(self.result.decision, Some(ReviewDecision::Revoke { .. }))
    }

    pub fn is_resolved(&self) -> bool {
        match self.result.outcome {
            ItemOutcome::Undecided | ItemOutcome::Pending => false,
            ItemOutcome::Kept
            | ItemOutcome::Revoked
            | ItemOutcome::Changed
            | ItemOutcome::Gone
            | ItemOutcome::CarriedForward => true,
        }
    }
}

/// A review with what stands beside it.
pub(super) struct Dossier {
    pub portal: String,
    pub zone: TenantZone,
    pub organization_name: Option<String>,
    pub review: Review,
    pub totals: ReviewTotals,
    /// With the moment and the place of its event.
    pub end: Option<(End, DateTime<Utc>, i64)>,
    pub entries: Vec<Entry>,
    pub joined: Vec<Joined>,
    pub names: Names,
    /// Places of the first and of the last event that it is made of.
    pub opened_at: i64,
    pub last_at: i64,
    pub occasion: Occasion,
}

impl Dossier {
    /// # Errors
    /// A fault.
    pub async fn gather(
        journal: &Journal,
        view: &mut Snapshot,
        (found, occasion): (ReviewView, Occasion),
    ) -> Result<Self> {
        let (tenant, row) = (view.tenant(), found.row);
        let events = journal.events::<AccessReview>(tenant, row.review_id).await;
        let places = journal.positions_of::<AccessReview>(tenant, row.review_id).await;
        let (events, places) = (events.map_err(|e| fault(&e))?, places.map_err(|e| fault(&e))?);
        // As far as the view has come, so that all of it is of one moment.
        let taken = usize::try_from(row.version).unwrap_or(usize::MAX);
        let told: Vec<(i64, AccessReviewEvent)> =
            places.into_iter().zip(events).take(taken).collect();
        let mut state = AccessReview::default();
        told.iter().for_each(|(_, event)| state.evolve(event));
        let review = state.review().cloned().ok_or_else(|| fault(&"a review without opening"))?;
        let last_at = told.last().map_or(row.opened_position, |(at, _)| *at);
        let until = row.closed_at.unwrap_or(occasion.at);
        let joined = joined(view, &row, until).await.map_err(|e| fault(&e))?;
        let (entries, end) = Told::of(told).entries(&review);
        let end = end.zip(row.closed_at).map(|((end, at), moment)| (end, moment, at));
        let people = people(&review, &entries).into_iter().chain([occasion.by.0]);
        let people: BTreeSet<Uuid> =
            people.chain(joined.iter().map(|it| it.user_id)).chain(row.closed_by).collect();
        let names = access_register::names(view, people, [].into()).await;
        let policies = journal.load::<PolicyHistory>(tenant, tenant.policy_stream()).await;
        let portal = journal.load::<Tenant>(tenant, tenant.0).await.map_err(|e| fault(&e))?;
        let profile = portal.state.profile().map(|profile| profile.name.as_str().to_owned());
        Ok(Self {
            portal: profile.unwrap_or_default(),
            zone: policies.map_err(|e| fault(&e))?.state.at(occasion.at).1.time_zone(),
            organization_name: found.organization_name,
            totals: review.totals(&review.gone),
            review,
            end,
            entries,
            joined,
            names: names.map_err(|e| fault(&e))?,
            opened_at: row.opened_position,
            last_at,
            occasion,
        })
    }

    /// How the review stands, as people read it.
    pub fn standing(&self) -> &'static str {
        match &self.end {
            Some((End::Signed { .. }, ..)) => "Signed",
            Some((End::Cancelled { .. }, ..)) => "Cancelled; not signed",
            None => "NOT SIGNED YET: the review is open, and what stands here may change",
        }
    }

    /// The hash of the results that was signed.
    pub fn results_sha256(&self) -> Option<&str> {
        match &self.end {
            Some((End::Signed { sha256, .. }, ..)) => Some(sha256),
            Some((End::Cancelled { .. }, ..)) | None => None,
        }
    }

    /// The person's name; their id where they have none any more.
    pub fn name(&self, user: UserId) -> String {
        self.names.people.get(&user.0).cloned().unwrap_or_else(|| user.to_string())
    }

    pub fn organization(&self) -> String {
        let id = || self.review.organization.to_string();
        self.organization_name.clone().unwrap_or_else(id)
    }
}

fn people(review: &Review, entries: &[Entry]) -> BTreeSet<Uuid> {
    let mut people = BTreeSet::new();
    if let Opener::ByHand { user } = review.opened_by {
        people.insert(user.0);
    }
    for entry in entries {
        let deciders = entry
            .former
            .iter()
            .chain(&entry.decided)
            .flat_map(|it| [it.by, it.in_place_of].into_iter().flatten());
        let certifier = entry.result.certified.map(|certified| certified.by);
        let others = entry.delegated.into_iter().chain(entry.confirmed_by).chain(certifier);
        people.extend(deciders.chain(others).chain([entry.listed.user]).map(|it| it.0));
    }
    people
}

/// A reason as it was written; absent once erased.
pub(super) fn text(reason: Option<&Sealed<Reason>>) -> Option<String> {
    reason.and_then(|reason| reason.get()).map(|reason| reason.as_str().to_owned())
}

/// What the events tell, by item.
#[derive(Default)]
struct Told {
    listed: Vec<ReviewItem>,
    decided: BTreeMap<u32, Vec<Made>>,
    executed: BTreeMap<u32, ReviewExecution>,
    end: Option<(End, i64)>,
}

impl Told {
    fn of(events: Vec<(i64, AccessReviewEvent)>) -> Self {
        let mut told = Self::default();
        for (at, event) in events {
            told.take_in(at, event);
        }
        told
    }

    fn take_in(&mut self, at: i64, event: AccessReviewEvent) {
        use AccessReviewEvent as E;
        match event {
            E::ReviewItemsListed { items, .. } => self.listed.extend(items),
            E::ReviewItemsCarriedForward { items, .. } => {
                let line =
                    |CarriedItem { item, user, access, .. }| ReviewItem { item, user, access };
                self.listed.extend(items.into_iter().map(line));
            }
            E::ReviewItemDecided(decided) => {
                let made = self.decided.entry(decided.item).or_default();
                made.push(Made::by_person(at, *decided));
            }
            E::ReviewItemDecidedByPolicy(decided) => {
                let made = self.decided.entry(decided.item).or_default();
                made.push(Made::by_policy(at, &decided));
            }
            E::ReviewRevocationExecuted(done) | E::ReviewChangeExecuted(done) => {
                self.executed.insert(done.item, done);
            }
            E::AccessReviewCompleted { attested_by, signature, joiners, sha256, .. } => {
                let name = signature.name.get().map(|name: &PersonName| name.as_str().to_owned());
                let statement = signature.statement;
                let end = End::Signed { by: attested_by, name, statement, joiners, sha256 };
                self.end = Some((end, at));
            }
            E::AccessReviewCancelled { by, reason, .. } => {
                self.end = Some((End::Cancelled { by, reason: text(Some(&reason)) }, at));
            }
            // Told by the state.
            E::AccessReviewOpened { .. }
            | E::ReviewItemConfirmed { .. }
            | E::ReviewItemAttested { .. }
            | E::ReviewItemDelegated { .. }
            | E::ReviewDelegationLapsed { .. }
            | E::AccessReviewClosing { .. }
            | E::ReviewDecisionCarriedOut { .. }
            | E::ReviewDecisionNotCarriedOut { .. }
            | E::ReviewItemLeftByPolicy { .. }
            | E::HastyReviewSuspected { .. }
            | E::AccessReviewReminded { .. }
            | E::AccessReviewOverdue { .. }
            | E::AccessReviewEscalated { .. } => {}
        }
    }

    fn entries(mut self, review: &Review) -> (Vec<Entry>, Option<(End, i64)>) {
        let results = review.results(&review.gone);
        let entries = self.listed.into_iter().zip(results).map(|(listed, result)| {
            let mut former = self.decided.remove(&listed.item).unwrap_or_default();
            let decided = former.pop();
            let executed = self.executed.remove(&listed.item);
            // Of a decision that another took the place of, what became of it says nothing here.
            let is_of_it = |done: &ReviewExecution| {
                decided.as_ref().is_some_and(|it| it.at == done.decided_at)
            };
            let stands = review.item(listed.item);
            let delegated = stands.and_then(|item| item.delegated);
            let refusal = stands.and_then(|item| match &item.decided {
                Some(decided) => decided.refusal(),
                None => item.left.as_ref(),
            });
            Entry {
                executed: executed.filter(is_of_it),
                listed,
                result,
                decided,
                former,
                refusal: refusal.cloned(),
                confirmed_by: stands.and_then(|item| item.decided.as_ref()?.confirmed_by),
                attested: stands.and_then(|item| item.attested.clone()),
                delegated: delegated.map(|delegation| delegation.to),
            }
        });
        (entries.collect(), self.end)
    }
}
