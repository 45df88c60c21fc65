//! Tenants and the people of the health plan who run them (GN-31).
//!
//! Invariant: an operator creates, suspends and closes tenants and holds no right inside one.

mod plan_role;
mod plan_staff;
mod tenant;

pub use plan_role::PlanRole;
pub use plan_staff::{
    PlanRoleEnd, PlanRoleGrant, PlanStaff, PlanStaffCommand, PlanStaffEvent, PlanStaffInvitation,
    PlanStaffRefusal,
};
pub use tenant::{Tenant, TenantCommand, TenantEvent, TenantProfile, TenantRefusal};
