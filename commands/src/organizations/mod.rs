//! Commands on organisations: enrolment, standing, NPIs and registration tokens (MC-03, MC-12,
//! MC-13, GN-03, GN-32).
//!
//! Invariant: what the plan has on file comes from the plan alone; no organisation changes its own
//! file here.

pub mod enrolment;
mod import_enrolment;
mod kinds;
pub mod letter;
pub mod matching;
mod npis;
pub mod registration;
mod standing;
pub mod tokens;

pub use enrolment::EnrolmentRow;
pub use import_enrolment::{
    ImportEnrolment, ImportOrigin, MAX_ROWS, RowOutcome, RowResult, file_sha256,
};
pub use kinds::{SetContractStatus, SetOrganizationKinds, parse_contract_status, parse_kinds};
pub use npis::{AttachNpi, DetachNpi, NpiDetails};
pub use standing::{CloseOrganization, ReopenOrganization, SuspendOrganization};

use rollcall_domain::tenants::PlanRole;

/// Whoever of the plan keeps the enrolment file.
pub(crate) const ENROLMENT_STAFF: &[PlanRole] = &[PlanRole::Pa, PlanRole::Ps];
