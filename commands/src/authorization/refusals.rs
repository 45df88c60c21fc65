//! The words of refusals that authorisation gives.

use rollcall_domain::{Code, Refusal};

pub(super) fn not_org_admin() -> Refusal {
    Refusal::new(
        Code::NotOrgAdmin,
        "Only an administrator of the organisation may do this. Ask one of them.",
    )
}

/// No session, or none that counts here.
#[must_use]
pub fn not_signed_in() -> Refusal {
    Refusal::new(Code::NotSignedIn, "Sign in first.")
}

/// The session is over.
#[must_use]
pub fn session_ended() -> Refusal {
    Refusal::new(Code::SessionEnded, "Your session has ended. Sign in again.")
}

/// The caller lacks the right.
#[must_use]
pub fn forbidden() -> Refusal {
    Refusal::new(Code::Forbidden, "You have no right to do this. Ask an administrator.")
}
