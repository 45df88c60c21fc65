//! The types of correspondence that can be granted (MC-45).
//!
//! Invariant: keys are stored in events and never change; a type that is offered no longer stays
//! readable in history.

use std::collections::BTreeSet;

use crate::values::CorrespondenceType;

/// A type as administrators choose it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OfferedType {
    key: &'static str,
    /// As shown.
    pub label: &'static str,
}

impl OfferedType {
    /// The stored key.
    #[must_use]
    pub fn key(&self) -> CorrespondenceType {
        CorrespondenceType::parse(self.key).expect("the list below holds valid keys")
    }
}

/// What every portal offers, in the order shown (001 B steps 29–31).
pub const OFFERED: [OfferedType; 3] = [
    OfferedType { key: "RAD", label: "Remittance Advice Detail" },
    OfferedType { key: "TAX_DOCUMENTS", label: "Tax Documents" },
    OfferedType { key: "PROVIDER_WELCOME_LETTER", label: "Provider Welcome Letter" },
];

/// The keys of all types offered.
#[must_use]
pub fn offered_keys() -> BTreeSet<CorrespondenceType> {
    OFFERED.iter().map(OfferedType::key).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_offered_key_is_valid_and_its_own() {
        assert_eq!(offered_keys().len(), OFFERED.len());
    }
}
