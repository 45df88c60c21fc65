//! Commands on what a member may do for which NPI (MC-39 to MC-48).
//!
//! Invariant: only an active administrator of the organisation sets permissions, and what the
//! organisation holds is read in the same unit of work, so an NPI that leaves meanwhile is refused.

pub(crate) mod member;
mod questions;
mod set_correspondence_permissions;
mod set_npi_permissions;
mod wizard;

pub use questions::{
    DIRECTORY_READERS, RightsQuestion, access_to_user, admins_have_npi, effective_rights,
};
pub use set_correspondence_permissions::SetCorrespondencePermissions;
pub use set_npi_permissions::{QuickAssignNpis, SetNpiPermissions};
pub use wizard::{DeferPermissions, FinishPermissionWizard};
