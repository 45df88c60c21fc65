//! What the tenant's policy says about rights at a moment.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use rollcall_domain::policies::{Feature, PolicyKey};

use super::{Held, Span};
use crate::access_register::{
    interval::{BY_PARAMETERS, Interval, Timeline},
    ledger::{always, never},
};

/// The policy's words that bear on rights; a rule that does not hold is absent.
pub(super) struct Rules<'a> {
    pub manages_users: Option<&'a Interval>,
    pub all_npis: Option<&'a Interval>,
    pub all_correspondence: Option<&'a Interval>,
    pub all_locations: Option<&'a Interval>,
    pub grants_features: Option<&'a Interval>,
    pub job_roles: Option<&'a Interval>,
    pub locations: Option<&'a Interval>,
    /// PINs are on, and who of an NPI may manage its PIN.
    pub pins: Option<Pins>,
    contracted_only: Option<&'a Interval>,
    features: BTreeMap<String, Span>,
}

/// Who manages PINs.
pub(super) struct Pins {
    pub admins: bool,
    pub processors: bool,
    pub span: Span,
}

impl<'a> Rules<'a> {
    pub fn at(held: &'a Held, moment: DateTime<Utc>) -> Self {
        let row = |key: PolicyKey| held.at(&Timeline::Policy(key.name()), moment);
        let having = |key: PolicyKey, word: &str| row(key).filter(|row| says(row, word));
        let implied = |word| having(PolicyKey::AdminImplied, word);
        Self {
            manages_users: implied("USER_MANAGEMENT"),
            all_npis: implied("ALL_NPIS"),
            all_correspondence: implied("ALL_CORRESPONDENCE"),
            all_locations: implied("LOCATIONS"),
            grants_features: having(PolicyKey::FeatureGrantsEnabled, "true"),
            job_roles: having(PolicyKey::JobRolesEnabled, "true"),
            locations: row(PolicyKey::LocationsMode).filter(|row| !says(row, "OFF")),
            pins: pins(held, moment),
            contracted_only: row(PolicyKey::ContractedOnly),
            features: features(held, moment),
        }
    }

    /// Since when a feature is on, and before when; absent where it is not.
    pub fn feature(&self, word: &str) -> Option<Span> {
        if word == Feature::UserManagement.as_str() {
            return Some(Span { from: always(), to: never() });
        }
        self.features.get(word).copied()
    }

    /// The time for which the portal serves an organisation with this contract, or without any.
    pub fn serves(&self, contract: Option<&Interval>) -> Option<Span> {
        serves(self.contracted_only, contract)
    }
}

/// As [`Rules::serves`], by what the policy says of contracts.
pub(super) fn serves(
    contracted_only: Option<&Interval>,
    contract: Option<&Interval>,
) -> Option<Span> {
    match (contracted_only, contract) {
        (Some(only), contract) if says(only, "true") => contract.map(Span::of),
        (Some(open), Some(contract)) => Some(Span {
            from: contract.valid_from.min(open.valid_from),
            to: contract.valid_to.max(open.valid_to),
        }),
        (Some(row), None) | (None, Some(row)) => Some(Span::of(row)),
        (None, None) => Some(Span { from: always(), to: never() }),
    }
}

fn says(row: &Interval, word: &str) -> bool {
    row.value.iter().any(|told| told == word)
}

fn pins(held: &Held, moment: DateTime<Utc>) -> Option<Pins> {
    let row = |name| held.at(&Timeline::Policy(name), moment);
    let enabled = row(PolicyKey::PinsEnabled.name()).filter(|row| says(row, "true"))?;
    let roles = row(PolicyKey::PinsRoles.name())?;
    let mut span = Span::of(enabled).and(roles);
    if let Some(switched) = row(Feature::Pins.policy_name()) {
        if says(switched, "OFF") || says(switched, "COMING_SOON") {
            return None;
        }
        span = span.and(switched);
    }
    let (admins, processors) = (says(roles, "NPI_ADMIN"), says(roles, "NPI_PROCESSOR"));
    Some(Pins { admins, processors, span })
}

/// What is on: as an administrator of the plan said last, else as the parameter lists it.
fn features(held: &Held, moment: DateTime<Utc>) -> BTreeMap<String, Span> {
    let listed = held.at(&Timeline::Policy(PolicyKey::PortalFeatures.name()), moment);
    let mut on = BTreeMap::new();
    for feature in Feature::ALL {
        let word = feature.as_str();
        let listed = listed.filter(|row| says(row, word));
        let said = held.at(&Timeline::Policy(feature.policy_name()), moment);
        let span = match (said, listed) {
            (Some(said), _) if says(said, "ON") => Some(Span::of(said)),
            (Some(said), Some(listed)) if says(said, BY_PARAMETERS) => {
                Some(Span::of(listed).and(said))
            }
            (None, Some(listed)) => Some(Span::of(listed)),
            (Some(_) | None, _) => None,
        };
        if let Some(span) = span {
            on.insert(word.to_owned(), span);
        }
    }
    on
}
