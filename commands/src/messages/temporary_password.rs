//! Temporary passwords (CX-07). Invariant: derived from the vault reference of their hash, so that
//! mail can be rendered later while nobody stores the password.

use rollcall_journal::secrets::Secrets;
use uuid::Uuid;

/// What a temporary password ends with, so that it has every class of characters a policy may ask
/// for; its strength lies in what stands before.
const CLASSES: &str = "-aA7!";
/// 16 characters of base64url are 96 bits.
const RANDOM_CHARACTERS: usize = 16;

/// The temporary password whose hash is kept under `hash_ref`.
#[must_use]
pub fn temporary_password(secrets: &Secrets, hash_ref: Uuid) -> String {
    let token = secrets.link_token("temporary-password", hash_ref);
    let random = token.get(..RANDOM_CHARACTERS).unwrap_or(&token);
    format!("{random}{CLASSES}")
}

#[cfg(test)]
mod tests {
    use rollcall_domain::policies::{Policy, Preset};
    use rollcall_domain::values::Password;
    use rollcall_journal::MasterKey;

    use super::*;

    #[test]
    fn it_fulfils_every_preset_and_differs_by_reference() {
        let secrets = Secrets::new(&MasterKey::from_bytes([7; 32]));
        let password = temporary_password(&secrets, Uuid::from_u128(1));
        assert_ne!(password, temporary_password(&secrets, Uuid::from_u128(2)));
        for preset in Preset::ALL.iter().copied() {
            let rules = Policy::from(preset).password_rules();
            let broken = rules.violations(&Password::new(&password), &[]);
            assert!(broken.is_empty(), "{preset:?}: {broken:?}");
        }
    }
}
