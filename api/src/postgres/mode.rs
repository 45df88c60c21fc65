//! Managed or external server: one switch, decided before anything is started.
//!
//! Invariant: whether `DATABASE_URL` is set is the only thing that chooses; production never gets a
//! managed server by leaving it out.

/// What the environment says, read by the caller.
#[derive(Debug, Clone, Copy, Default)]
pub struct Situation<'a> {
    /// `DATABASE_URL`.
    pub database_url: Option<&'a str>,
    /// `ROLLCALL_ENV=production`.
    pub production: bool,
    /// `ROLLCALL_ALLOW_MANAGED=1`.
    pub allow_managed: bool,
}

/// Which server to use.
#[derive(Clone, PartialEq, Eq)]
pub enum Mode {
    /// Rollcall runs its own.
    Managed,
    /// The server at this URL, which may contain a password.
    External(String),
}

impl std::fmt::Debug for Mode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Managed => "Managed",
            Self::External(_) => "External(…)",
        })
    }
}

/// Why the situation allows neither.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ModeError {
    /// Production without an external server.
    #[error(
        "ROLLCALL_ENV=production needs a PostgreSQL of its own: set DATABASE_URL, or set \
         ROLLCALL_ALLOW_MANAGED=1 to accept the server that Rollcall runs itself (no replica, no \
         backups but yours)"
    )]
    ManagedInProduction,
}

impl Mode {
    /// Decides; a `DATABASE_URL` that is set but empty counts as set and fails later as malformed.
    ///
    /// # Errors
    /// [`ModeError::ManagedInProduction`].
    pub fn choose(situation: Situation<'_>) -> Result<Self, ModeError> {
        match situation.database_url {
            Some(url) => Ok(Self::External(url.to_owned())),
            None if situation.production && !situation.allow_managed => {
                Err(ModeError::ManagedInProduction)
            }
            None => Ok(Self::Managed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_url_switches_and_production_must_allow_a_managed_server() {
        let unset = Situation::default();
        let production = Situation { production: true, ..unset };
        let allowed = Situation { allow_managed: true, ..production };
        let external = Situation { database_url: Some("postgres://u:pw@h/d"), ..allowed };
        assert_eq!(Mode::choose(unset), Ok(Mode::Managed));
        assert_eq!(Mode::choose(production), Err(ModeError::ManagedInProduction));
        assert_eq!(Mode::choose(allowed), Ok(Mode::Managed));
        let mode = Mode::choose(external).expect("a URL is always an answer");
        assert_eq!(mode, Mode::External("postgres://u:pw@h/d".into()));
        assert!(!format!("{mode:?}").contains("pw"));
    }
}
