//! Which stored hash a typed password fits. Invariant: the work depends on the number of comparisons
//! asked for, not on what is stored (GN-09).

use rollcall_domain::{kernel::ids::VaultRef, values::Password};

use crate::{Context, Failure, users::PASSWORD};

/// Compares `typed` with `hashes`, and with decoys up to `comparisons` in all.
///
/// # Errors
/// The vault did not answer.
pub(crate) async fn matching_hash(
    cx: &Context<'_>,
    typed: &Password,
    hashes: &[VaultRef],
    comparisons: usize,
) -> Result<Option<VaultRef>, Failure> {
    let mut matched = None;
    for nth in 0..comparisons.max(hashes.len()) {
        let hash = hashes.get(nth).copied();
        let entry = hash.map_or(uuid::Uuid::nil(), |hash| hash.0);
        let stored = cx.journal().vault_get(cx.tenant(), PASSWORD, entry).await?;
        let phc = stored.map(|phc| String::from_utf8_lossy(&phc).into_owned());
        if cx.commands.passwords.verify(typed, phc).await {
            matched = hash;
        }
    }
    Ok(matched)
}
