//! Random people ask for random things; the invariants are held against the events alone.
//!
//! Invariant: the model here is counted from the events and knows nothing of the aggregate's state.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};

use super::rights::{feature_of, level_of};
use super::*;
use crate::permissions::NpiLevel;
use crate::policies::{Policy, PolicyKey, PolicyValue, Preset};
use crate::{Decider, Decision, Refusal};

/// How many items the list has: the memberships of persons 1 to 4, then two rights of person 1 and one of
/// person 2.
const ITEMS: u32 = 7;
const MEMBERS: u32 = 4;

fn list() -> Vec<Reviewed> {
    let roles = [OrgRole::None, OrgRole::None, OrgRole::Admin, OrgRole::Admin];
    let members = (1..).zip(roles).map(|(n, role)| member(n, role));
    members.chain([level_of(1), feature_of(1), feature_of(2)]).collect()
}

/// The right on the list; the level is item 5.
fn right(item: u32) -> Option<ReviewedAccess> {
    let place = usize::try_from(item - 1).unwrap();
    (item > MEMBERS).then(|| list()[place].access.clone())
}

/// With a last day.
fn leaves() -> ReviewDecision {
    ReviewDecision::Revoke { left_on: Some(CalendarDate::parse("2026-03-16").unwrap()) }
}

#[derive(Clone, Debug)]
enum Ask {
    Decide(Vec<u32>, ReviewDecision, bool),
    Undo(u32, bool),
    Delegate(Vec<u32>, Option<u128>),
    /// The decision in force, or one that was never made; verified or not.
    Execute(u32, bool, bool),
    /// The decision in force is carried out at the closing, or cannot be.
    Carry(u32, bool),
    /// The policy decides, or cannot.
    Policy(u32, bool),
    Watch,
    Complete(Vec<u32>),
    Cancel,
}

fn decision() -> impl Strategy<Value = ReviewDecision> {
    prop_oneof![
        3 => Just(KEEP),
        1 => Just(REVOKE),
        1 => Just(ReviewDecision::Change { role: OrgRole::Processor }),
        1 => Just(ReviewDecision::ChangeLevel { level: NpiLevel::Processor }),
        1 => Just(leaves()),
    ]
}

/// Mostly some of the list, now and then one that is not on it.
fn items() -> impl Strategy<Value = Vec<u32>> {
    prop_oneof![
        3 => prop::collection::vec(1..=ITEMS, 0..4),
        1 => (1..=ITEMS + 2).prop_map(|item| vec![item]),
        1 => Just((1..=ITEMS).collect::<Vec<_>>()),
    ]
}

fn ask() -> impl Strategy<Value = Ask> {
    let to = prop::option::of(1..=6_u128);
    prop_oneof![
        40 => (items(), decision(), any::<bool>()).prop_map(|(a, b, c)| Ask::Decide(a, b, c)),
        5 => (1..=5_u32, prop::bool::weighted(0.9)).prop_map(|(a, b)| Ask::Undo(a, b)),
        10 => (items(), to).prop_map(|(a, b)| Ask::Delegate(a, b)),
        25 => (1..=ITEMS + 1, prop::bool::weighted(0.9), prop::bool::weighted(0.8))
            .prop_map(|(a, b, c)| Ask::Execute(a, b, c)),
        20 => (1..=ITEMS, prop::bool::weighted(0.8)).prop_map(|(a, b)| Ask::Carry(a, b)),
        4 => (1..=ITEMS, prop::bool::weighted(0.8)).prop_map(|(a, b)| Ask::Policy(a, b)),
        10 => Just(Ask::Watch),
        14 => items().prop_map(Ask::Complete),
        1 => Just(Ask::Cancel),
    ]
}

fn refusal() -> Refusal {
    Refusal::new(Code::LastAdmin, "Appoint another administrator first.")
}

/// What the events say of an item.
#[derive(Default)]
struct Line {
    decision: Option<(ReviewDecision, DateTime<Utc>)>,
    is_verified: bool,
    /// Not carried out, for it waits for the closing or was refused.
    is_not_done: bool,
    is_refused: bool,
    is_unverified: bool,
    was_left: bool,
    by_policy: bool,
    delegate: Option<UserId>,
}

#[derive(Default)]
struct Model {
    lines: BTreeMap<u32, Line>,
    is_over: bool,
    at_close: bool,
    is_closing: bool,
    is_escalated: bool,
    told: BTreeSet<String>,
}

impl Model {
    fn take(&mut self, event: &AccessReviewEvent, by_plan: bool) -> Result<(), TestCaseError> {
        use AccessReviewEvent as E;
        prop_assert!(!self.is_over, "nothing follows the end");
        match event {
            E::AccessReviewOpened { .. } => {}
            E::ReviewItemsListed { items, .. } => {
                self.lines.extend(items.iter().map(|item| (item.item, Line::default())));
            }
            E::ReviewItemsCarriedForward { .. } => prop_assert!(false, "nothing was asked for"),
            E::ReviewItemDecided(decided) => {
                prop_assert_ne!(decided.reviewer, decided.user, "nobody decides about themself");
                prop_assert_eq!(&decided.right, &right(decided.item), "it names its right");
                let fits = match decided.new {
                    ReviewDecision::Keep | ReviewDecision::Revoke { left_on: None } => true,
                    ReviewDecision::Revoke { left_on: Some(_) } | ReviewDecision::Change { .. } => {
                        decided.item <= MEMBERS
                    }
                    ReviewDecision::ChangeLevel { .. } => decided.item == MEMBERS + 1,
                };
                prop_assert!(fits, "{:?} of item {}", decided.new, decided.item);
                let line = self.lines.get_mut(&decided.item).unwrap();
                prop_assert!(!line.is_verified || decided.new == KEEP, "what took effect is kept");
                prop_assert_eq!(decided.old, line.decision.map(|(former, _)| former));
                if let Some(undone) = decided.undoes {
                    let taken_back = line.decision.filter(|(former, _)| *former != KEEP);
                    prop_assert_eq!(taken_back.map(|(_, at)| at), Some(undone.decided_at));
                    prop_assert_eq!(decided.new, KEEP);
                }
                let is_delegates = line.delegate.is_none_or(|to| to == decided.reviewer);
                prop_assert!(is_delegates || by_plan);
                let was_decided = line.decision.is_some();
                line.decision = Some((decided.new, decided.decided_at));
                line.by_policy = false;
                line.is_verified = false;
                let is_stuck = line.is_refused || line.is_unverified;
                prop_assert!(
                    !self.is_closing || is_stuck || !was_decided,
                    "decided while it closes"
                );
                let waits = self.at_close && !self.is_closing && decided.new != KEEP;
                prop_assert!(waits || (!decided.by_plan && decided.evidence.is_none()));
                (line.is_not_done, line.is_refused, line.is_unverified) = (waits, false, false);
            }
            E::ReviewItemConfirmed { .. } => prop_assert!(false, "nobody has to confirm here"),
            E::ReviewItemAttested { .. } => prop_assert!(false, "nobody is asked here"),
            E::ReviewDelegationLapsed { .. } => prop_assert!(false, "nobody leaves here"),
            E::AccessReviewClosing { to_carry_out, .. } => {
                prop_assert!(self.at_close && !self.is_closing);
                let waiting = self.lines.values().filter(|line| line.is_not_done).count();
                prop_assert_eq!(usize::try_from(*to_carry_out).unwrap(), waiting);
                self.is_closing = true;
            }
            E::ReviewDecisionCarriedOut { item, decided_at, .. }
            | E::ReviewDecisionNotCarriedOut { item, decided_at, .. } => {
                let line = self.lines.get_mut(item).unwrap();
                prop_assert!(self.is_closing && line.is_not_done && !line.is_refused);
                prop_assert_eq!(line.decision.map(|(_, at)| at), Some(*decided_at));
                line.is_refused = matches!(event, E::ReviewDecisionNotCarriedOut { .. });
                line.is_not_done = line.is_refused;
            }
            E::ReviewItemDecidedByPolicy(decided) => {
                let line = self.lines.get_mut(&decided.item).unwrap();
                prop_assert!(self.is_escalated && !line.was_left);
                prop_assert_eq!(line.decision, None, "only what nobody decided");
                line.by_policy = true;
                line.decision = Some((decided.new, decided.decided_at));
            }
            E::ReviewItemLeftByPolicy { item, .. } => {
                let line = self.lines.get_mut(item).unwrap();
                prop_assert!(self.is_escalated && line.decision.is_none() && !line.was_left);
                line.was_left = true;
            }
            E::ReviewItemDelegated { item, user, old, new, by, .. } => {
                prop_assert_ne!(*new, Some(*user));
                prop_assert_ne!(by, user, "nobody chooses their own reviewer");
                let line = self.lines.get_mut(item).unwrap();
                prop_assert_eq!(line.delegate, *old);
                line.delegate = *new;
            }
            E::ReviewRevocationExecuted(done) | E::ReviewChangeExecuted(done) => {
                let line = self.lines.get_mut(&done.item).unwrap();
                let (decision, at) = line.decision.unwrap();
                prop_assert_eq!(at, done.decided_at);
                let is_revoked = matches!(decision, ReviewDecision::Revoke { .. });
                prop_assert_eq!(is_revoked, matches!(event, E::ReviewRevocationExecuted(_)));
                prop_assert_ne!(decision, KEEP);
                prop_assert_eq!(&done.right, &right(done.item));
                prop_assert!(!line.is_not_done, "nothing is looked up that was not done");
                line.is_verified = done.verified;
                line.is_unverified = !done.verified;
            }
            E::HastyReviewSuspected { .. }
            | E::AccessReviewReminded { .. }
            | E::AccessReviewOverdue { .. }
            | E::AccessReviewEscalated { .. } => {
                self.is_escalated |= matches!(event, E::AccessReviewEscalated { .. });
                prop_assert!(self.told.insert(format!("{event:?}")), "told twice: {:?}", event);
            }
            E::AccessReviewCompleted { totals, gone, .. } => {
                self.check_signed(totals, gone)?;
                self.is_over = true;
            }
            E::AccessReviewCancelled { .. } => self.is_over = true,
        }
        Ok(())
    }

    fn check_signed(&self, totals: &ReviewTotals, gone: &[u32]) -> Result<(), TestCaseError> {
        let mut counted = ReviewTotals { population: ITEMS, ..ReviewTotals::default() };
        for (item, line) in &self.lines {
            let is_gone = gone.contains(item);
            match (line.decision.map(|(decision, _)| decision), line.is_verified, is_gone) {
                (Some(ReviewDecision::Revoke { .. }), true, false) => counted.revoked += 1,
                (
                    Some(ReviewDecision::Change { .. } | ReviewDecision::ChangeLevel { .. }),
                    true,
                    false,
                ) => counted.changed += 1,
                (Some(ReviewDecision::Keep), false, false) => counted.kept += 1,
                (_, false, true) => counted.gone += 1,
                other => prop_assert!(false, "signed with {:?}", other),
            }
            counted.by_policy += u32::from(line.by_policy && (line.is_verified || !is_gone));
        }
        prop_assert_eq!(&counted, totals);
        let sum = counted.kept + counted.revoked + counted.changed + counted.gone;
        prop_assert_eq!(sum, counted.population);
        Ok(())
    }

    /// When an item was decided, or a moment at which none was.
    fn decided_at(&self, item: u32, is_current: bool) -> DateTime<Utc> {
        let current = self.lines.get(&item).and_then(|line| line.decision);
        current.filter(|_| is_current).map_or(days(-1), |(_, at)| at)
    }

    fn command(&self, ask: Ask, by_plan: bool, now: DateTime<Utc>) -> AccessReviewCommand {
        let authority = if by_plan { Authority::Plan } else { Authority::Organization };
        match ask {
            Ask::Decide(items, decision, has_reason) => {
                let mut wish = DecideItems { authority, ..wish(&items, decision) };
                wish.reason = wish.reason.or(has_reason.then(reason));
                AccessReviewCommand::Decide(Box::new(wish))
            }
            Ask::Undo(item, is_current) => AccessReviewCommand::Undo(Box::new(UndoDecision {
                item,
                decided_at: self.decided_at(item, is_current),
                reason: reason(),
                authority,
                seen: seen(),
            })),
            Ask::Delegate(items, to) => delegate(&items, to, authority),
            Ask::Execute(item, is_current, verified) => {
                let decided_at = self.decided_at(item, is_current);
                let (executed_at, remaining) = (now, Vec::new());
                let done = RecordExecution { item, decided_at, executed_at, verified, remaining };
                AccessReviewCommand::RecordExecution(done)
            }
            Ask::Carry(item, is_done) => AccessReviewCommand::RecordCarrying(RecordCarrying {
                item,
                decided_at: self.decided_at(item, true),
                refusal: (!is_done).then(refusal),
            }),
            Ask::Policy(item, is_done) => AccessReviewCommand::DecideByPolicy(DecideByPolicy {
                item,
                risk: if item.is_multiple_of(2) { Risk::High } else { Risk::Ordinary },
                refusal: (!is_done).then(refusal),
            }),
            Ask::Watch => AccessReviewCommand::Watch,
            Ask::Complete(gone) => completing(complete(&gone)),
            Ask::Cancel => AccessReviewCommand::Cancel { reason: reason() },
        }
    }
}

/// Persons 1 to 4 are on the list, 5 and 6 are not; the plan's staff is one of them now and then.
type Step = (Ask, u128, bool, i64);

fn step() -> impl Strategy<Value = Step> {
    let hours = prop_oneof![5 => 0..12_i64, 1 => 24..240_i64];
    (ask(), 1..=6_u128, prop::bool::weighted(0.2), hours)
}

/// Whether the walk came to a signature.
fn walk((at_close, steps): (bool, Vec<Step>)) -> Result<bool, TestCaseError> {
    let revoke = PolicyValue::Text("REVOKE".to_owned());
    let policy = Policy::from(Preset::MediCal).with(PolicyKey::ReviewUndecided, revoke);
    let (mut now, mut state) = (start(), AccessReview::default());
    let mut model = Model { at_close, ..Model::default() };
    let revocations = if at_close { RevocationMode::AtClose } else { RevocationMode::AtOnce };
    let new = NewReview { revocations, ..new_review(list()) };
    let outcome = given::<AccessReview>(&[]).when(open(new));
    for event in outcome.events() {
        state.evolve(event);
        model.take(event, false)?;
    }
    for (ask, who, by_plan, hours) in steps {
        now += TimeDelta::hours(hours) + TimeDelta::seconds(1);
        let actor = if by_plan { Actor::plan_staff(id(who)) } else { Actor::user(id(who)) };
        let decision = Decision { now, actor, policy: &policy };
        let next = state.next_look(&policy);
        let is_watch = matches!(ask, Ask::Watch);
        let decided = state.decide(&decision, model.command(ask, by_plan, now));
        if is_watch {
            let tells = decided.as_ref().is_ok_and(|events| !events.is_empty());
            prop_assert_eq!(tells, next.is_some_and(|at| at <= now));
        }
        for event in decided.unwrap_or_default() {
            model.take(&event, by_plan)?;
            state.evolve(&event);
        }
        let review = state.review().unwrap();
        let undecided = model.lines.values().filter(|line| line.decision.is_none()).count();
        prop_assert_eq!(usize::try_from(review.undecided).unwrap(), undecided);
    }
    Ok(state.review().unwrap().status == ReviewStatus::Completed)
}

#[test]
fn whatever_is_asked_a_signed_review_accounts_for_everybody_on_its_list() {
    let signed = Cell::new(0_u32);
    let config = Config { cases: 3_000, failure_persistence: None, ..Config::default() };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let walked = TestRunner::new_with_rng(config, rng).run(
        &(any::<bool>(), prop::collection::vec(step(), 1..=60)),
        |walked| {
            signed.set(signed.get() + u32::from(walk(walked)?));
            Ok(())
        },
    );
    walked.unwrap_or_else(|error| panic!("{error}"));
    assert!(signed.get() > 300, "only {} of the walks came to a signature", signed.get());
}
