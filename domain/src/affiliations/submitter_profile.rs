//! What a submitter says of itself in the directory, and how its transactions stand with the plan
//! (MC-61 to MC-63).
//!
//! Invariant: a test is recorded only of a type that the submitter offers; a type taken off the list
//! and put back keeps what its tests have shown.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::kernel::ids::OrganizationId;
use crate::organizations::{OrganizationKind, OrganizationKinds};
use crate::values::TransactionType;
use crate::{Code, Decider, Decision, Event, Facets, Refusal};

/// What a test of a transaction type came to, or what the plan decided about it since.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum TransactionTestResult {
    Passed,
    Failed,
    /// It was approved and is not to be sent for the time being.
    Suspended,
}

impl TransactionTestResult {
    /// The stored name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "PASSED",
            Self::Failed => "FAILED",
            Self::Suspended => "SUSPENDED",
        }
    }

    /// Reads a stored name back.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Passed, Self::Failed, Self::Suspended]
            .into_iter()
            .find(|result| result.as_str() == name)
    }
}

impl TransactionState {
    /// How a type stands that is offered or not, by its newest test.
    #[must_use]
    pub const fn of(offered: bool, result: Option<TransactionTestResult>) -> Self {
        match (offered, result) {
            (false, _) => Self::NotOffered,
            (true, None | Some(TransactionTestResult::Failed)) => Self::Testing,
            (true, Some(TransactionTestResult::Passed)) => Self::Approved,
            (true, Some(TransactionTestResult::Suspended)) => Self::Suspended,
        }
    }
}

/// How a transaction type stands for a submitter (requirements, section 5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TransactionState {
    /// The submitter does not offer it.
    NotOffered,
    /// Offered, and no test of it has passed.
    Testing,
    /// Its newest test passed.
    Approved,
    /// The plan suspended it.
    Suspended,
}

impl TransactionState {
    /// The stored name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotOffered => "NOT_OFFERED",
            Self::Testing => "TESTING",
            Self::Approved => "APPROVED",
            Self::Suspended => "SUSPENDED",
        }
    }

    /// Reads a stored name back.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::NotOffered, Self::Testing, Self::Approved, Self::Suspended]
            .into_iter()
            .find(|state| state.as_str() == name)
    }
}

/// One organisation's directory profile.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SubmitterProfile {
    types: BTreeSet<TransactionType>,
    results: BTreeMap<TransactionType, TransactionTestResult>,
    hidden: bool,
}

impl SubmitterProfile {
    /// How a type stands.
    #[must_use]
    pub fn state_of(&self, kind: TransactionType) -> TransactionState {
        TransactionState::of(self.types.contains(&kind), self.results.get(&kind).copied())
    }

    /// The types offered, each with how it stands.
    pub fn types(&self) -> impl Iterator<Item = (TransactionType, TransactionState)> + '_ {
        self.types.iter().map(|kind| (*kind, self.state_of(*kind)))
    }

    /// Whether the directory lists it to everybody.
    #[must_use]
    pub fn is_visible(&self) -> bool {
        !self.hidden
    }
}

/// A command to stream `affiliations.submitter_profile`.
#[derive(Clone, Debug)]
pub enum SubmitterProfileCommand {
    /// Offer exactly these types from now on (MC-61).
    SetTransactionTypes {
        organization: OrganizationId,
        kinds: OrganizationKinds,
        types: BTreeSet<TransactionType>,
    },
    /// Be listed, or be hidden from all but those affiliated already (MC-62).
    SetDirectoryVisibility { organization: OrganizationId, kinds: OrganizationKinds, visible: bool },
    /// What a test came to (MC-63).
    RecordTransactionTest {
        organization: OrganizationId,
        kind: TransactionType,
        result: TransactionTestResult,
    },
}

/// An event of stream `affiliations.submitter_profile`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum SubmitterProfileEvent {
    /// The submitter offers exactly `types` from now on.
    SubmitterTransactionTypesSet {
        organization: OrganizationId,
        old: BTreeSet<TransactionType>,
        types: BTreeSet<TransactionType>,
    },
    /// The directory lists it, or hides it.
    DirectoryVisibilityChanged { organization: OrganizationId, visible: bool },
    /// A test of a type came to this result.
    TransactionTestRecorded {
        organization: OrganizationId,
        #[serde(rename = "type")]
        kind: TransactionType,
        result: TransactionTestResult,
    },
}

impl Event for SubmitterProfileEvent {
    fn event_type(&self) -> &'static str {
        match self {
            Self::SubmitterTransactionTypesSet { .. } => {
                "affiliations.submitter_profile.submitter_transaction_types_set"
            }
            Self::DirectoryVisibilityChanged { .. } => {
                "affiliations.submitter_profile.directory_visibility_changed"
            }
            Self::TransactionTestRecorded { .. } => {
                "affiliations.submitter_profile.transaction_test_recorded"
            }
        }
    }

    fn facets(&self) -> Facets {
        match self {
            Self::SubmitterTransactionTypesSet { organization, .. }
            | Self::DirectoryVisibilityChanged { organization, .. }
            | Self::TransactionTestRecorded { organization, .. } => {
                Facets::default().organization(*organization)
            }
        }
    }
}

/// Why a profile refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SubmitterProfileRefusal {
    #[error("Only submitters stand in the directory. Ask the health plan to add that kind.")]
    NoSubmitter,
    #[error("The submitter does not offer this type. Add it to its transaction types first.")]
    NotOffered,
}

impl From<SubmitterProfileRefusal> for Refusal {
    fn from(refusal: SubmitterProfileRefusal) -> Self {
        let message = refusal.to_string();
        match refusal {
            SubmitterProfileRefusal::NoSubmitter => {
                Self::new(Code::OrgKindWrong, message).at("organizationId")
            }
            SubmitterProfileRefusal::NotOffered => {
                Self::new(Code::TypeUnknown, message).at("transactionType")
            }
        }
    }
}

fn require_submitter(kinds: &OrganizationKinds) -> Result<(), SubmitterProfileRefusal> {
    if kinds.contains(&OrganizationKind::Submitter) {
        return Ok(());
    }
    Err(SubmitterProfileRefusal::NoSubmitter)
}

impl Decider for SubmitterProfile {
    const TYPE: &'static str = "affiliations.submitter_profile";
    type Command = SubmitterProfileCommand;
    type Event = SubmitterProfileEvent;
    type Refusal = SubmitterProfileRefusal;

    fn decide(
        &self,
        _: &Decision<'_>,
        command: SubmitterProfileCommand,
    ) -> Result<Vec<SubmitterProfileEvent>, SubmitterProfileRefusal> {
        use SubmitterProfileCommand as C;
        use SubmitterProfileEvent as E;
        match command {
            C::SetTransactionTypes { organization, kinds, types } => {
                require_submitter(&kinds)?;
                let old = self.types.clone();
                let set = E::SubmitterTransactionTypesSet { organization, old, types };
                let changes = !matches!(&set, E::SubmitterTransactionTypesSet { old, types, .. } if old == types);
                Ok(changes.then_some(set).into_iter().collect())
            }
            C::SetDirectoryVisibility { organization, kinds, visible } => {
                require_submitter(&kinds)?;
                let changed = E::DirectoryVisibilityChanged { organization, visible };
                Ok((visible != self.is_visible()).then_some(changed).into_iter().collect())
            }
            C::RecordTransactionTest { organization, kind, result } => {
                if !self.types.contains(&kind) {
                    return Err(SubmitterProfileRefusal::NotOffered);
                }
                Ok(vec![E::TransactionTestRecorded { organization, kind, result }])
            }
        }
    }

    fn evolve(&mut self, event: &SubmitterProfileEvent) {
        match event {
            SubmitterProfileEvent::SubmitterTransactionTypesSet { types, .. } => {
                self.types.clone_from(types);
            }
            SubmitterProfileEvent::DirectoryVisibilityChanged { visible, .. } => {
                self.hidden = !visible;
            }
            SubmitterProfileEvent::TransactionTestRecorded { kind, result, .. } => {
                self.results.insert(*kind, *result);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::scenario::{given, id};

    fn agency() -> OrganizationId {
        id(11)
    }

    fn submitter() -> OrganizationKinds {
        BTreeSet::from([OrganizationKind::Submitter])
    }

    fn types() -> BTreeSet<TransactionType> {
        BTreeSet::from([TransactionType::ProfessionalClaim, TransactionType::RemittanceAdvice])
    }

    fn types_set() -> SubmitterProfileEvent {
        SubmitterProfileEvent::SubmitterTransactionTypesSet {
            organization: agency(),
            old: BTreeSet::new(),
            types: types(),
        }
    }

    fn offer(kinds: OrganizationKinds) -> SubmitterProfileCommand {
        SubmitterProfileCommand::SetTransactionTypes {
            organization: agency(),
            kinds,
            types: types(),
        }
    }

    fn test(kind: TransactionType, result: TransactionTestResult) -> SubmitterProfileCommand {
        SubmitterProfileCommand::RecordTransactionTest { organization: agency(), kind, result }
    }

    fn tested(kind: TransactionType, result: TransactionTestResult) -> SubmitterProfileEvent {
        SubmitterProfileEvent::TransactionTestRecorded { organization: agency(), kind, result }
    }

    #[test]
    fn mc_61_only_submitters_offer_types() {
        given::<SubmitterProfile>(&[]).when(offer(submitter())).then(&[types_set()]);
        given::<SubmitterProfile>(&[types_set()]).when(offer(submitter())).then(&[]);
        let provider = BTreeSet::from([OrganizationKind::Provider]);
        given::<SubmitterProfile>(&[]).when(offer(provider)).refused(Code::OrgKindWrong);
    }

    #[test]
    fn mc_62_being_hidden_is_a_fact_once() {
        let hide = || SubmitterProfileCommand::SetDirectoryVisibility {
            organization: agency(),
            kinds: submitter(),
            visible: false,
        };
        let hidden = SubmitterProfileEvent::DirectoryVisibilityChanged {
            organization: agency(),
            visible: false,
        };
        let state = given::<SubmitterProfile>(&[]).when(hide()).then(std::slice::from_ref(&hidden));
        assert!(!state.is_visible());
        given::<SubmitterProfile>(&[hidden]).when(hide()).then(&[]);
    }

    #[test]
    fn mc_63_tests_move_a_type_from_testing_to_approved_to_suspended_and_back() {
        use TransactionTestResult::{Failed, Passed, Suspended};
        let (claim, other) = (TransactionType::ProfessionalClaim, TransactionType::DentalClaim);
        let state = |history: &[SubmitterProfileEvent]| {
            given::<SubmitterProfile>(history).state().state_of(claim)
        };
        assert_eq!(state(&[]), TransactionState::NotOffered);
        assert_eq!(state(&[types_set()]), TransactionState::Testing);
        assert_eq!(state(&[types_set(), tested(claim, Failed)]), TransactionState::Testing);
        let passed = [types_set(), tested(claim, Passed)];
        assert_eq!(state(&passed), TransactionState::Approved);
        let suspended = [types_set(), tested(claim, Passed), tested(claim, Suspended)];
        assert_eq!(state(&suspended), TransactionState::Suspended);
        given::<SubmitterProfile>(&suspended)
            .when(test(claim, Passed))
            .then(&[tested(claim, Passed)]);
        given::<SubmitterProfile>(&[types_set()])
            .when(test(other, Passed))
            .refused(Code::TypeUnknown);
    }

    #[test]
    fn states_read_back() {
        for state in [
            TransactionState::NotOffered,
            TransactionState::Testing,
            TransactionState::Approved,
            TransactionState::Suspended,
        ] {
            assert_eq!(TransactionState::parse(state.as_str()), Some(state));
        }
        for result in [
            TransactionTestResult::Passed,
            TransactionTestResult::Failed,
            TransactionTestResult::Suspended,
        ] {
            assert_eq!(serde_json::to_value(result).unwrap(), result.as_str());
            assert_eq!(TransactionTestResult::parse(result.as_str()), Some(result));
        }
    }
}
