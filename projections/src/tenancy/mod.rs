//! Tenancy: portals, plan staff, policy changes and agreement texts (GN-02, GN-31, MC-02).
//!
//! Invariant: the operators' directory holds nothing of a tenant but its name and state.

mod agreements;
mod policies;
mod portals;
mod projection;
mod proposals;
mod staff;

pub use agreements::{AgreementRow, agreement, agreement_history, agreements_by_id};
pub use policies::{PolicyChangeRow, policy_changes, policy_history};
pub use portals::{PortalRow, TenantRow, client_guidance, portal, tenants, tenants_by_id};
pub use projection::Tenancy;
pub use proposals::{ProposalRow, ProposalStatus, policy_proposals, policy_proposals_by_id};
pub use staff::{PlanRoleRow, PlanStaffRow, plan_staff, plan_staff_by_id};
