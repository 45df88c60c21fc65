//! Commands on a person's password and lock: reset, change, unlock (MC-22, MC-26, MC-27, CC-06).

mod admin_reset_password;
mod age_password;
mod change_password;
mod helping;
mod matching;
mod request_password_reset;
mod reset_password;
mod temporary;
mod unlock_user;

pub use admin_reset_password::{AdminResetPassword, ResetSecret};
pub use age_password::AgePassword;
pub use change_password::ChangePassword;
pub use matching::CurrentPassword;
pub(crate) use matching::matching_hash;
pub use request_password_reset::{RequestPasswordReset, ResetIdentity};
pub use reset_password::ResetPassword;
pub use temporary::temporary_password;
pub use unlock_user::{ExpireLock, UnlockUser};
