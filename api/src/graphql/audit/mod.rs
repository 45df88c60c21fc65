//! The audit timeline in the schema: `auditEvents`, `eventAppended` and `exportAuditEvents` (GN-26);
//! and how long people are kept in it: retention, legal holds, erasure (GN-26, GN-27).
//!
//! Invariant: what a reader sees follows from the visibility table alone; a filter narrows it and
//! never widens it.

mod erasures;
mod evidence;
mod exports;
mod input;
mod legal_holds;
pub mod nodes;
mod pinned;
mod queries;
mod reports;
mod retention;
mod sinks;
mod subscriptions;
mod transparency;
mod types;
pub mod viewer;
mod workspace_mutations;
mod workspaces;

pub use erasures::{ErasureMutation, ErasureQuery};
pub use evidence::EvidenceMutation;
pub use exports::{AuditExport, AuditMutation, filter_from, filter_of, link};
pub use input::organization_of;
pub use legal_holds::{LegalHoldMutation, LegalHoldQuery};
pub use queries::AuditQuery;
pub use reports::{
    ActivityReviewMutation, ActivityReviewQuery, AuditReportMutation, AuditReportQuery, Reach,
    SodRuleMutation, SodRuleQuery,
};
pub use retention::RetentionQuery;
pub use sinks::{AuditSinkMutation, AuditSinkQuery};
pub use subscriptions::AuditSubscription;
pub use transparency::TransparencyQuery;
pub use types::{AuditActor, AuditEvent, OrganizationReference, PersonReference, actor_id};
pub use workspace_mutations::WorkspaceMutation;
pub use workspaces::WorkspaceQuery;
