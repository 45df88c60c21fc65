//! membership ACTIVE ↔ INACTIVE → ENDED, and before it the invitation to join (MC-15, MC-30, MC-31,
//! MC-32, CC-03, GN-03, GN-33). It ends with the organisation, which is closed for good.

use chrono::{DateTime, Utc};

use super::{Answer, Machine, Who, days_after, same_hour_after, walks};
use crate::kernel::ids::{OrganizationId, UserId};
use crate::kernel::scenario::{id, start};
use crate::organizations::organization::{Enrolment, Phase, RosterCommand, Standing};
use crate::organizations::{
    Authority, ContractStatus, InvitationEnd, MembershipOrigin, OrgRole, Organization,
    OrganizationCommand, OrganizationEvent, OrganizationKind, OrganizationKinds, TaxIdRef,
};
use crate::policies::{Policy, Preset};
use crate::values::{EmailAddress, OrganizationName, Reason, TaxIdKind};
use crate::{Actor, Code, Decider, Decision};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    #[default]
    Stranger,
    Invited,
    /// The invitation came to nothing.
    NeverJoined,
    Active,
    /// Active, and nobody has given a permission for 30 days (MC-32).
    Waiting,
    Inactive,
    /// Inactive for 90 days: the former permissions must be looked at (GN-12).
    LongInactive,
    Ended,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Input {
    Invite,
    Join,
    JoinByAnotherInvitation,
    EndInvitation,
    Attach,
    Import,
    Deactivate,
    DeactivateUnconfirmed,
    Reactivate,
    ReactivateUnconfirmed,
    ReactivateUnreviewed,
    WatchUnassigned,
    Close,
}

#[derive(Default)]
struct Membership {
    state: State,
    waits_until: Option<DateTime<Utc>>,
    review_from: Option<DateTime<Utc>>,
}

fn clinic() -> OrganizationId {
    id(10)
}

fn bob() -> UserId {
    id(1)
}

fn domain() -> String {
    "clinic.example".to_owned()
}

fn reason() -> Reason {
    Reason::parse("left the practice").unwrap()
}

fn deactivate(confirmed: bool) -> RosterCommand {
    RosterCommand::DeactivateUser {
        user: bob(),
        confirmed,
        reason: None,
        left_on: None,
        authority: Authority::Organization,
    }
}

fn reactivate(confirmed: bool, permissions_reviewed: bool) -> RosterCommand {
    RosterCommand::ReactivateUser { user: bob(), confirmed, permissions_reviewed }
}

fn ask_back(confirmed: bool, reviewed: bool, state: State, who: Who) -> Answer<State> {
    match state {
        State::Inactive | State::LongInactive => {
            let asks = !confirmed || (state == State::LongInactive && !reviewed);
            match (asks, who) {
                (true, _) => Answer::Refused(Code::ConfirmationRequired),
                (false, Who::Subject) => Answer::Refused(Code::SelfGrant),
                (false, _) => Answer::To(State::Active),
            }
        }
        State::Active | State::Waiting => Answer::Refused(Code::NotInactive),
        State::Stranger | State::Invited | State::NeverJoined | State::Ended => {
            Answer::Refused(Code::NotFound)
        }
    }
}

/// Ann's clinic, open.
fn opened() -> Vec<OrganizationEvent> {
    let enrolment = OrganizationCommand::RecordEnrolment(Box::new(Enrolment {
        organization: clinic(),
        name: OrganizationName::parse("Valley Clinic").unwrap(),
        kinds: OrganizationKinds::from([OrganizationKind::Provider]),
        tax_id: TaxIdRef { kind: TaxIdKind::Ein, last4: "6789".into() },
        pay_to_address: None,
        pay_to_zip: None,
        contact_email: EmailAddress::parse("office@clinic.example").unwrap(),
        contract_status: ContractStatus::Contracted,
        source: None,
    }));
    let registration = OrganizationCommand::from(RosterCommand::RegisterOrganization {
        registration: id(30),
        user: id(77),
        email_domain: domain(),
        signed_in: false,
        by: MembershipOrigin::Registration,
    });
    let policy = Policy::from(Preset::MediCal);
    let decision = Decision { now: start(), actor: Actor::SYSTEM, policy: &policy };
    let (mut clinic, mut history) = (Organization::default(), Vec::new());
    for command in [enrolment, registration] {
        let events = clinic.decide(&decision, command).expect("a clinic opens");
        events.iter().for_each(|event| clinic.evolve(event));
        history.extend(events);
    }
    history
}

impl Machine for Membership {
    type Aggregate = Organization;
    type State = State;
    type Input = Input;

    const INPUTS: &'static [Input] = &[
        Input::Invite,
        Input::Join,
        Input::JoinByAnotherInvitation,
        Input::EndInvitation,
        Input::Attach,
        Input::Import,
        Input::Deactivate,
        Input::DeactivateUnconfirmed,
        Input::Reactivate,
        Input::ReactivateUnconfirmed,
        Input::ReactivateUnreviewed,
        Input::WatchUnassigned,
        Input::Close,
    ];
    const ARROWS: &'static [(&'static str, &'static str)] = &[
        ("none", "invited"),
        ("invited", "never joined"),
        ("never joined", "invited"),
        ("none", "ACTIVE"),
        ("invited", "ACTIVE"),
        ("never joined", "ACTIVE"),
        ("ACTIVE", "INACTIVE"),
        ("INACTIVE", "ACTIVE"),
        ("none", "ENDED"),
        ("invited", "ENDED"),
        ("never joined", "ENDED"),
        ("ACTIVE", "ENDED"),
        ("INACTIVE", "ENDED"),
    ];
    const STEPS: usize = 40;

    fn states() -> Vec<State> {
        use State as S;
        vec![
            S::Stranger,
            S::Invited,
            S::NeverJoined,
            S::Active,
            S::Waiting,
            S::Inactive,
            S::LongInactive,
            S::Ended,
        ]
    }

    fn name(state: State) -> &'static str {
        match state {
            State::Stranger => "none",
            State::Invited => "invited",
            State::NeverJoined => "never joined",
            State::Active | State::Waiting => "ACTIVE",
            State::Inactive | State::LongInactive => "INACTIVE",
            State::Ended => "ENDED",
        }
    }

    fn history() -> Vec<OrganizationEvent> {
        opened()
    }

    fn table(state: State, input: Input, who: Who) -> Answer<State> {
        use State as S;
        let newcomer = |to| {
            let is_new = matches!(state, S::Stranger | S::NeverJoined);
            if is_new { Answer::To(to) } else { Answer::Refused(Code::EmailTakenInOrg) }
        };
        let active = matches!(state, S::Active | S::Waiting);
        let inactive = matches!(state, S::Inactive | S::LongInactive);
        match input {
            _ if state == S::Ended => Answer::Refused(Code::OrgNotActive),
            Input::Close => Answer::To(S::Ended),
            Input::Invite => newcomer(S::Invited),
            Input::Attach => newcomer(S::Active),
            // A member is what they were; nothing is lowered.
            Input::Import if active => Answer::Nothing,
            Input::Import if inactive => Answer::Refused(Code::AlreadyInactive),
            Input::Import => newcomer(S::Active),
            Input::Join if state == S::Invited => Answer::To(S::Active),
            Input::EndInvitation if state == S::Invited => Answer::To(S::NeverJoined),
            Input::Join | Input::EndInvitation | Input::JoinByAnotherInvitation => {
                Answer::Refused(Code::NotInvited)
            }
            Input::Deactivate if active => Answer::To(S::Inactive),
            Input::DeactivateUnconfirmed if active => Answer::Refused(Code::ConfirmationRequired),
            Input::Deactivate | Input::DeactivateUnconfirmed => {
                Answer::Refused(if inactive { Code::AlreadyInactive } else { Code::NotFound })
            }
            Input::Reactivate => ask_back(true, true, state, who),
            Input::ReactivateUnconfirmed => ask_back(false, true, state, who),
            Input::ReactivateUnreviewed => ask_back(true, false, state, who),
            Input::WatchUnassigned if state == S::Waiting => Answer::To(S::Inactive),
            // The administrators may be told before.
            Input::WatchUnassigned if state == S::Active => Answer::Stays,
            Input::WatchUnassigned => Answer::Nothing,
        }
    }

    fn state(&self, now: DateTime<Utc>) -> State {
        let over = |limit: Option<DateTime<Utc>>| limit.is_some_and(|limit| limit <= now);
        match self.state {
            State::Active if over(self.waits_until) => State::Waiting,
            State::Inactive if over(self.review_from) => State::LongInactive,
            state => state,
        }
    }

    fn limits(&self) -> Vec<DateTime<Utc>> {
        self.waits_until.into_iter().chain(self.review_from).collect()
    }

    fn command(&self, input: Input, _: DateTime<Utc>) -> OrganizationCommand {
        use RosterCommand as C;
        let (user, email_domain, role) = (bob(), domain(), OrgRole::None);
        let join = |n| C::JoinByInvitation { user, invitation: id(n), signed_in: false };
        let roster = match input {
            Input::Close => {
                return OrganizationCommand::CloseOrganization { reason: reason() };
            }
            Input::Invite => C::InviteMember { user, invitation: id(20), email_domain },
            Input::Join => join(20),
            Input::JoinByAnotherInvitation => join(21),
            Input::EndInvitation => {
                let cause = InvitationEnd::Cancelled;
                C::EndMemberInvitation { user, invitation: id(20), cause }
            }
            Input::Attach => C::AttachUser { user, email_domain, role },
            Input::Import => C::ImportMember { user, email_domain, role },
            Input::Deactivate => deactivate(true),
            Input::DeactivateUnconfirmed => deactivate(false),
            Input::Reactivate => reactivate(true, true),
            Input::ReactivateUnconfirmed => reactivate(false, true),
            Input::ReactivateUnreviewed => reactivate(true, false),
            Input::WatchUnassigned => C::WatchUnassigned { user },
        };
        roster.into()
    }

    fn went(&mut self, _: Input, state: State, now: DateTime<Utc>) {
        self.state = state;
        self.waits_until = (state == State::Active).then(|| same_hour_after(now, 30));
        self.review_from = (state == State::Inactive).then(|| days_after(now, 90));
    }

    fn shown(
        organization: &Organization,
        _: Option<&OrganizationEvent>,
        now: DateTime<Utc>,
    ) -> State {
        if organization.phase() == Phase::Closed {
            return State::Ended;
        }
        let Some(member) = organization.member(bob()) else { return State::Stranger };
        match member.standing {
            Standing::Invited { .. } => State::Invited,
            Standing::Ended { .. } => State::NeverJoined,
            Standing::Active => match member.unassigned_since {
                Some(since) if same_hour_after(since, 30) <= now => State::Waiting,
                Some(_) | None => State::Active,
            },
            Standing::Inactive { since } if days_after(since, 90) <= now => State::LongInactive,
            Standing::Inactive { .. } => State::Inactive,
        }
    }
}

#[test]
fn a_membership_goes_no_way_but_those_of_section_4() {
    walks::<Membership>();
}
