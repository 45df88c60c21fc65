//! A proposed change of policy that another administrator of the plan has to approve (GN-02).
//!
//! Invariant: nobody approves what they proposed, and nothing is decided twice.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Feature, FeatureState, PolicyCommand, PolicyKey, PolicyValue, Preset};
use crate::kernel::ids::{PolicyProposalId, UserId};
use crate::values::{ContentLine, Reason};
use crate::{Code, Decider, Decision, Event, Facets, Refusal, Sealed};

/// What is to change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ProposedChange {
    Preset { preset: Preset },
    Parameter { key: PolicyKey, value: PolicyValue },
    Feature { feature: Feature, state: FeatureState, message: Option<ContentLine> },
}

impl ProposedChange {
    /// The command that makes the change when it is wished.
    #[must_use]
    pub fn wished(
        &self,
        effective_at: Option<DateTime<Utc>>,
        reason: Sealed<Reason>,
    ) -> PolicyCommand {
        match self.clone() {
            Self::Preset { preset } => PolicyCommand::ApplyPreset { preset, effective_at, reason },
            Self::Parameter { key, value } => {
                PolicyCommand::ChangePolicy { key, value, effective_at, reason }
            }
            Self::Feature { feature, state, message } => PolicyCommand::SetFeatureAvailability {
                feature,
                state,
                message,
                effective_at,
                reason,
            },
        }
    }

    /// The command that makes an approved change, at once where its time has passed meanwhile.
    #[must_use]
    pub fn approved(
        &self,
        effective_at: Option<DateTime<Utc>>,
        reason: Sealed<Reason>,
        now: DateTime<Utc>,
    ) -> PolicyCommand {
        self.wished(effective_at.filter(|at| *at > now), reason)
    }
}

/// A fact about a proposal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum PolicyProposalEvent {
    /// An administrator of the plan proposed a change.
    PolicyChangeProposed {
        proposal: PolicyProposalId,
        by: UserId,
        change: ProposedChange,
        /// `None`: with its approval.
        effective_at: Option<DateTime<Utc>>,
        reason: Sealed<Reason>,
    },
    /// Another one approved it; the change stands in the same append.
    PolicyChangeApproved { proposal: PolicyProposalId, by: UserId },
    /// Another one rejected it.
    PolicyChangeRejected { proposal: PolicyProposalId, by: UserId, reason: Sealed<Reason> },
    /// Who proposed it took it back.
    PolicyChangeWithdrawn { proposal: PolicyProposalId, by: UserId },
}

impl Event for PolicyProposalEvent {
    fn event_type(&self) -> &'static str {
        match self {
            Self::PolicyChangeProposed { .. } => "policies.proposal.policy_change_proposed",
            Self::PolicyChangeApproved { .. } => "policies.proposal.policy_change_approved",
            Self::PolicyChangeRejected { .. } => "policies.proposal.policy_change_rejected",
            Self::PolicyChangeWithdrawn { .. } => "policies.proposal.policy_change_withdrawn",
        }
    }

    fn facets(&self) -> Facets {
        match self {
            Self::PolicyChangeProposed { .. }
            | Self::PolicyChangeApproved { .. }
            | Self::PolicyChangeRejected { .. }
            | Self::PolicyChangeWithdrawn { .. } => Facets::default(),
        }
    }
}

/// What may be asked of a proposal. That the change is one the policy would take is checked by the
/// caller, on the policy's own stream.
#[derive(Clone, Debug)]
pub enum PolicyProposalCommand {
    Propose {
        proposal: PolicyProposalId,
        by: UserId,
        change: ProposedChange,
        effective_at: Option<DateTime<Utc>>,
        reason: Sealed<Reason>,
    },
    Approve {
        by: UserId,
    },
    Reject {
        by: UserId,
        reason: Reason,
    },
    Withdraw {
        by: UserId,
    },
}

/// Why a proposal refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyProposalRefusal {
    #[error("There is no such proposal. Check the id and try again.")]
    Unknown,
    #[error("This proposal was decided already or taken back.")]
    AlreadyDecided,
    #[error("Nobody decides about their own proposal. Ask another plan administrator.")]
    SelfApproval,
}

impl From<PolicyProposalRefusal> for Refusal {
    fn from(refusal: PolicyProposalRefusal) -> Self {
        let message = refusal.to_string();
        match refusal {
            PolicyProposalRefusal::Unknown => Self::not_found("proposalId"),
            PolicyProposalRefusal::AlreadyDecided => Self::new(Code::AlreadyDecided, message),
            PolicyProposalRefusal::SelfApproval => Self::new(Code::SelfApproval, message),
        }
    }
}

/// What was proposed.
#[derive(Clone, Debug, PartialEq)]
pub struct Proposed {
    pub proposal: PolicyProposalId,
    pub by: UserId,
    pub change: ProposedChange,
    pub effective_at: Option<DateTime<Utc>>,
    pub reason: Sealed<Reason>,
}

/// Where a proposal stands.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum PolicyProposal {
    /// The id is not in use.
    #[default]
    NotMade,
    Open(Proposed),
    Closed,
}

impl PolicyProposal {
    /// The proposal, while nobody has decided.
    ///
    /// # Errors
    /// `NOT_FOUND`, `ALREADY_DECIDED`.
    pub fn open(&self) -> Result<&Proposed, PolicyProposalRefusal> {
        match self {
            Self::NotMade => Err(PolicyProposalRefusal::Unknown),
            Self::Open(proposed) => Ok(proposed),
            Self::Closed => Err(PolicyProposalRefusal::AlreadyDecided),
        }
    }

    fn by_another(&self, by: UserId) -> Result<PolicyProposalId, PolicyProposalRefusal> {
        let proposed = self.open()?;
        if proposed.by == by {
            return Err(PolicyProposalRefusal::SelfApproval);
        }
        Ok(proposed.proposal)
    }
}

impl Decider for PolicyProposal {
    const TYPE: &'static str = "policies.proposal";
    type Command = PolicyProposalCommand;
    type Event = PolicyProposalEvent;
    type Refusal = PolicyProposalRefusal;

    fn decide(
        &self,
        _: &Decision<'_>,
        command: PolicyProposalCommand,
    ) -> Result<Vec<PolicyProposalEvent>, PolicyProposalRefusal> {
        use PolicyProposalCommand as C;
        use PolicyProposalEvent as E;
        let event = match command {
            C::Propose { proposal, by, change, effective_at, reason } => match self {
                Self::NotMade => {
                    E::PolicyChangeProposed { proposal, by, change, effective_at, reason }
                }
                Self::Open(_) | Self::Closed => return Err(PolicyProposalRefusal::AlreadyDecided),
            },
            C::Approve { by } => E::PolicyChangeApproved { proposal: self.by_another(by)?, by },
            C::Reject { by, reason } => {
                let (proposal, reason) = (self.by_another(by)?, Sealed::new(by, reason));
                E::PolicyChangeRejected { proposal, by, reason }
            }
            C::Withdraw { by } => match self.open()? {
                proposed if proposed.by == by => {
                    E::PolicyChangeWithdrawn { proposal: proposed.proposal, by }
                }
                _ => return Err(PolicyProposalRefusal::Unknown),
            },
        };
        Ok(vec![event])
    }

    fn evolve(&mut self, event: &PolicyProposalEvent) {
        *self = match event {
            PolicyProposalEvent::PolicyChangeProposed {
                proposal,
                by,
                change,
                effective_at,
                reason,
            } => Self::Open(Proposed {
                proposal: *proposal,
                by: *by,
                change: change.clone(),
                effective_at: *effective_at,
                reason: reason.clone(),
            }),
            PolicyProposalEvent::PolicyChangeApproved { .. }
            | PolicyProposalEvent::PolicyChangeRejected { .. }
            | PolicyProposalEvent::PolicyChangeWithdrawn { .. } => Self::Closed,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::scenario::{after, given, id, start};

    fn reason() -> Reason {
        Reason::parse("The committee asks for it.").unwrap()
    }

    fn sealed() -> Sealed<Reason> {
        Sealed::new(id::<UserId>(1), reason())
    }

    fn change() -> ProposedChange {
        ProposedChange::Parameter { key: PolicyKey::InviteDays, value: PolicyValue::Integer(3) }
    }

    fn proposed() -> PolicyProposalEvent {
        PolicyProposalEvent::PolicyChangeProposed {
            proposal: id(9),
            by: id(1),
            change: change(),
            effective_at: None,
            reason: sealed(),
        }
    }

    fn waiting() -> crate::kernel::scenario::Given<PolicyProposal> {
        given::<PolicyProposal>(&[proposed()])
    }

    #[test]
    fn another_administrator_decides_once() {
        let (change, reason) = (change(), sealed());
        let propose = PolicyProposalCommand::Propose {
            proposal: id(9),
            by: id(1),
            change,
            effective_at: None,
            reason,
        };
        given::<PolicyProposal>(&[]).when(propose).then(&[proposed()]);
        let approve = |n| PolicyProposalCommand::Approve { by: id(n) };
        let approved = PolicyProposalEvent::PolicyChangeApproved { proposal: id(9), by: id(2) };
        waiting().when(approve(1)).refused(Code::SelfApproval);
        waiting().when(approve(2)).then(std::slice::from_ref(&approved));
        given::<PolicyProposal>(&[proposed(), approved])
            .when(approve(2))
            .refused(Code::AlreadyDecided);
        given::<PolicyProposal>(&[]).when(approve(2)).refused(Code::NotFound);
    }

    #[test]
    fn it_is_rejected_with_a_reason_or_taken_back_by_who_made_it() {
        let reject = |n| PolicyProposalCommand::Reject { by: id(n), reason: reason() };
        let rejected = PolicyProposalEvent::PolicyChangeRejected {
            proposal: id(9),
            by: id(2),
            reason: Sealed::new(id::<UserId>(2), reason()),
        };
        waiting().when(reject(2)).then(&[rejected]);
        waiting().when(reject(1)).refused(Code::SelfApproval);
        let withdraw = |n| PolicyProposalCommand::Withdraw { by: id(n) };
        let withdrawn = PolicyProposalEvent::PolicyChangeWithdrawn { proposal: id(9), by: id(1) };
        waiting().when(withdraw(1)).then(&[withdrawn]);
        waiting().when(withdraw(2)).refused(Code::NotFound);
    }

    #[test]
    fn a_time_that_has_passed_meanwhile_means_at_once() {
        let at = |effective_at| match change().approved(Some(effective_at), sealed(), start()) {
            PolicyCommand::ChangePolicy { effective_at, .. } => effective_at,
            PolicyCommand::ApplyPreset { .. } | PolicyCommand::SetFeatureAvailability { .. } => {
                unreachable!("it is a parameter")
            }
        };
        assert_eq!((at(after(-1)), at(after(1))), (None, Some(after(1))));
    }
}
