//! A row of `read.affiliations` and how facts change it. Invariant: as the aggregate's own state,
//! a row follows from its events alone, whoever reads it and when.

use chrono::{DateTime, NaiveDate, Utc};
use rollcall_domain::affiliations::{AffiliationEvent, AffiliationScope, NpiSelection, Pair, Side};
use rollcall_journal::{ProjectionError, Recorded};
use serde::Serialize;
use uuid::Uuid;

/// Where an affiliation stands (requirements, section 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AffiliationStatus {
    /// Waiting for the other side's signature.
    Requested,
    /// Signed by both sides.
    Active,
    Denied,
    Withdrawn,
    Expired,
    /// Ended by one side; in force until its last day is over.
    Terminated,
}

impl AffiliationStatus {
    const ALL: [Self; 6] = [
        Self::Requested,
        Self::Active,
        Self::Denied,
        Self::Withdrawn,
        Self::Expired,
        Self::Terminated,
    ];

    /// The stored name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "REQUESTED",
            Self::Active => "ACTIVE",
            Self::Denied => "DENIED",
            Self::Withdrawn => "WITHDRAWN",
            Self::Expired => "EXPIRED",
            Self::Terminated => "TERMINATED",
        }
    }
}

impl TryFrom<String> for AffiliationStatus {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        Self::ALL.into_iter().find(|status| status.as_str() == name).ok_or(name)
    }
}

/// One affiliation.
#[derive(Clone, Debug, Serialize, sqlx::FromRow)]
pub struct AffiliationRow {
    pub tenant_id: Uuid,
    pub affiliation_id: Uuid,
    pub submitter_id: Uuid,
    pub provider_id: Uuid,
    pub initiator_id: Uuid,
    #[sqlx(try_from = "String")]
    pub status: AffiliationStatus,
    pub npis: Option<Vec<String>>,
    pub transaction_types: Vec<String>,
    pub requested_position: i64,
    pub requested_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
    pub submitter_signed_at: Option<DateTime<Utc>>,
    pub provider_signed_at: Option<DateTime<Utc>>,
    /// The version of the agreement that each side signed last.
    pub submitter_version: Option<String>,
    pub provider_version: Option<String>,
    pub effective_from: Option<DateTime<Utc>>,
    pub ends_on: Option<NaiveDate>,
    pub ends_at: Option<DateTime<Utc>>,
    pub closed_at: Option<DateTime<Utc>>,
    pub version: i64,
}

impl AffiliationRow {
    /// The row after one more event; `before` is `None` for the first one.
    ///
    /// # Errors
    /// A contradiction: an event of a request that was never made.
    pub(super) fn after<E>(
        before: Option<Self>,
        recorded: &Recorded<E>,
        event: &AffiliationEvent,
    ) -> Result<Self, ProjectionError> {
        if let AffiliationEvent::AffiliationRequested {
            pair, initiator, scope, expires_at, ..
        } = event
        {
            return Ok(Self::requested(recorded, (*pair, *initiator), scope, *expires_at));
        }
        if let AffiliationEvent::AffiliationTakenOver {
            pair,
            side,
            scope,
            submitter_version,
            provider_version,
            effective_from,
            ..
        } = event
        {
            let mut row = Self::requested(recorded, (*pair, *side), scope, *effective_from);
            row.status = AffiliationStatus::Active;
            row.effective_from = Some(*effective_from);
            row.submitter_version.clone_from(submitter_version);
            row.provider_version.clone_from(provider_version);
            return Ok(row);
        }
        let Some(mut row) = before else {
            let affiliation = recorded.aggregate_id;
            return Err(ProjectionError::Contradiction(format!(
                "affiliation {affiliation} was not requested"
            )));
        };
        let at = recorded.occurred_at;
        row.version = recorded.sequence;
        match event {
            AffiliationEvent::AffiliationRequested { .. }
            | AffiliationEvent::AffiliationTakenOver { .. }
            | AffiliationEvent::AffiliationRenewed { .. }
            | AffiliationEvent::AffiliationNpisAssigned { .. } => {}
            AffiliationEvent::AffiliationAgreementSigned { side, agreement_version, .. } => {
                let version = Some(agreement_version.clone());
                match side {
                    Side::Submitter => {
                        (row.submitter_signed_at, row.submitter_version) = (Some(at), version);
                    }
                    Side::Provider => {
                        (row.provider_signed_at, row.provider_version) = (Some(at), version);
                    }
                }
            }
            AffiliationEvent::AffiliationApproved { effective_from, .. } => {
                row.status = AffiliationStatus::Active;
                row.effective_from = Some(*effective_from);
            }
            AffiliationEvent::AffiliationDenied { denied_at, .. } => {
                row.close(AffiliationStatus::Denied, *denied_at);
            }
            AffiliationEvent::AffiliationWithdrawn { .. } => {
                row.close(AffiliationStatus::Withdrawn, at);
            }
            AffiliationEvent::AffiliationExpired { .. } => {
                row.close(AffiliationStatus::Expired, at);
            }
            AffiliationEvent::AffiliationTerminated { ends_on, ends_at, .. } => {
                row.close(AffiliationStatus::Terminated, at);
                row.ends_on = Some(*ends_on);
                row.ends_at = Some(*ends_at);
            }
            AffiliationEvent::AffiliationTerminationCancelled { .. } => {
                row.status = AffiliationStatus::Active;
                (row.closed_at, row.ends_on, row.ends_at) = (None, None, None);
            }
        }
        Ok(row)
    }

    fn requested<E>(
        recorded: &Recorded<E>,
        (pair, initiator): (Pair, Side),
        scope: &AffiliationScope,
        expires_at: DateTime<Utc>,
    ) -> Self {
        Self {
            tenant_id: recorded.tenant.0,
            affiliation_id: recorded.aggregate_id,
            submitter_id: pair.submitter.0,
            provider_id: pair.provider.0,
            initiator_id: pair.of(initiator).0,
            status: AffiliationStatus::Requested,
            npis: match &scope.npis {
                NpiSelection::All => None,
                NpiSelection::Listed(npis) => Some(npis.iter().map(ToString::to_string).collect()),
            },
            transaction_types: scope
                .transaction_types
                .iter()
                .map(|kind| kind.code().to_owned())
                .collect(),
            requested_position: recorded.tenant_position,
            requested_at: recorded.occurred_at,
            expires_at,
            submitter_signed_at: None,
            provider_signed_at: None,
            submitter_version: None,
            provider_version: None,
            effective_from: None,
            ends_on: None,
            ends_at: None,
            closed_at: None,
            version: recorded.sequence,
        }
    }

    fn close(&mut self, status: AffiliationStatus, at: DateTime<Utc>) {
        self.status = status;
        self.closed_at = Some(at);
    }
}
