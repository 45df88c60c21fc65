//! Periodic reviews of access (CC-13, GN-15, GN-16), seeded through the aggregate.

mod reading;
mod seeing;
mod tasks;

use std::{collections::BTreeMap, time::Duration};

use chrono::TimeDelta;
use rollcall_domain::{
    Actor, Sealed,
    access_reviews::{
        AccessReview, AccessReviewCommand, Changes, CompleteReview, DecideItems, DelegateItems,
        NewReview, Opener, RecordExecution, ReviewDecision, ReviewScope, Reviewed, ReviewedAccess,
        Seen, Split,
    },
    audit::ReviewSignature,
    kernel::ids::{AccessReviewId, SubjectId},
    organizations::{Authority, OrgRole},
    policies::{RevocationMode, SecondReviewer},
    values::{PersonName, Reason},
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Client, Company, Person, Portal};

/// A review in a portal, whose commands are recorded without their handlers.
pub(super) struct Review<'a> {
    portal: &'a Portal,
    pub id: AccessReviewId,
}

/// Opens a review of the clinic.
pub async fn one_is_open(portal: &Portal) {
    let world = portal.world();
    let people = [(&world.processor, OrgRole::None)];
    Review::open(portal, (&world.clinic, &world.clinic_admin), &people).await;
}

fn reason() -> Reason {
    Reason::parse("Left the practice.").expect("a valid reason")
}

impl<'a> Review<'a> {
    /// Opens one of these people, now.
    pub async fn open(
        portal: &'a Portal,
        (of, by): (&Company, &Person),
        people: &[(&Person, OrgRole)],
    ) -> Self {
        portal.settle().await;
        let id = AccessReviewId(Uuid::new_v4());
        let reviewed = people
            .iter()
            .map(|(who, role)| Reviewed {
                user: who.user,
                access: ReviewedAccess::Membership { role: *role },
            })
            .collect();
        let now = portal.now();
        let new = NewReview {
            review: id,
            organization: of.id,
            campaign: None,
            scope: ReviewScope::Roster,
            as_of: portal.position().await,
            list: Split::all_of(reviewed),
            changes: Changes::All,
            opened_by: Opener::ByHand { user: by.user },
            due_at: now + TimeDelta::days(30),
            grace_until: now + TimeDelta::days(44),
            revocations: RevocationMode::AtOnce,
            asks_for_attestation: false,
            second_reviewer: SecondReviewer::None,
        };
        let review = Self { portal, id };
        review.record(by, AccessReviewCommand::Open(Box::new(new))).await;
        review
    }

    async fn record(&self, by: &Person, command: AccessReviewCommand) {
        self.portal.record::<AccessReview>(Actor::user(by.user), self.id.0, command).await;
    }

    pub async fn decide(&self, by: &Person, items: &[u32], decision: ReviewDecision) {
        let wish = DecideItems {
            items: items.to_vec(),
            decision,
            reason: decision.is_to_be_carried_out().then(reason),
            authority: Authority::Organization,
            stands_in_for: Vec::new(),
            seen: Seen { position: 1, sha256: "ab".repeat(32) },
            evidence: None,
            recommendations: BTreeMap::new(),
        };
        self.record(by, AccessReviewCommand::Decide(Box::new(wish))).await;
    }

    async fn delegate(&self, by: &Person, items: &[u32], to: &Person) {
        let wish = DelegateItems {
            items: items.to_vec(),
            to: Some(to.user),
            substitute: None,
            reason: reason(),
            authority: Authority::Organization,
        };
        self.record(by, AccessReviewCommand::Delegate(Box::new(wish))).await;
    }

    /// Records that a decision made now took effect `after` it, verified.
    async fn executed(&self, item: u32, after: Duration) {
        let decided_at = self.portal.now();
        self.portal.advance(after);
        let executed_at = self.portal.now();
        let (verified, remaining) = (true, Vec::new());
        let done = RecordExecution { item, decided_at, executed_at, verified, remaining };
        let command = AccessReviewCommand::RecordExecution(done);
        self.portal.record::<AccessReview>(Actor::SYSTEM, self.id.0, command).await;
    }

    async fn complete(&self, by: &Person) {
        let name = PersonName::parse("Ann Lee").expect("a valid name");
        let signature = ReviewSignature {
            name: Sealed::new(SubjectId(by.user.0), name),
            statement: "1".to_owned(),
        };
        let done = CompleteReview { attested: true, signature, gone: Vec::new(), joiners: 1 };
        self.record(by, AccessReviewCommand::Complete(Box::new(done))).await;
    }

    /// What somebody is told of it.
    pub async fn seen_by(&self, client: &Client, fields: &str) -> Value {
        let document = format!("query($id: ID!) {{ accessReview(id: $id) {{ {fields} }} }}");
        let answer = client.send(&document, json!({ "id": self.id })).await;
        answer.data()["accessReview"].clone()
    }

    /// The page of items that somebody is shown; `arguments` such as `, first: 2`.
    pub async fn items(&self, client: &Client, arguments: &str, fields: &str) -> Value {
        let document = format!(
            "query($id: ID!) {{ accessReviewItems(accessReviewId: $id{arguments}) {{
               receipt position sha256 pageInfo {{ hasNextPage endCursor }}
               nodes {{ item {fields} }} }} }}"
        );
        let answer = client.send(&document, json!({ "id": self.id })).await;
        answer.data()["accessReviewItems"].clone()
    }
}
