//! The write side as one object: what commands need besides the journal.

use std::{ops::Deref, sync::Arc};

use rollcall_journal::Journal;
use sqlx::PgPool;

use crate::{
    api_keys::ApiKeyActivity, passwords::PasswordHasher, permissions::right_use::RightUseNotes,
    rate_limit::RateLimits, session_activity::SessionActivity,
};

/// The dispatcher and its parts; cheap to clone.
#[derive(Clone)]
pub struct Commands(Arc<Parts>);

/// What [`Commands`] is made of.
pub struct Parts {
    pub journal: Journal,
    pub passwords: PasswordHasher,
    pub rate_limits: RateLimits,
    pub activity: SessionActivity,
    pub key_activity: ApiKeyActivity,
    pub right_uses: RightUseNotes,
}

/// What the service around it decides.
pub struct CommandsConfig {
    pub journal: Journal,
    /// Connections as the writer role, for `ops` tables.
    pub ops: PgPool,
}

impl Commands {
    #[must_use]
    pub fn new(config: CommandsConfig) -> Self {
        Self(Arc::new(Parts {
            passwords: PasswordHasher::new(),
            rate_limits: RateLimits::new(config.ops.clone()),
            activity: SessionActivity::new(config.ops.clone()),
            key_activity: ApiKeyActivity::new(config.ops.clone()),
            right_uses: RightUseNotes::new(config.ops),
            journal: config.journal,
        }))
    }
}

impl Deref for Commands {
    type Target = Parts;
    fn deref(&self) -> &Parts {
        &self.0
    }
}
