//! Portals, operators and plan staff (GN-31).

mod mutations;
mod operator_mutations;
mod queries;
mod types;

pub use mutations::PlanStaffMutation;
pub use operator_mutations::OperatorMutation;
pub use queries::TenantsQuery;
pub use types::PolicyPreset;
