//! The temporary password of a reset by mail (CX-07).
//!
//! Invariant: like a link's token it is derived from its id, so that the mail can be rendered after
//! the commit while only its hash is stored.

use rollcall_domain::{kernel::ids::VaultRef, values::Password};
use rollcall_journal::secrets::Secrets;

/// The label it is derived under.
const PURPOSE: &str = "temporary-password";
/// 16 of 64 letters each: 96 bits.
const LENGTH: usize = 16;

/// The password behind `hash_ref` of `TemporaryPasswordIssued`.
#[must_use]
pub fn temporary_password(secrets: &Secrets, hash_ref: VaultRef) -> Password {
    let token = secrets.link_token(PURPOSE, hash_ref.0);
    Password::new(token.chars().take(LENGTH).collect::<String>())
}

#[cfg(test)]
mod tests {
    use rollcall_journal::MasterKey;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn it_can_be_derived_again_and_differs_by_reference() {
        let secrets = Secrets::new(&MasterKey::from_bytes([7; 32]));
        let of = |n| temporary_password(&secrets, VaultRef(Uuid::from_u128(n)));
        assert_eq!(of(1).reveal(), of(1).reveal());
        assert_ne!(of(1).reveal(), of(2).reveal());
        assert_eq!(of(1).length(), LENGTH);
    }
}
