//! Commands on the records themselves (GN-26).
//!
//! Invariant: nothing of them leaves as a file before it is on record who asked for what.

mod activity_review;
mod evidence;
mod export_audit_events;
mod export_audit_report;
pub mod sinks;
mod sod_rules;
mod workspaces;

pub use activity_review::{ACTIVITY_REVIEWERS, CompleteActivityReview, WatchActivityReview};
pub use evidence::{AUDITORS, AskedEvidence, OpenEvidence, RequestEvidence, takes_away};
pub use export_audit_events::{
    AUDIT_READERS, AuditReader, ExportAuditEvents, RecordAuditExportGiven, RequestedExport,
};
pub use export_audit_report::{ExportAuditReport, REPORT_READERS};
pub use sod_rules::{DefineSodRule, RetireSodRule};
pub use workspaces::{
    CloseAuditWorkspace, OpenAuditWorkspace, RemoveWorkspaceQuestion, RenameAuditWorkspace,
    SaveWorkspaceQuestion,
};
