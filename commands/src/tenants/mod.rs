//! Commands on tenants and the people of the health plan who run them (GN-31).
//!
//! Invariant: an operator's command writes into the tenant it names and reads nothing there but what
//! it decides on; no operator command answers with a tenant's data.

pub mod bootstrap;
mod create_tenant;
mod first_operator;
mod staff;
mod standing;

pub use bootstrap::bootstrap;
pub use create_tenant::{CreateTenant, CreatedTenant, FirstAdministrator};
pub use first_operator::RegisterFirstOperator;
pub(crate) use staff::end_plan_role;
pub use staff::{
    AssignPlanRole, EndPlanRole, InvitePlanStaff, InvitedPlanStaff, PersonDetails, ScopePlanRole,
};
pub use standing::{CloseTenant, ResumeTenant, SuspendTenant};
