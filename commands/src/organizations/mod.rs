//! Commands on organisations.
//!
//! Invariant: who belongs to an organisation is decided on its own stream.

pub mod members;
