//! What was refused for want of a right (requirements, section 1: refused commands that matter to
//! security leave their own event), what of the records was taken away: evidence (GN-35), and parts of the
//! timeline (GN-26), as a file or pushed to the plan's receivers; auditors' workspaces, each pinned to a
//! place of the log; and how long what is known of a person is kept: retention, legal holds (GN-26) and
//! erasure (GN-27).
//!
//! Invariant: a denial is complete in itself: one stream, one event.

mod activity_review;
mod denial;
mod erasure;
mod evidence;
mod export;
mod legal_hold;
mod report;
pub mod retention;
mod sinks;
mod sod_rules;
mod workspace;

pub use activity_review::{
    ATTESTATION, ATTESTATION_VERSION, ActivityReviews, ActivityReviewsCommand,
    ActivityReviewsEvent, ActivityReviewsRefusal, CompletedReview, NextReview, ReviewPeriod,
    ReviewSignature, ReviewedQuestion,
};
pub use denial::{AccessDenied, Denial, DenialCommand, DenialEvent, DenialRefusal};
pub use erasure::{
    DECIDED_WITHIN, Erasure, ErasureCommand, ErasureEvent, ErasureRefusal, LegalBasis, Obstacles,
    RequestedErasure,
};
pub use evidence::{
    Evidence, EvidenceCommand, EvidenceEvent, EvidenceQuestion, EvidenceRefusal, FETCHED_WITHIN,
    RequestedEvidence,
};
pub use export::{
    AuditExport, AuditExportCommand, AuditExportEvent, AuditExportRefusal, Export, ExportFilter,
    ExportFormat, Given, LINK_WORKS_FOR,
};
pub use legal_hold::{
    HoldScope, LegalHold, LegalHolds, LegalHoldsCommand, LegalHoldsEvent, LegalHoldsRefusal, Traces,
};
pub use report::{ReportDefinition, ReportName, ReportParameter, ReportQuestion};
pub use sinks::{
    AuditSink, AuditSinkRefusal, AuditSinks, AuditSinksCommand, AuditSinksEvent, Delivered,
    MOST_SINKS, NewSink, PauseCause, SinkFormat,
};
pub use sod_rules::{
    SodRight, SodRules, SodRulesCommand, SodRulesEvent, SodRulesRefusal, SodScope, SodTerms,
};
pub use workspace::{
    LONGEST_QUESTION, MOST_QUESTIONS, Workspace, WorkspaceCommand, WorkspaceEvent,
    WorkspaceRefusal, WorkspaceUser,
};
