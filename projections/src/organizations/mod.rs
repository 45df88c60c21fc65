//! Organisations: the plan's file, NPIs, members, email domains and registration tokens (MC-03,
//! MC-12 to MC-14, GN-32).
//!
//! Invariant: nothing personal stands here; people are ids, and names come from `read.people`.

mod list;
mod one;
mod places;
mod projection;
mod rows;
mod tokens;

pub use list::{NpiRow, NpiSearch, OrganizationSearch, count_npis, npis, organizations};
pub use one::{DomainRow, PerOrganization, admins, email_domains, first_npis, organizations_by_id};
pub use places::{LocationKey, LocationRow, TaxIdRow, locations, locations_by_id, tax_ids};
pub use projection::Organizations;
pub(crate) use projection::name_given;
pub use rows::{ContractPeriod, OrganizationRow};
pub use tokens::{TokenFilter, TokenRow, registration_tokens, registration_tokens_by_id};
