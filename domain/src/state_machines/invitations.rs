//! invitation SENT → OPENED → COMPLETED / EXPIRED / REISSUED / CANCELLED (MC-16 to MC-21, GN-06).
//! A reissue kills the link and sends another, so what was REISSUED is SENT anew.

use chrono::{DateTime, Utc};

use super::{Answer, Machine, Who, days_after, walks};
use crate::Code;
use crate::kernel::ids::LinkId;
use crate::kernel::scenario::id;
use crate::users::invitation::{
    Invitation, InvitationCommand, InvitationEvent, InvitationRules, Invite, InviteeDetails,
    OpenInvitation,
};
use crate::values::{
    Acceptance, AgreementKind, CodeChannel, EmailAddress, PersonName, PhoneNumber,
};

const AGREEMENT: AgreementKind = AgreementKind::SystemUseNotification;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    #[default]
    NotSent,
    Sent,
    /// Opened, and these are the steps that were taken since.
    Opened,
    Agreed,
    Detailed,
    Proven,
    /// Run out, which nobody has written down yet.
    RunOut,
    Expired,
    Completed,
    Cancelled,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Input {
    Invite,
    Reissue,
    OpenLink,
    OpenDeadLink,
    Accept,
    Submit,
    Prove,
    Complete,
    CompleteByDeadLink,
    Expire,
    Cancel,
}

#[derive(Default)]
struct Invited {
    state: State,
    ends: Option<DateTime<Utc>>,
    links: u128,
}

impl Invited {
    fn link(&self) -> LinkId {
        id(100 + self.links)
    }

    /// The one before, or one that was never sent.
    fn dead_link(&self) -> LinkId {
        id(99 + self.links)
    }
}

fn rules() -> InvitationRules {
    InvitationRules { agreements: vec![AGREEMENT], otp_required: true }
}

fn phone() -> PhoneNumber {
    PhoneNumber::parse("+12025550123").unwrap()
}

fn name(text: &str) -> PersonName {
    PersonName::parse(text).unwrap()
}

fn invite(link_id: LinkId) -> InvitationCommand {
    InvitationCommand::Invite(Box::new(Invite {
        invitation: id(5),
        user: id(1),
        organization: Some(id(10)),
        email: EmailAddress::parse("ann@clinic.example").unwrap(),
        first_name: name("Ann"),
        last_name: name("Lee"),
        mobile: phone(),
        business_phone: None,
        link_id,
        existing_account: false,
    }))
}

/// What a step by the present link leads to, and what one that comes too early is told.
fn step(state: State, by_the_way: impl Fn(State) -> Option<Answer<State>>) -> Answer<State> {
    match state {
        State::NotSent | State::Cancelled => Answer::Refused(Code::LinkInvalid),
        State::RunOut | State::Expired => Answer::Refused(Code::LinkExpired),
        State::Completed => Answer::Refused(Code::LinkUsed),
        State::Sent | State::Opened | State::Agreed | State::Detailed | State::Proven => {
            by_the_way(state).unwrap_or(Answer::Refused(Code::StepOutOfOrder))
        }
    }
}

fn by_dead_link(state: State) -> Answer<State> {
    Answer::Refused(if state == State::Completed { Code::LinkUsed } else { Code::LinkInvalid })
}

fn seen(open: &OpenInvitation, now: DateTime<Utc>) -> State {
    let progress = &open.progress;
    if open.expires_at <= now {
        State::RunOut
    } else if progress.passcode.is_some() {
        State::Proven
    } else if progress.details.is_some() {
        State::Detailed
    } else if progress.has_accepted(AGREEMENT) {
        State::Agreed
    } else if progress.opened {
        State::Opened
    } else {
        State::Sent
    }
}

impl Machine for Invited {
    type Aggregate = Invitation;
    type State = State;
    type Input = Input;

    const INPUTS: &'static [Input] = &[
        Input::Invite,
        Input::Reissue,
        Input::OpenLink,
        Input::OpenDeadLink,
        Input::Accept,
        Input::Submit,
        Input::Prove,
        Input::Complete,
        Input::CompleteByDeadLink,
        Input::Expire,
        Input::Cancel,
    ];
    const ARROWS: &'static [(&'static str, &'static str)] = &[
        ("none", "SENT"),
        ("SENT", "OPENED"),
        ("OPENED", "COMPLETED"),
        ("SENT or OPENED, over", "EXPIRED"),
        ("SENT", "CANCELLED"),
        ("OPENED", "CANCELLED"),
        // Reissued; a link that ran out can be followed by another (MC-16).
        ("OPENED", "SENT"),
        ("EXPIRED", "SENT"),
        ("SENT or OPENED, over", "SENT"),
    ];
    const STEPS: usize = 40;

    fn states() -> Vec<State> {
        use State as S;
        vec![
            S::NotSent,
            S::Sent,
            S::Opened,
            S::Agreed,
            S::Detailed,
            S::Proven,
            S::RunOut,
            S::Expired,
            S::Completed,
            S::Cancelled,
        ]
    }

    fn name(state: State) -> &'static str {
        match state {
            State::NotSent => "none",
            State::Sent => "SENT",
            State::Opened | State::Agreed | State::Detailed | State::Proven => "OPENED",
            State::RunOut => "SENT or OPENED, over",
            State::Expired => "EXPIRED",
            State::Completed => "COMPLETED",
            State::Cancelled => "CANCELLED",
        }
    }

    fn table(state: State, input: Input, _: Who) -> Answer<State> {
        use State as S;
        let not_pending = if state == S::NotSent { Code::NotInvited } else { Code::NotPending };
        let waits = matches!(state, S::Sent | S::Opened | S::Agreed | S::Detailed | S::Proven);
        match input {
            Input::Invite if state == S::NotSent => Answer::To(S::Sent),
            Input::Invite => Answer::Refused(Code::VersionConflict),
            Input::Reissue if waits || matches!(state, S::RunOut | S::Expired) => {
                Answer::To(S::Sent)
            }
            Input::Reissue => Answer::Refused(not_pending),
            Input::OpenLink => step(state, |at| {
                Some(if at == S::Sent { Answer::To(S::Opened) } else { Answer::Nothing })
            }),
            Input::OpenDeadLink | Input::CompleteByDeadLink => by_dead_link(state),
            Input::Accept => step(state, |at| {
                Some(if matches!(at, S::Sent | S::Opened) {
                    Answer::To(S::Agreed)
                } else {
                    Answer::Refused(Code::AlreadyAccepted)
                })
            }),
            Input::Submit => step(state, |at| {
                let agreed = matches!(at, S::Agreed | S::Detailed | S::Proven);
                agreed.then_some(Answer::To(S::Detailed))
            }),
            Input::Prove => step(state, |at| (at == S::Detailed).then_some(Answer::To(S::Proven))),
            Input::Complete => {
                step(state, |at| (at == S::Proven).then_some(Answer::To(S::Completed)))
            }
            Input::Expire if state == S::RunOut => Answer::To(S::Expired),
            Input::Expire => Answer::Nothing,
            Input::Cancel if waits => Answer::To(S::Cancelled),
            Input::Cancel => Answer::Refused(not_pending),
        }
    }

    fn state(&self, now: DateTime<Utc>) -> State {
        match self.state {
            State::Sent | State::Opened | State::Agreed | State::Detailed | State::Proven
                if self.ends.is_some_and(|end| end <= now) =>
            {
                State::RunOut
            }
            state => state,
        }
    }

    fn limits(&self) -> Vec<DateTime<Utc>> {
        self.ends.into_iter().collect()
    }

    fn command(&self, input: Input, _: DateTime<Utc>) -> InvitationCommand {
        use InvitationCommand as C;
        let link_id = self.link();
        match input {
            Input::Invite => invite(link_id),
            Input::Reissue => C::Reissue { link_id: id(101 + self.links) },
            Input::OpenLink => C::Open { link_id },
            Input::OpenDeadLink => C::Open { link_id: self.dead_link() },
            Input::Accept => {
                let (version, boxes) = ("1".to_owned(), vec!["read".to_owned()]);
                let acceptance = Acceptance { kind: AGREEMENT, version, boxes };
                C::AcceptAgreement { link_id, acceptance, rules: rules() }
            }
            Input::Submit => {
                let details = InviteeDetails {
                    first_name: name("Ann"),
                    last_name: name("Lee"),
                    phone: phone(),
                    channel: CodeChannel::Sms,
                };
                C::SubmitDetails { link_id, details, rules: rules() }
            }
            Input::Prove => C::RecordPasscode { link_id, challenge: id(50), rules: rules() },
            Input::Complete => C::Complete { link_id, rules: rules() },
            Input::CompleteByDeadLink => C::Complete { link_id: self.dead_link(), rules: rules() },
            Input::Expire => C::Expire,
            Input::Cancel => C::Cancel { reason: None },
        }
    }

    fn went(&mut self, input: Input, state: State, now: DateTime<Utc>) {
        self.state = state;
        if matches!(input, Input::Invite | Input::Reissue) {
            self.ends = Some(days_after(now, 7));
        }
        if input == Input::Reissue {
            self.links += 1;
        }
    }

    fn shown(invitation: &Invitation, _: Option<&InvitationEvent>, now: DateTime<Utc>) -> State {
        match invitation {
            Invitation::NotSent => State::NotSent,
            Invitation::Open(open) => seen(open, now),
            Invitation::Expired(_) => State::Expired,
            Invitation::Completed(_) => State::Completed,
            Invitation::Cancelled(_) => State::Cancelled,
        }
    }
}

#[test]
fn an_invitation_goes_no_way_but_those_of_section_4() {
    walks::<Invited>();
}
