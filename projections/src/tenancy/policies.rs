//! The policy at any moment, folded from its changes by the domain's own rule.
//!
//! Invariant: what is answered for a moment is what decisions of that moment used.

use chrono::{DateTime, Utc};
use rollcall_domain::{
    Decider, Sealed,
    kernel::ids::SubjectId,
    policies::{Feature, FeatureState, PolicyEvent, PolicyHistory, PolicyKey, PolicyValue, Preset},
    values::ContentLine,
};
use serde_json::Value;
use uuid::Uuid;

use crate::Snapshot;

/// A recorded change: of a preset, of one parameter, or of a feature under `feature.<word>`.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct PolicyChangeRow {
    pub sequence: i64,
    pub preset: Option<String>,
    pub key: Option<String>,
    pub old_value: Option<Value>,
    pub new_value: Option<Value>,
    pub effective_at: DateTime<Utc>,
    pub recorded_at: DateTime<Utc>,
    pub actor_kind: String,
    pub actor_id: Option<Uuid>,
    /// What people read of a feature.
    pub message: Option<String>,
}

/// Changes from the newest recorded to the oldest, before `before`.
///
/// # Errors
/// The database did not answer.
pub async fn policy_changes(
    view: &mut Snapshot,
    before: Option<i64>,
    limit: Option<i64>,
) -> Result<Vec<PolicyChangeRow>, sqlx::Error> {
    sqlx::query_as(
        "SELECT sequence, preset, key, old_value, new_value, effective_at, recorded_at,
                actor_kind, actor_id, message
           FROM read.policy_changes
          WHERE $1::bigint IS NULL OR sequence < $1 ORDER BY sequence DESC LIMIT $2",
    )
    .bind(before)
    .bind(limit)
    .fetch_all(view.connection())
    .await
}

/// The whole history, which answers for any moment.
///
/// # Errors
/// The database did not answer, or a row does not read back.
pub async fn policy_history(view: &mut Snapshot) -> Result<PolicyHistory, sqlx::Error> {
    let mut history = PolicyHistory::default();
    for row in policy_changes(view, None, None).await?.iter().rev() {
        let event = event(row).ok_or_else(|| {
            sqlx::Error::Decode(format!("policy change {} does not read back", row.sequence).into())
        })?;
        history.evolve(&event);
    }
    Ok(history)
}

/// The fact behind a row; its reason stays in the journal.
fn event(row: &PolicyChangeRow) -> Option<PolicyEvent> {
    let effective_at = row.effective_at;
    let reason = Sealed::Erased { subject: SubjectId(Uuid::nil()) };
    if let Some(preset) = &row.preset {
        let preset = Preset::parse(preset).ok()?;
        return Some(PolicyEvent::PresetApplied { preset, effective_at, reason });
    }
    let name = row.key.as_deref()?;
    if let Some(feature) = Feature::ALL.iter().find(|feature| feature.policy_name() == name) {
        let state = |json: &Option<Value>| FeatureState::parse(json.as_ref()?.as_str()?);
        let (old, new) = (state(&row.old_value)?, state(&row.new_value)?);
        let message = row.message.as_deref().map(ContentLine::parse).transpose().ok()?;
        return Some(PolicyEvent::FeatureAvailabilityChanged {
            feature: *feature,
            old,
            new,
            message,
            effective_at,
            reason,
        });
    }
    let key = PolicyKey::parse(name)?;
    let value = |json: &Option<Value>| -> Option<PolicyValue> {
        serde_json::from_value(json.clone().unwrap_or_default()).ok()
    };
    let (old, new) = (value(&row.old_value)?, value(&row.new_value)?);
    Some(PolicyEvent::PolicyChanged { key, old, new, effective_at, reason })
}
