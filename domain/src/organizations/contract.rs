//! The contract between an organisation and the plan, over time (CC-01).
//!
//! Invariant: what is said last holds from its beginning on; what was said before about later times
//! holds no more.

use chrono::{DateTime, Utc};

use super::ContractStatus;

/// Which status holds when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contract {
    first: ContractStatus,
    /// Since when what else, in order.
    changes: Vec<(DateTime<Utc>, ContractStatus)>,
}

impl Contract {
    /// One that has been `first` from the beginning.
    #[must_use]
    pub fn new(first: ContractStatus) -> Self {
        Self { first, changes: Vec::new() }
    }

    /// The status at a moment; a change counts from its very second.
    #[must_use]
    pub fn at(&self, at: DateTime<Utc>) -> ContractStatus {
        let changed = self.changes.iter().rev().find(|(from, _)| *from <= at);
        changed.map_or(self.first, |(_, status)| *status)
    }

    /// Whether saying so would change anything, now or later.
    #[must_use]
    pub fn would_change(&self, status: ContractStatus, from: DateTime<Utc>) -> bool {
        self.at(from) != status || self.changes.iter().any(|(begin, _)| *begin > from)
    }

    pub(super) fn set(&mut self, status: ContractStatus, from: DateTime<Utc>) {
        self.changes.retain(|(begin, _)| *begin < from);
        self.changes.push((from, status));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::scenario::after;

    #[test]
    fn a_status_counts_from_its_second_until_the_next() {
        let mut contract = Contract::new(ContractStatus::Contracted);
        contract.set(ContractStatus::Terminated, after(10));
        contract.set(ContractStatus::Contracted, after(20));
        let at = |second| contract.at(after(second));
        assert_eq!((at(9), at(10)), (ContractStatus::Contracted, ContractStatus::Terminated));
        assert_eq!((at(19), at(20)), (ContractStatus::Terminated, ContractStatus::Contracted));
    }

    #[test]
    fn what_is_said_last_replaces_what_was_planned_for_later() {
        let mut contract = Contract::new(ContractStatus::Contracted);
        contract.set(ContractStatus::Terminated, after(10));
        assert!(!contract.would_change(ContractStatus::Terminated, after(10)));
        assert!(
            contract.would_change(ContractStatus::Contracted, after(5)),
            "it calls the end off"
        );
        contract.set(ContractStatus::Contracted, after(5));
        assert_eq!(contract.at(after(10)), ContractStatus::Contracted);
    }
}
