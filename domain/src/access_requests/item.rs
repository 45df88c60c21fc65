//! What is asked for, and who can give it.
//!
//! Invariant: what an organisation lacks itself, only the plan adds; what it has, its administrators
//! give unless the policy leaves it to the plan (C-21, AL-08).

use serde::{Deserialize, Serialize};

use crate::organizations::{Organization, TaxIdRef};
use crate::permissions::{Entitlement, EntitlementKind, NpiLevel};
use crate::policies::{LocationMode, Policy};
use crate::values::{Npi, OrganizationName};

/// One thing asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RequestItem {
    /// A level for an NPI, also for one that the organisation does not hold yet.
    Npi { npi: Npi, level: NpiLevel },
    /// A feature, job role, location or tax id there is.
    Grant(Entitlement),
    /// A location that is missing from the organisation's list (CX-13).
    NewLocation { name: OrganizationName },
    /// A tax id that is missing from the organisation's list (CC-02).
    NewTaxId { reference: TaxIdRef },
}

/// What a request is about, for queues.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RequestKind {
    Npi,
    Feature,
    JobRole,
    Location,
    TaxId,
    /// Several kinds at once.
    Mixed,
    /// An account in the organisation, for somebody who has none there.
    Account,
    /// Moving here from another organisation.
    Move,
}

impl RequestKind {
    /// All kinds.
    pub const ALL: [Self; 8] = [
        Self::Npi,
        Self::Feature,
        Self::JobRole,
        Self::Location,
        Self::TaxId,
        Self::Mixed,
        Self::Account,
        Self::Move,
    ];

    /// The stored name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Npi => "NPI",
            Self::Feature => "FEATURE",
            Self::JobRole => "JOB_ROLE",
            Self::Location => "LOCATION",
            Self::TaxId => "TAX_ID",
            Self::Mixed => "MIXED",
            Self::Account => "ACCOUNT",
            Self::Move => "MOVE",
        }
    }

    /// Reads a stored name back.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// The kind of a request with these items.
    #[must_use]
    pub fn of(items: &[RequestItem]) -> Self {
        let mut kinds = items.iter().map(RequestItem::kind);
        let first = kinds.next().unwrap_or(Self::Mixed);
        if kinds.all(|kind| kind == first) { first } else { Self::Mixed }
    }
}

impl RequestItem {
    /// What it is about.
    #[must_use]
    pub const fn kind(&self) -> RequestKind {
        match self {
            Self::Npi { .. } => RequestKind::Npi,
            Self::NewLocation { .. } => RequestKind::Location,
            Self::NewTaxId { .. } => RequestKind::TaxId,
            Self::Grant(entitlement) => match entitlement.kind() {
                EntitlementKind::Feature => RequestKind::Feature,
                EntitlementKind::JobRole => RequestKind::JobRole,
                EntitlementKind::Location => RequestKind::Location,
                EntitlementKind::TaxId => RequestKind::TaxId,
            },
        }
    }

    /// What tells it from others of a person: the same asked again while it waits is a duplicate.
    #[must_use]
    pub fn key(&self) -> String {
        match self {
            Self::Npi { npi, .. } => format!("NPI:{npi}"),
            Self::Grant(entitlement) => entitlement.to_string(),
            Self::NewLocation { name } => format!("NEW_LOCATION:{}", name.as_str().to_lowercase()),
            Self::NewTaxId { reference } => {
                format!("NEW_TAX_ID:{}:{}", reference.kind.as_str(), reference.last4)
            }
        }
    }
}

/// Whether the plan must add something to the organisation before it can be given.
#[must_use]
pub fn only_the_plan_adds(item: &RequestItem, organization: &Organization) -> bool {
    match item {
        RequestItem::NewLocation { .. } | RequestItem::NewTaxId { .. } => true,
        // An NPI that is to come is the plan's to attach as well.
        RequestItem::Npi { npi, .. } => {
            organization.npi(npi).is_none_or(|holding| holding.open_since().is_none())
        }
        RequestItem::Grant(_) => false,
    }
}

/// Whether the request goes to the plan without the administrators' word: they could not give it
/// (AL-08). About a location missing from the list of branches they speak first (CX-13).
#[must_use]
pub fn only_the_plan_decides(
    item: &RequestItem,
    organization: &Organization,
    policy: &Policy,
) -> bool {
    let plan_has_places = policy.locations() == LocationMode::Sites;
    match item {
        RequestItem::Npi { .. } => only_the_plan_adds(item, organization),
        RequestItem::NewTaxId { .. } => true,
        RequestItem::NewLocation { .. } => plan_has_places,
        RequestItem::Grant(entitlement) => match entitlement.kind() {
            EntitlementKind::TaxId => true,
            EntitlementKind::Location => plan_has_places,
            EntitlementKind::Feature | EntitlementKind::JobRole => false,
        },
    }
}
