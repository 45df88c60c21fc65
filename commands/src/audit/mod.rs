//! Commands on the records themselves (GN-26).
//!
//! Invariant: nothing of them leaves as a file before it is on record who asked for what.

mod evidence;
mod export_audit_events;
pub mod sinks;
mod workspaces;

pub use evidence::{AUDITORS, AskedEvidence, OpenEvidence, RequestEvidence, takes_away};
pub use export_audit_events::{
    AUDIT_READERS, AuditReader, ExportAuditEvents, RecordAuditExportGiven, RequestedExport,
};
pub use workspaces::{
    CloseAuditWorkspace, OpenAuditWorkspace, RemoveWorkspaceQuestion, RenameAuditWorkspace,
    SaveWorkspaceQuestion,
};
