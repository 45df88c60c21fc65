//! The transport against a small schema, over real connections.
//!
//! Invariant: what a test sends and sees is bytes of HTTP or WebSocket, as a client would.

mod documents;
mod fixture;
mod persisted;
mod requests;
mod sockets;
mod streams;
mod tracing;
