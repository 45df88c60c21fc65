//! The master key and what is derived from it: look-up hashes, link tokens, passcodes, the vault.
//!
//! Invariant: each purpose has its own key, derived by HKDF under its own label; nothing that the
//! database holds is enough to compute any of them.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use rollcall_domain::kernel::ids::TenantId;
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::{
    crypto::{self, Key},
    keys::KeyError,
};

pub use crate::master_key::MasterKey;

/// Longest passcode that [`Secrets::otp`] gives, so that it stays uniform in 64 bits.
const MOST_DIGITS: u32 = 12;

/// The keys of the service's own secrets, one per purpose.
pub struct Secrets {
    lookup: Key,
    link: Key,
    link_hash: Key,
    fingerprint: Key,
    otp: Key,
    vault: Key,
    signing: Key,
    receipt: Key,
}

impl Secrets {
    /// Derives every purpose's key.
    #[must_use]
    pub fn new(master: &MasterKey) -> Self {
        Self {
            lookup: master.derive("rollcall/lookup/1"),
            link: master.derive("rollcall/link/1"),
            link_hash: master.derive("rollcall/link-hash/1"),
            fingerprint: master.derive("rollcall/fingerprint/1"),
            otp: master.derive("rollcall/otp/1"),
            vault: master.derive("rollcall/vault/1"),
            signing: master.derive("rollcall/signing/1"),
            receipt: master.derive("rollcall/receipt/1"),
        }
    }

    /// The keyed hash under which a natural key (email, username, NPI, tax id) is reserved in a
    /// tenant. `natural` must already be in its canonical form. Whoever reads the table learns
    /// neither the value nor whether two tenants hold the same one.
    #[must_use]
    pub fn lookup_key(&self, tenant: TenantId, kind: &str, natural: &str) -> [u8; 32] {
        crypto::mac(&self.lookup, &[tenant.0.as_bytes(), kind.as_bytes(), natural.as_bytes()])
    }

    /// The secret part of a link that is mailed: 256 bits, base64url. The same arguments give the
    /// same token, so that mail can be rendered after the fact while nobody stores the token.
    #[must_use]
    pub fn link_token(&self, purpose: &str, id: Uuid) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(crypto::mac(&self.link, &[purpose.as_bytes(), id.as_bytes()]))
    }

    /// What the database holds of a link, a session token or a machine's key.
    #[must_use]
    pub fn link_hash(&self, token: &str) -> [u8; 32] {
        crypto::mac(&self.link_hash, &[token.as_bytes()])
    }

    /// Tells one command's input from another's under the same idempotency key. Keyed, because an
    /// input may hold a password.
    #[must_use]
    pub fn fingerprint(&self, input: &[u8]) -> [u8; 32] {
        crypto::mac(&self.fingerprint, &[input])
    }

    /// The passcode of a challenge, `digits` decimal digits (1 to 12), each code equally likely.
    #[must_use]
    pub fn otp(&self, challenge: Uuid, digits: u32) -> String {
        let digits = digits.clamp(1, MOST_DIGITS);
        let codes = 10_u64.pow(digits);
        // Draws above the last whole multiple would favour small codes; they are drawn again.
        let fair = u64::MAX - u64::MAX % codes;
        let code = (0_u64..)
            .map(|draw| self.draw(challenge, digits, draw))
            .find(|number| *number < fair)
            .expect("a draw is rejected with a chance below one in a million")
            % codes;
        format!("{code:0width$}", width = digits as usize)
    }

    fn draw(&self, challenge: Uuid, digits: u32, draw: u64) -> u64 {
        let parts: [&[u8]; 3] = [challenge.as_bytes(), &digits.to_be_bytes(), &draw.to_be_bytes()];
        let [a, b, c, d, e, f, g, h, ..] = crypto::mac(&self.otp, &parts);
        u64::from_be_bytes([a, b, c, d, e, f, g, h])
    }

    /// The seed of a signing key, one per purpose: the same wherever the master key is, so that a
    /// restart changes no key that others know.
    #[must_use]
    pub fn signing_seed(&self, purpose: &str) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(crypto::mac(&self.signing, &[purpose.as_bytes()]))
    }

    /// What shows that this service gave something out, to whoever may bring it back: each part as it
    /// was, in order.
    #[must_use]
    pub fn receipt(&self, parts: &[&[u8]]) -> [u8; 32] {
        crypto::mac(&self.receipt, parts)
    }

    /// Encrypts a value for the vault, bound to its place: moved to another tenant, kind or id it
    /// does not open.
    #[must_use]
    pub fn seal_secret(&self, tenant: TenantId, kind: &str, id: Uuid, plain: &[u8]) -> Vec<u8> {
        crypto::wrap(&self.vault, &place(tenant, kind, id), plain)
    }

    /// Opens what [`Secrets::seal_secret`] made for the same place.
    ///
    /// # Errors
    /// [`KeyError::Unreadable`] if it was altered, moved or made under another master key.
    pub fn open_secret(
        &self,
        tenant: TenantId,
        kind: &str,
        id: Uuid,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        Ok(crypto::unwrap(&self.vault, &place(tenant, kind, id), sealed)?)
    }
}

fn place(tenant: TenantId, kind: &str, id: Uuid) -> Vec<u8> {
    crypto::framed(&[b"vault", tenant.0.as_bytes(), kind.as_bytes(), id.as_bytes()])
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn secrets() -> Secrets {
        Secrets::new(&MasterKey::from_bytes([7; 32]))
    }

    fn tenant(n: u128) -> TenantId {
        TenantId(Uuid::from_u128(n))
    }

    #[test]
    fn lookup_keys_differ_by_tenant_kind_and_value() {
        let s = secrets();
        let keys = [
            s.lookup_key(tenant(1), "email", "ann@example.org"),
            s.lookup_key(tenant(2), "email", "ann@example.org"),
            s.lookup_key(tenant(1), "username", "ann@example.org"),
            s.lookup_key(tenant(1), "email", "bob@example.org"),
            Secrets::new(&MasterKey::from_bytes([8; 32])).lookup_key(
                tenant(1),
                "email",
                "ann@example.org",
            ),
        ];
        assert_eq!(keys.iter().collect::<HashSet<_>>().len(), keys.len());
        assert_eq!(keys[0], secrets().lookup_key(tenant(1), "email", "ann@example.org"));
    }

    #[test]
    fn link_tokens_can_be_derived_again_and_only_hashes_need_be_kept() {
        let id = Uuid::from_u128(3);
        let token = secrets().link_token("invitation", id);
        assert_eq!(token, secrets().link_token("invitation", id));
        assert_ne!(token, secrets().link_token("reset", id));
        assert_eq!(BASE64_URL_SAFE_NO_PAD.decode(&token).unwrap().len(), 32);
        assert_eq!(secrets().link_hash(&token), secrets().link_hash(&token));
        assert_ne!(secrets().link_hash(&token), secrets().link_hash("other"));
    }

    #[test]
    fn passcodes_have_their_digits_and_spread_evenly() {
        let s = secrets();
        let mut first_digits = [0_u32; 10];
        for n in 0..10_000 {
            let code = s.otp(Uuid::from_u128(n), 6);
            assert!(code.len() == 6 && code.bytes().all(|b| b.is_ascii_digit()), "{code}");
            first_digits[usize::from(code.as_bytes()[0] - b'0')] += 1;
        }
        assert!(first_digits.iter().all(|n| (850..1150).contains(n)), "{first_digits:?}");
        assert_eq!(s.otp(Uuid::from_u128(1), 6), s.otp(Uuid::from_u128(1), 6));
        assert_eq!(s.otp(Uuid::from_u128(1), 0).len(), 1);
        assert_eq!(s.otp(Uuid::from_u128(1), 99).len(), 12);
    }

    #[test]
    fn a_vault_value_opens_only_in_its_place() {
        let s = secrets();
        let id = Uuid::from_u128(9);
        let sealed = s.seal_secret(tenant(1), "pin", id, b"4711");
        assert_eq!(s.open_secret(tenant(1), "pin", id, &sealed).unwrap().as_slice(), b"4711");
        for moved in [
            s.open_secret(tenant(2), "pin", id, &sealed),
            s.open_secret(tenant(1), "password", id, &sealed),
            s.open_secret(tenant(1), "pin", Uuid::from_u128(10), &sealed),
        ] {
            assert!(matches!(moved, Err(KeyError::Unreadable(_))));
        }
    }
}
