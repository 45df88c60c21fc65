//! PINs in the schema (MC-50 to MC-53).
//!
//! Invariant: a PIN is in the answer to its reveal and in no other type.

mod mutations;
pub mod nodes;
mod queries;
mod types;

pub use mutations::PinMutation;
pub use queries::PinQuery;
pub use types::Pin;
