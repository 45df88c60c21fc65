//! The service `rollcall`: its configuration, PostgreSQL, HTTP surface, GraphQL API, console and
//! command line.
//!
//! Invariant: every way in, whatever its protocol, goes through the same schema and the same
//! resolution of the caller.

// Merged objects nest one future per context; the compiler's default depth ends at about ten.
#![recursion_limit = "512"]

pub mod cli;
pub mod config;
mod coverage;
pub mod demo;
pub mod dev;
pub mod documents;
pub mod gateway;
pub mod graphql;
pub mod ground;
pub mod http;
pub mod link_pages;
pub mod metrics;
pub mod postgres;
pub mod proxies;
mod register;
pub mod routes;
pub mod service;
mod sinks;
pub mod witness;
