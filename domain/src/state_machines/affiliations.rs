//! affiliation REQUESTED (one signature) → ACTIVE (two signatures) / DENIED / WITHDRAWN / EXPIRED;
//! ACTIVE → TERMINATED (MC-54 to MC-60, GN-18). The tables hold whichever side asked.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use chrono_tz::America::Los_Angeles;

use super::{Answer, Machine, Who, days_after, midnight_after, walks};
use crate::Code;
use crate::affiliations::{
    Affiliation, AffiliationCommand, AffiliationEvent, AffiliationScope, AssignNpis, NpiSelection,
    Pair, RequestAffiliation, Side, Signature,
};
use crate::kernel::ids::OrganizationId;
use crate::kernel::scenario::id;
use crate::organizations::{OrganizationKind, OrganizationKinds};
use crate::values::{PersonName, TransactionType};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    #[default]
    NotRequested,
    /// Asked for, and not signed by who asked.
    Unsigned,
    Requested,
    /// Run out, which nobody has written down yet.
    RunOut,
    Active,
    /// Ended by a side, and in force to the end of the last day.
    Ending,
    Terminated,
    Denied,
    Withdrawn,
    Expired,
}

/// For whom something is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Party {
    Initiator,
    Counterparty,
    Stranger,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Input {
    AskUnsigned(Initiator),
    Ask(Initiator),
    Sign(Party),
    Approve(Party),
    ApproveWithoutBox,
    Deny(Party),
    DenyUnconfirmed,
    Withdraw(Party),
    Expire,
    Terminate(Party),
    TerminateUnconfirmed,
    Close(Party),
    Assign,
}

/// Who asked: [`Side`], with an order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Initiator {
    #[default]
    Submitter,
    Provider,
}

#[derive(Default)]
struct Relation {
    state: State,
    initiator: Initiator,
    ends: Option<DateTime<Utc>>,
}

fn pair() -> Pair {
    Pair { submitter: id(11), provider: id(10) }
}

fn signature(eligibility_confirmed: bool) -> Signature {
    Signature {
        user: id(1),
        first_name: Some(PersonName::parse("Ann").unwrap()),
        last_name: Some(PersonName::parse("Lee").unwrap()),
        role: "OWNER".to_owned(),
        eligibility_confirmed,
        agreement_version: "2026-01".to_owned(),
        sha256: "ab".repeat(32),
    }
}

fn ask(initiator: Initiator, signature: Option<Signature>) -> AffiliationCommand {
    AffiliationCommand::Request(Box::new(RequestAffiliation {
        affiliation: id(70),
        pair: pair(),
        initiator: initiator.side(),
        scope: AffiliationScope {
            npis: NpiSelection::All,
            transaction_types: BTreeSet::from([TransactionType::ProfessionalClaim]),
        },
        submitter_kinds: OrganizationKinds::from([OrganizationKind::Submitter]),
        provider_kinds: OrganizationKinds::from([OrganizationKind::Provider]),
        signature,
    }))
}

impl Initiator {
    fn side(self) -> Side {
        match self {
            Self::Submitter => Side::Submitter,
            Self::Provider => Side::Provider,
        }
    }
}

impl Relation {
    fn organization(&self, party: Party) -> OrganizationId {
        let initiator = self.initiator.side();
        match party {
            Party::Initiator => pair().of(initiator),
            Party::Counterparty => pair().of(initiator.other()),
            Party::Stranger => id(12),
        }
    }
}

/// What the side that did not ask makes of a request; it sees none before it is signed.
fn decided(state: State, party: Party, to: Answer<State>) -> Answer<State> {
    match (state, party) {
        (State::Requested, Party::Counterparty) => to,
        (State::Unsigned, Party::Counterparty) => Answer::Refused(Code::NotPending),
        (State::Unsigned | State::Requested, Party::Initiator | Party::Stranger) => {
            Answer::Refused(Code::NotCounterparty)
        }
        _ => Answer::Refused(Code::NotPending),
    }
}

/// What becomes of it when an organisation is closed for good.
fn closed(state: State, party: Party) -> Answer<State> {
    match (state, party) {
        (_, Party::Stranger) => Answer::Nothing,
        (State::Unsigned | State::Requested, Party::Initiator) => Answer::To(State::Withdrawn),
        (State::Unsigned | State::Requested, Party::Counterparty) => Answer::To(State::Denied),
        (State::RunOut, _) => Answer::To(State::Expired),
        (State::Active | State::Ending, _) => Answer::To(State::Terminated),
        _ => Answer::Nothing,
    }
}

const SIDES: [Initiator; 2] = [Initiator::Submitter, Initiator::Provider];

impl Machine for Relation {
    type Aggregate = Affiliation;
    type State = State;
    type Input = Input;

    const INPUTS: &'static [Input] = &[
        Input::AskUnsigned(SIDES[0]),
        Input::AskUnsigned(SIDES[1]),
        Input::Ask(SIDES[0]),
        Input::Ask(SIDES[1]),
        Input::Sign(Party::Initiator),
        Input::Sign(Party::Counterparty),
        Input::Sign(Party::Stranger),
        Input::Approve(Party::Initiator),
        Input::Approve(Party::Counterparty),
        Input::Approve(Party::Stranger),
        Input::ApproveWithoutBox,
        Input::Deny(Party::Initiator),
        Input::Deny(Party::Counterparty),
        Input::Deny(Party::Stranger),
        Input::DenyUnconfirmed,
        Input::Withdraw(Party::Initiator),
        Input::Withdraw(Party::Counterparty),
        Input::Withdraw(Party::Stranger),
        Input::Expire,
        Input::Terminate(Party::Initiator),
        Input::Terminate(Party::Counterparty),
        Input::Terminate(Party::Stranger),
        Input::TerminateUnconfirmed,
        Input::Close(Party::Initiator),
        Input::Close(Party::Counterparty),
        Input::Close(Party::Stranger),
        Input::Assign,
    ];
    const ARROWS: &'static [(&'static str, &'static str)] = &[
        ("none", "REQUESTED"),
        ("REQUESTED", "ACTIVE"),
        ("REQUESTED", "DENIED"),
        ("REQUESTED", "WITHDRAWN"),
        ("REQUESTED", "EXPIRED"),
        ("ACTIVE", "TERMINATED"),
    ];
    const STEPS: usize = 40;

    fn states() -> Vec<State> {
        use State as S;
        vec![
            S::NotRequested,
            S::Unsigned,
            S::Requested,
            S::RunOut,
            S::Active,
            S::Ending,
            S::Terminated,
            S::Denied,
            S::Withdrawn,
            S::Expired,
        ]
    }

    fn name(state: State) -> &'static str {
        match state {
            State::NotRequested => "none",
            State::Unsigned | State::Requested | State::RunOut => "REQUESTED",
            State::Active => "ACTIVE",
            State::Ending | State::Terminated => "TERMINATED",
            State::Denied => "DENIED",
            State::Withdrawn => "WITHDRAWN",
            State::Expired => "EXPIRED",
        }
    }

    fn table(state: State, input: Input, _: Who) -> Answer<State> {
        use State as S;
        let refused = Answer::Refused;
        match (input, state) {
            (Input::AskUnsigned(_), S::NotRequested) => Answer::To(S::Unsigned),
            (Input::Ask(_), S::NotRequested) => Answer::To(S::Requested),
            (Input::Ask(_) | Input::AskUnsigned(_), _) => refused(Code::AffiliationExists),
            (Input::Sign(Party::Initiator), S::Unsigned) => Answer::To(S::Requested),
            (Input::Sign(Party::Initiator), S::Requested) => refused(Code::AlreadySigned),
            (Input::Sign(Party::Stranger), S::Active) => refused(Code::NotCounterparty),
            // The version that both have signed.
            (Input::Sign(_), S::Active) => refused(Code::AlreadySigned),
            (Input::Sign(party) | Input::Approve(party), _) => {
                decided(state, party, Answer::To(S::Active))
            }
            (Input::ApproveWithoutBox, _) => {
                decided(state, Party::Counterparty, refused(Code::BoxNotTicked))
            }
            (Input::Deny(party), _) => decided(state, party, Answer::To(S::Denied)),
            (Input::DenyUnconfirmed, _) => {
                decided(state, Party::Counterparty, refused(Code::ConfirmationRequired))
            }
            (Input::Withdraw(party), S::Unsigned | S::Requested) => match party {
                Party::Initiator => Answer::To(S::Withdrawn),
                Party::Counterparty | Party::Stranger => refused(Code::NotCounterparty),
            },
            (Input::Expire, S::RunOut) => Answer::To(S::Expired),
            (Input::Expire, _) => Answer::Nothing,
            (Input::Terminate(Party::Stranger), S::Active) => refused(Code::NotCounterparty),
            (Input::Terminate(_), S::Active) => Answer::To(S::Ending),
            (Input::TerminateUnconfirmed, S::Active) => refused(Code::ConfirmationRequired),
            (Input::Close(party), _) => closed(state, party),
            (Input::Assign, S::Active | S::Ending) => Answer::Nothing,
            (
                Input::Withdraw(_)
                | Input::Terminate(_)
                | Input::TerminateUnconfirmed
                | Input::Assign,
                _,
            ) => refused(Code::NotPending),
        }
    }

    fn state(&self, now: DateTime<Utc>) -> State {
        let over = self.ends.is_some_and(|end| end <= now);
        match self.state {
            State::Unsigned | State::Requested if over => State::RunOut,
            State::Ending if over => State::Terminated,
            state => state,
        }
    }

    fn limits(&self) -> Vec<DateTime<Utc>> {
        self.ends.into_iter().collect()
    }

    fn command(&self, input: Input, now: DateTime<Utc>) -> AffiliationCommand {
        use AffiliationCommand as C;
        let (user, reason) = (id(1), None);
        let terminate = |party, confirm| {
            let ends_on = now.with_timezone(&Los_Angeles).date_naive();
            let organization = self.organization(party);
            C::Terminate { organization, user, confirm, ends_on, reason: None }
        };
        let approve = |party, ticked| {
            let organization = self.organization(party);
            C::Approve { organization, signature: signature(ticked) }
        };
        let deny = |party, confirm| {
            let organization = self.organization(party);
            C::Deny { organization, user, confirm, reason: None }
        };
        match input {
            Input::AskUnsigned(side) => ask(side, None),
            Input::Ask(side) => ask(side, Some(signature(true))),
            Input::Sign(party) => {
                let organization = self.organization(party);
                C::Sign { organization, signature: signature(true) }
            }
            Input::Approve(party) => approve(party, true),
            Input::ApproveWithoutBox => approve(Party::Counterparty, false),
            Input::Deny(party) => deny(party, true),
            Input::DenyUnconfirmed => deny(Party::Counterparty, false),
            Input::Withdraw(party) => {
                C::Withdraw { organization: self.organization(party), user, reason }
            }
            Input::Expire => C::Expire,
            Input::Terminate(party) => terminate(party, true),
            Input::TerminateUnconfirmed => terminate(Party::Counterparty, false),
            Input::Close(party) => {
                C::EndWithOrganization { organization: self.organization(party) }
            }
            Input::Assign => C::AssignNpis(Box::new(AssignNpis {
                organization: pair().submitter,
                user,
                npis: BTreeSet::new(),
                held: BTreeSet::new(),
                cause: None,
            })),
        }
    }

    fn went(&mut self, input: Input, state: State, now: DateTime<Utc>) {
        self.state = state;
        match input {
            Input::AskUnsigned(side) | Input::Ask(side) => {
                self.initiator = side;
                self.ends = Some(days_after(now, 30));
            }
            // In force to the end of the day.
            Input::Terminate(_) => self.ends = Some(midnight_after(now, 1)),
            Input::Sign(_)
            | Input::Approve(_)
            | Input::ApproveWithoutBox
            | Input::Deny(_)
            | Input::DenyUnconfirmed
            | Input::Withdraw(_)
            | Input::Expire
            | Input::TerminateUnconfirmed
            | Input::Close(_)
            | Input::Assign => {}
        }
    }

    fn shown(
        affiliation: &Affiliation,
        last: Option<&AffiliationEvent>,
        now: DateTime<Utc>,
    ) -> State {
        match affiliation {
            Affiliation::NotRequested => State::NotRequested,
            Affiliation::Requested(request) if request.expires_at <= now => State::RunOut,
            Affiliation::Requested(request) if request.initiator_signed => State::Requested,
            Affiliation::Requested(_) => State::Unsigned,
            Affiliation::Active(_) => State::Active,
            Affiliation::Terminated { ending, .. } if ending.ends_at <= now => State::Terminated,
            Affiliation::Terminated { .. } => State::Ending,
            Affiliation::Closed { denied: Some(_), .. } => State::Denied,
            Affiliation::Closed { denied: None, .. } => {
                let expired = matches!(last, Some(AffiliationEvent::AffiliationExpired { .. }));
                if expired { State::Expired } else { State::Withdrawn }
            }
        }
    }
}

#[test]
fn an_affiliation_goes_no_way_but_those_of_section_4() {
    walks::<Relation>();
}
