//! What plan administrators send about rules and texts.

use async_graphql::{Context, InputObject, Json, Object, Result};
use rollcall_commands::{
    Access, Commands,
    policies::{ApplyPreset, ChangePolicy, PublishAgreement},
};
use rollcall_domain::{Refusal, policies::agreement::TickBox, values::Reason};
use rollcall_projections::tenancy;
use serde_json::Value;

use super::{
    queries::{read_policy, stored},
    types::{Agreement, PolicyView},
};
use crate::graphql::{
    errors::fault,
    reading::read,
    scalars::DateTime,
    sending::{MutationMeta, Sent, payload, send},
    tenants::PolicyPreset,
    vocabulary::{AgreementKind, field},
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

async fn answer(ctx: &Context<'_>, sent: Sent<()>) -> Result<PolicyPayload> {
    if sent.output.is_none() || !ctx.look_ahead().field("policy").exists() {
        return Ok(PolicyPayload::of(sent, None));
    }
    let policy = read_policy(ctx, None, sent.position).await?;
    Ok(PolicyPayload::of(sent, Some(policy)))
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
