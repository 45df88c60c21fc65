//! The service `rollcall`: its HTTP surface, GraphQL API, console and command line.
//!
//! Invariant: every way in, whatever its protocol, goes through the same schema and the same
//! resolution of the caller.

pub mod http;
pub mod postgres;
