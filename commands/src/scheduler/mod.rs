//! What happens by itself when its time comes: invitations, tokens, requests, locks and temporary
//! permissions end, passwords grow old, digests go out, who never got a permission or does not sign
//! in any more is deactivated.
//!
//! Invariant: the end is decided by the aggregate at the injected clock's time, whether or not the
//! scheduler is late; the scheduler only has it written down, once.

mod changes;
mod due;
mod ends;
mod expire_grants;
mod kind;
mod process;
mod review_ends;
mod task;

pub use due::count as due;
pub(crate) use due::note_digest;
pub use expire_grants::{ExpireGrant, ExpireNpiPermission, ExpirePlanRole};
pub use process::ScheduleProcess;
pub use task::Scheduler;
