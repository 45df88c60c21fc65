//! Credentials, shown. Invariant: limits are tried to the second, on both sides.

mod lockout;
mod passwords;

use super::*;
use crate::Actor;
use crate::kernel::ids::{LinkId, UserId, VaultRef};
use crate::kernel::scenario::{after, id, start};

fn user() -> UserId {
    id(1)
}

fn link() -> LinkId {
    id(20)
}

fn first_hash() -> VaultRef {
    id(30)
}

fn next_hash() -> VaultRef {
    id(31)
}

fn new(hash_ref: VaultRef) -> NewPassword {
    NewPassword { hash_ref, violations: Vec::new(), reused: false, too_similar: false }
}

fn password_set() -> CredentialEvent {
    CredentialEvent::PasswordSet {
        user: user(),
        hash_ref: first_hash(),
        set_by: Actor::ANONYMOUS,
        source: PasswordSource::Setup,
        link_id: Some(link()),
        set_at: start(),
    }
}

/// A login at that second, under a policy of twelve hours.
fn signed_in(second: i64, must_change: bool) -> CredentialEvent {
    CredentialEvent::LoginSucceeded {
        user: user(),
        session: id(40),
        must_change,
        at: after(second),
        session_expires_at: after(second + 12 * 3600),
    }
}
