//! `ApprovePolicyChange`, `RejectPolicyChange`, `WithdrawPolicyChange` (GN-02).
//!
//! Invariant: an approval and the change it makes stand in one append.

use async_trait::async_trait;
use rollcall_domain::{
    Refusal,
    kernel::ids::PolicyProposalId,
    policies::{
        PolicyHistory,
        proposal::{PolicyProposal, PolicyProposalCommand},
    },
    values::Reason,
};

use super::policy::ADMINISTRATORS;
use crate::{Access, Command, Context, Failure};

/// Makes a change that another administrator proposed.
pub struct ApprovePolicyChange {
    pub proposal: PolicyProposalId,
}

/// Refuses a change that another administrator proposed.
pub struct RejectPolicyChange {
    pub proposal: PolicyProposalId,
    pub reason: Reason,
}

/// Takes one's own proposal back.
pub struct WithdrawPolicyChange {
    pub proposal: PolicyProposalId,
}

#[async_trait]
impl Command for ApprovePolicyChange {
    const NAME: &'static str = "ApprovePolicyChange";
    type Output = PolicyProposalId;

    fn access(&self) -> Access {
        Access::Plan(ADMINISTRATORS)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<PolicyProposalId, Failure> {
        let state = cx.load::<PolicyProposal>(self.proposal).await?;
        let proposed = state.open().map_err(Refusal::from)?.clone();
        let by = cx.person()?;
        cx.decide::<PolicyProposal>(self.proposal, PolicyProposalCommand::Approve { by }).await?;
        let change = proposed.change.approved(proposed.effective_at, proposed.reason, cx.now);
        cx.decide::<PolicyHistory>(cx.tenant().policy_stream(), change).await?;
        Ok(self.proposal)
    }
}

#[async_trait]
impl Command for RejectPolicyChange {
    const NAME: &'static str = "RejectPolicyChange";
    type Output = PolicyProposalId;

    fn access(&self) -> Access {
        Access::Plan(ADMINISTRATORS)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<PolicyProposalId, Failure> {
        let (by, reason) = (cx.person()?, self.reason.clone());
        let reject = PolicyProposalCommand::Reject { by, reason };
        cx.decide::<PolicyProposal>(self.proposal, reject).await?;
        Ok(self.proposal)
    }
}

#[async_trait]
impl Command for WithdrawPolicyChange {
    const NAME: &'static str = "WithdrawPolicyChange";
    type Output = PolicyProposalId;

    fn access(&self) -> Access {
        Access::Plan(ADMINISTRATORS)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<PolicyProposalId, Failure> {
        let by = cx.person()?;
        cx.decide::<PolicyProposal>(self.proposal, PolicyProposalCommand::Withdraw { by }).await?;
        Ok(self.proposal)
    }
}
