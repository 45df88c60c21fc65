//! The codec of personal data in stored events: replaces the markers that `Sealed<T>` serialises to
//! by ciphertext, and back.
//!
//! # Construction (alg `XC20P-HKDF-SHA256-C1`, frozen by the first stored event)
//! ```text
//! subject key   K   32 random bytes per subject and key version
//! field secret  S = HKDF-SHA-256(K, "rollcall/field/1" ‖ event id ‖ pointer)
//! cipher key    E = HKDF-SHA-256(S, "rollcall/field-cipher/1")
//! commitment    C = HKDF-SHA-256(S, "rollcall/field-commitment/1")
//! ciphertext      = XChaCha20-Poly1305(E, random nonce, aad = alg ‖ event id ‖ pointer ‖ subject)
//! plaintext       = the value as compact JSON
//! ```
//! Every `‖` frames its parts by length. The pointer is the RFC 6901 path of the marker in the
//! stored event, beginning with `/payload` or `/metadata`. The cipher alone does not commit to its
//! key: one ciphertext can be made that opens differently under two keys. C does commit, since two
//! secrets with the same C would be a SHA-256 collision, and it is compared (in constant time)
//! before anything is decrypted. So an evidence bundle can disclose one field by giving its S: it
//! opens that field, in one way only, and says nothing about the person's other fields.
//!
//! Invariant: only this module makes or reads a stored marker, and what lies under a marker is never
//! left in clear: a malformed marker is an error, not a value.

use std::fmt::Write;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use rollcall_domain::kernel::ids::SubjectId;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use subtle::ConstantTimeEq;
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::crypto::{self, Key};

const MARKER: &str = "$sealed";
const ALG: &str = "XC20P-HKDF-SHA256-C1";

/// The part of a stored event a document is; the first step of every pointer into it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Payload,
    Metadata,
}

impl Part {
    const fn pointer(self) -> &'static str {
        match self {
            Self::Payload => "/payload",
            Self::Metadata => "/metadata",
        }
    }
}

/// A marker that is not one, or a field that was altered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    #[error("the object at {0} is not a well-formed $sealed marker")]
    Malformed(String),
    #[error("the sealed field at {0} was altered: its commitment holds but it does not open")]
    Altered(String),
}

/// One version of a subject's key. Destroying all copies erases what was sealed under it.
#[derive(Clone)]
pub struct SubjectKey {
    pub(crate) version: i32,
    pub(crate) key: Key,
}

/// Opens exactly one field of one event; what a bundle discloses.
#[derive(Clone)]
pub struct FieldSecret(Key);

/// A marker's body as stored: `{subject, alg, v, commit, nonce, ct}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SealedField {
    pub subject: Uuid,
    alg: String,
    /// The version of the subject's key.
    pub v: i32,
    commit: String,
    nonce: String,
    ct: String,
}

/// Whether a marker could be opened.
#[derive(Debug, PartialEq, Eq)]
pub enum Opened {
    Value(Value),
    /// The commitment is to another key: the field's own key is gone.
    OtherKey,
}

/// The secret of the field at `pointer` of an event, to be disclosed with a bundle.
#[must_use]
pub fn disclose(key: &SubjectKey, event_id: Uuid, pointer: &str) -> FieldSecret {
    let info: [&[u8]; 3] = [b"rollcall/field/1", event_id.as_bytes(), pointer.as_bytes()];
    FieldSecret(crypto::derive(&key.key, &info))
}

impl FieldSecret {
    /// A secret that came in a bundle.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    fn cipher_key(&self) -> Key {
        crypto::derive(&self.0, &[b"rollcall/field-cipher/1"])
    }

    fn commitment(&self) -> Key {
        crypto::derive(&self.0, &[b"rollcall/field-commitment/1"])
    }
}

/// Opens a stored field by its secret alone, as the holder of a bundle does.
///
/// # Errors
/// [`SealError::Malformed`] if the field is not in this algorithm's form, [`SealError::Altered`] if
/// the secret is the right one but ciphertext, event, pointer or subject are not.
pub fn open_with_field_secret(
    secret: &FieldSecret,
    event_id: Uuid,
    pointer: &str,
    field: &SealedField,
) -> Result<Opened, SealError> {
    let malformed = || SealError::Malformed(pointer.to_owned());
    let altered = || SealError::Altered(pointer.to_owned());
    if field.alg != ALG {
        return Err(malformed());
    }
    let commit = BASE64_URL_SAFE_NO_PAD.decode(&field.commit).map_err(|_| malformed())?;
    let nonce = BASE64_URL_SAFE_NO_PAD.decode(&field.nonce).map_err(|_| malformed())?;
    let nonce = nonce.try_into().map_err(|_| malformed())?;
    let ct = BASE64_URL_SAFE_NO_PAD.decode(&field.ct).map_err(|_| malformed())?;
    if !bool::from(secret.commitment().as_slice().ct_eq(&commit)) {
        return Ok(Opened::OtherKey);
    }
    let context = context(event_id, pointer, field.subject);
    let plain = crypto::decrypt(&secret.cipher_key(), &nonce, &context, &ct);
    let plain = plain.map_err(|_| altered())?;
    serde_json::from_slice(&plain).map(Opened::Value).map_err(|_| altered())
}

/// The distinct subjects that `document` has markers of, whether open or sealed. Malformed markers
/// are passed over: [`seal`] and [`open`] refuse them.
#[must_use]
pub fn subjects(document: &Value) -> Vec<SubjectId> {
    let mut found = Vec::new();
    collect_subjects(document, &mut found);
    found
}

fn collect_subjects(value: &Value, found: &mut Vec<SubjectId>) {
    match value {
        Value::Object(object) => match object.get(MARKER).and_then(Value::as_object) {
            Some(body) => {
                let subject = subject_of("", body).ok().filter(|subject| !found.contains(subject));
                found.extend(subject);
            }
            None => object.values().for_each(|member| collect_subjects(member, found)),
        },
        Value::Array(elements) => {
            elements.iter().for_each(|element| collect_subjects(element, found));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Seals every open marker under the key that `key_of` gives for its subject; `None` (the subject
/// was erased) drops the value. A marker without a value stays as it is.
///
/// # Errors
/// [`SealError::Malformed`] for a marker that holds anything but a subject and a value.
pub fn seal(
    part: Part,
    event_id: Uuid,
    document: &mut Value,
    mut key_of: impl FnMut(SubjectId) -> Option<SubjectKey>,
) -> Result<(), SealError> {
    visit(document, &mut part.pointer().to_owned(), &mut |pointer, body| {
        let subject = subject_of(pointer, body)?;
        if body.keys().any(|key| key != "subject" && key != "value") {
            return Err(SealError::Malformed(pointer.to_owned()));
        }
        let Some(value) = body.remove("value") else { return Ok(()) };
        if let Some(key) = key_of(subject) {
            *body = sealed_body(&key, event_id, pointer, subject, &value);
        }
        Ok(())
    })
}

/// Opens every sealed marker under the key that `key_of` gives for its subject and key version. A
/// marker whose key is gone keeps only its subject and so reads as erased.
///
/// # Errors
/// [`SealError::Malformed`] or [`SealError::Altered`]; the document is then half opened and must not
/// be used.
pub fn open(
    part: Part,
    event_id: Uuid,
    document: &mut Value,
    mut key_of: impl FnMut(SubjectId, i32) -> Option<SubjectKey>,
) -> Result<(), SealError> {
    visit(document, &mut part.pointer().to_owned(), &mut |pointer, body| {
        let subject = subject_of(pointer, body)?;
        let stored = std::mem::take(body);
        let erased = stored.len() == 1;
        body.insert("subject".to_owned(), subject.to_string().into());
        if erased {
            return Ok(());
        }
        let field: SealedField = serde_json::from_value(Value::Object(stored))
            .map_err(|_| SealError::Malformed(pointer.to_owned()))?;
        let Some(key) = key_of(subject, field.v) else { return Ok(()) };
        let secret = disclose(&key, event_id, pointer);
        match open_with_field_secret(&secret, event_id, pointer, &field)? {
            Opened::Value(value) => {
                body.insert("value".to_owned(), value);
            }
            Opened::OtherKey => tracing::warn!(
                %event_id, pointer, %subject, version = field.v,
                "a sealed field commits to another key than its subject's; it reads as erased"
            ),
        }
        Ok(())
    })
}

/// The sealed fields of a stored document, each with its pointer; erased ones are left out.
///
/// # Errors
/// [`SealError::Malformed`].
pub fn fields(part: Part, document: &Value) -> Result<Vec<(String, SealedField)>, SealError> {
    let mut found = Vec::new();
    visit(&mut document.clone(), &mut part.pointer().to_owned(), &mut |pointer, body| {
        if body.len() > 1 {
            let field = serde_json::from_value(Value::Object(std::mem::take(body)))
                .map_err(|_| SealError::Malformed(pointer.to_owned()))?;
            found.push((pointer.to_owned(), field));
        }
        Ok(())
    })?;
    Ok(found)
}

fn sealed_body(
    key: &SubjectKey,
    event_id: Uuid,
    pointer: &str,
    subject: SubjectId,
    value: &Value,
) -> Map<String, Value> {
    let secret = disclose(key, event_id, pointer);
    let nonce = crypto::random();
    let plain = Zeroizing::new(value.to_string());
    let context = context(event_id, pointer, subject.0);
    let ct = crypto::encrypt(&secret.cipher_key(), &nonce, &context, plain.as_bytes());
    let encode = |bytes: &[u8]| Value::String(BASE64_URL_SAFE_NO_PAD.encode(bytes));
    Map::from_iter([
        ("subject".to_owned(), subject.to_string().into()),
        ("alg".to_owned(), ALG.into()),
        ("v".to_owned(), key.version.into()),
        ("commit".to_owned(), encode(secret.commitment().as_slice())),
        ("nonce".to_owned(), encode(&nonce)),
        ("ct".to_owned(), encode(&ct)),
    ])
}

fn context(event_id: Uuid, pointer: &str, subject: Uuid) -> Vec<u8> {
    let parts: [&[u8]; 4] =
        [ALG.as_bytes(), event_id.as_bytes(), pointer.as_bytes(), subject.as_bytes()];
    crypto::framed(&parts)
}

fn subject_of(pointer: &str, body: &Map<String, Value>) -> Result<SubjectId, SealError> {
    body.get("subject")
        .and_then(Value::as_str)
        .and_then(|subject| subject.parse().ok())
        .ok_or_else(|| SealError::Malformed(pointer.to_owned()))
}

/// Calls `at_marker` with the pointer and body of every marker, in document order.
fn visit(
    value: &mut Value,
    pointer: &mut String,
    at_marker: &mut impl FnMut(&str, &mut Map<String, Value>) -> Result<(), SealError>,
) -> Result<(), SealError> {
    let here = pointer.len();
    match value {
        Value::Object(object) if object.contains_key(MARKER) => {
            let alone = object.len() == 1;
            match object.get_mut(MARKER) {
                Some(Value::Object(body)) if alone => at_marker(pointer, body)?,
                Some(_) | None => return Err(SealError::Malformed(pointer.clone())),
            }
        }
        Value::Object(object) => {
            for (key, member) in object {
                pointer.push('/');
                pointer.push_str(&key.replace('~', "~0").replace('/', "~1"));
                visit(member, pointer, at_marker)?;
                pointer.truncate(here);
            }
        }
        Value::Array(elements) => {
            for (index, element) in elements.iter_mut().enumerate() {
                write!(pointer, "/{index}").expect("writing to a string does not fail");
                visit(element, pointer, at_marker)?;
                pointer.truncate(here);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
    Ok(())
}

#[cfg(test)]
#[path = "seal_tests.rs"]
mod tests;
