//! A portal's rules and its agreement texts (GN-02, MC-02).

mod mutations;
pub mod nodes;
mod queries;
mod types;

pub use mutations::PoliciesMutation;
pub use queries::PoliciesQuery;
pub use types::Agreement;
