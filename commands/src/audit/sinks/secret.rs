//! Secrets that sign deliveries, as Standard Webhooks has them
//! (<https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>).
//!
//! Invariant: a secret has 256 bits from the operating system, shows in no `Debug`, and is given once.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, Mac};
use rollcall_domain::kernel::ids::VaultRef;
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::Context;

/// The vault's kind, by [`VaultRef`].
const VAULT: &str = "audit_sink_secret";
const PREFIX: &str = "whsec_";

/// A secret's text, given once; shows nothing in `Debug`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SinkSecret(String);

impl SinkSecret {
    /// The text itself, on its way to its owner.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SinkSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SinkSecret(redacted)")
    }
}

/// Draws a secret and keeps it with what is being appended.
pub(super) fn draw(cx: &mut Context<'_>) -> (VaultRef, SinkSecret) {
    let mut bytes = Zeroizing::new([0; 32]);
    getrandom::fill(&mut *bytes).expect("the operating system gives randomness");
    let kept = VaultRef(Uuid::new_v4());
    cx.work.vault_put(VAULT, kept.0, &*bytes);
    (kept, SinkSecret(format!("{PREFIX}{}", STANDARD.encode(*bytes))))
}

/// Lets go of a secret.
pub(super) fn forget(cx: &mut Context<'_>, secret: VaultRef) {
    cx.work.vault_delete(VAULT, secret.0);
}

/// The bytes of a secret that is kept.
pub(super) async fn kept(
    journal: &rollcall_journal::Journal,
    tenant: rollcall_domain::kernel::ids::TenantId,
    secret: VaultRef,
) -> Result<Option<Zeroizing<Vec<u8>>>, rollcall_journal::JournalError> {
    journal.vault_get(tenant, VAULT, secret.0).await
}

/// `v1,<signature>`: HMAC-SHA-256 over the message's id, its time and its body.
#[must_use]
pub fn signature(secret: &[u8], id: &str, timestamp: i64, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("a key of any length");
    mac.update(format!("{id}.{timestamp}.").as_bytes());
    mac.update(body);
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example that the implementations of Standard Webhooks test themselves by.
    #[test]
    fn a_signature_is_that_of_the_standards_example() {
        let secret = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let body = br#"{"test": 2432232314}"#;
        let signed = signature(&secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, body);
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }
}
