//! What a reviewer had before them, as a receipt that comes with a page of items and goes back with a
//! decision (GN-15).
//!
//! Invariant: only this service makes one, and only for the person who was shown the page.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rollcall_domain::{Code, Refusal, access_reviews::Seen, hex, kernel::ids::UserId};
use rollcall_journal::secrets::Secrets;
use subtle::ConstantTimeEq;

/// Position, SHA-256 of the page, and what shows that they are ours.
const SIZE: usize = 8 + 32 + 32;

/// The receipt of a page of items, as of the tenant's `position`; `sha256` is of the canonical JSON (RFC
/// 8785) of the items as shown, without names. 96 characters, base64url.
#[must_use]
pub fn issue(secrets: &Secrets, reviewer: UserId, position: i64, sha256: [u8; 32]) -> String {
    let position = position.to_be_bytes();
    let proof = secrets.receipt(&[reviewer.0.as_bytes(), &position, &sha256]);
    URL_SAFE_NO_PAD.encode([&position[..], &sha256, &proof].concat())
}

/// What a receipt says that this reviewer was shown.
///
/// # Errors
/// `FIELD_INVALID` at `receipt`: somebody else's, or none that this service gave.
pub fn read(secrets: &Secrets, reviewer: UserId, receipt: &str) -> Result<Seen, Refusal> {
    open(secrets, reviewer, receipt).ok_or_else(|| {
        let message = "Load the items again and pass the receipt that comes with them.";
        Refusal::new(Code::FieldInvalid, message).at("receipt")
    })
}

fn open(secrets: &Secrets, reviewer: UserId, receipt: &str) -> Option<Seen> {
    let bytes: [u8; SIZE] = URL_SAFE_NO_PAD.decode(receipt).ok()?.try_into().ok()?;
    let (position, rest) = bytes.split_first_chunk::<8>()?;
    let (sha256, proof) = rest.split_first_chunk::<32>()?;
    let ours = secrets.receipt(&[reviewer.0.as_bytes(), position, sha256]);
    let is_ours: bool = ours.as_slice().ct_eq(proof).into();
    is_ours.then(|| Seen { position: i64::from_be_bytes(*position), sha256: hex(sha256) })
}

#[cfg(test)]
mod tests {
    use rollcall_journal::MasterKey;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_receipt_is_read_back_by_whom_it_was_given_to_and_nobody_else() {
        let secrets = Secrets::new(&MasterKey::from_bytes([7; 32]));
        let (ann, bob) = (UserId(Uuid::from_u128(1)), UserId(Uuid::from_u128(2)));
        let receipt = issue(&secrets, ann, 17, [0xab; 32]);
        assert_eq!(receipt.len(), 96);
        let seen = Seen { position: 17, sha256: "ab".repeat(32) };
        assert_eq!(read(&secrets, ann, &receipt), Ok(seen));
        let other = Secrets::new(&MasterKey::from_bytes([8; 32]));
        let moved = receipt.replacen('A', "B", 1);
        for refused in [
            read(&secrets, bob, &receipt),
            read(&other, ann, &receipt),
            read(&secrets, ann, &moved),
            read(&secrets, ann, "nonsense"),
        ] {
            let refusal = refused.unwrap_err();
            assert_eq!((refusal.code, refusal.field), (Code::FieldInvalid, vec!["receipt".into()]));
        }
    }
}
