//! Who is to be erased and who was (GN-27): `erasureRequests`, and who is told as "a person who was
//! erased".
//!
//! Invariant: a row per person, of the newest request; reasons are personal and stay in the journal.

mod projection;
mod queries;

pub use projection::Erasures;
pub use queries::{ErasureRow, ErasureStatus, erased_of, erasures, erasures_of};
