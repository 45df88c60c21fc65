//! The few cryptographic building blocks everything else is made of: framing, derivation, AEAD.
//! Inputs of several parts are always length-prefixed, so that no two different inputs read alike.

use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

/// A 256-bit key that is wiped when dropped.
pub(crate) type Key = Zeroizing<[u8; 32]>;

/// Bytes of an XChaCha20-Poly1305 nonce; random ones do not repeat.
pub(crate) const NONCE: usize = 24;

/// The ciphertext, nonce or associated data are not what was sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the ciphertext does not open under this key and context")]
pub struct Unreadable;

/// Each part behind its length as eight big-endian bytes.
pub(crate) fn framed(parts: &[&[u8]]) -> Vec<u8> {
    let mut out = Vec::with_capacity(parts.iter().map(|part| part.len() + 8).sum());
    for part in parts {
        out.extend_from_slice(&(part.len() as u64).to_be_bytes());
        out.extend_from_slice(part);
    }
    out
}

pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system's random source answers");
    bytes
}

pub(crate) fn random_key() -> Key {
    Zeroizing::new(random())
}

/// HKDF-SHA-256 of a uniformly random `secret` for one purpose.
pub(crate) fn derive(secret: &[u8; 32], info: &[&[u8]]) -> Key {
    let mut key = Key::default();
    Hkdf::<Sha256>::new(None, secret)
        .expand(&framed(info), key.as_mut_slice())
        .expect("32 bytes are within what HKDF-SHA-256 gives");
    key
}

pub(crate) fn mac(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(key).expect("HMAC takes any key length");
    mac.update(&framed(parts));
    mac.finalize().into_bytes().into()
}

/// Encrypts under a nonce that the caller chose at random.
pub(crate) fn encrypt(key: &Key, nonce: &[u8; NONCE], aad: &[u8], plain: &[u8]) -> Vec<u8> {
    XChaCha20Poly1305::new(key.as_slice().into())
        .encrypt(XNonce::from_slice(nonce), Payload { msg: plain, aad })
        .expect("a value in memory is shorter than the cipher's limit of 256 GiB")
}

pub(crate) fn decrypt(
    key: &Key,
    nonce: &[u8; NONCE],
    aad: &[u8],
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, Unreadable> {
    XChaCha20Poly1305::new(key.as_slice().into())
        .decrypt(XNonce::from_slice(nonce), Payload { msg: sealed, aad })
        .map(Zeroizing::new)
        .map_err(|_| Unreadable)
}

/// Encrypts to `nonce ‖ ciphertext`.
pub(crate) fn wrap(key: &Key, aad: &[u8], plain: &[u8]) -> Vec<u8> {
    let nonce = random();
    let mut wrapped = nonce.to_vec();
    wrapped.extend(encrypt(key, &nonce, aad, plain));
    wrapped
}

pub(crate) fn unwrap(
    key: &Key,
    aad: &[u8],
    wrapped: &[u8],
) -> Result<Zeroizing<Vec<u8>>, Unreadable> {
    let (nonce, sealed) = wrapped.split_first_chunk::<NONCE>().ok_or(Unreadable)?;
    decrypt(key, nonce, aad, sealed)
}

/// Like [`unwrap`], for a wrapped 256-bit key.
pub(crate) fn unwrap_key(key: &Key, aad: &[u8], wrapped: &[u8]) -> Result<Key, Unreadable> {
    let plain = unwrap(key, aad, wrapped)?;
    plain.as_slice().try_into().map(Zeroizing::new).map_err(|_| Unreadable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn framing_tells_apart_what_concatenation_would_not() {
        assert_ne!(framed(&[b"ab", b"c"]), framed(&[b"a", b"bc"]));
        assert_ne!(framed(&[b""]), framed(&[]));
    }

    #[test]
    fn opens_only_under_the_same_key_and_context() {
        let key = random_key();
        let mut wrapped = wrap(&key, b"context", b"plain");
        assert_eq!(unwrap(&key, b"context", &wrapped).unwrap().as_slice(), b"plain");
        assert_eq!(unwrap(&key, b"other", &wrapped), Err(Unreadable));
        assert_eq!(unwrap(&random_key(), b"context", &wrapped), Err(Unreadable));
        assert_eq!(unwrap(&key, b"context", &wrapped[..10]), Err(Unreadable));
        *wrapped.last_mut().unwrap() ^= 1;
        assert_eq!(unwrap(&key, b"context", &wrapped), Err(Unreadable));
    }

    #[test]
    fn derivation_agrees_with_an_independent_implementation() {
        // HKDF-Expand(HKDF-Extract("", 0x0b × 32), 00…03 "abc", 32), computed with Python's hmac.
        let expected: [u8; 32] = [
            0x22, 0x38, 0xb2, 0xe3, 0xf1, 0x8f, 0x07, 0xff, 0x0a, 0x68, 0x78, 0x02, 0x8f, 0x86,
            0x77, 0x11, 0x7e, 0xd5, 0x66, 0x18, 0xe5, 0x04, 0x00, 0x5a, 0xfb, 0x48, 0x0d, 0x87,
            0x1a, 0xab, 0x38, 0xe0,
        ];
        assert_eq!(derive(&[0x0b; 32], &[b"abc"]).as_slice(), expected);
    }
}
