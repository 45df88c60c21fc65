//! The GraphQL API: the catalogue's commands as mutations, its read models as queries.
//!
//! Invariant: resolvers hold no rule; a mutation sends one command, a query reads one view.

mod about;
mod access_register;
mod access_requests;
pub mod access_reviews;
mod affiliations;
mod api_keys;
mod attestations;
pub mod audit;
mod content;
pub mod errors;
pub mod ids;
mod imports;
mod nodes;
pub mod notifications;
pub mod organizations;
pub mod paging;
pub mod permissions;
mod pins;
pub mod policies;
pub mod reading;
pub mod scalars;
mod schema;
pub mod sending;
pub mod sessions;
mod tailing;
mod tasks;
pub mod tenants;
pub mod transactions;
pub mod user_directory;
pub mod users;
pub mod visiting;
pub mod vocabulary;

pub use schema::{Schema, schema, sdl};
