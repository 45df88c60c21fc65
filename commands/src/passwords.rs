//! Password hashes: Argon2id, 19 MiB, two passes, one lane (OWASP; RFC 9106), on the blocking pool
//! and never more at once than there are cores.
//!
//! Invariant: verifying costs the same whether or not there is a hash to compare with, so the time
//! of an answer tells nothing about accounts (GN-09).

use std::sync::{Arc, OnceLock};

use argon2::{
    Algorithm, Argon2, Params, PasswordHash, PasswordHasher as _, PasswordVerifier, Version,
};
use rollcall_domain::values::Password;
use tokio::sync::Semaphore;

/// Memory in KiB.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;

/// Hashes and verifies off the async threads.
#[derive(Clone)]
pub struct PasswordHasher {
    permits: Arc<Semaphore>,
}

impl Default for PasswordHasher {
    fn default() -> Self {
        Self::new()
    }
}

impl PasswordHasher {
    #[must_use]
    pub fn new() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self { permits: Arc::new(Semaphore::new(cores)) }
    }

    /// A PHC string with a fresh random salt.
    pub async fn hash(&self, password: &Password) -> String {
        let password = password.clone();
        self.blocking(move || hash_now(&password)).await
    }

    /// Whether `password` is the one behind `phc`; without a hash the same work is done for nothing.
    pub async fn verify(&self, password: &Password, phc: Option<String>) -> bool {
        let password = password.clone();
        self.blocking(move || match phc {
            Some(phc) => verify_now(&password, &phc),
            None => {
                verify_now(&password, decoy());
                false
            }
        })
        .await
    }

    async fn blocking<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> T {
        let _permit = self.permits.acquire().await.expect("the semaphore is never closed");
        tokio::task::spawn_blocking(work).await.expect("hashing does not panic")
    }
}

fn argon2() -> Argon2<'static> {
    let params = Params::new(MEMORY_KIB, PASSES, 1, None).expect("constant parameters are valid");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

fn hash_now(password: &Password) -> String {
    let mut salt = [0u8; 16];
    getrandom::fill(&mut salt).expect("the operating system gives randomness");
    let salt = argon2::password_hash::SaltString::encode_b64(&salt).expect("16 bytes fit a salt");
    argon2()
        .hash_password(password.reveal().as_bytes(), &salt)
        .expect("constant parameters are valid")
        .to_string()
}

/// Whether somebody could sign in with this hash from another portal.
#[must_use]
pub fn is_known_hash(phc: &str) -> bool {
    let known = |hash: &PasswordHash<'_>| {
        Algorithm::try_from(hash.algorithm).is_ok()
            && hash.hash.is_some()
            && Params::try_from(hash).is_ok()
    };
    PasswordHash::new(phc).is_ok_and(|hash| known(&hash))
}

fn verify_now(password: &Password, phc: &str) -> bool {
    PasswordHash::new(phc)
        .is_ok_and(|hash| argon2().verify_password(password.reveal().as_bytes(), &hash).is_ok())
}

/// The hash that unknown identifiers are compared with.
fn decoy() -> &'static str {
    static DECOY: OnceLock<String> = OnceLock::new();
    DECOY.get_or_init(|| hash_now(&Password::new("no account has this password")))
}
