//! What a key looks like: `rck_<id>_<secret>`, so that whoever finds one knows what it is and which.
//!
//! Invariant: the secret part has 256 bits from the operating system and shows in no `Debug`.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rollcall_domain::kernel::ids::ApiKeyId;
use serde::{Deserialize, Serialize};

/// With what every key begins.
pub const PREFIX: &str = "rck_";

/// A key's text, given once; shows nothing in `Debug`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ApiKeyText(String);

/// The part of a key that tells which one it is, and that may be shown.
#[must_use]
pub fn prefix_of(key: ApiKeyId) -> String {
    format!("{PREFIX}{}", key.0.simple())
}

impl ApiKeyText {
    /// A text for `key` that nobody can guess.
    pub(super) fn random(key: ApiKeyId) -> Self {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).expect("the operating system gives randomness");
        Self(format!("{}_{}", prefix_of(key), URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// The text itself, on its way to its owner.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ApiKeyText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKeyText(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_key_tells_which_it_is_and_is_another_each_time() {
        let id = ApiKeyId(Uuid::from_u128(7));
        let (one, other) = (ApiKeyText::random(id), ApiKeyText::random(id));
        assert_ne!(one, other);
        let secret = one.reveal().strip_prefix("rck_00000000000000000000000000000007_");
        assert_eq!(secret.map(str::len), Some(43));
        assert_eq!(format!("{one:?}"), "ApiKeyText(redacted)");
    }
}
