//! Reads `DATABASE_URL`.
//!
//! Invariant: neither an error nor a [`Target`] ever contains the URL's password.

use std::fmt;
use std::str::FromStr;

use sqlx::postgres::PgConnectOptions;

/// `DATABASE_URL` cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// Empty.
    #[error(
        "DATABASE_URL is set but empty; unset it to let Rollcall run its own PostgreSQL, or set it \
         to postgres://user:password@host:5432/database"
    )]
    Empty,
    /// Another kind of database.
    #[error("DATABASE_URL does not begin with postgres:// or postgresql://")]
    Scheme,
    /// Not a URL, or one with an unusable parameter.
    #[error(
        "DATABASE_URL cannot be read; expected postgres://user:password@host:5432/database, with \
         characters such as @ : / in the password percent-encoded"
    )]
    Malformed,
}

/// Parses the value of `DATABASE_URL`.
///
/// # Errors
/// [`UrlError`], without any part of the value.
pub fn parse(url: &str) -> Result<PgConnectOptions, UrlError> {
    let url = url.trim();
    if url.is_empty() {
        return Err(UrlError::Empty);
    }
    if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
        return Err(UrlError::Scheme);
    }
    // The parser's own message may quote the value.
    PgConnectOptions::from_str(url).map_err(|_| UrlError::Malformed)
}

/// Where a connection goes, for messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target(String);

impl Target {
    /// Host and port, or the socket folder, and the database.
    pub fn of(options: &PgConnectOptions) -> Self {
        let place = match options.get_socket() {
            Some(socket) => format!("the socket in {}", socket.display()),
            None => format!("{}:{}", options.get_host(), options.get_port()),
        };
        let database = options.get_database().unwrap_or(options.get_username());
        Self(format!("{place} (database {database})"))
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_names_the_place_and_not_the_password() {
        let options = parse("postgres://app:s3cret@db.example:6543/ledger").expect("well formed");
        assert_eq!(Target::of(&options).to_string(), "db.example:6543 (database ledger)");
        let socket = parse("postgres://app@%2Frun%2Fpg/ledger").expect("well formed");
        assert_eq!(Target::of(&socket).to_string(), "the socket in /run/pg (database ledger)");
    }

    #[test]
    fn malformed_values_are_refused_without_being_quoted() {
        assert_eq!(parse("  ").map(drop), Err(UrlError::Empty));
        assert_eq!(parse("mysql://app:s3cret@h/d").map(drop), Err(UrlError::Scheme));
        let malformed = parse("postgres://app:s3cret@h:port/d").map(drop).expect_err("no port");
        assert_eq!(malformed, UrlError::Malformed);
        assert!(!malformed.to_string().contains("s3cret"));
    }
}
