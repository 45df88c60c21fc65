//! The audit timeline in the schema: `auditEvents`, `eventAppended` and `exportAuditEvents` (GN-26).
//!
//! Invariant: what a reader sees follows from the visibility table alone; a filter narrows it and
//! never widens it.

mod evidence;
mod exports;
mod input;
pub mod nodes;
mod pinned;
mod queries;
mod reports;
mod sinks;
mod subscriptions;
mod transparency;
mod types;
pub mod viewer;
mod workspace_mutations;
mod workspaces;

pub use evidence::EvidenceMutation;
pub use exports::{AuditMutation, filter_from, filter_of};
pub use input::organization_of;
pub use queries::AuditQuery;
pub use reports::{
    ActivityReviewMutation, ActivityReviewQuery, AuditReportMutation, AuditReportQuery, Reach,
    SodRuleMutation, SodRuleQuery,
};
pub use sinks::{AuditSinkMutation, AuditSinkQuery};
pub use subscriptions::AuditSubscription;
pub use transparency::TransparencyQuery;
pub use types::{AuditActor, AuditEvent, OrganizationReference, PersonReference, actor_id};
pub use workspace_mutations::WorkspaceMutation;
pub use workspaces::WorkspaceQuery;
