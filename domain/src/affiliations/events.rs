//! What happens to an affiliation. Invariant: every event names both organisations, and is filed
//! under the one that did not act; what the submitter does with its own people, under the submitter.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::kernel::ids::{AffiliationId, OrganizationId, UserId};
use crate::permissions::Cause;
use crate::values::{Npi, PersonName, Reason, TransactionType};
use crate::{Event, Facets, Sealed};

/// One of the two organisations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Side {
    Submitter,
    Provider,
}

impl Side {
    /// The other one.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Submitter => Self::Provider,
            Self::Provider => Self::Submitter,
        }
    }
}

/// Who signs for an organisation (MC-57).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SignerRole {
    Owner,
    Officer,
    Partner,
    Administrator,
    OfficeManager,
    AuthorizedRepresentative,
}

impl SignerRole {
    /// The list to choose from.
    pub const ALL: [Self; 6] = [
        Self::Owner,
        Self::Officer,
        Self::Partner,
        Self::Administrator,
        Self::OfficeManager,
        Self::AuthorizedRepresentative,
    ];

    /// The stored name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "OWNER",
            Self::Officer => "OFFICER",
            Self::Partner => "PARTNER",
            Self::Administrator => "ADMINISTRATOR",
            Self::OfficeManager => "OFFICE_MANAGER",
            Self::AuthorizedRepresentative => "AUTHORIZED_REPRESENTATIVE",
        }
    }

    /// Reads a name of the list; `None` is ROLE_UNKNOWN.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == name)
    }
}

/// For which of the provider's NPIs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum NpiSelection {
    /// Every one, those attached later included.
    All,
    /// These.
    Listed(BTreeSet<Npi>),
}

/// What the submitter may do for the provider (GN-18).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AffiliationScope {
    pub npis: NpiSelection,
    pub transaction_types: BTreeSet<TransactionType>,
}

/// The two organisations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pair {
    pub submitter: OrganizationId,
    pub provider: OrganizationId,
}

impl Pair {
    /// The organisation on a side.
    #[must_use]
    pub const fn of(&self, side: Side) -> OrganizationId {
        match side {
            Side::Submitter => self.submitter,
            Side::Provider => self.provider,
        }
    }

    /// On which side an organisation stands, if on any.
    #[must_use]
    pub fn side_of(&self, organization: OrganizationId) -> Option<Side> {
        [Side::Submitter, Side::Provider].into_iter().find(|side| self.of(*side) == organization)
    }
}

/// An event of stream `affiliations.affiliation`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum AffiliationEvent {
    /// One side asked for it (MC-54).
    AffiliationRequested {
        affiliation: AffiliationId,
        pair: Pair,
        initiator: Side,
        scope: AffiliationScope,
        expires_at: DateTime<Utc>,
    },
    /// One side signed the agreement (MC-55).
    AffiliationAgreementSigned {
        pair: Pair,
        side: Side,
        user: UserId,
        first_name: Sealed<PersonName>,
        last_name: Sealed<PersonName>,
        role: SignerRole,
        agreement_version: String,
        sha256: String,
        eligibility_confirmed: bool,
    },
    /// Both sides have signed; it is in force (MC-59).
    AffiliationApproved { pair: Pair, side: Side, effective_from: DateTime<Utc> },
    /// An organisation that took another one over goes on with its affiliation, under the signatures
    /// that the two had given (GN-03).
    AffiliationTakenOver {
        affiliation: AffiliationId,
        pair: Pair,
        /// Where the successor stands.
        side: Side,
        predecessor: AffiliationId,
        scope: AffiliationScope,
        submitter_version: Option<String>,
        provider_version: Option<String>,
        effective_from: DateTime<Utc>,
    },
    /// Both sides have signed a newer version of the agreement (GN-18).
    AffiliationRenewed { pair: Pair, side: Side, agreement_version: String },
    /// A person of the submitter works for exactly `npis` of the provider from now on, in the
    /// Transaction Center and nowhere else (GN-18).
    AffiliationNpisAssigned {
        pair: Pair,
        user: UserId,
        added: BTreeSet<Npi>,
        removed: BTreeSet<Npi>,
        npis: BTreeSet<Npi>,
        /// Absent where an administrator of the submitter set it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cause: Option<Cause>,
    },
    /// The other side refused (MC-60).
    AffiliationDenied {
        pair: Pair,
        side: Side,
        denied_at: DateTime<Utc>,
        reason: Option<Sealed<Reason>>,
    },
    /// The side that asked took it back (GN-18).
    AffiliationWithdrawn { pair: Pair, side: Side, reason: Option<Sealed<Reason>> },
    /// Nobody decided in time (GN-18).
    AffiliationExpired { pair: Pair, initiator: Side },
    /// One side ends it with the last day given; it is over at `ends_at` (GN-18).
    AffiliationTerminated {
        pair: Pair,
        side: Side,
        ends_on: NaiveDate,
        ends_at: DateTime<Utc>,
        reason: Option<Sealed<Reason>>,
    },
    /// The side that ended it lets it go on before `ends_at` came (GN-04).
    AffiliationTerminationCancelled { pair: Pair, side: Side, ends_at: DateTime<Utc> },
}

impl Event for AffiliationEvent {
    fn event_type(&self) -> &'static str {
        match self {
            Self::AffiliationRequested { .. } => "affiliations.affiliation.affiliation_requested",
            Self::AffiliationAgreementSigned { .. } => {
                "affiliations.affiliation.affiliation_agreement_signed"
            }
            Self::AffiliationApproved { .. } => "affiliations.affiliation.affiliation_approved",
            Self::AffiliationTakenOver { .. } => "affiliations.affiliation.affiliation_taken_over",
            Self::AffiliationRenewed { .. } => "affiliations.affiliation.affiliation_renewed",
            Self::AffiliationNpisAssigned { .. } => {
                "affiliations.affiliation.affiliation_npis_assigned"
            }
            Self::AffiliationDenied { .. } => "affiliations.affiliation.affiliation_denied",
            Self::AffiliationWithdrawn { .. } => "affiliations.affiliation.affiliation_withdrawn",
            Self::AffiliationExpired { .. } => "affiliations.affiliation.affiliation_expired",
            Self::AffiliationTerminated { .. } => "affiliations.affiliation.affiliation_terminated",
            Self::AffiliationTerminationCancelled { .. } => {
                "affiliations.affiliation.affiliation_termination_cancelled"
            }
        }
    }

    fn facets(&self) -> Facets {
        let (pair, acting, effective_at) = match self {
            Self::AffiliationRequested { pair, initiator: side, .. }
            | Self::AffiliationExpired { pair, initiator: side }
            | Self::AffiliationAgreementSigned { pair, side, .. }
            | Self::AffiliationRenewed { pair, side, .. }
            | Self::AffiliationDenied { pair, side, .. }
            | Self::AffiliationWithdrawn { pair, side, .. } => (pair, side, None),
            Self::AffiliationApproved { pair, side, effective_from }
            | Self::AffiliationTakenOver { pair, side, effective_from, .. } => {
                (pair, side, Some(*effective_from))
            }
            Self::AffiliationTerminated { pair, side, ends_at, .. }
            | Self::AffiliationTerminationCancelled { pair, side, ends_at } => {
                (pair, side, Some(*ends_at))
            }
            Self::AffiliationNpisAssigned { pair, user, .. } => {
                return Facets::default().organization(pair.submitter).subject(*user);
            }
        };
        Facets { effective_at, ..Facets::default().organization(pair.of(acting.other())) }
    }
}
