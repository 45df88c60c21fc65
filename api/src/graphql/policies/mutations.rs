//! What plan administrators send about rules and texts.

use async_graphql::{Context, ID, InputObject, Json, Object, Result};
use rollcall_commands::{
    Access, Command, Commands,
    policies::{
        ApplyPreset, ApprovePolicyChange, ChangePolicy, PolicyOutcome, PublishAgreement,
        RejectPolicyChange, SetFeatureAvailability, WithdrawPolicyChange,
    },
};
use rollcall_domain::{
    Refusal,
    kernel::ids::PolicyProposalId,
    policies::agreement::TickBox,
    values::{ContentLine, Reason},
};
use rollcall_projections::tenancy;
use serde_json::Value;

use super::{
    queries::{read_policy, read_proposal, stored},
    types::{Agreement, PolicyProposal, PolicyView},
};
use crate::graphql::{
    errors::fault,
    ids::NodeType,
    reading::{policy, read},
    scalars::DateTime,
    sending::{MutationMeta, Sent, payload, send},
    tenants::{PolicyPreset, PortalFeature},
    vocabulary::{AgreementKind, Feature, FeatureState, field},
};

/// A preset to begin anew with.
#[derive(Debug, InputObject)]
pub struct ApplyPresetInput {
    #[graphql(flatten)]
    meta: MutationMeta,
    preset: PolicyPreset,
    /// Now if not given; never in the past.
    effective_at: Option<DateTime>,
    reason: String,
    /// `policy.streamVersion` as last seen.
    expected_version: Option<i32>,
}

/// A parameter to change.
#[derive(Debug, InputObject)]
pub struct ChangePolicyInput {
    #[graphql(flatten)]
    meta: MutationMeta,
    /// Its dotted name.
    key: String,
    /// Its new value: a number, text, true or false, a list, or null for none.
    value: Option<Json<Value>>,
    /// Now if not given; never in the past.
    effective_at: Option<DateTime>,
    reason: String,
    /// `policy.streamVersion` as last seen.
    expected_version: Option<i32>,
}

/// A feature to switch (MC-01).
#[derive(Debug, InputObject)]
pub struct SetFeatureAvailabilityInput {
    #[graphql(flatten)]
    meta: MutationMeta,
    feature: Feature,
    state: FeatureState,
    /// What people read; required for what is coming soon.
    message: Option<String>,
    /// Now if not given; never in the past.
    effective_at: Option<DateTime>,
    reason: String,
    /// `policy.streamVersion` as last seen.
    expected_version: Option<i32>,
}

/// A proposal to approve (GN-02).
#[derive(Debug, InputObject)]
pub struct ApprovePolicyChangeInput {
    #[graphql(flatten)]
    meta: MutationMeta,
    proposal_id: ID,
}

/// A proposal to reject.
#[derive(Debug, InputObject)]
pub struct RejectPolicyChangeInput {
    #[graphql(flatten)]
    meta: MutationMeta,
    proposal_id: ID,
    reason: String,
}

/// A proposal to take back.
#[derive(Debug, InputObject)]
pub struct WithdrawPolicyChangeInput {
    #[graphql(flatten)]
    meta: MutationMeta,
    proposal_id: ID,
}

/// A text to publish.
#[derive(Debug, InputObject)]
pub struct PublishAgreementInput {
    #[graphql(flatten)]
    meta: MutationMeta,
    kind: AgreementKind,
    /// A name that no version of this kind has had.
    version: String,
    title: String,
    text: String,
    boxes: Vec<AgreementBoxInput>,
    /// Now if not given; never in the past.
    effective_at: Option<DateTime>,
}

/// A mandatory tick-box.
#[derive(Debug, InputObject)]
pub struct AgreementBoxInput {
    /// Unique within the version, e.g. `READ_AND_AGREE`.
    key: String,
    /// The sentence beside the box.
    label: String,
}

payload! {
    /// What became of a change of the rules.
    PolicyPayload {
        /// The rules in force now.
        policy: PolicyView,
        /// The proposal it became, where another administrator has to approve (GN-02).
        proposal: PolicyProposal,
    }
}

payload! {
    /// What became of a feature.
    FeatureAvailabilityPayload {
        /// The feature as it is now.
        feature: PortalFeature,
        /// The proposal it became, where another administrator has to approve (GN-02).
        proposal: PolicyProposal,
    }
}

payload! {
    /// What became of a proposal.
    PolicyProposalPayload {
        /// The proposal as it stands now.
        proposal: PolicyProposal,
    }
}

payload! {
    /// What became of a publication.
    AgreementPayload {
        /// The text of this kind in force now, which may be an earlier version.
        agreement: Agreement,
    }
}

/// Commands about rules and texts (GN-02, MC-02).
#[derive(Default)]
pub struct PoliciesMutation;

#[Object]
impl PoliciesMutation {
    /// Begins anew with a preset's values, without earlier changes.
    async fn apply_preset(
        &self,
        ctx: &Context<'_>,
        input: ApplyPresetInput,
    ) -> Result<PolicyPayload> {
        let meta = input.meta.clone();
        let sent = send(ctx, meta, apply(input)).await?;
        answer(ctx, sent).await
    }

    /// Changes one parameter within its bounds, at once or from a later moment.
    async fn change_policy(
        &self,
        ctx: &Context<'_>,
        input: ChangePolicyInput,
    ) -> Result<PolicyPayload> {
        let meta = input.meta.clone();
        let sent = send(ctx, meta, change(input)).await?;
        answer(ctx, sent).await
    }

    /// Switches a feature on or off, or announces it as coming soon (MC-01). Refusals:
    /// FEATURE_DISABLED where a parameter of its own switches it off, FIELD_REQUIRED.
    async fn set_feature_availability(
        &self,
        ctx: &Context<'_>,
        input: SetFeatureAvailabilityInput,
    ) -> Result<FeatureAvailabilityPayload> {
        let (meta, feature) = (input.meta.clone(), input.feature);
        let sent = send(ctx, meta, switch(input)).await?;
        let proposal = proposal_of(ctx, &sent).await?;
        if sent.output.is_none() || !ctx.look_ahead().field("feature").exists() {
            return Ok(FeatureAvailabilityPayload::of(sent, None, proposal));
        }
        let policy = policy(ctx).await?;
        let feature = PortalFeature::of(feature.into(), &policy);
        Ok(FeatureAvailabilityPayload::of(sent, Some(feature), proposal))
    }

    /// Approves a proposed change, which is made at once or at its time (GN-02). Refusals:
    /// SELF_APPROVAL, ALREADY_DECIDED, NOT_FOUND, POLICY_VALUE_INVALID.
    async fn approve_policy_change(
        &self,
        ctx: &Context<'_>,
        input: ApprovePolicyChangeInput,
    ) -> Result<PolicyProposalPayload> {
        let proposal = NodeType::parse_bare(&input.proposal_id, "proposalId");
        decided(ctx, input.meta, proposal.map(|proposal| ApprovePolicyChange { proposal })).await
    }

    /// Rejects a proposed change (GN-02). Refusals: SELF_APPROVAL, ALREADY_DECIDED, NOT_FOUND,
    /// REASON_REQUIRED.
    async fn reject_policy_change(
        &self,
        ctx: &Context<'_>,
        input: RejectPolicyChangeInput,
    ) -> Result<PolicyProposalPayload> {
        let command = || {
            let proposal = NodeType::parse_bare(&input.proposal_id, "proposalId")?;
            let reason = field("reason", Reason::parse(&input.reason))?;
            Ok(RejectPolicyChange { proposal, reason })
        };
        let command = command();
        decided(ctx, input.meta, command).await
    }

    /// Takes one's own proposal back (GN-02). Refusals: NOT_FOUND, ALREADY_DECIDED.
    async fn withdraw_policy_change(
        &self,
        ctx: &Context<'_>,
        input: WithdrawPolicyChangeInput,
    ) -> Result<PolicyProposalPayload> {
        let proposal = NodeType::parse_bare(&input.proposal_id, "proposalId");
        decided(ctx, input.meta, proposal.map(|proposal| WithdrawPolicyChange { proposal })).await
    }

    /// Publishes a new version of a text; acceptances of earlier versions stay what they were.
    async fn publish_agreement(
        &self,
        ctx: &Context<'_>,
        input: PublishAgreementInput,
    ) -> Result<AgreementPayload> {
        let (meta, kind) = (input.meta.clone(), input.kind);
        let sent = send(ctx, meta, publish(input)).await?;
        if sent.output.is_none() || !ctx.look_ahead().field("agreement").exists() {
            return Ok(AgreementPayload::of(sent, None));
        }
        let mut reading = read(ctx, Access::Public, sent.position).await?;
        let now = ctx.data::<Commands>()?.journal.now();
        let row = tenancy::agreement(&mut reading.view, stored(kind), now)
            .await
            .map_err(|error| fault(&error))?;
        Ok(AgreementPayload::of(sent, row.map(|row| Agreement::of(kind, row))))
    }
}

async fn answer(ctx: &Context<'_>, sent: Sent<PolicyOutcome>) -> Result<PolicyPayload> {
    let proposal = proposal_of(ctx, &sent).await?;
    if sent.output.is_none() || !ctx.look_ahead().field("policy").exists() {
        return Ok(PolicyPayload::of(sent, None, proposal));
    }
    let policy = read_policy(ctx, None, sent.position).await?;
    Ok(PolicyPayload::of(sent, Some(policy), proposal))
}

/// The proposal that a change became, if the client asked for it.
async fn proposal_of(
    ctx: &Context<'_>,
    sent: &Sent<PolicyOutcome>,
) -> Result<Option<PolicyProposal>> {
    let proposal = sent.output.and_then(|outcome| outcome.proposal);
    match proposal.filter(|_| ctx.look_ahead().field("proposal").exists()) {
        Some(id) => read_proposal(ctx, id, sent.position).await,
        None => Ok(None),
    }
}

async fn decided<C: Command<Output = PolicyProposalId>>(
    ctx: &Context<'_>,
    meta: MutationMeta,
    command: Result<C, Refusal>,
) -> Result<PolicyProposalPayload> {
    let sent = send(ctx, meta, command).await?;
    let proposal = match sent.output.filter(|_| ctx.look_ahead().field("proposal").exists()) {
        Some(id) => read_proposal(ctx, id, sent.position).await?,
        None => None,
    };
    Ok(PolicyProposalPayload::of(sent, proposal))
}

fn apply(input: ApplyPresetInput) -> Result<ApplyPreset, Refusal> {
    Ok(ApplyPreset {
        preset: input.preset.into(),
        effective_at: input.effective_at.map(|at| at.parse("effectiveAt")).transpose()?,
        reason: field("reason", Reason::parse(&input.reason))?,
        expected_version: input.expected_version.map(i64::from),
    })
}

fn change(input: ChangePolicyInput) -> Result<ChangePolicy, Refusal> {
    let value = input.value.map_or(Value::Null, |Json(value)| value);
    let (key, value) = ChangePolicy::parse(&input.key, &value)?;
    Ok(ChangePolicy {
        key,
        value,
        effective_at: input.effective_at.map(|at| at.parse("effectiveAt")).transpose()?,
        reason: field("reason", Reason::parse(&input.reason))?,
        expected_version: input.expected_version.map(i64::from),
    })
}

fn switch(input: SetFeatureAvailabilityInput) -> Result<SetFeatureAvailability, Refusal> {
    let message = input.message.as_deref();
    Ok(SetFeatureAvailability {
        feature: input.feature.into(),
        state: input.state.into(),
        message: message.map(|text| field("message", ContentLine::parse(text))).transpose()?,
        effective_at: input.effective_at.map(|at| at.parse("effectiveAt")).transpose()?,
        reason: field("reason", Reason::parse(&input.reason))?,
        expected_version: input.expected_version.map(i64::from),
    })
}

fn publish(input: PublishAgreementInput) -> Result<PublishAgreement, Refusal> {
    let boxes = input.boxes.into_iter().map(|tick| TickBox { key: tick.key, label: tick.label });
    Ok(PublishAgreement {
        kind: input.kind.into(),
        version: input.version,
        title: input.title,
        text: input.text,
        boxes: boxes.collect(),
        effective_at: input.effective_at.map(|at| at.parse("effectiveAt")).transpose()?,
    })
}
