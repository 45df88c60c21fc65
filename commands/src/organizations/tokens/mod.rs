//! Registration tokens: the letter's secret that opens an organisation (MC-03, MC-04, GN-03).
//!
//! Invariant: an organisation has at most one token that works; its text is on the letter and
//! nowhere else, because it is derived from the token's id.

mod commands;
mod text;

pub use commands::{
    ExpireRegistrationToken, ISSUERS, IssueRegistrationToken, IssuedToken,
    OpenRegistrationTokenLetter, RecordLetterReturned, ReissueRegistrationToken,
    RevokeRegistrationToken,
};
pub use text::{find, token_hash, token_text};

pub(crate) use commands::revoke_active;
