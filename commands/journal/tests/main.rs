//! The journal against a real PostgreSQL; each test has a database of its own.

mod support;

mod append;
mod batches;
mod chains;
mod cqrs;
mod erasure;
mod isolation;
mod reading;
mod rebuild;
mod runner;
mod sealing;
