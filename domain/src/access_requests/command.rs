//! What may be asked of a request.
//!
//! Invariant: what the organisation and the policy say about the items comes in with the command.

use chrono::{DateTime, Utc};

use super::{RequestItem, RouteCause};
use crate::kernel::ids::{AccessRequestId, OrganizationId, UserId};
use crate::values::Reason;

/// A request to make.
#[derive(Clone, Debug)]
pub struct NewRequest {
    pub request: AccessRequestId,
    pub user: UserId,
    pub organization: OrganizationId,
    pub items: Vec<RequestItem>,
    pub why: Reason,
    pub until: Option<DateTime<Utc>>,
    /// Why it goes to the plan at once, if it does.
    pub route: Option<RouteCause>,
}

/// A wish about a request.
#[derive(Clone, Debug)]
pub enum AccessRequestCommand {
    Request(Box<NewRequest>),
    Route {
        cause: RouteCause,
        note: Option<Reason>,
    },
    /// The grants are decided beside it, in the same append.
    Approve {
        by_plan: bool,
        note: Option<Reason>,
    },
    Deny {
        by_plan: bool,
        reason: Reason,
    },
    Withdraw,
    Expire,
    /// The organisation is merged into another one; of one that is decided it is no error (GN-03).
    EndWithOrganization {
        organization: OrganizationId,
    },
}
