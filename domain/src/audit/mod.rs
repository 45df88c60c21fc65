//! What was refused for want of a right (requirements, section 1: refused commands that matter to
//! security leave their own event), and what of the timeline was taken away (GN-26).
//!
//! Invariant: a denial is complete in itself: one stream, one event.

mod denial;
mod export;

pub use denial::{AccessDenied, Denial, DenialCommand, DenialEvent, DenialRefusal};
pub use export::{
    AuditExport, AuditExportCommand, AuditExportEvent, AuditExportRefusal, Export, ExportFilter,
    ExportFormat, Given,
};
