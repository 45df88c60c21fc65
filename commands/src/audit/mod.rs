//! Commands on the records themselves (GN-26).
//!
//! Invariant: nothing of them leaves as a file before it is on record who asked for what.

mod activity_review;
mod evidence;
mod export_audit_events;
mod export_audit_report;
mod sod_rules;

pub use activity_review::{ACTIVITY_REVIEWERS, CompleteActivityReview, WatchActivityReview};
pub use evidence::{AUDITORS, AskedEvidence, OpenEvidence, RequestEvidence};
pub use export_audit_events::{
    AUDIT_READERS, AuditReader, ExportAuditEvents, RecordAuditExportGiven, RequestedExport,
};
pub use export_audit_report::{ExportAuditReport, REPORT_READERS};
pub use sod_rules::{DefineSodRule, RetireSodRule};
