//! Requests for access as those see them who ask and who decide (CC-11, CC-12, AL-08).
//!
//! Invariant: what people wrote stands in the events alone.

mod projection;
mod queries;

pub use projection::{AccessRequestRow, AccessRequests, RequestStatus};
pub use queries::{RequestFilter, RequestView, Seen, access_requests, access_requests_by_id};
