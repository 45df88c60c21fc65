//! The tables of a rebuild: made alike, compared, exchanged. Constraints and indexes keep their
//! names, so that later migrations find them.

use sqlx::PgConnection;

/// A table that does not hold the rows the events give.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    pub table: &'static str,
    pub live_rows: i64,
    pub rebuilt_rows: i64,
}

/// Sends unqualified names of this transaction to `schema` and nowhere else: a table that the
/// projection does not own up to is then an error, not a write to the running one.
pub(super) async fn direct_to(tx: &mut PgConnection, schema: &str) -> Result<(), sqlx::Error> {
    sqlx::query(
        "SELECT set_config('search_path', $1, true), set_config('synchronous_commit', 'off', true)",
    )
    .bind(schema)
    .execute(tx)
    .await?;
    Ok(())
}

pub(super) async fn drop_schema(tx: &mut PgConnection, schema: &str) -> Result<(), sqlx::Error> {
    run(tx, &format!("DROP SCHEMA IF EXISTS {schema} CASCADE")).await
}

/// Makes empty copies of `read`'s tables in a new `schema`, as well protected as the originals.
pub(super) async fn create_alike(
    tx: &mut PgConnection,
    tables: &[&str],
    schema: &str,
) -> Result<(), sqlx::Error> {
    drop_schema(tx, schema).await?;
    run(tx, &format!("CREATE SCHEMA {schema}")).await?;
    run(tx, &format!("GRANT USAGE ON SCHEMA {schema} TO rollcall_runner")).await?;
    for table in tables {
        let columns = format!(
            "CREATE TABLE {schema}.{table} (LIKE read.{table} INCLUDING ALL EXCLUDING INDEXES)"
        );
        run(tx, &columns).await?;
        for statement in indexes(tx, table, schema).await? {
            run(tx, &statement).await?;
        }
        run(tx, &format!("SELECT ops.secure_tenant_table('{schema}.{table}')")).await?;
    }
    Ok(())
}

/// The statements that give the copy its keys and indexes.
async fn indexes(
    tx: &mut PgConnection,
    table: &str,
    schema: &str,
) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar(
        "SELECT CASE WHEN k.oid IS NULL
                  THEN replace(pg_get_indexdef(i.indexrelid), format(' ON %I.%I ', n.nspname, t.relname), format(' ON %I.%I ', $2, t.relname))
                  ELSE format('ALTER TABLE %I.%I ADD CONSTRAINT %I %s', $2, t.relname, k.conname, pg_get_constraintdef(k.oid))
                END
           FROM pg_index i
           JOIN pg_class t ON t.oid = i.indrelid
           JOIN pg_namespace n ON n.oid = t.relnamespace
           LEFT JOIN pg_constraint k ON k.conindid = i.indexrelid AND k.conrelid = t.oid AND k.contype IN ('p', 'u', 'x')
          WHERE n.nspname = 'read' AND t.relname = $1",
    )
    .bind(table)
    .bind(schema)
    .fetch_all(tx)
    .await
}

/// Compares rows by number and by a sum of row hashes, which does not depend on their order.
pub(super) async fn compare(
    tx: &mut PgConnection,
    tables: &[&'static str],
    schema: &str,
) -> Result<Vec<Difference>, sqlx::Error> {
    let mut differences = Vec::new();
    for &table in tables {
        let (live_rows, live) = digest(tx, "read", table).await?;
        let (rebuilt_rows, rebuilt) = digest(tx, schema, table).await?;
        if (live_rows, live) != (rebuilt_rows, rebuilt) {
            differences.push(Difference { table, live_rows, rebuilt_rows });
        }
    }
    Ok(differences)
}

async fn digest(
    tx: &mut PgConnection,
    schema: &str,
    table: &str,
) -> Result<(i64, String), sqlx::Error> {
    let statement = format!(
        "SELECT count(*), coalesce(sum(hashtextextended(t::text, 0)::numeric), 0)::text
           FROM {schema}.{table} t"
    );
    sqlx::query_as(&statement).fetch_one(tx).await
}

/// Puts the new tables in the place of the old ones, which are retired.
pub(super) async fn switch(
    tx: &mut PgConnection,
    tables: &[&str],
    schema: &str,
    retired: &str,
) -> Result<(), sqlx::Error> {
    run(tx, "SET LOCAL lock_timeout = '10s'").await?;
    drop_schema(tx, retired).await?;
    run(tx, &format!("CREATE SCHEMA {retired}")).await?;
    for table in tables {
        run(tx, &format!("ALTER TABLE read.{table} SET SCHEMA {retired}")).await?;
        run(tx, &format!("ALTER TABLE {schema}.{table} SET SCHEMA read")).await?;
    }
    // Not CASCADE: anything left in it would be something the projection does not own up to.
    run(tx, &format!("DROP SCHEMA {schema}")).await
}

async fn run(tx: &mut PgConnection, statement: &str) -> Result<(), sqlx::Error> {
    sqlx::query(statement).persistent(false).execute(tx).await?;
    Ok(())
}
