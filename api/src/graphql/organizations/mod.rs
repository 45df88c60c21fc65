//! Organisations, their NPIs and registration tokens (MC-03, MC-12, MC-13, GN-32).

pub mod account_requests;
mod enrolment_mutations;
mod merging;
mod mutations;
pub mod nodes;
mod places;
mod queries;
pub mod registrations;
mod token_mutations;
mod types;

pub use account_requests::{AccountRequestMutation, AccountRequestQuery};
pub use enrolment_mutations::EnrolmentMutation;
pub use merging::MergingMutation;
pub use mutations::OrganizationsMutation;
pub use places::{LinkedTaxId, Location, PlacesMutation, PlacesQuery};
pub use queries::{OrganizationsQuery, read_organization};
pub use token_mutations::RegistrationTokensMutation;
pub use types::{EmailDomain, Organization, OrganizationKind, RegistrationToken};
