//! Whatever happens while reviews are open (property): people come, leave, return and change, reviewers
//! decide, decide otherwise, delegate and take back, all at random, through the API.
//!
//! Invariant: the model here is read from the events and the roster, not from what the review counts.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use proptest::{
    collection::vec,
    prelude::*,
    strategy::ValueTree,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use rollcall_domain::{
    access_reviews::{AccessReviewEvent, ReviewDecision, ReviewTotals},
    kernel::ids::{InvitationId, UserId},
    organizations::{Organization, organization::RosterCommand},
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::Review;
use crate::support::{Client, Person, Portal};

/// How many reviews are opened and signed one after the other, and what happens in each.
const REVIEWS: usize = 8;
const STEPS: usize = 14;

#[derive(Clone, Debug)]
enum Step {
    /// Somebody from elsewhere becomes a member, or returns.
    Join(usize),
    Leave(usize),
    Role(usize, &'static str),
    Decide {
        by: usize,
        item: usize,
        decision: &'static str,
    },
    Delegate {
        by: usize,
        item: usize,
        to: usize,
    },
    /// Takes back whatever there is to take back.
    Undo,
}

fn step() -> impl Strategy<Value = Step> {
    let role = prop_oneof![Just("NONE"), Just("PROCESSOR"), Just("ADMIN")];
    let decision = prop_oneof![2 => Just("KEEP"), 4 => Just("REVOKE"), 1 => Just("CHANGE")];
    let (by, item) = (0..3_usize, 0..8_usize);
    prop_oneof![
        2 => (0..7_usize).prop_map(Step::Join),
        2 => (0..7_usize).prop_map(Step::Leave),
        1 => (0..7_usize, role).prop_map(|(who, role)| Step::Role(who, role)),
        14 => (by.clone(), item.clone(), decision)
            .prop_map(|(by, item, decision)| Step::Decide { by, item, decision }),
        1 => (by, item, 0..7_usize)
            .prop_map(|(by, item, to)| Step::Delegate { by, item, to }),
        1 => Just(Step::Undo),
    ]
}

/// The people of the walk, and who of them reviews.
struct Scene {
    portal: Portal,
    people: Vec<Person>,
}

impl Scene {
    async fn begin() -> Self {
        let portal = Portal::medi_cal().await;
        let world = portal.world().clone();
        let people = vec![
            world.clinic_admin,
            world.clinic_second_admin,
            world.npi_admin,
            world.processor,
            world.newcomer,
            world.hospital_admin,
            world.biller_admin,
        ];
        Self { portal, people }
    }

    async fn roster(&self) -> Organization {
        let (journal, world) = (&self.portal.service.commands.journal, self.portal.world());
        let loaded = journal.load_fresh::<Organization>(world.tenant, world.clinic.id.0).await;
        (*loaded.expect("the roster").state).clone()
    }

    async fn members(&self) -> BTreeSet<UserId> {
        let (roster, now) = (self.roster().await, self.portal.now());
        let active = roster.members().filter(|(_, member)| member.is_active(now));
        active.map(|(user, _)| user).collect()
    }

    /// The two administrators, and the plan.
    async fn reviewer(&self, nth: usize) -> (Client, Person) {
        let plan = &self.portal.world().plan_support;
        let who = if nth == 2 { plan } else { &self.people[nth] };
        (self.portal.client(who).await, who.clone())
    }

    async fn plan(&self) -> Client {
        self.portal.client(&self.portal.world().plan_support).await
    }

    /// What is refused is refused: the walk goes on.
    async fn take(&self, review: &Review, step: Step) {
        let clinic = self.portal.world().clinic.id;
        let about = |who: usize, more: Value| {
            let mut input = json!({ "organizationId": clinic, "userId": self.people[who].user });
            input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            input
        };
        let number = |item: usize| review.items[item % review.items.len()].item;
        match step {
            Step::Join(who) => self.join(who, &about).await,
            Step::Leave(who) => {
                let left = json!({ "confirm": true, "reason": "left" });
                self.plan().await.mutate("deactivateUser", about(who, left), "position").await;
            }
            Step::Role(who, role) => {
                let assign = about(who, json!({ "role": role }));
                self.plan().await.mutate("assignOrgRole", assign, "position").await;
            }
            Step::Decide { by, item, decision } => {
                let (client, who) = self.reviewer(by).await;
                let more = match decision {
                    "CHANGE" => json!({ "reason": "Less is enough.", "role": "PROCESSOR" }),
                    _ => json!({ "reason": "As it is." }),
                };
                let by = (&self.portal, &client, &who);
                review.decide(by, &[number(item)], decision, more).await;
            }
            Step::Delegate { by, item, to } => {
                let client = self.reviewer(by).await.0;
                let input = review.input(json!({ "items": [number(item)],
                    "to": self.people[to].user, "reason": "They know better." }));
                client.mutate("delegateReviewItems", input, "position").await;
            }
            Step::Undo => self.undo(review).await,
        }
    }

    async fn join(&self, who: usize, about: &impl Fn(usize, Value) -> Value) {
        let world = self.portal.world();
        let (user, roster) = (self.people[who].user, self.roster().await);
        if roster.member(user).is_some() {
            let back = about(who, json!({ "confirm": true }));
            self.plan().await.mutate("reactivateUser", back, "position").await;
            return;
        }
        let (invitation, email_domain) =
            (InvitationId(Uuid::new_v4()), "portal.example".to_owned());
        let invite = RosterCommand::InviteMember { user, invitation, email_domain };
        self.portal.roster(&world.clinic, invite).await;
        let join = RosterCommand::JoinByInvitation { user, invitation, signed_in: false };
        self.portal.roster(&world.clinic, join).await;
    }

    /// Each decision that counts.
    async fn undo(&self, review: &Review) {
        let plan = self.plan().await;
        let document = "query($of: ID!, $id: ID!, $selection: ReviewUndoSelection!) {
            reviewUndoPreview(organizationId: $of, accessReviewId: $id, selection: $selection) {
              receipt items { item decidedAt } } }";
        let selection = json!({ "all": true });
        let variables =
            json!({ "of": review.organization, "id": review.id, "selection": selection });
        let shown = plan.send(document, variables).await.data()["reviewUndoPreview"].clone();
        let input = review.input(json!({ "decisions": shown["items"], "receipt": shown["receipt"],
                                         "reason": "The wrong list." }));
        plan.mutate("undoReviewDecisions", input, "position").await;
    }

    /// Lets what was decided be looked up, and once more.
    async fn look(&self) {
        for _ in 0..2 {
            self.portal.settle().await;
            self.portal.advance(Duration::from_secs(120));
            self.portal.service.background.wake();
        }
        self.portal.settle().await;
    }

    /// Keeps what nobody decided about, and who was brought back by hand, and signs.
    async fn close(&self, review: &Review) {
        let (plan, support) = (self.plan().await, self.portal.world().plan_support.clone());
        for listed in &review.items {
            let decided = decisions(&review.events(&self.portal).await);
            if !decided.contains_key(&listed.item) {
                review.keep((&self.portal, &plan, &support), &[listed.item]).await;
            }
        }
        self.look().await;
        for (item, (decision, is_verified)) in decisions(&review.events(&self.portal).await) {
            if decision.is_to_be_carried_out() && !is_verified {
                review.keep((&self.portal, &plan, &support), &[item]).await.done();
            }
        }
        self.look().await;
        let plan = self.plan().await;
        review.complete(&plan).await.done();
        self.portal.settle().await;
    }
}

/// The decisions in force, and whether they were verified.
fn decisions(events: &[AccessReviewEvent]) -> BTreeMap<u32, (ReviewDecision, bool)> {
    let mut found = BTreeMap::new();
    for event in events {
        if let AccessReviewEvent::ReviewItemDecided(decided) = event {
            assert_ne!(decided.reviewer, decided.user, "nobody decides about themself");
            found.insert(decided.item, (decided.new, false));
        }
        if let AccessReviewEvent::ReviewRevocationExecuted(done)
        | AccessReviewEvent::ReviewChangeExecuted(done) = event
        {
            found.get_mut(&done.item).expect("it was decided").1 = done.verified;
        }
    }
    found
}

/// What it was signed with: how many came to what, who is gone, and who came.
fn signed(events: &[AccessReviewEvent]) -> (ReviewTotals, BTreeSet<u32>, u32) {
    let Some(AccessReviewEvent::AccessReviewCompleted { totals, gone, joiners, .. }) =
        events.last()
    else {
        panic!("it is not signed: {:?}", events.last());
    };
    (*totals, gone.iter().copied().collect(), *joiners)
}

/// Everybody in scope is on the list or a joiner, and each item has one outcome that stands.
async fn check(scene: &Scene, review: &Review) {
    let events = review.events(&scene.portal).await;
    let (decided, (totals, gone, joiners)) = (decisions(&events), signed(&events));
    let members = scene.members().await;
    let listed: BTreeSet<UserId> = review.items.iter().map(|item| item.user).collect();
    let came = members.difference(&listed).count();
    assert_eq!(joiners as usize, came, "who is in scope and not on the list");
    let mut counted = ReviewTotals { population: totals.population, ..ReviewTotals::default() };
    for item in &review.items {
        let is_gone = gone.contains(&item.item);
        match decided.get(&item.item) {
            Some((ReviewDecision::Revoke { .. }, verified)) => {
                assert!(*verified, "a revocation was signed that nobody verified");
                counted.revoked += 1;
            }
            Some((ReviewDecision::Change { .. }, true)) => counted.changed += 1,
            Some((ReviewDecision::Keep, _)) if !is_gone => {
                assert!(members.contains(&item.user), "who is kept is a member");
                counted.kept += 1;
            }
            other => {
                assert!(is_gone, "signed with {other:?}");
                assert!(!members.contains(&item.user), "who is gone is no member");
                counted.gone += 1;
            }
        }
    }
    assert_eq!(counted, totals);
    assert_eq!(totals.population as usize, review.items.len());
}

#[tokio::test]
async fn gn_15_whatever_happens_meanwhile_a_signed_review_accounts_for_everybody_in_scope() {
    let scene = Scene::begin().await;
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let walks = vec(vec(step(), STEPS), REVIEWS);
    let walks = walks.new_tree(&mut runner).expect("a walk").current();
    let (mut revoked, mut joined) = (0, 0);
    for steps in walks {
        let plan = scene.plan().await;
        let review = Review::open(&scene.portal, &plan, scene.portal.world().clinic.id).await;
        for step in steps {
            scene.portal.advance(Duration::from_secs(60));
            scene.take(&review, step).await;
        }
        scene.close(&review).await;
        check(&scene, &review).await;
        let (totals, _, joiners) = signed(&review.events(&scene.portal).await);
        (revoked, joined) = (revoked + totals.revoked, joined + joiners);
    }
    assert!(revoked > 1 && joined > 1, "too little happened: {revoked} revoked, {joined} joined");
    scene.portal.finish().await;
}
