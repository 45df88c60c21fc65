//! Links that are mailed or printed: what each kind is for and where it leads.
//!
//! Invariant: a link's token is derived from its id when it is rendered; only its hash is stored.

use rollcall_journal::secrets::Secrets;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What a link is for; the first part of its path and the label its token is derived under.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LinkPurpose {
    /// Accepting an invitation (MC-15).
    Invitation,
    /// Setting the first password (MC-21).
    SetPassword,
    /// Replacing a forgotten password (MC-26).
    ResetPassword,
    /// Showing that mail to a new address arrives (GN-06).
    VerifyEmail,
    /// Registering an organisation by the letter's token (MC-04).
    Registration,
    /// Becoming the service's first operator.
    FirstOperator,
}

impl LinkPurpose {
    /// Every purpose.
    pub const ALL: [Self; 6] = [
        Self::Invitation,
        Self::SetPassword,
        Self::ResetPassword,
        Self::VerifyEmail,
        Self::Registration,
        Self::FirstOperator,
    ];

    /// The purpose's name in paths and derivations; never changed, or links already sent break.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Invitation => "invitation",
            Self::SetPassword => "set-password",
            Self::ResetPassword => "reset-password",
            Self::VerifyEmail => "verify-email",
            Self::Registration => "registration",
            Self::FirstOperator => "first-operator",
        }
    }

    /// The token of the link with this id: 43 characters, base64url.
    #[must_use]
    pub fn token(self, secrets: &Secrets, id: Uuid) -> String {
        secrets.link_token(self.as_str(), id)
    }

    /// Where the link leads.
    #[must_use]
    pub fn url(self, public_url: &str, token: &str) -> String {
        format!("{public_url}/{}/{token}", self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use rollcall_journal::MasterKey;

    use super::*;

    #[test]
    fn a_link_names_its_purpose_and_each_purpose_has_its_own_tokens() {
        let secrets = Secrets::new(&MasterKey::from_bytes([7; 32]));
        let id = Uuid::from_u128(1);
        let token = LinkPurpose::SetPassword.token(&secrets, id);
        assert_ne!(token, LinkPurpose::ResetPassword.token(&secrets, id));
        assert_eq!(
            LinkPurpose::SetPassword.url("https://portal.test", &token),
            format!("https://portal.test/set-password/{token}")
        );
    }

    #[test]
    fn a_purpose_is_stored_under_the_name_in_its_path() {
        for purpose in LinkPurpose::ALL {
            assert_eq!(serde_json::to_value(purpose).unwrap(), purpose.as_str());
        }
    }
}
