//! What happens to a request for access. Invariant: every fact names the person who asks and the
//! organisation it is about.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{RequestItem, RequestKind};
use crate::kernel::ids::{AccessRequestId, OrganizationId, UserId};
use crate::values::Reason;
use crate::{Event, Facets, Sealed};

/// Why a request waits for the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RouteCause {
    /// The organisation's administrators could not give it (AL-08).
    NotGrantable,
    /// Nobody else administers the organisation (GN-13).
    NoAdministrator,
    /// An administrator agreed, and the plan has to add something first (CX-13).
    AdministratorAgreed,
    /// An administrator or plan staff handed it on.
    Escalated,
}

impl RouteCause {
    /// The stored name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotGrantable => "NOT_GRANTABLE",
            Self::NoAdministrator => "NO_ADMINISTRATOR",
            Self::AdministratorAgreed => "ADMINISTRATOR_AGREED",
            Self::Escalated => "ESCALATED",
        }
    }
}

/// A fact about a request for access.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum AccessRequestEvent {
    /// A member asked for access (CC-11).
    AccessRequested {
        request: AccessRequestId,
        user: UserId,
        organization: OrganizationId,
        kind: RequestKind,
        items: Vec<RequestItem>,
        why: Sealed<Reason>,
        /// The access asked for ends here by itself.
        until: Option<DateTime<Utc>>,
        expires_at: DateTime<Utc>,
    },
    /// From now on the plan decides (AL-08).
    AccessRequestRouted {
        user: UserId,
        organization: OrganizationId,
        cause: RouteCause,
        note: Option<Sealed<Reason>>,
    },
    /// It was granted; the grants are in the same append (CC-12).
    AccessRequestApproved {
        user: UserId,
        organization: OrganizationId,
        note: Option<Sealed<Reason>>,
    },
    /// It was refused (CC-12).
    AccessRequestDenied { user: UserId, organization: OrganizationId, reason: Sealed<Reason> },
    /// Who asked took it back.
    AccessRequestWithdrawn { user: UserId, organization: OrganizationId },
    /// Nobody decided in time.
    AccessRequestExpired { user: UserId, organization: OrganizationId },
}

impl AccessRequestEvent {
    /// Who asks, and of which organisation.
    #[must_use]
    pub const fn parties(&self) -> (UserId, OrganizationId) {
        match self {
            Self::AccessRequested { user, organization, .. }
            | Self::AccessRequestRouted { user, organization, .. }
            | Self::AccessRequestApproved { user, organization, .. }
            | Self::AccessRequestDenied { user, organization, .. }
            | Self::AccessRequestWithdrawn { user, organization }
            | Self::AccessRequestExpired { user, organization } => (*user, *organization),
        }
    }
}

impl Event for AccessRequestEvent {
    fn event_type(&self) -> &'static str {
        match self {
            Self::AccessRequested { .. } => "access_requests.request.access_requested",
            Self::AccessRequestRouted { .. } => "access_requests.request.access_request_routed",
            Self::AccessRequestApproved { .. } => "access_requests.request.access_request_approved",
            Self::AccessRequestDenied { .. } => "access_requests.request.access_request_denied",
            Self::AccessRequestWithdrawn { .. } => {
                "access_requests.request.access_request_withdrawn"
            }
            Self::AccessRequestExpired { .. } => "access_requests.request.access_request_expired",
        }
    }

    fn facets(&self) -> Facets {
        let (user, organization) = self.parties();
        Facets::default().subject(user).organization(organization)
    }
}
