//! Which subscribers this process runs. Each is led by one process at a time; the others stand by
//! and take over when the leader's database session ends, however it ends.
//!
//! Leading is a matter of thrift, not of safety: checkpoints are compared before they are set.

use std::{collections::HashSet, io, time::Duration};

use sqlx::{Connection, PgConnection, PgPool};

/// How long the server may take to confirm the locks.
const PATIENCE: Duration = Duration::from_secs(10);

/// The session that holds the leader's locks.
#[derive(Default)]
pub(crate) struct Leadership {
    session: Option<PgConnection>,
    held: HashSet<String>,
}

impl Leadership {
    /// Tries to lead those of `names` that are not led yet, and gives all that are.
    pub(crate) async fn renew(
        &mut self,
        pool: &PgPool,
        names: &[&'static str],
    ) -> Result<&HashSet<String>, sqlx::Error> {
        let renewed = tokio::time::timeout(PATIENCE, self.try_renew(pool, names)).await;
        let renewed = renewed.unwrap_or_else(|_| {
            Err(sqlx::Error::Io(io::Error::new(
                io::ErrorKind::TimedOut,
                "the leader's session is silent",
            )))
        });
        if renewed.is_err() {
            self.resign();
        }
        renewed.map(|()| &self.held)
    }

    /// Ends the session and with it all leadership.
    pub(crate) fn resign(&mut self) {
        self.session = None;
        self.held.clear();
    }

    async fn try_renew(
        &mut self,
        pool: &PgPool,
        names: &[&'static str],
    ) -> Result<(), sqlx::Error> {
        let session = match &mut self.session {
            Some(session) => session,
            // Detached, so that a crowded pool never takes the session's locks for somebody else.
            None => self.session.insert(pool.acquire().await?.detach()),
        };
        let wanted: Vec<&str> =
            names.iter().copied().filter(|name| !self.held.contains(*name)).collect();
        if wanted.is_empty() {
            return session.ping().await;
        }
        let gained: Vec<String> = sqlx::query_scalar(
            "SELECT name FROM unnest($1::text[]) name
              WHERE pg_try_advisory_lock(hashtextextended('rollcall.leader/' || name, 0))",
        )
        .bind(&wanted)
        .fetch_all(session)
        .await?;
        for name in &gained {
            tracing::debug!(subscriber = name, "this process leads the subscriber now");
        }
        self.held.extend(gained);
        Ok(())
    }
}
