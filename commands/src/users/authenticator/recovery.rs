//! Recovery codes: what somebody types who has lost the app (MC-28).
//!
//! Invariant: each of them is shown once and serves once; the vault holds keyed hashes, so that
//! whoever reads it cannot type one.

use std::fmt;

use async_trait::async_trait;
use rollcall_domain::{
    kernel::ids::{OtpChallengeId, VaultRef},
    users::authenticator::{Authenticator, AuthenticatorCommand, Enrolled, RECOVERY_CODES},
};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;
use uuid::Uuid;

use crate::{Access, Command, Context, Failure, users::one_time_passcode::require_authenticator};

/// The vault kind of a set's hashes.
pub(in crate::users) const CODES: &str = "recovery_codes";
/// No letter or digit that is taken for another one.
const ALPHABET: &[u8; 32] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
/// Characters of a code: fifty bits.
const LENGTH: usize = 10;
const HASH: usize = 32;

/// Recovery codes on their way to their owner, once; shows nothing in `Debug`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RecoveryCodes(Vec<String>);

impl RecoveryCodes {
    /// The codes, each as two groups of five characters.
    #[must_use]
    pub fn reveal(&self) -> &[String] {
        &self.0
    }
}

impl fmt::Debug for RecoveryCodes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecoveryCodes(redacted)")
    }
}

/// Draws a set and puts its hashes into the vault with what is being appended.
pub(super) fn give_out(cx: &mut Context<'_>, codes_ref: VaultRef) -> RecoveryCodes {
    let codes: Vec<String> = (0..RECOVERY_CODES).map(|_| random()).collect();
    let hashes: Vec<u8> = codes.iter().flat_map(|code| hash(cx, codes_ref, code)).collect();
    cx.work.vault_put(CODES, codes_ref.0, &hashes);
    RecoveryCodes(codes.iter().map(|code| format!("{}-{}", &code[..5], &code[5..])).collect())
}

/// The number of the code that was typed, if it is one of the set; every hash is compared.
pub(super) async fn number_of(
    cx: &Context<'_>,
    enrolled: &Enrolled,
    typed: &str,
) -> Result<Option<u32>, Failure> {
    let Some(code) = canonical(typed) else { return Ok(None) };
    let stored = cx.journal().vault_get(cx.tenant(), CODES, enrolled.codes_ref.0).await?;
    let Some(stored) = stored else { return Ok(None) };
    let ours = hash(cx, enrolled.codes_ref, &code);
    let mut found = None;
    for (number, theirs) in (0..).zip(stored.chunks_exact(HASH)) {
        if ours.ct_eq(theirs).into() {
            found = Some(number);
        }
    }
    Ok(found.filter(|number| enrolled.codes_left.contains(number)))
}

fn hash(cx: &Context<'_>, set: VaultRef, code: &str) -> [u8; HASH] {
    cx.journal().secrets().lookup_key(cx.tenant(), CODES, &format!("{set}/{code}"))
}

fn random() -> String {
    let mut bytes = [0; LENGTH];
    getrandom::fill(&mut bytes).expect("the operating system gives randomness");
    bytes.iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect()
}

/// What was typed without grouping and in capitals, if it has a code's form.
fn canonical(typed: &str) -> Option<String> {
    let plain = |c: &char| !c.is_whitespace() && *c != '-';
    let code: String = typed.chars().filter(plain).map(|c| c.to_ascii_uppercase()).collect();
    (code.len() == LENGTH && code.bytes().all(|byte| ALPHABET.contains(&byte))).then_some(code)
}

/// Gives out other recovery codes; the earlier ones serve no more.
pub struct RenewRecoveryCodes {
    /// A verified code of the app, or a recovery code.
    pub challenge: OtpChallengeId,
}

#[async_trait]
impl Command for RenewRecoveryCodes {
    const NAME: &'static str = "RenewRecoveryCodes";
    const SECRET_OUTPUT: bool = true;
    type Output = RecoveryCodes;

    fn access(&self) -> Access {
        Access::SignedIn
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<RecoveryCodes, Failure> {
        let user = cx.person()?;
        require_authenticator(cx, user, self.challenge).await?;
        let stream = cx.tenant().authenticator_stream(user);
        let former = cx.load::<Authenticator>(stream).await?;
        let codes_ref = VaultRef(Uuid::new_v4());
        let renew = AuthenticatorCommand::RenewRecoveryCodes { codes_ref };
        cx.decide::<Authenticator>(stream, renew).await?;
        if let Some(former) = former.enrolled() {
            cx.work.vault_delete(CODES, former.codes_ref.0);
        }
        Ok(give_out(cx, codes_ref))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_taken_in_any_grouping_and_case_and_nothing_else_is() {
        let code = random();
        let typed = format!(" {}-{} ", code[..5].to_lowercase(), &code[5..]);
        assert_eq!(canonical(&typed), Some(code));
        for other in ["123456", "", "ABCDE-FGHI0", "ABCDE-FGHJKL"] {
            assert_eq!(canonical(other), None, "{other}");
        }
    }
}
