//! Organisations: enrolment by the plan, registration by letter token, members, NPIs and email
//! domains (MC-03 to MC-14, MC-29 to MC-31, GN-03 to GN-05, GN-10, GN-32).
//!
//! Invariant: whatever must hold within one organisation (its last administrator, its domains, its
//! NPIs) is decided inside its one stream.

pub mod account_request;
mod address;
mod contract;
pub mod organization;
pub mod registration;
pub mod registration_token;
mod types;

pub use account_request::{AccountRequest, AccountRequestCommand, AccountRequestEvent};
pub use address::PostalAddress;
pub use contract::Contract;
pub use organization::{Organization, OrganizationCommand, OrganizationEvent, OrganizationRefusal};
pub use registration::{
    Registration, RegistrationCommand, RegistrationEvent, RegistrationRefusal, RegistrationRoute,
    RegistrationStep,
};
pub use registration_token::{
    RegistrationToken, RegistrationTokenCommand, RegistrationTokenEvent, RegistrationTokenRefusal,
    TokenPhase, TokenRejection,
};
pub use types::{
    Authority, Change, ContractStatus, DeactivationCause, EnrolmentChanges, EnrolmentSource,
    InvitationEnd, MembershipOrigin, MergePart, MergeStage, MergedRoles, OrgRole, OrganizationKind,
    OrganizationKinds, TaxIdRef,
};
