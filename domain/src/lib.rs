//! The rules of Rollcall: values, events, aggregates and policies.
//!
//! Architecture invariant: this crate is deaf and blind. No IO, no async, no clock, no randomness:
//! time, ids and the actor come in as arguments, so every rule can be shown in a test without a
//! server and replays the same way forever.

pub mod access_requests;
pub mod access_reviews;
pub mod affiliations;
pub mod api_keys;
pub mod attestations;
pub mod audit;
pub mod content;
pub mod events;
pub mod imports;
pub mod kernel;
pub mod notifications;
pub mod organizations;
pub mod permissions;
pub mod pins;
pub mod policies;
pub mod refusal;
pub mod sessions;
#[cfg(test)]
mod state_machines;
mod streams;
pub mod tenants;
pub mod transactions;
pub mod users;
pub mod values;

pub use events::AnyEvent;
pub use kernel::{Actor, Decider, Decision, Event, Facets, Sealed, Told, hex};
pub use refusal::{Code, Refusal};
