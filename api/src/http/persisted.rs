//! Documents named by the SHA-256 of their text: those clients registered on the way (automatic
//! persisted queries) and those the operator trusts.
//!
//! Invariant: a document stands under its own hash only, so that no client can make another's
//! request mean something else; what clients registered takes a bounded amount of memory.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    fmt,
    sync::{Arc, Mutex},
};

use async_graphql::{Request, Value};
use rollcall_domain::hex;
use sha2::{Digest, Sha256};

use super::errors::{ErrorCode, TransportError};

/// The key of `extensions` with a hash for an automatic persisted query (Apollo's protocol).
pub(super) const PERSISTED_QUERY: &str = "persistedQuery";

/// The parameter that names a trusted document, kept with the extensions while a request is read.
pub(super) const DOCUMENT_ID: &str = "documentId";

/// Bytes of all documents that clients registered; the oldest leave first.
const REGISTERED_BYTES: usize = 8 << 20;

/// What documents beside the trusted ones are worth, the mildest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trust {
    /// Everything runs that the limits allow.
    #[default]
    Off,
    /// Everything runs, and what is not trusted is named in the log by its hash.
    Prefer,
    /// Trusted documents run and nothing else.
    Require,
}

/// What they are worth by the role of whoever sends them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustByRole {
    /// From whoever has none of the roles named.
    pub otherwise: Trust,
    pub of_role: BTreeMap<&'static str, Trust>,
}

impl From<Trust> for TrustByRole {
    fn from(otherwise: Trust) -> Self {
        Self { otherwise, of_role: BTreeMap::new() }
    }
}

impl TrustByRole {
    /// Roles add up: of those named that somebody has, the mildest counts.
    fn of(&self, roles: &[&'static str]) -> Trust {
        let of_roles = roles.iter().filter_map(|role| self.of_role.get(role).copied());
        of_roles.min().unwrap_or(self.otherwise)
    }

    /// Whether anybody is asked for more than nothing.
    #[must_use]
    pub fn is_off(&self) -> bool {
        self.of_role.values().chain([&self.otherwise]).all(|trust| *trust == Trust::Off)
    }
}

/// The documents an operator trusts: its own clients', listed when those are built.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedDocuments {
    pub trust: TrustByRole,
    by_hash: BTreeMap<String, Arc<str>>,
}

/// A list of trusted documents that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    #[error("it is not a JSON object of documents by their SHA-256: {0}")]
    Json(#[from] serde_json::Error),
    #[error(
        "the document under {0:?} has the SHA-256 {1}. Let the client's build write sha256 hashes"
    )]
    Hash(String, String),
}

impl TrustedDocuments {
    /// Reads a list as client tools write it: a JSON object from the SHA-256 of each document, in
    /// hexadecimal and with or without `sha256:` before it, to its text.
    ///
    /// # Errors
    /// [`TrustError`].
    pub fn read(json: &[u8], trust: impl Into<TrustByRole>) -> Result<Self, TrustError> {
        let listed: BTreeMap<String, String> = serde_json::from_slice(json)?;
        let by_hash = listed
            .into_iter()
            .map(|(name, text)| {
                let hash = hash(&text);
                if bare(&name) == hash {
                    Ok((hash, text.into()))
                } else {
                    Err(TrustError::Hash(name, hash))
                }
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { trust: trust.into(), by_hash })
    }
}

/// All documents that a request can name.
pub(super) struct Documents {
    trusted: TrustedDocuments,
    registered: Mutex<Registered>,
}

impl fmt::Debug for Documents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Documents").field("trust", &self.trusted.trust).finish_non_exhaustive()
    }
}

#[derive(Default)]
struct Registered {
    by_hash: HashMap<String, Arc<str>>,
    oldest_first: VecDeque<String>,
    bytes: usize,
}

impl Registered {
    fn keep(&mut self, hash: String, text: &str) {
        if self.by_hash.contains_key(&hash) {
            return;
        }
        self.bytes += text.len();
        self.oldest_first.push_back(hash.clone());
        self.by_hash.insert(hash, text.into());
        while self.bytes > REGISTERED_BYTES {
            let oldest = self.oldest_first.pop_front().expect("bytes are of documents");
            self.bytes -= self.by_hash.remove(&oldest).map_or(0, |text| text.len());
        }
    }
}

impl Documents {
    pub fn new(trusted: TrustedDocuments) -> Self {
        Self { trusted, registered: Mutex::default() }
    }

    /// Gives `request` the text of the document it names, and answers the text's hash in
    /// hexadecimal. Whether it may run is asked once it is known who sends it.
    ///
    /// # Errors
    /// PERSISTED_QUERY_NOT_FOUND where the hash is unknown, BAD_USER_INPUT where it is another
    /// document's; FORBIDDEN where only trusted documents run, whoever sends them, and this is none.
    pub fn resolve(&self, request: &mut Request) -> Result<String, TransportError> {
        let named = match request.extensions.0.remove(DOCUMENT_ID) {
            Some(Value::String(id)) => Some(bare(&id).to_ascii_lowercase()),
            Some(_) | None => None,
        };
        if let Some(hash) = named {
            let text = self.trusted.by_hash.get(&hash).ok_or_else(unknown)?;
            request.query = text.to_string();
            return Ok(hash);
        }
        if let Some(hash) = registered_hash(request)? {
            return self.by_registered(request, hash);
        }
        let hash = hash(&request.query);
        self.admit_from_anybody(&hash)?;
        Ok(hash)
    }

    fn by_registered(
        &self,
        request: &mut Request,
        wanted: String,
    ) -> Result<String, TransportError> {
        if request.query.is_empty() {
            let text = match self.trusted.by_hash.get(&wanted) {
                Some(text) => Arc::clone(text),
                None => {
                    let registered = self.registered.lock().expect("no panic while held");
                    registered.by_hash.get(&wanted).cloned().ok_or_else(unknown)?
                }
            };
            request.query = text.to_string();
        } else if hash(&request.query) != wanted {
            return Err(TransportError::new(
                ErrorCode::BadUserInput,
                "The hash in extensions.persistedQuery is not the SHA-256 of the query sent.",
            )
            .reason("PERSISTED_QUERY_MISMATCH"));
        }
        self.admit_from_anybody(&wanted)?;
        Ok(wanted)
    }

    /// The roles on which it depends whether a document may run.
    pub fn roles_that_count(&self, hash: &str) -> Vec<&'static str> {
        if self.trusted.by_hash.contains_key(hash) {
            return Vec::new();
        }
        self.trusted.trust.of_role.keys().copied().collect()
    }

    /// Lets a document of somebody with these roles run, and keeps it if it was sent to be kept.
    ///
    /// # Errors
    /// FORBIDDEN where only trusted documents run for them and this is none.
    pub fn admit(
        &self,
        request: &Request,
        hash: &str,
        roles: &[&'static str],
    ) -> Result<(), TransportError> {
        if !self.trusted.by_hash.contains_key(hash) {
            match self.trusted.trust.of(roles) {
                Trust::Off => {}
                Trust::Prefer => {
                    tracing::info!(document_hash = hash, "a document that is not trusted");
                }
                Trust::Require => return Err(not_trusted()),
            }
        }
        self.register(request, hash);
        Ok(())
    }

    /// Where it does not matter who sends it, a document that is not trusted is not even read.
    fn admit_from_anybody(&self, hash: &str) -> Result<(), TransportError> {
        let TrustByRole { otherwise, of_role } = &self.trusted.trust;
        let is_required = *otherwise == Trust::Require && of_role.is_empty();
        if is_required && !self.trusted.by_hash.contains_key(hash) {
            return Err(not_trusted());
        }
        Ok(())
    }

    /// Keeps a document that was sent under its hash and proved to be one.
    fn register(&self, request: &Request, hash: &str) {
        let asked = request.extensions.0.contains_key(PERSISTED_QUERY);
        if asked && !self.trusted.by_hash.contains_key(hash) {
            let mut registered = self.registered.lock().expect("no panic while held");
            registered.keep(hash.to_owned(), &request.query);
        }
    }
}

/// The hash in `extensions.persistedQuery`, version 1.
fn registered_hash(request: &Request) -> Result<Option<String>, TransportError> {
    let Some(asked) = request.extensions.0.get(PERSISTED_QUERY) else {
        return Ok(None);
    };
    let Value::Object(asked) = asked else { return Err(malformed()) };
    match (asked.get("version"), asked.get("sha256Hash")) {
        (Some(Value::Number(version)), Some(Value::String(hash)))
            if version.as_u64() == Some(1) && is_hash(hash) =>
        {
            Ok(Some(hash.to_ascii_lowercase()))
        }
        _ => Err(malformed()),
    }
}

fn is_hash(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn bare(id: &str) -> &str {
    id.strip_prefix("sha256:").unwrap_or(id)
}

/// SHA-256 of a text, in hexadecimal.
pub(super) fn hash(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes()))
}

fn unknown() -> TransportError {
    // Apollo's clients know the case by this message.
    TransportError::new(ErrorCode::PersistedQueryNotFound, "PersistedQueryNotFound")
}

fn not_trusted() -> TransportError {
    TransportError::new(
        ErrorCode::Forbidden,
        "Only trusted documents run here. Name one in documentId, or have this one added.",
    )
    .reason("DOCUMENT_NOT_TRUSTED")
}

fn malformed() -> TransportError {
    TransportError::new(
        ErrorCode::BadUserInput,
        "extensions.persistedQuery is {\"version\": 1, \"sha256Hash\": \"…\"} with the SHA-256 of \
         the query in 64 hexadecimal digits.",
    )
    .reason("MALFORMED_REQUEST")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_clients_register_stays_within_its_bytes() {
        let mut registered = Registered::default();
        let text = |n: usize| n.to_string().repeat(REGISTERED_BYTES / 4);
        for n in 0..6 {
            registered.keep(hash(&text(n)), &text(n));
        }
        assert_eq!((registered.by_hash.len(), registered.bytes), (4, REGISTERED_BYTES));
        assert!(!registered.by_hash.contains_key(&hash(&text(1))));
        assert!(registered.by_hash.contains_key(&hash(&text(5))));
    }

    #[test]
    fn of_several_roles_the_mildest_named_counts() {
        let trust = TrustByRole {
            otherwise: Trust::Require,
            of_role: BTreeMap::from([("US", Trust::Prefer), ("PA", Trust::Off)]),
        };
        assert_eq!(trust.of(&["US", "PA"]), Trust::Off);
        assert_eq!(trust.of(&["US", "AU"]), Trust::Prefer);
        assert_eq!(trust.of(&["AN"]), Trust::Require);
        assert_eq!(TrustByRole::from(Trust::Off).of(&["US"]), Trust::Off);
    }

    #[test]
    fn a_list_under_other_hashes_is_refused() {
        let listed = format!(r#"{{"sha256:{}": "{{ a }}"}}"#, hash("{ a }"));
        assert!(TrustedDocuments::read(listed.as_bytes(), Trust::Require).is_ok());
        let sha1 = br#"{"da39a3ee5e6b4b0d3255bfef95601890afd80709": "{ a }"}"#;
        let refused = TrustedDocuments::read(sha1, Trust::Require).expect_err("another hash");
        assert!(refused.to_string().contains("sha256"), "{refused}");
        assert!(TrustedDocuments::read(b"[]", Trust::Off).is_err());
    }
}
