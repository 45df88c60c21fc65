//! The write side of Rollcall: every change enters here and leaves as events.
//!
//! One way through: dispatch → idempotency → authorise → load → decide → append. Architecture
//! invariant: nothing here reads a projection; a decision rests on streams alone, and what it read
//! is checked again at the append.

pub mod access_requests;
pub mod access_reviews;
pub mod affiliations;
pub mod api_keys;
pub mod attestations;
pub mod audit;
pub mod authentication;
pub mod authorization;
pub mod caller;
pub mod content;
mod context;
mod dispatch;
mod failure;
pub mod imports;
pub mod links;
pub mod messages;
pub mod notifications;
pub mod organizations;
pub mod outbox;
pub mod paper;
pub mod passwords;
pub mod permissions;
pub mod pins;
pub mod policies;
pub mod post;
pub mod processes;
mod rate_limit;
pub mod scheduler;
mod service;
pub mod session_activity;
pub mod sessions;
pub mod tenants;
pub mod transactions;
pub mod users;
mod versions;

pub use authorization::{Access, Authority, Demand};
pub use caller::{Caller, Identity};
pub use context::Context;
pub use dispatch::{Command, IdempotencyKey, NO_KEY, Receipt};
pub use failure::{DispatchError, Failure};
pub use service::{Commands, CommandsConfig};
pub use versions::{Entity, Seen};
