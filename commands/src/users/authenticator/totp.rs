//! Time-based one-time passwords: RFC 6238 over RFC 4226, with what every authenticator app takes as
//! given: HMAC-SHA-1, six digits, thirty seconds.

use chrono::{DateTime, Utc};
use hmac::{Hmac, Mac};
use sha1::Sha1;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Digits of a code.
pub const DIGITS: u32 = 6;
/// Seconds of a time step.
const STEP_SECONDS: i64 = 30;
/// Steps before and after the present one whose codes are taken: clocks differ and people type
/// slowly (RFC 6238, section 5.2).
const SKEW: i64 = 1;
/// Bytes of a secret: the output of SHA-1, as RFC 4226 recommends.
const SECRET_BYTES: usize = 20;

/// A shared secret, wiped when dropped.
pub(crate) struct TotpSecret(Zeroizing<[u8; SECRET_BYTES]>);

impl TotpSecret {
    /// 160 bits from the operating system.
    pub fn random() -> Self {
        let mut bytes = Zeroizing::new([0; SECRET_BYTES]);
        getrandom::fill(bytes.as_mut_slice()).expect("the operating system gives randomness");
        Self(bytes)
    }

    /// Reads a secret back from the vault.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(|bytes| Self(Zeroizing::new(bytes)))
    }

    pub fn bytes(&self) -> &[u8] {
        self.0.as_slice()
    }

    /// As people type it: RFC 4648 base32 without padding.
    pub fn base32(&self) -> String {
        const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        let bit = |n: usize| (self.0[n / 8] >> (7 - n % 8)) & 1;
        let letter = |n: usize| (0..5).fold(0, |value, i| value << 1 | bit(n * 5 + i));
        (0..SECRET_BYTES * 8 / 5).map(|n| char::from(ALPHABET[usize::from(letter(n))])).collect()
    }

    /// What the app scans (Key URI format of Google Authenticator, which others follow).
    pub fn uri(&self, issuer: &str, account: &str) -> String {
        let (issuer, account, secret) = (escaped(issuer), escaped(account), self.base32());
        format!(
            "otpauth://totp/{issuer}:{account}?secret={secret}&issuer={issuer}&algorithm=SHA1&digits={DIGITS}&period={STEP_SECONDS}"
        )
    }

    /// HOTP of the step (RFC 4226, section 5.3).
    fn code(&self, step: i64, digits: u32) -> String {
        let mut mac =
            <Hmac<Sha1> as Mac>::new_from_slice(self.bytes()).expect("HMAC takes any key length");
        mac.update(&step.to_be_bytes());
        let hash = mac.finalize().into_bytes();
        let offset = usize::from(hash[SECRET_BYTES - 1] & 0x0f);
        let four: [u8; 4] = hash[offset..offset + 4].try_into().expect("four bytes");
        let number = u32::from_be_bytes(four) & 0x7fff_ffff;
        format!("{:0width$}", number % 10_u32.pow(digits), width = digits as usize)
    }
}

/// The step of about `now` whose code was typed; every one is compared, in constant time.
pub(crate) fn matching_step(secret: &TotpSecret, typed: &str, now: DateTime<Utc>) -> Option<i64> {
    let present = now.timestamp().div_euclid(STEP_SECONDS);
    let mut found = None;
    for step in present - SKEW..=present + SKEW {
        if secret.code(step, DIGITS).as_bytes().ct_eq(typed.as_bytes()).into() {
            found = Some(step);
        }
    }
    found
}

/// Percent-encoding (RFC 3986, section 2.1).
fn escaped(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~@".contains(&byte);
    text.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret() -> TotpSecret {
        TotpSecret::read(b"12345678901234567890").expect("twenty bytes")
    }

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(second, 0).expect("a valid timestamp")
    }

    #[test]
    fn codes_are_those_of_the_rfc() {
        // RFC 6238, appendix B, the SHA-1 column.
        for (second, code) in [
            (59, "94287082"),
            (1_111_111_109, "07081804"),
            (1_111_111_111, "14050471"),
            (1_234_567_890, "89005924"),
            (2_000_000_000, "69279037"),
            (20_000_000_000, "65353130"),
        ] {
            assert_eq!(secret().code(second / STEP_SECONDS, 8), code, "{second}");
        }
    }

    #[test]
    fn secrets_are_told_as_the_rfc_encodes_them() {
        // RFC 4648 base32 of "12345678901234567890", computed with Python's base64.
        assert_eq!(secret().base32(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        assert_eq!(
            secret().uri("Redwood Plan", "ann@x.example"),
            "otpauth://totp/Redwood%20Plan:ann@x.example?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Redwood%20Plan&algorithm=SHA1&digits=6&period=30"
        );
    }

    #[test]
    fn a_code_is_taken_one_step_early_and_one_step_late() {
        let code = secret().code(100, DIGITS);
        for (second, found) in
            [(2969, None), (2970, Some(100)), (3000, Some(100)), (3059, Some(100)), (3060, None)]
        {
            assert_eq!(matching_step(&secret(), &code, at(second)), found, "{second}");
        }
        assert_eq!(matching_step(&secret(), "", at(3000)), None);
    }
}
