//! Tenants and the people of the health plan who run them (GN-31).
//!
//! Invariant: an operator creates, suspends and closes tenants and holds no right inside one.

mod plan_role;
mod plan_scope;
mod plan_staff;
mod plan_staff_events;
mod tenant;

pub use plan_role::PlanRole;
pub use plan_scope::PlanScope;
pub use plan_staff::{
    MOST, PlanRoleGrant, PlanStaff, PlanStaffCommand, PlanStaffInvitation, PlanStaffRefusal,
};
pub use plan_staff_events::{PlanRoleEnd, PlanStaffEvent};
pub use tenant::{Tenant, TenantCommand, TenantEvent, TenantProfile, TenantRefusal};
