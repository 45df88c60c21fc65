//! access request OPEN → ROUTED → APPROVED / DENIED / WITHDRAWN / EXPIRED (CC-11, CC-12, AL-08).
//! Where the organisation can give it, nothing is routed and the ends follow on OPEN.

use chrono::{DateTime, Utc};

use super::{Answer, Machine, Who, days_after, walks};
use crate::Code;
use crate::access_requests::{
    AccessRequest, AccessRequestCommand, AccessRequestEvent, Closing, NewRequest, RequestItem,
    RouteCause,
};
use crate::kernel::scenario::id;
use crate::permissions::Entitlement;
use crate::policies::Feature;
use crate::values::Reason;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    #[default]
    NotMade,
    Open,
    Routed,
    /// Run out, which nobody has written down yet.
    OpenRunOut,
    RoutedRunOut,
    Approved,
    Denied,
    Withdrawn,
    Expired,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Input {
    Ask,
    AskThePlan,
    Route,
    ApproveByAdministrator,
    ApproveByPlan,
    DenyByAdministrator,
    DenyByPlan,
    Withdraw,
    Expire,
}

#[derive(Default)]
struct Request {
    state: State,
    ends: Option<DateTime<Utc>>,
}

fn ask(route: Option<RouteCause>) -> AccessRequestCommand {
    AccessRequestCommand::Request(Box::new(NewRequest {
        request: id(9),
        user: id(1),
        organization: id(10),
        items: vec![RequestItem::Grant(Entitlement::Feature(Feature::EopReports))],
        why: reason(),
        until: None,
        route,
    }))
}

fn reason() -> Reason {
    Reason::parse("I keep the books.").unwrap()
}

/// What a decision leads to: by the administrators while it is open, by the plan once it is routed,
/// and never by who asks (SELF_APPROVAL).
fn decided(state: State, by_plan: bool, who: Who, to: State) -> Answer<State> {
    match (state, by_plan) {
        (State::Open | State::Routed, _) if who == Who::Subject => {
            Answer::Refused(Code::SelfApproval)
        }
        (State::Open, false) | (State::Routed, true) => Answer::To(to),
        (State::Open, true) => Answer::Refused(Code::NotOrgAdmin),
        (State::Routed, false) => Answer::Refused(Code::Forbidden),
        (state, _) => over(state),
    }
}

fn over(state: State) -> Answer<State> {
    Answer::Refused(if state == State::NotMade { Code::NotFound } else { Code::AlreadyDecided })
}

impl Machine for Request {
    type Aggregate = AccessRequest;
    type State = State;
    type Input = Input;

    const INPUTS: &'static [Input] = &[
        Input::Ask,
        Input::AskThePlan,
        Input::Route,
        Input::ApproveByAdministrator,
        Input::ApproveByPlan,
        Input::DenyByAdministrator,
        Input::DenyByPlan,
        Input::Withdraw,
        Input::Expire,
    ];
    const ARROWS: &'static [(&'static str, &'static str)] = &[
        ("none", "OPEN"),
        ("OPEN", "ROUTED"),
        ("OPEN", "APPROVED"),
        ("OPEN", "DENIED"),
        ("OPEN", "WITHDRAWN"),
        ("OPEN", "EXPIRED"),
        ("ROUTED", "APPROVED"),
        ("ROUTED", "DENIED"),
        ("ROUTED", "WITHDRAWN"),
        ("ROUTED", "EXPIRED"),
    ];

    fn states() -> Vec<State> {
        use State as S;
        vec![
            S::NotMade,
            S::Open,
            S::Routed,
            S::OpenRunOut,
            S::RoutedRunOut,
            S::Approved,
            S::Denied,
            S::Withdrawn,
            S::Expired,
        ]
    }

    fn name(state: State) -> &'static str {
        match state {
            State::NotMade => "none",
            State::Open | State::OpenRunOut => "OPEN",
            State::Routed | State::RoutedRunOut => "ROUTED",
            State::Approved => "APPROVED",
            State::Denied => "DENIED",
            State::Withdrawn => "WITHDRAWN",
            State::Expired => "EXPIRED",
        }
    }

    fn table(state: State, input: Input, who: Who) -> Answer<State> {
        match (input, state) {
            (Input::Ask, State::NotMade) => Answer::To(State::Open),
            (Input::AskThePlan, State::NotMade) => Answer::To(State::Routed),
            (Input::Ask | Input::AskThePlan, _) => Answer::Refused(Code::AlreadyDecided),
            (Input::Route, State::Open) => Answer::To(State::Routed),
            (Input::Route, State::Routed) => Answer::Refused(Code::Forbidden),
            (Input::Route, state) => over(state),
            (Input::ApproveByAdministrator, _) => decided(state, false, who, State::Approved),
            (Input::ApproveByPlan, _) => decided(state, true, who, State::Approved),
            (Input::DenyByAdministrator, _) => decided(state, false, who, State::Denied),
            (Input::DenyByPlan, _) => decided(state, true, who, State::Denied),
            (Input::Withdraw, State::Open | State::Routed) if who == Who::Subject => {
                Answer::To(State::Withdrawn)
            }
            // Somebody else's request is not there for them.
            (Input::Withdraw, State::Open | State::Routed) => Answer::Refused(Code::NotFound),
            (Input::Withdraw, state) => over(state),
            (Input::Expire, State::OpenRunOut | State::RoutedRunOut) => Answer::To(State::Expired),
            (Input::Expire, _) => Answer::Nothing,
        }
    }

    fn state(&self, now: DateTime<Utc>) -> State {
        match self.state {
            State::Open if self.ends.is_some_and(|end| end <= now) => State::OpenRunOut,
            State::Routed if self.ends.is_some_and(|end| end <= now) => State::RoutedRunOut,
            state => state,
        }
    }

    fn limits(&self) -> Vec<DateTime<Utc>> {
        self.ends.into_iter().collect()
    }

    fn command(&self, input: Input, _: DateTime<Utc>) -> AccessRequestCommand {
        use AccessRequestCommand as C;
        match input {
            Input::Ask => ask(None),
            Input::AskThePlan => ask(Some(RouteCause::NotGrantable)),
            Input::Route => C::Route { cause: RouteCause::Escalated, note: None },
            Input::ApproveByAdministrator => C::Approve { by_plan: false, note: None },
            Input::ApproveByPlan => C::Approve { by_plan: true, note: None },
            Input::DenyByAdministrator => C::Deny { by_plan: false, reason: reason() },
            Input::DenyByPlan => C::Deny { by_plan: true, reason: reason() },
            Input::Withdraw => C::Withdraw,
            Input::Expire => C::Expire,
        }
    }

    fn went(&mut self, _: Input, state: State, now: DateTime<Utc>) {
        if self.state == State::NotMade {
            self.ends = Some(days_after(now, 30));
        }
        self.state = state;
    }

    fn shown(request: &AccessRequest, _: Option<&AccessRequestEvent>, now: DateTime<Utc>) -> State {
        match request {
            AccessRequest::NotMade => State::NotMade,
            AccessRequest::Open(asked) if asked.expires_at <= now => State::OpenRunOut,
            AccessRequest::Open(_) => State::Open,
            AccessRequest::Routed(asked) if asked.expires_at <= now => State::RoutedRunOut,
            AccessRequest::Routed(_) => State::Routed,
            AccessRequest::Closed(_, Closing::Approved) => State::Approved,
            AccessRequest::Closed(_, Closing::Denied) => State::Denied,
            AccessRequest::Closed(_, Closing::Withdrawn) => State::Withdrawn,
            AccessRequest::Closed(_, Closing::Expired) => State::Expired,
        }
    }
}

#[test]
fn an_access_request_goes_no_way_but_those_of_section_4() {
    walks::<Request>();
}
