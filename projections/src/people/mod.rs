//! People: names, addresses and numbers of everybody with an account or an open invitation.
//!
//! Invariant: personal data stands in the tables of this projection and in no other read table but the
//! audit timeline's, which is searched by it; a field whose key was destroyed is absent here.

mod former;
mod invited;
mod projection;
mod queries;

pub use former::{FormerDetail, FormerField, former_details};
pub use projection::People;
pub(crate) use projection::names_given;
pub use queries::{Person, full_name, person, persons};
