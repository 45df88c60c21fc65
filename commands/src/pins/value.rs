//! PIN values: made, kept in the vault, and reserved so that no two NPIs share one (GN-17).
//!
//! Invariant: a value shows itself only to whoever calls [`PinValue::reveal`]; it neither prints
//! nor serialises.

use std::fmt;

use rollcall_domain::{
    Code, Refusal,
    kernel::ids::VaultRef,
    policies::{PinAlphabet, PinPolicy},
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::{Context, Failure};

/// The vault's kind, by [`VaultRef`].
const VAULT: &str = "pin";
/// The reservation's kind, by value, owned by the NPI's stream.
const RESERVED: &str = "pin";
/// Draws before the values of this length count as used up.
const DRAWS: usize = 200;

/// A PIN in clear, wiped when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct PinValue(Zeroizing<String>);

impl PinValue {
    /// The characters, for whoever may see them.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PinValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PinValue(…)")
    }
}

// A command's output has to be serialisable to be stored; this one is withheld instead.
impl Serialize for PinValue {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(ser::Error::custom("a PIN is never stored in clear"))
    }
}

impl<'de> Deserialize<'de> for PinValue {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Err(de::Error::custom("a PIN is never stored in clear"))
    }
}

/// Draws a PIN for the NPI behind `stream` and puts it into the vault in place of `former`, all
/// with what is being appended.
///
/// # Errors
/// `POLICY_VALUE_INVALID` when the policy's length leaves no free value.
pub(super) async fn replace(
    cx: &mut Context<'_>,
    stream: Uuid,
    former: Option<VaultRef>,
) -> Result<VaultRef, Failure> {
    let previous = match former {
        Some(pin_ref) => open(cx, pin_ref).await?,
        None => None,
    };
    let pin = draw(cx, previous.as_ref()).await?;
    let pin_ref = VaultRef(Uuid::new_v4());
    cx.work.vault_put(VAULT, pin_ref.0, pin.reveal().as_bytes());
    let drawn_twice = Refusal::new(
        Code::VersionConflict,
        "Another NPI was given the same PIN a moment before. Try again.",
    );
    cx.work.reserve(RESERVED, pin.reveal(), stream, drawn_twice);
    if let Some(previous) = previous {
        cx.work.release(RESERVED, previous.reveal(), stream);
    }
    if let Some(former) = former {
        cx.work.vault_delete(VAULT, former.0);
    }
    Ok(pin_ref)
}

/// The PIN in the vault.
pub(super) async fn open(cx: &Context<'_>, pin_ref: VaultRef) -> Result<Option<PinValue>, Failure> {
    let stored = cx.journal().vault_get(cx.tenant(), VAULT, pin_ref.0).await?;
    Ok(stored.and_then(|bytes| {
        let text = std::str::from_utf8(&bytes).ok()?;
        Some(PinValue(Zeroizing::new(text.to_owned())))
    }))
}

/// A random PIN that no NPI of the tenant has, `previous` included.
async fn draw(cx: &Context<'_>, previous: Option<&PinValue>) -> Result<PinValue, Failure> {
    let policy = cx.policy.pins();
    for _ in 0..DRAWS {
        let candidate = random(&policy);
        let owner = cx.journal().owner_of(cx.tenant(), RESERVED, candidate.reveal()).await?;
        if owner.is_none() && previous != Some(&candidate) {
            return Ok(candidate);
        }
    }
    Err(Refusal::new(
        Code::PolicyValueInvalid,
        "Nearly every PIN of this length is in use. Ask the plan to lengthen PINs.",
    )
    .at("npi")
    .into())
}

fn random(policy: &PinPolicy) -> PinValue {
    let alphabet: &[u8] = match policy.alphabet {
        PinAlphabet::Digits => b"0123456789",
        PinAlphabet::LettersAndDigits => b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    };
    let length = policy.length as usize;
    let mut pin = Zeroizing::new(String::with_capacity(length));
    while pin.len() < length {
        pin.push(char::from(random_of(alphabet)));
    }
    PinValue(pin)
}

/// One character, each equally likely: bytes beyond the last whole multiple are drawn again.
fn random_of(alphabet: &[u8]) -> u8 {
    let fair = 256 - 256 % alphabet.len();
    loop {
        let mut byte = [0u8];
        getrandom::fill(&mut byte).expect("the operating system gives randomness");
        let drawn = usize::from(byte[0]);
        if drawn < fair {
            return alphabet[drawn % alphabet.len()];
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use rollcall_domain::policies::{Policy, Preset};

    use super::*;

    fn policy(alphabet: PinAlphabet) -> PinPolicy {
        PinPolicy { alphabet, ..Policy::from(Preset::MediCal).pins() }
    }

    #[test]
    fn gn_17_pins_have_the_length_and_characters_of_the_policy_and_differ() {
        let digits: HashSet<String> =
            (0..200).map(|_| random(&policy(PinAlphabet::Digits)).reveal().to_owned()).collect();
        assert!(digits.iter().all(|pin| pin.len() == 7));
        assert!(digits.iter().all(|pin| pin.bytes().all(|byte| byte.is_ascii_digit())));
        assert!(digits.len() > 190, "200 draws of 10 million values hardly repeat");
        let mixed = random(&policy(PinAlphabet::LettersAndDigits));
        let fits = |byte: u8| byte.is_ascii_digit() || byte.is_ascii_uppercase();
        assert!(mixed.reveal().bytes().all(fits));
    }

    #[test]
    fn a_pin_neither_prints_nor_serialises() {
        let pin = random(&policy(PinAlphabet::Digits));
        assert!(!format!("{pin:?}").contains(pin.reveal()));
        assert!(serde_json::to_value(&pin).is_err());
    }
}
