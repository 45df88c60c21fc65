//! The token as it stands on the letter: sixteen characters that are read and typed without mistakes.
//!
//! Invariant: 80 bits from the service's key and the token's id; the database holds only their hash.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use rollcall_domain::kernel::ids::{RegistrationTokenId, TenantId};
use rollcall_journal::{Journal, secrets::Secrets};

use crate::Failure;

/// The reservation kind under which a token is found; the owner is the token's id.
pub const RESERVATION: &str = "registration_token";

/// Crockford's base 32: no I, L, O or U.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const CHARACTERS: usize = 16;
const GROUP: usize = 4;

/// The token's text, in groups of four: `7F3K-9QWX-2M4R-HB8T`.
#[must_use]
pub fn token_text(secrets: &Secrets, token: RegistrationTokenId) -> String {
    let derived = BASE64_URL_SAFE_NO_PAD
        .decode(secrets.link_token("registration", token.0))
        .expect("link tokens are base64url");
    let bits =
        derived.iter().take(CHARACTERS * 5 / 8).fold(0_u128, |n, byte| n << 8 | u128::from(*byte));
    let character = |place: usize| {
        let shift = 5 * (CHARACTERS - 1 - place);
        char::from(ALPHABET[usize::try_from((bits >> shift) & 31).expect("five bits")])
    };
    let mut text = String::with_capacity(CHARACTERS + CHARACTERS / GROUP);
    for place in 0..CHARACTERS {
        if place > 0 && place % GROUP == 0 {
            text.push('-');
        }
        text.push(character(place));
    }
    text
}

/// The hash under which what was typed is looked up; `None` when it cannot be a token. Case, hyphens
/// and blanks do not matter, and letters that look like digits are taken for them.
#[must_use]
pub fn token_hash(secrets: &Secrets, typed: &str) -> Option<[u8; 32]> {
    let canonical: String = typed
        .chars()
        .filter(|c| !c.is_whitespace() && *c != '-')
        .map(|c| match c.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            other => other,
        })
        .collect();
    let fits =
        canonical.len() == CHARACTERS && canonical.bytes().all(|byte| ALPHABET.contains(&byte));
    fits.then(|| secrets.link_hash(&canonical))
}

/// The token behind what was typed, whatever its state; `None` for one that was never issued here.
///
/// # Errors
/// The database did not answer.
pub async fn find(
    journal: &Journal,
    tenant: TenantId,
    typed: &str,
) -> Result<Option<RegistrationTokenId>, Failure> {
    let Some(hash) = token_hash(journal.secrets(), typed) else { return Ok(None) };
    let owner = journal.owner_of_hash(tenant, RESERVATION, &hash).await?;
    Ok(owner.map(RegistrationTokenId))
}

#[cfg(test)]
mod tests {
    use rollcall_journal::MasterKey;
    use uuid::Uuid;

    use super::*;

    fn secrets() -> Secrets {
        Secrets::new(&MasterKey::from_bytes([7; 32]))
    }

    #[test]
    fn mc_03_a_token_is_sixteen_characters_in_groups_and_its_own() {
        let text = |n| token_text(&secrets(), RegistrationTokenId(Uuid::from_u128(n)));
        assert_eq!(text(1), text(1));
        assert_ne!(text(1), text(2));
        assert!(text(1).split('-').all(|group| group.len() == 4));
        assert_eq!(text(1).len(), 19);
    }

    #[test]
    fn what_people_type_finds_the_token() {
        let secrets = secrets();
        let text = token_text(&secrets, RegistrationTokenId(Uuid::from_u128(1)));
        let hash = token_hash(&secrets, &text);
        assert!(hash.is_some());
        let sloppy = format!(" {} ", text.to_lowercase().replace('-', " ").replace('0', "o"));
        assert_eq!(token_hash(&secrets, &sloppy), hash);
        assert_eq!(token_hash(&secrets, &text.replace('1', "l")), hash);
        for never in ["", "7F3K", "UUUU-UUUU-UUUU-UUUU", "7F3K-9QWX-2M4R-HB8\u{661}"] {
            assert_eq!(token_hash(&secrets, never), None, "{never}");
        }
    }
}
