//! Why an account refused. Invariant: an account that is not there is answered like a foreign one.

use crate::{Code, Refusal};

/// Why an account refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UserRefusal {
    #[error("Nobody with this id exists here. Check the id and try again.")]
    Unknown,
    #[error("This account exists already. Sign in instead.")]
    AlreadyRegistered,
    #[error("This link is not valid. Use the newest one, or ask for another.")]
    LinkInvalid,
    #[error("This link has expired. Enter your email address again for another.")]
    LinkExpired,
    #[error("This link has been used: the address is verified.")]
    LinkUsed,
    #[error("People sign in by email address here; there is no user name to tell.")]
    NoUsername,
    #[error("Mail about the security of your account cannot be switched off or put off.")]
    SecurityMail,
    #[error("Only organization administrators receive these notices.")]
    AdminOnly,
}

impl From<UserRefusal> for Refusal {
    fn from(refusal: UserRefusal) -> Self {
        let message = refusal.to_string();
        match refusal {
            UserRefusal::Unknown => Self::new(Code::UserUnknown, message).at("userId"),
            UserRefusal::AlreadyRegistered => Self::new(Code::AlreadyAccepted, message),
            UserRefusal::LinkInvalid => Self::new(Code::LinkInvalid, message).at("token"),
            UserRefusal::LinkExpired => Self::new(Code::LinkExpired, message).at("token"),
            UserRefusal::LinkUsed => Self::new(Code::LinkUsed, message).at("token"),
            UserRefusal::NoUsername => Self::new(Code::NotFound, message).at("userId"),
            UserRefusal::SecurityMail => Self::new(Code::FieldInvalid, message).at("email"),
            UserRefusal::AdminOnly => Self::new(Code::NotOrgAdmin, message).at("type"),
        }
    }
}
