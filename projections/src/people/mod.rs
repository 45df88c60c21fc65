//! People: names, addresses and numbers of everybody with an account or an open invitation.
//!
//! Invariant: personal data stands in `read.people` and in no other read table; a field whose key
//! was destroyed is absent here.

mod projection;
mod queries;

pub use projection::People;
pub use queries::{Person, person, persons};
