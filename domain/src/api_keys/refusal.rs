//! Why a key refuses.

use crate::{Code, Refusal};

/// A refusal of stream `api_keys.api_key`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApiKeyRefusal {
    #[error("No such key exists here. Check the id and try again.")]
    Unknown,
    #[error("This portal does not offer keys for machines.")]
    NotOffered,
    #[error("Choose at least one scope.")]
    NoScope,
    #[error("Choose an end in the future, at most {max_days} days from now.")]
    EndOutOfRange { max_days: u32 },
    #[error("This key was revoked. Create another one.")]
    Revoked,
    #[error("This key has expired. Create another one.")]
    Expired,
    #[error("This key works no longer as it is.")]
    Over,
    #[error("This key exists already. Try again.")]
    Exists,
}

impl ApiKeyRefusal {
    /// As whoever revokes a key is told: it is not their own access that is over.
    pub(super) fn once_over(self) -> Self {
        match self {
            Self::Revoked | Self::Expired => Self::Over,
            Self::Unknown
            | Self::NotOffered
            | Self::NoScope
            | Self::EndOutOfRange { .. }
            | Self::Over
            | Self::Exists => self,
        }
    }
}

impl From<ApiKeyRefusal> for Refusal {
    fn from(refusal: ApiKeyRefusal) -> Self {
        let message = refusal.to_string();
        match refusal {
            ApiKeyRefusal::Unknown => Self::not_found("apiKeyId"),
            ApiKeyRefusal::NotOffered => Self::new(Code::FeatureDisabled, message),
            ApiKeyRefusal::NoScope => Self::new(Code::FieldRequired, message).at("scopes"),
            ApiKeyRefusal::EndOutOfRange { .. } => {
                Self::new(Code::RangeInvalid, message).at("expiresAt")
            }
            ApiKeyRefusal::Revoked => Self::new(Code::ApiKeyRevoked, message),
            ApiKeyRefusal::Expired => Self::new(Code::ApiKeyExpired, message),
            ApiKeyRefusal::Over => Self::new(Code::AlreadyInactive, message).at("apiKeyId"),
            ApiKeyRefusal::Exists => Self::new(Code::VersionConflict, message),
        }
    }
}
