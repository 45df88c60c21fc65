//! The hand-off as a token: a JWT (RFC 7519) signed with Ed25519 (RFC 8037), and the key set by which
//! others check it (RFC 7517).
//!
//! Invariant: one algorithm, one key. What a token's header says about either is compared, never
//! followed.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use rollcall_domain::{
    kernel::ids::{HandoffId, OrganizationId, TenantId, UserId},
    transactions::TransactionOption,
    values::Npi,
};
use rollcall_journal::secrets::Secrets;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// Whom hand-offs are for.
pub const AUDIENCE: &str = "transaction-services";
/// The label under which the signing key is derived.
const PURPOSE: &str = "transactions.handoff";

/// What a hand-off's token says; ids only, nothing personal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Claims {
    /// Where the portal is found.
    pub iss: String,
    pub aud: String,
    /// The person.
    pub sub: UserId,
    /// The hand-off; what makes it serve once.
    pub jti: HandoffId,
    pub iat: i64,
    pub nbf: i64,
    pub exp: i64,
    pub tenant: TenantId,
    /// The organisation acted for.
    pub org: OrganizationId,
    pub npi: Npi,
    pub options: Vec<TransactionOption>,
}

impl Claims {
    /// Whether the token's time has come and is not over.
    pub fn is_timely(&self, now: DateTime<Utc>) -> bool {
        (self.nbf..self.exp).contains(&now.timestamp())
    }
}

/// The token of these claims.
pub(super) fn sign(secrets: &Secrets, claims: &Claims) -> String {
    let pair = key_pair(secrets);
    let header = json!({ "alg": "EdDSA", "typ": "JWT", "kid": key_id(&pair) });
    let signed = format!("{}.{}", part(&header), part(claims));
    let signature = pair.sign(signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// The claims of a token that this service signed.
pub(super) fn read(secrets: &Secrets, token: &str) -> Option<Claims> {
    let (signed, signature) = token.rsplit_once('.')?;
    let (header, claims) = signed.split_once('.')?;
    let pair = key_pair(secrets);
    let header: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).ok()?).ok()?;
    if header["alg"] != "EdDSA" || header["kid"] != key_id(&pair) {
        return None;
    }
    let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
    let key = UnparsedPublicKey::new(&ED25519, pair.public_key().as_ref());
    key.verify(signed.as_bytes(), &signature).ok()?;
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()
}

/// The key set, as served at `/.well-known/jwks.json`.
#[must_use]
pub fn key_set(secrets: &Secrets) -> Value {
    let pair = key_pair(secrets);
    json!({ "keys": [{
        "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA",
        "kid": key_id(&pair), "x": public(&pair),
    }] })
}

fn key_pair(secrets: &Secrets) -> Ed25519KeyPair {
    let seed = secrets.signing_seed(PURPOSE);
    Ed25519KeyPair::from_seed_unchecked(seed.as_slice()).expect("a seed has 32 bytes")
}

fn public(pair: &Ed25519KeyPair) -> String {
    URL_SAFE_NO_PAD.encode(pair.public_key().as_ref())
}

/// The key's thumbprint (RFC 7638): the same key has the same id everywhere.
fn key_id(pair: &Ed25519KeyPair) -> String {
    let canonical = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, public(pair));
    URL_SAFE_NO_PAD.encode(Sha256::digest(canonical))
}

fn part(content: &impl Serialize) -> String {
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(content).expect("claims are JSON"))
}

#[cfg(test)]
mod tests {
    use rollcall_journal::MasterKey;
    use uuid::Uuid;

    use super::*;

    fn claims() -> Claims {
        Claims {
            iss: "https://portal.test".to_owned(),
            aud: AUDIENCE.to_owned(),
            sub: UserId(Uuid::from_u128(1)),
            jti: HandoffId(Uuid::from_u128(2)),
            iat: 1000,
            nbf: 1000,
            exp: 1060,
            tenant: TenantId::of_slug("medi-cal"),
            org: OrganizationId(Uuid::from_u128(3)),
            npi: Npi::parse("1234567893").unwrap(),
            options: Vec::new(),
        }
    }

    #[test]
    fn a_token_reads_back_and_no_other_bytes_do() {
        let secrets = Secrets::new(&MasterKey::from_bytes([7; 32]));
        let token = sign(&secrets, &claims());
        assert_eq!(read(&secrets, &token), Some(claims()));
        let stranger = Secrets::new(&MasterKey::from_bytes([8; 32]));
        assert_eq!(read(&stranger, &token), None);
        let parts: Vec<&str> = token.split('.').collect();
        let [header, body, signature] = parts[..] else { panic!("three parts: {token}") };
        let other = part(&Claims { exp: 9000, ..claims() });
        let none = part(&json!({ "alg": "none", "typ": "JWT" }));
        for forged in [
            format!("{header}.{other}.{signature}"),
            format!("{none}.{body}."),
            format!("{none}.{body}.{signature}"),
            format!("{header}.{body}"),
            String::new(),
        ] {
            assert_eq!(read(&secrets, &forged), None, "{forged}");
        }
    }

    #[test]
    fn a_token_is_timely_from_its_first_second_and_before_its_end() {
        let at = |second| DateTime::from_timestamp(second, 0).unwrap();
        let timely = [999, 1000, 1059, 1060].map(|second| claims().is_timely(at(second)));
        assert_eq!(timely, [false, true, true, false]);
    }
}
