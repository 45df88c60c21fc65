//! Commands on what a member may do (MC-39 to MC-48, CC-08 to CC-10, CX-12, CC-02).
//!
//! Invariant: only an active administrator of the organisation sets permissions, and what the
//! organisation holds is read in the same unit of work, so an NPI that leaves meanwhile is refused.

pub(crate) mod grants;
mod job_roles;
pub(crate) mod locations;
pub(crate) mod member;
mod questions;
pub mod right_use;
mod set_correspondence_permissions;
mod set_npi_permissions;
mod wizard;

pub use grants::{AssignJobRole, GrantFeature, GrantTarget, RevokeFeature, UnassignJobRole};
pub use job_roles::{DefineJobRole, RetireJobRole};
pub use locations::{
    GrantLocationAccess, GrantTaxIdAccess, RevokeLocationAccess, RevokeTaxIdAccess,
};
pub use questions::{
    Answer, DIRECTORY_READERS, RightsQuestion, access_to_user, admins_have_npi, effective_rights,
    job_roles_of,
};
pub use set_correspondence_permissions::SetCorrespondencePermissions;
pub use set_npi_permissions::{QuickAssignNpis, SetNpiPermissions};
pub use wizard::{DeferPermissions, FinishPermissionWizard};
