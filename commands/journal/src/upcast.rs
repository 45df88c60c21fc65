//! Upcasters: old payloads read as if they had been written today.
//!
//! Invariant: stored events stay as they are; only what is read changes its shape.

use std::collections::HashMap;

use serde_json::Value;

/// Changes a payload of one version into the next version's shape. Sealed values are open, erased or,
/// where an event is only told, still closed: a step moves them as they are.
pub type Upcast = fn(Value) -> Value;

/// The known upcasters, by event type and the version they start from.
#[derive(Clone, Debug, Default)]
pub struct Upcasters(HashMap<(&'static str, &'static str), (&'static str, Upcast)>);

impl Upcasters {
    /// Adds the step that takes `event_type` from version `from` to version `to`.
    #[must_use]
    pub fn with(
        mut self,
        event_type: &'static str,
        from: &'static str,
        to: &'static str,
        upcast: Upcast,
    ) -> Self {
        self.0.insert((event_type, from), (to, upcast));
        self
    }

    /// Whether a payload of this type and version has to be changed at all.
    #[must_use]
    pub fn concern(&self, event_type: &str, version: &str) -> bool {
        self.step(event_type, version).is_some()
    }

    /// Takes a payload through every step from `version` on.
    #[must_use]
    pub fn apply(&self, event_type: &str, version: &str, mut payload: Value) -> Value {
        let mut next = self.step(event_type, version);
        while let Some((to, upcast)) = next {
            payload = upcast(payload);
            next = self.step(event_type, to);
        }
        payload
    }

    fn step(&self, event_type: &str, version: &str) -> Option<(&'static str, Upcast)> {
        if self.0.is_empty() {
            return None;
        }
        // The key's lifetime is covariant, so borrowed strings can be looked up.
        let steps: &HashMap<(&str, &str), _> = &self.0;
        steps.get(&(event_type, version)).copied()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rename(mut payload: Value) -> Value {
        let name = payload["Named"]["n"].take();
        payload["Named"] = json!({ "name": name });
        payload
    }

    fn split(mut payload: Value) -> Value {
        payload["Named"]["first"] = payload["Named"]["name"].clone();
        payload
    }

    #[test]
    fn steps_are_chained_up_to_the_newest_version() {
        let upcasters = Upcasters::default().with("x.y.named", "1.0", "2.0", rename).with(
            "x.y.named",
            "2.0",
            "3.0",
            split,
        );
        let newest = json!({"Named": {"name": "Ann", "first": "Ann"}});
        let apply = |version, payload| upcasters.apply("x.y.named", version, payload);
        assert_eq!(apply("1.0", json!({"Named": {"n": "Ann"}})), newest);
        assert_eq!(apply("2.0", json!({"Named": {"name": "Ann"}})), newest);
        assert_eq!(apply("3.0", newest.clone()), newest);
        assert!(upcasters.concern("x.y.named", "1.0") && !upcasters.concern("x.y.named", "3.0"));
        assert!(!upcasters.concern("x.z.named", "1.0"));
    }
}
