//! Agreements people accepted: which version, which boxes, when and in which course (MC-06, MC-18).
//!
//! Invariant: each acceptance stands here once, at the moment its boxes were ticked; what an account
//! takes over from the registration or invitation that opened it is no second one.

mod projection;
mod queries;

pub use projection::Acceptances;
pub use queries::{AcceptanceRow, Occasion, acceptances, count_acceptances};
