//! The audit timeline pushed to the plan's own receivers (GN-26): commands, the receivers' queue, and
//! the client that delivers.
//!
//! Invariant: a batch has one id from its first try to its last, and the place from which a receiver
//! goes on moves after it took what came before, never sooner.

mod client;
mod manage;
mod process;
mod queue;
mod record;
mod secret;
mod target;

use rollcall_domain::tenants::PlanRole;

pub use client::{Batch, SinkClient, Verdict};
pub use manage::{
    CreateAuditSink, CreatedSink, DeleteAuditSink, PauseAuditSink, ResumeAuditSink,
    RotateAuditSinkSecret,
};
pub use process::SinksProcess;
pub use queue::{Claimed, Standing, Step, Turn, claim, put_off, standings};
pub use record::{RecordAuditSinkDelivered, StopAuditSink};
pub use secret::{SinkSecret, signature};
pub use target::{Targets, is_public};

/// Who of the plan decides where its records go.
pub const SINK_STAFF: &[PlanRole] = &[PlanRole::Pa];
/// Who sees where they go.
pub const SINK_READERS: &[PlanRole] = &[PlanRole::Pa, PlanRole::Au];
