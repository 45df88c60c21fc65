//! What parameters of the policy say about access, over time.
//!
//! Invariant: what holds before the tenant has set anything stands in the register as well.

use rollcall_domain::policies::{Feature, Policy, PolicyEvent, PolicyKey, PolicyValue};

use super::{Change, nothing};
use crate::access_register::{
    cause::Cause,
    interval::{BY_PARAMETERS, POLICIES, Timeline},
    ledger::{Held, always},
};

impl Change<'_> {
    /// What holds before the tenant has set anything.
    pub(super) fn policies_begin(&mut self) {
        let careful = Policy::default();
        for key in POLICIES {
            let timeline = Timeline::Policy(key.name());
            if !self.ledger.has_any(&timeline) {
                self.ledger.change(self.by, &timeline, always(), in_words(careful.value(key)));
            }
        }
    }

    pub(super) fn policy(&mut self, event: &PolicyEvent) {
        self.policies_begin();
        match event {
            PolicyEvent::PresetApplied { preset, effective_at, .. } => {
                let policy = Policy::from(*preset);
                for key in POLICIES {
                    let timeline = Timeline::Policy(key.name());
                    let held = in_words(policy.value(key));
                    self.ledger.change(self.by, &timeline, *effective_at, held);
                }
                for feature in Feature::ALL {
                    let timeline = Timeline::Policy(feature.policy_name());
                    if self.ledger.has_any(&timeline) {
                        let held = in_words(&PolicyValue::Text(BY_PARAMETERS.to_owned()));
                        self.ledger.change(self.by, &timeline, *effective_at, held);
                    }
                }
            }
            PolicyEvent::FeatureAvailabilityChanged { feature, new, effective_at, .. } => {
                let timeline = Timeline::Policy(feature.policy_name());
                let held = in_words(&PolicyValue::Text(new.as_str().to_owned()));
                self.ledger.change(self.by, &timeline, *effective_at, held);
            }
            PolicyEvent::PolicyChanged { key, new, effective_at, .. } => {
                if decides_about_access(*key) {
                    let timeline = Timeline::Policy(key.name());
                    self.ledger.change(self.by, &timeline, *effective_at, in_words(new));
                }
            }
        }
    }
}

fn decides_about_access(key: PolicyKey) -> bool {
    POLICIES.contains(&key)
}

fn in_words(value: &PolicyValue) -> Held {
    let value = match value {
        PolicyValue::Off => nothing(),
        PolicyValue::Boolean(flag) => vec![flag.to_string()],
        PolicyValue::Integer(number) => vec![number.to_string()],
        PolicyValue::Words(words) => words.clone(),
        PolicyValue::Integers(numbers) => numbers.iter().map(ToString::to_string).collect(),
        PolicyValue::Text(text) => vec![text.clone()],
    };
    Held { value, until: None, cause: Cause::Policy }
}
