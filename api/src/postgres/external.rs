//! The server that `DATABASE_URL` names: reachable, new enough, and durable, or not used at all.
//!
//! Invariant: a server that may forget an acknowledged commit (`fsync`, `full_page_writes` or
//! `synchronous_commit` off) is refused; `--dev` may accept it, production never does.

use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{Connection, FromRow};

use super::OLDEST_MAJOR;
use super::url::{self, Target, UrlError};

const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// How durable the server must be.
#[derive(Debug, Clone, Copy, Default)]
pub struct Strictness {
    /// `--dev` or `--demo`: a volatile server is accepted.
    pub dev: bool,
    /// `ROLLCALL_ENV=production`: overrides `dev`.
    pub production: bool,
}

/// An external server that passed the checks.
#[derive(Debug, Clone)]
pub struct External {
    /// How to connect to it.
    pub options: PgConnectOptions,
    /// Its settings at the time of the check.
    pub settings: Settings,
}

/// The settings that decide whether an acknowledged commit survives.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Settings {
    /// As in 150014.
    pub server_version_num: i32,
    /// `on` or `off`.
    pub fsync: String,
    /// `on` or `off`.
    pub full_page_writes: String,
    /// `on`, `remote_apply`, `remote_write`, `local` or `off`.
    pub synchronous_commit: String,
}

/// Why an external server is not used.
#[derive(Debug, thiserror::Error)]
pub enum ExternalError {
    /// `DATABASE_URL` cannot be read.
    #[error(transparent)]
    Url(#[from] UrlError),
    /// Nobody answers.
    #[error(
        "DATABASE_URL is set, but no PostgreSQL answers at {target}: {reason}. Start that server \
         or correct DATABASE_URL; to let Rollcall run its own PostgreSQL, unset it"
    )]
    Unreachable {
        /// Where.
        target: Target,
        /// What happened.
        reason: String,
    },
    /// It answers and says no.
    #[error(
        "PostgreSQL at {target} refused the connection: {reason}. Check the user, the password and \
         the database in DATABASE_URL"
    )]
    Refused {
        /// Where.
        target: Target,
        /// What it said.
        reason: String,
    },
    /// Too old.
    #[error("PostgreSQL at {target} is version {found}; Rollcall needs {OLDEST_MAJOR} or newer")]
    TooOld {
        /// Where.
        target: Target,
        /// Its major version.
        found: i32,
    },
    /// It may lose acknowledged commits.
    #[error(
        "PostgreSQL at {target} runs with {setting}=off, so it can lose or corrupt records that \
         were acknowledged. Set {setting}=on (ALTER SYSTEM SET {setting} = on; SELECT \
         pg_reload_conf();); only --dev, outside production, accepts it as it is"
    )]
    Volatile {
        /// Where.
        target: Target,
        /// The first setting that is off.
        setting: &'static str,
    },
}

impl External {
    /// Connects to the server `DATABASE_URL` names, within 10 s, and checks its settings.
    ///
    /// # Errors
    /// [`ExternalError`]; there is no fallback.
    pub async fn check(url: &str, strictness: Strictness) -> Result<Self, ExternalError> {
        let options = url::parse(url)?;
        let target = Target::of(&options);
        let asked = tokio::time::timeout(ANSWER_WITHIN, Settings::ask(&options)).await;
        let settings = match asked {
            Ok(Ok(settings)) => settings,
            Ok(Err(error)) => return Err(failure(target, error)),
            Err(_) => {
                let reason = format!("no answer within {} s", ANSWER_WITHIN.as_secs());
                return Err(ExternalError::Unreachable { target, reason });
            }
        };
        settings.judge(&target, strictness)?;
        Ok(Self { options, settings })
    }
}

impl Settings {
    /// Asks a server for its settings as the connecting user sees them.
    ///
    /// # Errors
    /// What the connection or the statement ended with.
    pub async fn ask(options: &PgConnectOptions) -> Result<Self, sqlx::Error> {
        let mut connection = PgConnection::connect_with(options).await?;
        let settings = sqlx::query_as(
            "SELECT current_setting('server_version_num')::int AS server_version_num,
                    current_setting('fsync') AS fsync,
                    current_setting('full_page_writes') AS full_page_writes,
                    current_setting('synchronous_commit') AS synchronous_commit",
        )
        .fetch_one(&mut connection)
        .await?;
        connection.close().await?;
        Ok(settings)
    }

    /// Whether a server with these settings may be used.
    ///
    /// # Errors
    /// [`ExternalError::TooOld`] and [`ExternalError::Volatile`].
    pub fn judge(&self, target: &Target, strictness: Strictness) -> Result<(), ExternalError> {
        let found = self.server_version_num / 10_000;
        if u32::try_from(found).is_ok_and(|major| major < OLDEST_MAJOR) {
            return Err(ExternalError::TooOld { target: target.clone(), found });
        }
        if strictness.dev && !strictness.production {
            return Ok(());
        }
        let durable = [
            ("fsync", &self.fsync),
            ("full_page_writes", &self.full_page_writes),
            ("synchronous_commit", &self.synchronous_commit),
        ];
        match durable.into_iter().find(|(_, value)| *value == "off") {
            Some((setting, _)) => Err(ExternalError::Volatile { target: target.clone(), setting }),
            None => Ok(()),
        }
    }
}

fn failure(target: Target, error: sqlx::Error) -> ExternalError {
    match error.as_database_error() {
        Some(said) => ExternalError::Refused { target, reason: said.message().to_owned() },
        None => ExternalError::Unreachable { target, reason: error.to_string() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn durable() -> Settings {
        Settings {
            server_version_num: 150_014,
            fsync: "on".into(),
            full_page_writes: "on".into(),
            synchronous_commit: "remote_apply".into(),
        }
    }

    fn judge(settings: &Settings, dev: bool, production: bool) -> Result<(), ExternalError> {
        let options = url::parse("postgres://app:s3cret@db.example/ledger").expect("well formed");
        settings.judge(&Target::of(&options), Strictness { dev, production })
    }

    #[test]
    fn a_durable_server_is_accepted_everywhere() {
        assert!(judge(&durable(), false, true).is_ok());
    }

    #[test]
    fn each_setting_that_may_lose_commits_is_refused_by_name() {
        let off = || "off".to_owned();
        let weak = [
            ("fsync", Settings { fsync: off(), ..durable() }),
            ("full_page_writes", Settings { full_page_writes: off(), ..durable() }),
            ("synchronous_commit", Settings { synchronous_commit: off(), ..durable() }),
        ];
        for (name, settings) in weak {
            for (dev, production) in [(false, false), (false, true), (true, true)] {
                let refused = judge(&settings, dev, production).expect_err(name);
                let named =
                    matches!(refused, ExternalError::Volatile { setting, .. } if setting == name);
                assert!(named, "{refused}");
            }
            assert!(judge(&settings, true, false).is_ok(), "--dev accepts {name}=off");
        }
    }

    #[test]
    fn an_old_server_is_refused_even_for_development() {
        let old = Settings { server_version_num: 140_019, ..durable() };
        let refused = judge(&old, true, false).expect_err("14 is too old");
        assert!(matches!(refused, ExternalError::TooOld { found: 14, .. }), "{refused}");
    }
}
