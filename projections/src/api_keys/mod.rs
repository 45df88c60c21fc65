//! Machines' keys, for the administrators of their owners (GN-28).
//!
//! Invariant: nothing here helps to use a key; a key is known by its id.

mod projection;
mod queries;

pub use projection::ApiKeys;
pub use queries::{ApiKeyFilter, ApiKeyRow, api_keys, api_keys_by_id, count};
