//! A password somebody wants to have: judged against policy and history, then kept (MC-24, MC-25,
//! GN-07, GN-08).
//!
//! Invariant: hashes go into the vault with the append that refers to them; a refused password
//! leaves nothing behind.

use rollcall_domain::{
    kernel::ids::VaultRef,
    users::credential::{Credential, NewPassword},
    values::{Password, are_similar, normal_form},
};
use uuid::Uuid;

use crate::{Context, Failure};

/// The vault kind of password hashes (PHC strings).
pub const PASSWORD: &str = "password";
/// The vault kind of the hash of each password's normal form (GN-07), beside it under the same id.
pub const PASSWORD_FORM: &str = "password_form";

/// What a candidate is judged by besides the policy.
pub struct Candidate<'a> {
    pub password: &'a Password,
    /// What the person is known by: email address, user name.
    pub identifiers: &'a [&'a str],
    /// The current password, where it was typed beside the new one.
    pub current: Option<&'a Password>,
}

/// Judges a candidate for `credential`; when nothing speaks against it, its hashes are put into the
/// vault with this unit of work. What speaks against it is in the answer, and the aggregate refuses.
///
/// # Errors
/// The vault did not answer.
pub async fn new_password(
    cx: &mut Context<'_>,
    credential: &Credential,
    candidate: Candidate<'_>,
) -> Result<NewPassword, Failure> {
    let Candidate { password, identifiers, current } = candidate;
    let violations = cx.policy.password_rules().violations(password, identifiers);
    let mut new = NewPassword {
        hash_ref: VaultRef(Uuid::new_v4()),
        violations,
        reused: false,
        too_similar: false,
    };
    if !new.violations.is_empty() {
        return Ok(new);
    }
    let history = credential.history(cx.policy.password_history() as usize).collect::<Vec<_>>();
    new.reused = fits_any(cx, PASSWORD, &history, password).await?;
    if let Some(distance) = cx.policy.password_similar_distance().filter(|_| !new.reused) {
        let close = current.is_some_and(|current| are_similar(current, password, distance));
        let form = form_of(password);
        new.too_similar = close || fits_any(cx, PASSWORD_FORM, &history, &form).await?;
    }
    if !new.reused && !new.too_similar {
        keep(cx, new.hash_ref, password).await;
    }
    Ok(new)
}

/// Puts a password's hash and that of its normal form into the vault, under `hash_ref`.
pub async fn keep(cx: &mut Context<'_>, hash_ref: VaultRef, password: &Password) {
    let hasher = &cx.commands.passwords;
    let hash = hasher.hash(password).await;
    let form = hasher.hash(&form_of(password)).await;
    cx.work.vault_put(PASSWORD, hash_ref.0, hash.as_bytes());
    cx.work.vault_put(PASSWORD_FORM, hash_ref.0, form.as_bytes());
}

fn form_of(password: &Password) -> Password {
    Password::new(normal_form(password).as_str())
}

/// Whether `typed` is what one of these vault entries was made of; entries of people who came with
/// another portal's hashes may have no normal form.
async fn fits_any(
    cx: &Context<'_>,
    kind: &'static str,
    entries: &[VaultRef],
    typed: &Password,
) -> Result<bool, Failure> {
    for entry in entries {
        let Some(stored) = cx.journal().vault_get(cx.tenant(), kind, entry.0).await? else {
            continue;
        };
        let phc = String::from_utf8_lossy(&stored).into_owned();
        if cx.commands.passwords.verify(typed, Some(phc)).await {
            return Ok(true);
        }
    }
    Ok(false)
}
