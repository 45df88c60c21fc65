//! Portals, operators and plan staff (GN-31).

mod mutations;
pub mod nodes;
mod operator_mutations;
mod queries;
mod types;

pub use mutations::PlanStaffMutation;
pub use operator_mutations::OperatorMutation;
pub(in crate::graphql) use queries::STAFF_READERS;
pub use queries::TenantsQuery;
pub use types::{ClientGuidance, PlanStaff, PolicyPreset, PortalFeature, Tenant};
