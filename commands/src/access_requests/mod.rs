//! Requests for access (CC-11, CC-12, AL-07, AL-08, CX-13, GN-13).
//!
//! Invariant: what an approval gives is recorded in the same append, with the request as its cause.

mod decide;
mod join;
mod outlook;
mod relocate;
mod request_access;
mod texts;
mod ways;

use rollcall_domain::tenants::PlanRole;

pub use decide::{DecideAccessRequest, Decision, Resolution};
pub use join::{Named, RequestToJoin};
pub use outlook::MoveOutlook;
pub use relocate::{Found, RequestMove, Wish};
pub use request_access::RequestAccess;
pub use texts::{Moving, Texts, Visitor, texts};
pub use ways::{EscalateAccessRequest, ExpireAccessRequest, WithdrawAccessRequest};

/// Plan staff who decide what the organisations cannot (AL-08).
pub const REQUEST_STAFF: &[PlanRole] = &[PlanRole::Ps, PlanRole::Pa];

/// The reservation kind under which the same thing is asked for once at a time.
const PENDING: &str = "access_request";
