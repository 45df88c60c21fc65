//! `ApplyPreset`, `ChangePolicy` (GN-02) and `SetFeatureAvailability` (MC-01).

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rollcall_domain::{
    Refusal, Sealed,
    kernel::ids::{PolicyProposalId, SubjectId, TenantId},
    policies::{
        Feature, FeatureState, PolicyHistory, PolicyKey, PolicyValue, Preset, parse_change,
        proposal::{PolicyProposal, PolicyProposalCommand, ProposedChange},
    },
    tenants::PlanRole,
    values::{ContentLine, Reason},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::{Access, Command, Context, Failure};

/// Who may change a tenant's rules; operators only those of the operations tenant.
pub(super) const ADMINISTRATORS: &[PlanRole] = &[PlanRole::Pa, PlanRole::Operator];

/// What became of a change: made, or proposed.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct PolicyOutcome {
    /// The proposal that another administrator has to approve, where the policy asks for it.
    pub proposal: Option<PolicyProposalId>,
}

/// Begins anew with a preset's values from `effective_at` on, or at once.
pub struct ApplyPreset {
    pub preset: Preset,
    pub effective_at: Option<DateTime<Utc>>,
    pub reason: Reason,
    pub expected_version: Option<i64>,
}

/// Changes one parameter from `effective_at` on, or at once.
pub struct ChangePolicy {
    pub key: PolicyKey,
    pub value: PolicyValue,
    pub effective_at: Option<DateTime<Utc>>,
    pub reason: Reason,
    pub expected_version: Option<i64>,
}

/// Says from `effective_at` on, or at once, whether a feature is on, off or coming soon.
pub struct SetFeatureAvailability {
    pub feature: Feature,
    pub state: FeatureState,
    /// What people read.
    pub message: Option<ContentLine>,
    pub effective_at: Option<DateTime<Utc>>,
    pub reason: Reason,
    pub expected_version: Option<i64>,
}

impl ChangePolicy {
    /// Reads a parameter's name and its new value.
    ///
    /// # Errors
    /// `POLICY_KEY_UNKNOWN`, or `POLICY_VALUE_INVALID` naming the bounds.
    pub fn parse(key: &str, value: &Value) -> Result<(PolicyKey, PolicyValue), Refusal> {
        Ok(parse_change(key, value)?)
    }
}

#[async_trait]
impl Command for ApplyPreset {
    const NAME: &'static str = "ApplyPreset";
    type Output = PolicyOutcome;

    fn access(&self) -> Access {
        Access::Plan(ADMINISTRATORS)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<PolicyOutcome, Failure> {
        let change = ProposedChange::Preset { preset: self.preset };
        let wish = Wish { change, effective_at: self.effective_at, reason: &self.reason };
        carry_out(cx, wish, self.expected_version).await
    }
}

#[async_trait]
impl Command for ChangePolicy {
    const NAME: &'static str = "ChangePolicy";
    type Output = PolicyOutcome;

    fn access(&self) -> Access {
        Access::Plan(ADMINISTRATORS)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<PolicyOutcome, Failure> {
        let change = ProposedChange::Parameter { key: self.key, value: self.value.clone() };
        let wish = Wish { change, effective_at: self.effective_at, reason: &self.reason };
        carry_out(cx, wish, self.expected_version).await
    }
}

#[async_trait]
impl Command for SetFeatureAvailability {
    const NAME: &'static str = "SetFeatureAvailability";
    type Output = PolicyOutcome;

    fn access(&self) -> Access {
        Access::Plan(ADMINISTRATORS)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<PolicyOutcome, Failure> {
        let change = ProposedChange::Feature {
            feature: self.feature,
            state: self.state,
            message: self.message.clone(),
        };
        let wish = Wish { change, effective_at: self.effective_at, reason: &self.reason };
        carry_out(cx, wish, self.expected_version).await
    }
}

/// A reason is its author's words, so it is sealed for them.
fn sealed(cx: &Context<'_>, reason: &Reason) -> Result<Sealed<Reason>, Refusal> {
    Ok(Sealed::new(SubjectId::from(cx.person()?), reason.clone()))
}

/// A change as its author wishes it.
struct Wish<'a> {
    change: ProposedChange,
    effective_at: Option<DateTime<Utc>>,
    reason: &'a Reason,
}

/// Makes the change, or proposes it where another administrator has to approve. A proposal that
/// the policy would refuse is refused at once.
async fn carry_out(
    cx: &mut Context<'_>,
    wish: Wish<'_>,
    expected_version: Option<i64>,
) -> Result<PolicyOutcome, Failure> {
    let stream = cx.tenant().policy_stream();
    cx.expect_version::<PolicyHistory>(stream, expected_version).await?;
    let Wish { change, effective_at, reason } = wish;
    let reason = sealed(cx, reason)?;
    if !needs_four_eyes(cx) {
        let command = change.wished(effective_at, reason);
        cx.decide::<PolicyHistory>(stream, command).await?;
        return Ok(PolicyOutcome { proposal: None });
    }
    let history = cx.load::<PolicyHistory>(stream).await?;
    cx.consider::<PolicyHistory>(&history, change.wished(effective_at, reason.clone()))?;
    let proposal = PolicyProposalId(Uuid::now_v7());
    let by = cx.person()?;
    let propose = PolicyProposalCommand::Propose { proposal, by, change, effective_at, reason };
    cx.decide::<PolicyProposal>(proposal, propose).await?;
    Ok(PolicyOutcome { proposal: Some(proposal) })
}

/// The operations tenant is no portal and may have one operator only.
fn needs_four_eyes(cx: &Context<'_>) -> bool {
    cx.policy.needs_four_eyes() && cx.tenant() != TenantId::OPERATIONS
}
