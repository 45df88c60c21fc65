//! Commands on a person's own data: names, telephone, email address (MC-27, CX-06, GN-06).
//!
//! Invariant: what a lost account is recovered by, the telephone and the address, is changed only by
//! somebody who knows the password, and the owner hears of it at the old address.

mod change_email;
mod change_phone;
mod update_profile;

pub(crate) use change_email::give_address;
pub use change_email::{ChangeEmail, VerifyEmail};
pub use change_phone::ChangePhone;
pub use update_profile::UpdateProfile;
