//! What carries a sign-in from its first step to its second (MC-34).
//!
//! Invariant: the ticket is ciphertext of what was typed, made without a look at the accounts, so it
//! cannot tell whether there is one.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use rollcall_domain::{Code, Refusal, kernel::ids::TenantId};
use rollcall_journal::secrets::Secrets;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Identifier;

/// How long the second step may take.
const VALID_FOR: TimeDelta = TimeDelta::minutes(10);
/// The label under which tickets are sealed.
const KIND: &str = "login";

/// A ticket as the client holds it; shows nothing in `Debug`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LoginTicket(String);

#[derive(Serialize, Deserialize)]
struct Content {
    identifier: String,
    expires_at: DateTime<Utc>,
}

impl LoginTicket {
    /// Takes a ticket as it came back.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// What the client is given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Issues a ticket at `now`.
    pub(super) fn issue(
        secrets: &Secrets,
        tenant: TenantId,
        identifier: &Identifier,
        now: DateTime<Utc>,
    ) -> Self {
        let id = Uuid::new_v4();
        let identifier = identifier.as_str().to_owned();
        let content = Content { identifier, expires_at: now + VALID_FOR };
        let plain = serde_json::to_vec(&content).expect("text and a time are JSON");
        let mut bytes = id.as_bytes().to_vec();
        bytes.extend(secrets.seal_secret(tenant, KIND, id, &plain));
        Self(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// The identifier typed in the first step.
    ///
    /// # Errors
    /// `LINK_INVALID` for what this tenant never issued, `LINK_EXPIRED` after ten minutes.
    pub(super) fn open(
        &self,
        secrets: &Secrets,
        tenant: TenantId,
        now: DateTime<Utc>,
    ) -> Result<Identifier, Refusal> {
        let content = self.content(secrets, tenant).ok_or_else(|| {
            let message = "This sign-in is not valid. Enter your email address or user name again.";
            Refusal::new(Code::LinkInvalid, message).at("loginId")
        })?;
        if now >= content.expires_at {
            let message =
                "This sign-in took too long. Enter your email address or user name again.";
            return Err(Refusal::new(Code::LinkExpired, message).at("loginId"));
        }
        Identifier::parse(&content.identifier)
    }

    fn content(&self, secrets: &Secrets, tenant: TenantId) -> Option<Content> {
        let bytes = URL_SAFE_NO_PAD.decode(&self.0).ok()?;
        let (id, sealed) = bytes.split_first_chunk::<16>()?;
        let plain = secrets.open_secret(tenant, KIND, Uuid::from_bytes(*id), sealed).ok()?;
        serde_json::from_slice(&plain).ok()
    }
}

impl fmt::Debug for LoginTicket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LoginTicket(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use rollcall_journal::MasterKey;

    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_772_470_800 + second, 0).unwrap()
    }

    #[test]
    fn a_ticket_opens_in_its_tenant_for_ten_minutes() {
        let secrets = Secrets::new(&MasterKey::from_bytes([7; 32]));
        let (here, there) = (TenantId::of_slug("here"), TenantId::of_slug("there"));
        let typed = Identifier::parse("Ann@clinic.example").unwrap();
        let ticket = LoginTicket::issue(&secrets, here, &typed, at(0));
        assert_eq!(ticket.open(&secrets, here, at(599)), Ok(typed));
        let code = |tenant, second| ticket.open(&secrets, tenant, at(second)).unwrap_err().code;
        assert_eq!(code(here, 600), Code::LinkExpired);
        assert_eq!(code(there, 0), Code::LinkInvalid);
        let forged = LoginTicket::new("nonsense").open(&secrets, here, at(0));
        assert_eq!(forged.unwrap_err().code, Code::LinkInvalid);
    }
}
