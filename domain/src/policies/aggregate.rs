//! The tenant's policy stream: which preset, which changes, each with its effective time.
//!
//! Invariant: what was in force at a past moment never changes. A change takes effect now or
//! later, never before, so the number of changes effective at a moment is the version that a
//! decision of that moment recorded.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Availability, Feature, FeatureState, Policy, PolicyKey, PolicyValue, Preset, Switch};
use crate::values::{ContentLine, Reason};
use crate::{Code, Decider, Decision, Event, Facets, Refusal, Sealed};

/// How many changes were effective at a moment; 0 before the first preset.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct PolicyVersion(pub u64);

/// A fact of the policy stream.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum PolicyEvent {
    /// From `effective_at` on the tenant has the preset's values, without earlier changes.
    PresetApplied { preset: Preset, effective_at: DateTime<Utc>, reason: Sealed<Reason> },
    /// From `effective_at` on a parameter has another value; `old` is what would else be in force.
    PolicyChanged {
        key: PolicyKey,
        old: PolicyValue,
        new: PolicyValue,
        effective_at: DateTime<Utc>,
        reason: Sealed<Reason>,
    },
    /// From `effective_at` on a feature is on, off or coming soon, with a text for people (MC-01).
    FeatureAvailabilityChanged {
        feature: Feature,
        old: FeatureState,
        new: FeatureState,
        message: Option<ContentLine>,
        effective_at: DateTime<Utc>,
        reason: Sealed<Reason>,
    },
}

impl PolicyEvent {
    /// When it applies.
    pub fn effective_at(&self) -> DateTime<Utc> {
        match self {
            Self::PresetApplied { effective_at, .. }
            | Self::PolicyChanged { effective_at, .. }
            | Self::FeatureAvailabilityChanged { effective_at, .. } => *effective_at,
        }
    }

    /// Why, in its author's words.
    pub fn reason(&self) -> &Sealed<Reason> {
        match self {
            Self::PresetApplied { reason, .. }
            | Self::PolicyChanged { reason, .. }
            | Self::FeatureAvailabilityChanged { reason, .. } => reason,
        }
    }

    /// The policy that follows from this fact and the one before.
    fn apply_to(&self, policy: &Policy) -> Policy {
        match self {
            Self::PresetApplied { preset, .. } => Policy::from(*preset),
            Self::PolicyChanged { key, new, .. } => policy.clone().with(*key, new.clone()),
            Self::FeatureAvailabilityChanged { feature, new, message, .. } => {
                let availability = Availability { state: *new, message: message.clone() };
                policy.clone().with_availability(*feature, availability)
            }
        }
    }
}

impl Event for PolicyEvent {
    fn event_type(&self) -> &'static str {
        match self {
            Self::PresetApplied { .. } => "policies.policy.preset_applied",
            Self::PolicyChanged { .. } => "policies.policy.policy_changed",
            Self::FeatureAvailabilityChanged { .. } => {
                "policies.policy.feature_availability_changed"
            }
        }
    }

    fn facets(&self) -> Facets {
        Facets::default().effective_at(self.effective_at())
    }
}

/// What can be asked of the policy stream (GN-02). The reason is sealed for whoever gives it;
/// without `effective_at` the change applies at once.
#[derive(Debug, Clone)]
pub enum PolicyCommand {
    /// Begin with a preset, or begin anew with another.
    ApplyPreset { preset: Preset, effective_at: Option<DateTime<Utc>>, reason: Sealed<Reason> },
    /// Change one parameter to a value that [`super::parse_change`] admitted.
    ChangePolicy {
        key: PolicyKey,
        value: PolicyValue,
        effective_at: Option<DateTime<Utc>>,
        reason: Sealed<Reason>,
    },
    /// Say of a feature that it is on, off or coming soon.
    SetFeatureAvailability {
        feature: Feature,
        state: FeatureState,
        /// What people read; required for what is coming soon.
        message: Option<ContentLine>,
        effective_at: Option<DateTime<Utc>>,
        reason: Sealed<Reason>,
    },
}

/// Why a change of policy was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyRefusal {
    /// No parameter has that name.
    #[error("There is no policy parameter of this name. Take one from the list of parameters.")]
    KeyUnknown,
    /// The value is outside the parameter's type or bounds.
    #[error("Give {key} {bounds}.")]
    ValueInvalid { key: PolicyKey, bounds: String },
    /// The values would not work together.
    #[error("{0}")]
    Contradiction(&'static str),
    /// The portal cannot be without it.
    #[error("This feature is always on. Take rights away from people instead.")]
    AlwaysOn,
    /// Its own parameter says otherwise.
    #[error("{0} switches this feature off. Change that first.")]
    SwitchedOff(PolicyKey),
    /// What is coming soon is announced.
    #[error("Enter the text that announces the feature.")]
    MessageRequired,
    /// The past cannot be changed.
    #[error("A policy cannot change in the past. Give a time from now on, or none for at once.")]
    EffectiveInPast,
}

impl From<PolicyRefusal> for Refusal {
    fn from(refusal: PolicyRefusal) -> Self {
        let message = refusal.to_string();
        match refusal {
            PolicyRefusal::KeyUnknown => Self::new(Code::PolicyKeyUnknown, message).at("key"),
            PolicyRefusal::ValueInvalid { .. } | PolicyRefusal::Contradiction(_) => {
                Self::new(Code::PolicyValueInvalid, message).at("value")
            }
            PolicyRefusal::AlwaysOn => Self::new(Code::FieldInvalid, message).at("feature"),
            PolicyRefusal::SwitchedOff(_) => Self::new(Code::FeatureDisabled, message).at("state"),
            PolicyRefusal::MessageRequired => Self::new(Code::FieldRequired, message).at("message"),
            PolicyRefusal::EffectiveInPast => {
                Self::new(Code::DateInvalid, message).at("effectiveAt")
            }
        }
    }
}

/// A change with the policy that it leads to.
#[derive(Debug, Clone, PartialEq)]
pub struct ScheduledChange {
    /// The fact.
    pub event: PolicyEvent,
    /// All parameters once it is effective.
    pub policy: Arc<Policy>,
}

/// The policy stream's state: every change in the order in which they take effect.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PolicyHistory {
    /// What holds before the first change.
    before: Arc<Policy>,
    /// By effective time; of the same time, as recorded.
    changes: Vec<ScheduledChange>,
}

impl PolicyHistory {
    /// The policy in force at a moment and its version, past or future.
    pub fn at(&self, moment: DateTime<Utc>) -> (PolicyVersion, &Arc<Policy>) {
        let effective = self.effective(moment);
        let policy = effective.last().map_or(&self.before, |change| &change.policy);
        (PolicyVersion(effective.len() as u64), policy)
    }

    /// Every change by effective time, those to come included.
    pub fn changes(&self) -> &[ScheduledChange] {
        &self.changes
    }

    /// When the policy next changes after `now`, as far as that is known.
    pub fn next_change(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let coming = &self.changes[self.effective(now).len()..];
        coming.first().map(|change| change.event.effective_at())
    }

    /// Decides a command at `now`; a change that changes nothing gives no event.
    ///
    /// # Errors
    /// `POLICY_VALUE_INVALID` where the parameters would contradict each other then or later, or a
    /// value is not within its bounds; `DATE_INVALID` for a time in the past.
    pub fn decide(
        &self,
        now: DateTime<Utc>,
        command: PolicyCommand,
    ) -> Result<Vec<PolicyEvent>, PolicyRefusal> {
        let event = match command {
            PolicyCommand::ApplyPreset { preset, effective_at, reason } => {
                let effective_at = from_now_on(effective_at, now)?;
                PolicyEvent::PresetApplied { preset, effective_at, reason }
            }
            PolicyCommand::ChangePolicy { key, value, effective_at, reason } => {
                let (key, new) = super::parse_change(key.name(), &value.to_json())?;
                let effective_at = from_now_on(effective_at, now)?;
                let old = self.at(effective_at).1.value(key).clone();
                PolicyEvent::PolicyChanged { key, old, new, effective_at, reason }
            }
            PolicyCommand::SetFeatureAvailability {
                feature,
                state: new,
                message,
                effective_at,
                reason,
            } => {
                let effective_at = from_now_on(effective_at, now)?;
                let before = self.at(effective_at).1;
                check_availability(before, feature, new, message.as_ref())?;
                let old = before.availability(feature).state;
                PolicyEvent::FeatureAvailabilityChanged {
                    feature,
                    old,
                    new,
                    message,
                    effective_at,
                    reason,
                }
            }
        };
        let current = self.at(event.effective_at()).1;
        if event.apply_to(current) == **current {
            return Ok(Vec::new());
        }
        let mut after = self.clone();
        let place = after.insert(&event);
        match after.changes[place..].iter().find_map(|change| change.policy.contradiction()) {
            Some(why) => Err(PolicyRefusal::Contradiction(why)),
            None => Ok(vec![event]),
        }
    }

    fn effective(&self, moment: DateTime<Utc>) -> &[ScheduledChange] {
        let count = self.changes.partition_point(|change| change.event.effective_at() <= moment);
        &self.changes[..count]
    }

    /// Puts a change where its effective time belongs, derives the policies from there on anew,
    /// and returns the place.
    fn insert(&mut self, event: &PolicyEvent) -> usize {
        let place = self.effective(event.effective_at()).len();
        let mut policy =
            place.checked_sub(1).map_or(&self.before, |last| &self.changes[last].policy).clone();
        let change = ScheduledChange { event: event.clone(), policy: Arc::clone(&policy) };
        self.changes.insert(place, change);
        for change in &mut self.changes[place..] {
            policy = Arc::new(change.event.apply_to(&policy));
            change.policy = Arc::clone(&policy);
        }
        place
    }
}

fn check_availability(
    policy: &Policy,
    feature: Feature,
    state: FeatureState,
    message: Option<&ContentLine>,
) -> Result<(), PolicyRefusal> {
    if feature.switch() == Switch::Always {
        return Err(PolicyRefusal::AlwaysOn);
    }
    if state == FeatureState::ComingSoon && message.is_none() {
        return Err(PolicyRefusal::MessageRequired);
    }
    match feature.parameter() {
        Some(parameter) if state == FeatureState::On && !policy.flag(parameter) => {
            Err(PolicyRefusal::SwitchedOff(parameter))
        }
        Some(_) | None => Ok(()),
    }
}

fn from_now_on(
    wanted: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<DateTime<Utc>, PolicyRefusal> {
    match wanted {
        None => Ok(now),
        Some(moment) if moment >= now => Ok(moment),
        Some(_) => Err(PolicyRefusal::EffectiveInPast),
    }
}

impl Decider for PolicyHistory {
    const TYPE: &'static str = "policies.policy";
    type Command = PolicyCommand;
    type Event = PolicyEvent;
    type Refusal = PolicyRefusal;

    fn decide(
        &self,
        decision: &Decision<'_>,
        command: PolicyCommand,
    ) -> Result<Vec<PolicyEvent>, PolicyRefusal> {
        PolicyHistory::decide(self, decision.now, command)
    }

    fn evolve(&mut self, event: &PolicyEvent) {
        self.insert(event);
    }
}

#[cfg(test)]
mod tests;
