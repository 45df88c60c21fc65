//! Commands on organisations: enrolment, standing, NPIs, registration tokens and members (MC-03,
//! MC-12 to MC-14, MC-29 to MC-31, MC-47, GN-03, GN-32).
//!
//! Invariant: what the plan has on file comes from the plan alone, and who belongs to an organisation
//! is decided on its own stream.

mod account_request;
pub mod enrolment;
pub mod enrolment_file;
mod import_enrolment;
mod kinds;
pub mod letter;
pub mod matching;
pub mod members;
pub mod merging;
mod npis;
mod places;
mod planned_ends;
pub mod registration;
mod standing;
pub mod tokens;

pub(crate) use account_request::PENDING as PENDING_ACCOUNT_REQUEST;
pub use account_request::{
    Agreed, FulfilAccountRequest, RejectAccountRequest, SubmitAccountRequest,
};
pub use enrolment::EnrolmentRow;
pub(crate) use import_enrolment::REFERENCE;
pub use import_enrolment::{
    ImportEnrolment, ImportOrigin, MAX_ROWS, RowOutcome, RowResult, file_sha256,
};
pub use kinds::{SetContractStatus, SetOrganizationKinds, parse_contract_status, parse_kinds};
pub(crate) use matching::TAX_ID;
pub(crate) use npis::NPI;
pub use npis::{AttachNpi, DetachNpi, MoveNpi, NpiDetails};
pub use places::{LinkTaxId, RegisterLocation, SetLocationCredentialed, TerminateLocation};
pub use planned_ends::{CancelNpiEnd, CarryOutNpiEnd};
pub(crate) use standing::suspend;
pub use standing::{CloseOrganization, ReopenOrganization, SuspendOrganization};

use rollcall_domain::tenants::PlanRole;

/// Whoever of the plan keeps the enrolment file.
pub const ENROLMENT_STAFF: &[PlanRole] = &[PlanRole::Pa, PlanRole::Ps];
