//! Registering an organisation by the token of its letter, step by step (MC-04 to MC-08, MC-10,
//! MC-11).
//!
//! Invariant: a visitor holds an unguessable registration id and learns nothing about accounts: the
//! steps and answers are the same for an address that is known and one that is not.

mod add_organization;
mod complete;
mod details;
mod start;
mod tries;
mod view;

pub use add_organization::AddOrganization;
pub use complete::CompleteOrganizationRegistration;
pub use details::{EnrolmentClaims, SubmitRegistrantDetails};
pub use start::StartOrganizationRegistration;
pub use view::RegistrationView;
