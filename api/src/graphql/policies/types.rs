//! What rules, their changes and agreement texts look like.

use async_graphql::{Enum, ID, Json, SimpleObject};
use rollcall_domain::policies::{
    Policy, PolicyKey, PolicyValue, PolicyVersion, ValueType, describe, proposal::ProposedChange,
};
use rollcall_projections::{
    people::Person,
    tenancy::{AgreementRow, PolicyChangeRow, ProposalRow},
};
use serde_json::Value;

use crate::graphql::{
    ids::NodeType, paging::connection, scalars::DateTime, vocabulary::AgreementKind,
};

/// The rules in force at a moment.
#[derive(Clone, Debug, SimpleObject)]
#[graphql(name = "Policy")]
pub struct PolicyView {
    /// How many changes were in force then; decisions record it.
    pub version: String,
    /// The preset it began with.
    pub preset: Option<String>,
    pub at: DateTime,
    /// Every parameter.
    pub values: Vec<PolicyValueView>,
    /// The changes in force then, from the newest recorded to the oldest.
    pub changes: Vec<PolicyChange>,
    /// The version of the policy's journal stream, for `expectedVersion`.
    pub stream_version: i32,
}

/// A parameter with its value.
#[derive(Clone, Debug, SimpleObject)]
#[graphql(name = "PolicyValue")]
pub struct PolicyValueView {
    /// Its dotted name, e.g. `password.min_length`.
    pub key: String,
    /// Its value; null: the rule is off.
    pub value: Json<Value>,
    /// What a number counts.
    pub unit: Option<String>,
    /// What it may hold.
    pub admits: String,
    pub doc: String,
    /// The requirements it serves.
    pub requirements: Vec<String>,
}

impl PolicyValueView {
    /// Every parameter of a policy.
    pub fn all(policy: &Policy) -> Vec<Self> {
        let view = |(key, value): (PolicyKey, &PolicyValue)| {
            let spec = key.spec();
            Self {
                key: key.name().to_owned(),
                value: Json(value.to_json()),
                unit: unit(spec.value_type).map(str::to_owned),
                admits: describe(spec.value_type),
                doc: spec.doc.to_owned(),
                requirements: spec.requirements.split(' ').map(str::to_owned).collect(),
            }
        };
        policy.entries().map(view).collect()
    }
}

fn unit(value_type: ValueType) -> Option<&'static str> {
    match value_type {
        ValueType::Integer { unit, .. }
        | ValueType::OptionalInteger { unit, .. }
        | ValueType::Integers { unit, .. } => Some(unit.name()),
        ValueType::Boolean
        | ValueType::Choice(_)
        | ValueType::Choices { .. }
        | ValueType::Symbols
        | ValueType::TimeOfDay
        | ValueType::TimeZone
        | ValueType::WebAddress => None,
    }
}

/// A change of the rules: a preset applied, or one parameter changed.
#[derive(Clone, Debug, SimpleObject)]
pub struct PolicyChange {
    /// The preset applied; null for a change of one parameter.
    pub preset: Option<String>,
    /// The parameter changed, or `feature.` with a feature's word; null for a preset.
    pub key: Option<String>,
    /// What else would have been in force from then on.
    pub old: Option<Json<Value>>,
    pub new: Option<Json<Value>>,
    /// From when it holds.
    pub effective_at: DateTime,
    pub recorded_at: DateTime,
    /// In which role somebody made it.
    pub actor_kind: String,
    /// Who made it; null for the service itself.
    pub actor_id: Option<ID>,
    pub actor_name: Option<String>,
    /// What people read of a feature since then.
    pub message: Option<String>,
    /// Why; absent once its author's data were erased.
    pub reason: Option<String>,
}

impl PolicyChange {
    pub fn of(row: PolicyChangeRow, actor: Option<&Person>, reason: Option<String>) -> Self {
        let is_change = row.key.is_some();
        let value = |json: Option<Value>| is_change.then(|| Json(json.unwrap_or_default()));
        Self {
            preset: row.preset,
            old: value(row.old_value),
            new: value(row.new_value),
            key: row.key,
            effective_at: row.effective_at.into(),
            recorded_at: row.recorded_at.into(),
            message: row.message,
            actor_kind: row.actor_kind,
            actor_id: row.actor_id.map(|id| NodeType::User.id(id)),
            actor_name: actor.and_then(Person::full_name),
            reason,
        }
    }
}

connection!(PolicyChangeConnection, PolicyChangeEdge, PolicyChange);

impl PolicyView {
    pub fn of(
        (version, policy): (PolicyVersion, &Policy),
        at: DateTime,
        changes: Vec<PolicyChange>,
        stream_version: i64,
    ) -> Self {
        Self {
            version: version.0.to_string(),
            preset: policy.preset().map(|preset| preset.name().to_owned()),
            at,
            values: PolicyValueView::all(policy),
            changes,
            stream_version: i32::try_from(stream_version).unwrap_or(i32::MAX),
        }
    }
}

/// Where a proposed change of policy stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "rollcall_projections::tenancy::ProposalStatus")]
pub enum PolicyProposalStatus {
    /// Waits for another administrator.
    Open,
    Approved,
    Rejected,
    /// Taken back by who proposed it.
    Withdrawn,
}

/// A change of policy that another administrator of the plan has to approve (GN-02): of a preset,
/// a parameter or a feature.
#[derive(Clone, Debug, SimpleObject)]
pub struct PolicyProposal {
    pub id: ID,
    pub status: PolicyProposalStatus,
    pub preset: Option<String>,
    /// The parameter, or `feature.` with a feature's word.
    pub key: Option<String>,
    /// The value proposed; of a feature its state.
    pub value: Option<Json<Value>>,
    /// What people are to read of a feature.
    pub message: Option<String>,
    /// From when it is to hold; absent: with its approval.
    pub effective_at: Option<DateTime>,
    pub proposed_by: ID,
    pub proposed_at: DateTime,
    /// Who approved, rejected or withdrew it.
    pub decided_by: Option<ID>,
    pub decided_at: Option<DateTime>,
}

impl From<ProposalRow> for PolicyProposal {
    fn from(row: ProposalRow) -> Self {
        let mut shown = Self {
            id: ID(row.id.to_string()),
            status: row.status.into(),
            preset: None,
            key: None,
            value: None,
            message: None,
            effective_at: row.effective_at.map(DateTime::from),
            proposed_by: NodeType::User.id(row.proposed_by),
            proposed_at: row.proposed_at.into(),
            decided_by: row.decided_by.map(|id| NodeType::User.id(id)),
            decided_at: row.decided_at.map(DateTime::from),
        };
        match row.change.0 {
            ProposedChange::Preset { preset } => shown.preset = Some(preset.name().to_owned()),
            ProposedChange::Parameter { key, value } => {
                shown.key = Some(key.name().to_owned());
                shown.value = Some(Json(value.to_json()));
            }
            ProposedChange::Feature { feature, state, message } => {
                shown.key = Some(feature.policy_name().to_owned());
                shown.value = Some(Json(state.as_str().into()));
                shown.message = message.map(|message| message.to_string());
            }
        }
        shown
    }
}

connection!(PolicyProposalConnection, PolicyProposalEdge, PolicyProposal);

/// A published version of a text.
#[derive(Clone, Debug, SimpleObject)]
pub struct Agreement {
    pub id: ID,
    pub kind: AgreementKind,
    pub version: String,
    pub title: String,
    pub text: String,
    /// SHA-256 of the text's UTF-8 bytes, in hex.
    pub sha256: String,
    /// All of them must be ticked to accept.
    pub boxes: Vec<AgreementBox>,
    /// From when it is in force.
    pub effective_at: DateTime,
    pub published_at: DateTime,
}

/// A mandatory tick-box.
#[derive(Clone, Debug, SimpleObject, serde::Deserialize)]
pub struct AgreementBox {
    /// What an acceptance names.
    pub key: String,
    /// The sentence beside the box.
    pub label: String,
}

impl Agreement {
    pub fn of(kind: AgreementKind, row: AgreementRow) -> Self {
        Self {
            id: NodeType::Agreement.id(row.event_id),
            kind,
            version: row.version,
            title: row.title,
            text: row.text,
            sha256: row.sha256,
            boxes: serde_json::from_value(row.boxes).unwrap_or_default(),
            effective_at: row.effective_at.into(),
            published_at: row.published_at.into(),
        }
    }
}

connection!(AgreementConnection, AgreementEdge, Agreement);
