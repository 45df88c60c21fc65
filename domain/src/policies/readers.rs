//! Reading a parameter as the Rust type that its [`ValueType`](super::ValueType) promises.
//!
//! Invariant: these are private to the policies; everybody else asks [`Policy`] by meaning.

use super::terms::Word;
use super::{Policy, PolicyKey, PolicyValue};

impl Policy {
    pub(super) fn flag(&self, key: PolicyKey) -> bool {
        let PolicyValue::Boolean(value) = self.value(key) else { self.mistyped(key) };
        *value
    }

    pub(super) fn integer(&self, key: PolicyKey) -> u32 {
        let PolicyValue::Integer(value) = self.value(key) else { self.mistyped(key) };
        *value
    }

    pub(super) fn optional(&self, key: PolicyKey) -> Option<u32> {
        (*self.value(key) != PolicyValue::Off).then(|| self.integer(key))
    }

    pub(super) fn integers(&self, key: PolicyKey) -> &[u32] {
        let PolicyValue::Integers(value) = self.value(key) else { self.mistyped(key) };
        value
    }

    pub(super) fn list(&self, key: PolicyKey) -> &[String] {
        let PolicyValue::Words(value) = self.value(key) else { self.mistyped(key) };
        value
    }

    pub(super) fn text(&self, key: PolicyKey) -> &str {
        let PolicyValue::Text(value) = self.value(key) else { self.mistyped(key) };
        value
    }

    pub(super) fn optional_text(&self, key: PolicyKey) -> Option<&str> {
        (*self.value(key) != PolicyValue::Off).then(|| self.text(key))
    }

    pub(super) fn word<W: Word>(&self, key: PolicyKey) -> W {
        W::from_word(self.text(key)).unwrap_or_else(|| self.mistyped(key))
    }

    pub(super) fn words<W: Word>(&self, key: PolicyKey) -> Vec<W> {
        let read = |word: &String| W::from_word(word).unwrap_or_else(|| self.mistyped(key));
        self.list(key).iter().map(read).collect()
    }

    /// Unreachable: `parse_change` and the preset tables admit only values of the key's type, and
    /// a stored parameter never changes its type.
    fn mistyped(&self, key: PolicyKey) -> ! {
        unreachable!("{key} holds {:?}, which is not of its type", self.value(key))
    }
}
