//! `ApplyPreset` and `ChangePolicy` (GN-02).

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rollcall_domain::{
    Refusal, Sealed,
    kernel::ids::SubjectId,
    policies::{PolicyCommand, PolicyHistory, PolicyKey, PolicyValue, Preset, parse_change},
    tenants::PlanRole,
    values::Reason,
};
use serde_json::Value;

use crate::{Access, Command, Context, Failure};

/// Who may change a tenant's rules; operators only those of the operations tenant.
const ADMINISTRATORS: &[PlanRole] = &[PlanRole::Pa, PlanRole::Operator];

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
    type Output = ();

    fn access(&self) -> Access {
        Access::Plan(ADMINISTRATORS)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<(), Failure> {
        let reason = sealed(cx, &self.reason)?;
        let command = PolicyCommand::ApplyPreset {
            preset: self.preset,
            effective_at: self.effective_at,
            reason,
        };
        decide(cx, command, self.expected_version).await
    }
}

#[async_trait]
impl Command for ChangePolicy {
    const NAME: &'static str = "ChangePolicy";
    type Output = ();

    fn access(&self) -> Access {
        Access::Plan(ADMINISTRATORS)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<(), Failure> {
        let reason = sealed(cx, &self.reason)?;
        let command = PolicyCommand::ChangePolicy {
            key: self.key,
            value: self.value.clone(),
            effective_at: self.effective_at,
            reason,
        };
        decide(cx, command, self.expected_version).await
    }
}

/// A reason is its author's words, so it is sealed for them.
fn sealed(cx: &Context<'_>, reason: &Reason) -> Result<Sealed<Reason>, Refusal> {
    Ok(Sealed::new(SubjectId::from(cx.person()?), reason.clone()))
}

async fn decide(
    cx: &mut Context<'_>,
    command: PolicyCommand,
    expected_version: Option<i64>,
) -> Result<(), Failure> {
    let stream = cx.tenant().policy_stream();
    cx.expect_version::<PolicyHistory>(stream, expected_version).await?;
    cx.decide::<PolicyHistory>(stream, command).await?;
    Ok(())
}
