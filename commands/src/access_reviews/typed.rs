//! What is typed of a decision about many items (GN-15).
//!
//! Invariant: nobody decides about many by a slip of the hand: they say what and about how many.

use std::collections::BTreeSet;

use rollcall_domain::{Code, Refusal};

/// The most items that are decided about without it.
const UNTYPED: usize = 10;

/// Demands `REVOKE 25` of whoever revokes 25 items.
///
/// # Errors
/// `CONFIRMATION_REQUIRED`, with what to type.
pub(super) fn check_typed(
    (word, items): (&str, &[u32]),
    typed: Option<&str>,
) -> Result<(), Refusal> {
    let count = items.iter().collect::<BTreeSet<_>>().len();
    let expected = format!("{word} {count}");
    if count <= UNTYPED || typed.map(str::trim) == Some(expected.as_str()) {
        return Ok(());
    }
    let message = format!("Type {expected} to confirm what you decide about {count} items.");
    Err(Refusal::new(Code::ConfirmationRequired, message).at("confirmation"))
}
