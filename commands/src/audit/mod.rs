//! Commands on the records themselves: what is taken away of them, how long they are kept (GN-26), and
//! who is erased from them (GN-27).
//!
//! Invariant: nothing of them leaves as a file before it is on record who asked for what.

mod activity_review;
mod erasure;
mod evidence;
mod export_audit_events;
mod export_audit_report;
mod ledger;
mod left_over;
mod legal_holds;
mod retention;
pub mod sinks;
mod sod_rules;
mod subjects;
mod workspaces;

pub use activity_review::{ACTIVITY_REVIEWERS, CompleteActivityReview, WatchActivityReview};
pub use erasure::{ApproveErasure, ERASURE_STAFF, RefuseErasure, RepeatErasure, RequestErasure};
pub use evidence::{AUDITORS, AskedEvidence, OpenEvidence, RequestEvidence, takes_away};
pub use export_audit_events::{
    AUDIT_READERS, AuditReader, ExportAuditEvents, RecordAuditExportGiven, RequestedExport,
};
pub use export_audit_report::{ExportAuditReport, REPORT_READERS};
pub use ledger::{ErasureLedger, LedgerError};
pub(crate) use left_over::{ErasuresProcess, Keeper};
pub use legal_holds::{
    HOLD_KEEPERS, NameRecordsOfficer, PlaceLegalHold, ReleaseLegalHold, RelieveRecordsOfficer,
};
pub use retention::{RETENTION_READERS, Retention};
pub use sod_rules::{DefineSodRule, RetireSodRule};
pub use workspaces::{
    CloseAuditWorkspace, OpenAuditWorkspace, RemoveWorkspaceQuestion, RenameAuditWorkspace,
    SaveWorkspaceQuestion,
};
