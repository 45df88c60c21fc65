//! The vocabulary every context shares: ids, events, deciders, actors and sealed personal data.

mod actor;
mod any;
mod decider;
mod event;
#[cfg(test)]
mod golden;
mod hex;
pub mod ids;
#[cfg(test)]
pub mod scenario;
mod seal;
mod told;

pub use actor::{Actor, ActorKind};
pub use any::{DecodeError, EventSet};
pub use decider::{Decider, Decision};
pub use event::{Event, Facets};
pub use hex::hex;
pub use seal::Sealed;
pub use told::Told;
