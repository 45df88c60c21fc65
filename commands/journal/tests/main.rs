//! The journal against a real PostgreSQL; each test has a database of its own.

mod support;

mod append;
mod erasure;
mod rebuild;
mod runner;
