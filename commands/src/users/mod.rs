//! Commands by which people come to have an account and keep it: invitations, passcodes, passwords.

mod accept_agreement;
pub(crate) mod account;
pub mod authenticator;
mod correction;
mod credential;
mod disclose_username;
mod external_identity;
pub mod invitation;
pub mod links;
mod new_password;
pub mod one_time_passcode;
mod profile;
mod set_password;
mod sole_care;

pub use accept_agreement::{AcceptAgreement, AgreedIn, Agreeing};
pub use account::{EMAIL, USERNAME};
pub(crate) use account::{reserve_email, user_of};
pub use correction::{ChangeUserEmail, CorrectUserDetails};
pub(crate) use credential::matching_hash;
pub use credential::{
    AdminResetPassword, AgePassword, ChangePassword, CurrentPassword, ExpireLock,
    RequestPasswordReset, ResetIdentity, ResetPassword, ResetSecret, UnlockUser,
    temporary_password,
};
pub use disclose_username::{DiscloseUsername, SUPPORT};
pub(crate) use external_identity::release_identities;
pub use external_identity::{
    DistrustIssuer, LinkExternalIdentity, ShownIdentity, TrustIssuer, UnlinkExternalIdentity,
};
pub use new_password::{Candidate, PASSWORD, PASSWORD_FORM, keep as keep_password, new_password};
pub use profile::{ChangeEmail, ChangePhone, UpdateProfile, VerifyEmail};
pub use set_password::SetPassword;

/// What the vault keeps of a person and goes with them (GN-27).
pub(crate) const PERSONAL_SECRETS: [&str; 4] =
    [PASSWORD, PASSWORD_FORM, authenticator::SECRET, authenticator::CODES];
