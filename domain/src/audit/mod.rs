//! What was refused for want of a right (requirements, section 1: refused commands that matter to
//! security leave their own event), and what of the records was taken away: evidence (GN-35), and parts
//! of the timeline (GN-26), as a file or pushed to the plan's receivers; and auditors' workspaces, each pinned to a place of the log.
//!
//! Invariant: a denial is complete in itself: one stream, one event.

mod denial;
mod evidence;
mod export;
mod sinks;
mod workspace;

pub use denial::{AccessDenied, Denial, DenialCommand, DenialEvent, DenialRefusal};
pub use evidence::{
    Evidence, EvidenceCommand, EvidenceEvent, EvidenceQuestion, EvidenceRefusal, FETCHED_WITHIN,
    RequestedEvidence,
};
pub use export::{
    AuditExport, AuditExportCommand, AuditExportEvent, AuditExportRefusal, Export, ExportFilter,
    ExportFormat, Given,
};
pub use sinks::{
    AuditSink, AuditSinkRefusal, AuditSinks, AuditSinksCommand, AuditSinksEvent, Delivered,
    MOST_SINKS, NewSink, PauseCause, SinkFormat,
};
pub use workspace::{
    LONGEST_QUESTION, MOST_QUESTIONS, Workspace, WorkspaceCommand, WorkspaceEvent,
    WorkspaceRefusal, WorkspaceUser,
};
