//! The read side of Rollcall: projections of the journal's events and the questions asked of them.
//!
//! Architecture invariant: nothing here decides; rows follow from events alone, so a rebuild gives
//! the same rows, and every answer names the position it holds for.

use std::sync::Arc;

use rollcall_domain::AnyEvent;
use rollcall_journal::Projection;

pub mod acceptances;
pub mod access_register;
pub mod access_requests;
pub mod access_reviews;
pub mod account_requests;
pub mod affiliations;
pub mod api_keys;
pub mod attestations;
pub mod audit_timeline;
pub mod audit_workspaces;
pub mod erasures;
pub mod notifications;
pub mod organizations;
pub mod people;
pub mod permission_matrix;
pub mod pins;
pub mod proof;
mod readers;
pub mod reports;
pub mod right_use;
mod search;
pub mod sessions;
mod snapshot;
pub mod tenancy;
pub mod user_directory;

pub use snapshot::{Ask, Pin, ReadError, ReadStore, Snapshot};

/// Every projection's name; read-your-writes waits for all of them.
pub const NAMES: &[&str] = &[
    "people",
    "acceptances",
    "account_requests",
    "user_directory",
    "permission_matrix",
    "pins",
    affiliations::NAME,
    "access_requests",
    access_reviews::NAME,
    "attestations",
    "erasures",
    "audit_workspaces",
    "notifications_list",
    "tenancy",
    "organizations",
    sessions::NAME,
    "api_keys",
    right_use::NAME,
    access_register::NAME,
    audit_timeline::NAME,
];

/// Every projection.
#[must_use]
pub fn all() -> Vec<Arc<dyn Projection<AnyEvent>>> {
    vec![
        Arc::new(people::People),
        Arc::new(acceptances::Acceptances),
        Arc::new(account_requests::AccountRequests),
        Arc::new(user_directory::UserDirectory),
        Arc::new(permission_matrix::PermissionMatrix),
        Arc::new(pins::Pins),
        Arc::new(affiliations::Affiliations),
        Arc::new(access_requests::AccessRequests),
        Arc::new(access_reviews::AccessReviews),
        Arc::new(attestations::Attestations),
        Arc::new(erasures::Erasures),
        Arc::new(audit_workspaces::AuditWorkspaces),
        Arc::new(notifications::Notifications),
        Arc::new(tenancy::Tenancy),
        Arc::new(organizations::Organizations),
        Arc::new(sessions::Sessions),
        Arc::new(api_keys::ApiKeys),
        Arc::new(right_use::RightUses),
        Arc::new(access_register::AccessRegister),
        Arc::new(audit_timeline::AuditTimeline),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_projections_agree() {
        let names: Vec<_> = all().iter().map(|projection| projection.name()).collect();
        assert_eq!(names, NAMES);
    }
}
