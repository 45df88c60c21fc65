//! What acceptance tests stand on: a real service on a real PostgreSQL, driven over HTTP.

mod database;
mod portal;

pub use portal::{Answer, Client, Portal};
