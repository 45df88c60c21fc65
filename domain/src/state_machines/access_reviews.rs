//! review OPEN → OVERDUE → COMPLETED / CANCELLED (CC-13, GN-15). One item, about the subject: whether it
//! is decided, and what was decided has taken effect, is what a signature waits for.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::{Answer, Machine, Who, days_after, walks};
use crate::access_reviews::{
    AccessReview, AccessReviewCommand, AccessReviewEvent, Changes, CompleteReview, DecideItems,
    ItemOutcome, NewReview, Opener, RecordExecution, ReviewDecision, ReviewScope, ReviewStatus,
    Reviewed, ReviewedAccess, Seen, Split, UndoDecision,
};
use crate::audit::ReviewSignature;
use crate::kernel::ids::AccessReviewId;
use crate::kernel::scenario::id;
use crate::organizations::{Authority, OrgRole};
use crate::policies::{RevocationMode, SecondReviewer};
use crate::values::{PersonName, Reason};
use crate::{Code, Sealed};

/// Where the one item stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum About {
    #[default]
    Undecided,
    Kept,
    Pending,
    Revoked,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    #[default]
    NotOpened,
    Open(About),
    /// Due, which nobody has written down yet.
    Due(About),
    Overdue(About),
    Completed,
    Cancelled,
}

impl State {
    fn about(self) -> Option<About> {
        match self {
            Self::Open(about) | Self::Due(about) | Self::Overdue(about) => Some(about),
            Self::NotOpened | Self::Completed | Self::Cancelled => None,
        }
    }

    /// The same, but for the item.
    fn with(self, about: About) -> Self {
        match self {
            Self::Open(_) => Self::Open(about),
            Self::Due(_) => Self::Due(about),
            Self::Overdue(_) => Self::Overdue(about),
            Self::NotOpened | Self::Completed | Self::Cancelled => self,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Input {
    OpenByHand,
    OpenBySchedule,
    Keep,
    Revoke,
    Undo,
    RecordExecution,
    Watch,
    Complete,
    CompleteWithoutThem,
    Cancel,
}

#[derive(Default)]
struct Review {
    state: State,
    opened_at: Option<DateTime<Utc>>,
    decided_at: Option<DateTime<Utc>>,
}

fn review() -> AccessReviewId {
    id(9)
}

fn reason() -> Reason {
    Reason::parse("Left the practice.").unwrap()
}

fn open(opened_by: Opener, now: DateTime<Utc>) -> AccessReviewCommand {
    let access = ReviewedAccess::Membership { role: OrgRole::None };
    AccessReviewCommand::Open(Box::new(NewReview {
        review: review(),
        organization: id(10),
        campaign: None,
        scope: ReviewScope::Roster,
        as_of: 1,
        list: Split::all_of(vec![Reviewed { user: id(1), access }]),
        changes: Changes::All,
        opened_by,
        due_at: days_after(now, 14),
        grace_until: days_after(now, 28),
        revocations: RevocationMode::AtOnce,
        asks_for_attestation: false,
        second_reviewer: SecondReviewer::None,
    }))
}

fn decide(decision: ReviewDecision) -> AccessReviewCommand {
    AccessReviewCommand::Decide(Box::new(DecideItems {
        items: vec![1],
        decision,
        // Always the same one, so that keeping what was undone is nothing new.
        reason: Some(reason()),
        authority: Authority::Organization,
        stands_in_for: Vec::new(),
        seen: Seen { position: 1, sha256: "ab".repeat(32) },
        evidence: None,
        recommendations: BTreeMap::new(),
    }))
}

fn complete(gone: Vec<u32>) -> AccessReviewCommand {
    let name = Sealed::new(review(), PersonName::parse("Bob Ray").unwrap());
    let signature = ReviewSignature { name, statement: "1".to_owned() };
    let done = CompleteReview { attested: true, signature, gone, joiners: 0 };
    AccessReviewCommand::Complete(Box::new(done))
}

fn is_person(who: Who) -> bool {
    !matches!(who, Who::System | Who::Visitor)
}

/// A decision, by whoever is a person and not the subject (SELF_REVIEW); keeping takes back what took
/// effect.
fn decided(state: State, about: About, who: Who, to: About) -> Answer<State> {
    match (who, about) {
        (Who::System | Who::Visitor, _) => Answer::Refused(Code::Forbidden),
        (Who::Subject, _) => Answer::Refused(Code::SelfReview),
        (_, About::Revoked) if to == About::Pending => Answer::Nothing,
        (_, about) if about == to => Answer::Nothing,
        _ => Answer::To(state.with(to)),
    }
}

fn signed(about: About, who: Who, is_gone: bool) -> Answer<State> {
    match about {
        _ if !is_person(who) => Answer::Refused(Code::Forbidden),
        _ if is_gone => Answer::To(State::Completed),
        About::Undecided => Answer::Refused(Code::ItemsUndecided),
        About::Pending => Answer::Refused(Code::StillInEffect),
        About::Kept | About::Revoked => Answer::To(State::Completed),
    }
}

impl Machine for Review {
    type Aggregate = AccessReview;
    type State = State;
    type Input = Input;

    // A review that ends soon is decided about little.
    const INPUTS: &'static [Input] = &[
        Input::OpenByHand,
        Input::OpenBySchedule,
        Input::Keep,
        Input::Revoke,
        Input::RecordExecution,
        Input::Watch,
        Input::Keep,
        Input::Revoke,
        Input::RecordExecution,
        Input::Watch,
        Input::Keep,
        Input::Revoke,
        Input::RecordExecution,
        Input::Watch,
        Input::Keep,
        Input::Revoke,
        Input::RecordExecution,
        Input::Watch,
        Input::Keep,
        Input::Revoke,
        Input::RecordExecution,
        Input::Watch,
        Input::Undo,
        Input::Complete,
        Input::CompleteWithoutThem,
        Input::Cancel,
    ];
    const ARROWS: &'static [(&'static str, &'static str)] = &[
        ("none", "OPEN"),
        ("OPEN", "OVERDUE"),
        ("OPEN", "COMPLETED"),
        ("OPEN", "CANCELLED"),
        ("OVERDUE", "COMPLETED"),
        ("OVERDUE", "CANCELLED"),
    ];

    fn states() -> Vec<State> {
        let under_way = [About::Undecided, About::Kept, About::Pending, About::Revoked]
            .into_iter()
            .flat_map(|about| [State::Open(about), State::Due(about), State::Overdue(about)]);
        under_way.chain([State::NotOpened, State::Completed, State::Cancelled]).collect()
    }

    fn name(state: State) -> &'static str {
        match state {
            State::NotOpened => "none",
            State::Open(_) | State::Due(_) => "OPEN",
            State::Overdue(_) => "OVERDUE",
            State::Completed => "COMPLETED",
            State::Cancelled => "CANCELLED",
        }
    }

    fn table(state: State, input: Input, who: Who) -> Answer<State> {
        let Some(about) = state.about() else {
            let is_none = state == State::NotOpened;
            return match input {
                Input::OpenByHand | Input::OpenBySchedule if is_none => {
                    Answer::To(State::Open(About::Undecided))
                }
                Input::OpenByHand => Answer::Refused(Code::DuplicateRequest),
                Input::OpenBySchedule | Input::Watch => Answer::Nothing,
                _ if is_none => Answer::Refused(Code::NotFound),
                _ => Answer::Refused(Code::ReviewClosed),
            };
        };
        match input {
            Input::OpenByHand => Answer::Refused(Code::DuplicateRequest),
            Input::OpenBySchedule => Answer::Nothing,
            Input::Keep => decided(state, about, who, About::Kept),
            Input::Revoke => decided(state, about, who, About::Pending),
            Input::Undo => match (about, decided(state, about, who, About::Kept)) {
                (_, refused @ Answer::Refused(_)) => refused,
                (About::Pending | About::Revoked, kept) => kept,
                (About::Undecided | About::Kept, _) => Answer::Refused(Code::NotPending),
            },
            Input::RecordExecution => match about {
                About::Pending => Answer::To(state.with(About::Revoked)),
                About::Revoked => Answer::Nothing,
                About::Undecided | About::Kept => Answer::Refused(Code::NotPending),
            },
            // Reminders, and the escalation after the grace.
            Input::Watch => match state {
                State::Due(about) => Answer::To(State::Overdue(about)),
                _ => Answer::Stays,
            },
            Input::Complete => signed(about, who, false),
            Input::CompleteWithoutThem => signed(about, who, true),
            Input::Cancel => Answer::To(State::Cancelled),
        }
    }

    fn state(&self, now: DateTime<Utc>) -> State {
        let is_due = self.opened_at.is_some_and(|opened| days_after(opened, 14) <= now);
        match self.state {
            State::Open(about) if is_due => State::Due(about),
            state => state,
        }
    }

    fn limits(&self) -> Vec<DateTime<Utc>> {
        let at = |days| self.opened_at.map(|opened| days_after(opened, days));
        [7, 13, 14, 28].into_iter().filter_map(at).collect()
    }

    fn command(&self, input: Input, now: DateTime<Utc>) -> AccessReviewCommand {
        match input {
            Input::OpenByHand => open(Opener::ByHand { user: id(20) }, now),
            Input::OpenBySchedule => open(Opener::Scheduled, now),
            Input::Keep => decide(ReviewDecision::Keep),
            Input::Revoke => decide(ReviewDecision::Revoke { left_on: None }),
            Input::Undo => AccessReviewCommand::Undo(Box::new(UndoDecision {
                item: 1,
                decided_at: self.decided_at.unwrap_or(now),
                reason: reason(),
                authority: Authority::Organization,
                seen: Seen { position: 1, sha256: "ab".repeat(32) },
            })),
            Input::RecordExecution => AccessReviewCommand::RecordExecution(RecordExecution {
                item: 1,
                decided_at: self.decided_at.unwrap_or(now),
                executed_at: now,
                verified: true,
                remaining: Vec::new(),
            }),
            Input::Watch => AccessReviewCommand::Watch,
            Input::Complete => complete(Vec::new()),
            Input::CompleteWithoutThem => complete(vec![1]),
            Input::Cancel => AccessReviewCommand::Cancel { reason: reason() },
        }
    }

    fn went(&mut self, input: Input, state: State, now: DateTime<Utc>) {
        if self.state == State::NotOpened {
            self.opened_at = Some(now);
        }
        if matches!(input, Input::Keep | Input::Revoke | Input::Undo) {
            self.decided_at = Some(now);
        }
        // Being due is a matter of the time, and not kept.
        self.state = if let State::Due(about) = state { State::Open(about) } else { state };
    }

    fn shown(review: &AccessReview, _: Option<&AccessReviewEvent>, now: DateTime<Utc>) -> State {
        let Some(review) = review.review() else { return State::NotOpened };
        let about = match review.item(1).map(|item| item.outcome(false)) {
            None | Some(ItemOutcome::Undecided) => About::Undecided,
            Some(ItemOutcome::Pending) => About::Pending,
            Some(ItemOutcome::Revoked) => About::Revoked,
            Some(
                ItemOutcome::Kept
                | ItemOutcome::Changed
                | ItemOutcome::Gone
                | ItemOutcome::CarriedForward,
            ) => About::Kept,
        };
        match review.status {
            ReviewStatus::Open if review.due_at <= now => State::Due(about),
            ReviewStatus::Open => State::Open(about),
            ReviewStatus::Overdue => State::Overdue(about),
            ReviewStatus::Completed => State::Completed,
            ReviewStatus::Cancelled => State::Cancelled,
        }
    }
}

#[test]
fn an_access_review_goes_no_way_but_those_of_section_4() {
    walks::<Review>();
}
