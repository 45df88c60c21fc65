//! Commands by which people come to have an account and keep it: invitations, passcodes, passwords.

mod accept_agreement;
mod account;
pub mod invitation;
pub mod links;
mod new_password;
pub mod one_time_passcode;
mod set_password;

pub use accept_agreement::{AcceptAgreement, AgreedIn, Agreeing};
pub use account::{EMAIL, USERNAME};
pub use new_password::{Candidate, PASSWORD, PASSWORD_FORM, keep as keep_password, new_password};
pub use set_password::SetPassword;
