//! Why an authenticator refused.

use crate::{Code, Refusal};

/// Why an authenticator refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthenticatorRefusal {
    #[error("You have an authenticator app already. Remove it before you add another.")]
    AlreadyEnrolled,
    #[error("There is no authenticator app to go on with. Add one first.")]
    NotEnrolled,
    #[error("The secret was shown too long ago. Begin again and scan the new one.")]
    EnrolmentExpired,
    #[error("The code is not right. Check the clock of your telephone and enter the newest code.")]
    CodeWrong,
    #[error("This code has served already. Wait for the next one.")]
    CodeUsed,
}

impl From<AuthenticatorRefusal> for Refusal {
    fn from(refusal: AuthenticatorRefusal) -> Self {
        let message = refusal.to_string();
        match refusal {
            AuthenticatorRefusal::AlreadyEnrolled => Self::new(Code::AlreadyEnrolled, message),
            AuthenticatorRefusal::NotEnrolled => Self::new(Code::NotEnrolled, message),
            AuthenticatorRefusal::EnrolmentExpired => Self::new(Code::OtpExpired, message),
            AuthenticatorRefusal::CodeWrong => Self::new(Code::OtpWrong, message).at("code"),
            AuthenticatorRefusal::CodeUsed => Self::new(Code::OtpUsed, message).at("code"),
        }
    }
}
