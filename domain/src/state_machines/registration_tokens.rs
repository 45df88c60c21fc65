//! token ISSUED → REDEEMED / EXPIRED / REVOKED (MC-03, MC-04, GN-03).

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{Answer, Machine, Who, midnight_after, walks};
use crate::Code;
use crate::kernel::scenario::id;
use crate::organizations::registration_token::{
    RegistrationToken, RegistrationTokenCommand, RegistrationTokenEvent, TokenPhase, TokenRejection,
};
use crate::values::Reason;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    #[default]
    NotIssued,
    Issued,
    /// Its last day is over, which nobody has written down yet.
    RunOut,
    Redeemed,
    Expired,
    Revoked,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Input {
    Issue,
    IssueWithoutAddress,
    IssueBesideAnother,
    Redeem,
    Reject,
    Expire,
    Revoke,
    ReturnLetter,
    ReturnAnotherLetter,
    OpenLetter,
}

#[derive(Default)]
struct Token {
    state: State,
    ends: Option<DateTime<Utc>>,
}

fn letter() -> Uuid {
    id(41)
}

fn issue(has_pay_to_address: bool, other_is_active: bool) -> RegistrationTokenCommand {
    RegistrationTokenCommand::IssueRegistrationToken {
        token: id(40),
        organization: id(10),
        has_pay_to_address,
        pay_to_zip: None,
        letter: letter(),
        other_is_active,
    }
}

/// Why a token is of no use.
fn useless(state: State) -> Option<Code> {
    match state {
        State::Issued => None,
        State::NotIssued => Some(Code::TokenInvalid),
        State::RunOut | State::Expired => Some(Code::TokenExpired),
        State::Redeemed => Some(Code::TokenUsed),
        State::Revoked => Some(Code::TokenRevoked),
    }
}

impl Machine for Token {
    type Aggregate = RegistrationToken;
    type State = State;
    type Input = Input;

    const INPUTS: &'static [Input] = &[
        Input::Issue,
        Input::IssueWithoutAddress,
        Input::IssueBesideAnother,
        Input::Redeem,
        Input::Reject,
        Input::Expire,
        Input::Revoke,
        Input::ReturnLetter,
        Input::ReturnAnotherLetter,
        Input::OpenLetter,
    ];
    const ARROWS: &'static [(&'static str, &'static str)] =
        &[("none", "ISSUED"), ("ISSUED", "REDEEMED"), ("ISSUED", "EXPIRED"), ("ISSUED", "REVOKED")];

    fn states() -> Vec<State> {
        use State::{Expired, Issued, NotIssued, Redeemed, Revoked, RunOut};
        vec![NotIssued, Issued, RunOut, Redeemed, Expired, Revoked]
    }

    fn name(state: State) -> &'static str {
        match state {
            State::NotIssued => "none",
            State::Issued | State::RunOut => "ISSUED",
            State::Redeemed => "REDEEMED",
            State::Expired => "EXPIRED",
            State::Revoked => "REVOKED",
        }
    }

    fn table(state: State, input: Input, _: Who) -> Answer<State> {
        let if_useful = |answer| useless(state).map_or(answer, Answer::Refused);
        match (input, state) {
            (Input::Issue, State::NotIssued) => Answer::To(State::Issued),
            (Input::IssueWithoutAddress, State::NotIssued) => Answer::Refused(Code::NoPayToAddress),
            (Input::Issue | Input::IssueWithoutAddress | Input::IssueBesideAnother, _) => {
                Answer::Refused(Code::TokenActive)
            }
            (Input::Redeem, _) => if_useful(Answer::To(State::Redeemed)),
            (Input::Revoke, _) => if_useful(Answer::To(State::Revoked)),
            (Input::OpenLetter, _) => if_useful(Answer::Stays),
            (Input::Expire, State::Issued) => Answer::Refused(Code::TooEarly),
            (Input::Expire, State::RunOut) => Answer::To(State::Expired),
            (Input::Expire, _) => if_useful(Answer::Nothing),
            (Input::Reject, _) => Answer::Stays,
            (Input::ReturnLetter, State::NotIssued) | (Input::ReturnAnotherLetter, _) => {
                Answer::Refused(Code::NotFound)
            }
            (Input::ReturnLetter, _) => Answer::Stays,
        }
    }

    fn state(&self, now: DateTime<Utc>) -> State {
        match self.state {
            State::Issued if self.ends.is_some_and(|end| end <= now) => State::RunOut,
            state => state,
        }
    }

    fn limits(&self) -> Vec<DateTime<Utc>> {
        self.ends.into_iter().collect()
    }

    fn command(&self, input: Input, _: DateTime<Utc>) -> RegistrationTokenCommand {
        use RegistrationTokenCommand as C;
        match input {
            Input::Issue => issue(true, false),
            Input::IssueWithoutAddress => issue(false, false),
            Input::IssueBesideAnother => issue(true, true),
            Input::Redeem => C::RedeemRegistrationToken { registration: id(30), user: Some(id(1)) },
            Input::Reject => C::RejectRegistrationToken {
                why: TokenRejection::Invalid,
                address_hash: Some("ab".to_owned()),
            },
            Input::Expire => C::ExpireRegistrationToken,
            Input::Revoke => C::RevokeRegistrationToken { reason: Reason::parse("moved").unwrap() },
            Input::ReturnLetter => C::RecordLetterReturned { letter: letter() },
            Input::ReturnAnotherLetter => C::RecordLetterReturned { letter: id(42) },
            Input::OpenLetter => C::OpenLetter,
        }
    }

    fn went(&mut self, input: Input, state: State, now: DateTime<Utc>) {
        self.state = state;
        if input == Input::Issue {
            // The day of issue and thirty more: 1 March to the end of 31 March.
            self.ends = Some(midnight_after(now, 31));
        }
    }

    fn shown(
        token: &RegistrationToken,
        _: Option<&RegistrationTokenEvent>,
        now: DateTime<Utc>,
    ) -> State {
        match token.phase() {
            TokenPhase::NotIssued => State::NotIssued,
            TokenPhase::Issued { expires_at, .. } if expires_at <= now => State::RunOut,
            TokenPhase::Issued { .. } => State::Issued,
            TokenPhase::Redeemed { .. } => State::Redeemed,
            TokenPhase::Expired { .. } => State::Expired,
            TokenPhase::Revoked { .. } => State::Revoked,
        }
    }
}

#[test]
fn a_registration_token_goes_no_way_but_those_of_section_4() {
    walks::<Token>();
}
