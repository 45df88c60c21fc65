//! The database's schema: one ordered set of migrations for every crate's tables.
//!
//! Invariant: a migration that was applied is never edited; `sqlx` refuses to start on a changed one.

use rollcall_domain::hex;
use sha2::{Digest, Sha256};
use sqlx::{Connection, PgConnection, migrate::Migrator, postgres::PgConnectOptions};

static MIGRATOR: Migrator = sqlx::migrate!("../../migrations");

/// Why the schema could not be brought up to date.
#[derive(Debug, thiserror::Error)]
pub enum SchemaError {
    #[error("the database cannot be reached: {0}")]
    Connect(#[from] sqlx::Error),
    #[error("migration failed: {0}")]
    Migrate(#[from] sqlx::migrate::MigrateError),
}

/// Applies what is missing, as the user of `options`, who then owns the schema. Any number of
/// processes may do so at once.
///
/// # Errors
/// The database cannot be reached, or a migration fails; the failing one is rolled back.
pub async fn migrate(options: &PgConnectOptions) -> Result<(), SchemaError> {
    let mut connection = PgConnection::connect_with(options).await?;
    MIGRATOR.run(&mut connection).await?;
    connection.close().await?;
    Ok(())
}

/// A hash over all migrations, hexadecimal: equal hashes mean equal schemas.
#[must_use]
pub fn migrations_hash() -> String {
    let mut hash = Sha256::new();
    for migration in MIGRATOR.iter() {
        hash.update(migration.version.to_be_bytes());
        hash.update(&migration.checksum);
    }
    hex(&hash.finalize())
}
