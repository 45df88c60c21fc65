//! Who may touch what: final events, tenants, roles.

use rollcall_journal::pools;
use sqlx::{Connection, Executor, PgConnection};
use uuid::Uuid;

use crate::support::{Database, Ledger, OTHER_TENANT, TENANT, book};

#[tokio::test]
async fn not_even_a_superuser_changes_an_event() {
    let database = Database::create().await;
    book(&database.journal().await, TENANT, Uuid::from_u128(1)).await;
    for change in
        ["UPDATE es.events SET event_type = 'x'", "DELETE FROM es.events", "TRUNCATE es.events"]
    {
        for mode in ["origin", "replica"] {
            let mut connection = PgConnection::connect_with(&database.superuser()).await.unwrap();
            let replication = format!("SET session_replication_role = {mode}");
            connection.execute(replication.as_str()).await.unwrap();
            let refused = connection.execute(change).await.unwrap_err().to_string();
            assert!(refused.contains("events are final"), "{change}: {refused}");
        }
    }
    assert_eq!(database.value::<i64>("SELECT count(*) FROM es.events").await, 1);
}

#[tokio::test]
async fn the_query_role_sees_the_named_tenant_only() {
    let database = Database::create().await;
    let journal = database.journal().await;
    book(&journal, TENANT, Uuid::from_u128(1)).await;
    for n in 2..4 {
        book(&journal, OTHER_TENANT, Uuid::from_u128(n)).await;
    }
    let pool = pools::query(database.owner(), 2).await.unwrap();
    for (tenant, expected) in [(Some(TENANT), 1_i64), (Some(OTHER_TENANT), 2), (None, 0)] {
        let mut transaction = pool.begin().await.unwrap();
        if let Some(tenant) = tenant {
            let name = sqlx::query("SELECT set_config('rollcall.tenant', $1, true)");
            name.bind(tenant.to_string()).execute(&mut *transaction).await.unwrap();
        }
        for table in ["es.events", "es.tenant_heads"] {
            let count = format!(
                "SELECT coalesce(sum(n), 0)::bigint FROM (SELECT 1 AS n, * FROM {table}) t"
            );
            let seen: i64 = sqlx::query_scalar(&count).fetch_one(&mut *transaction).await.unwrap();
            let tenants = i64::from(tenant.is_some());
            let expected = if table == "es.events" { expected } else { tenants };
            assert_eq!(seen, expected, "{table} as {tenant:?}");
        }
    }
}

#[tokio::test]
async fn serving_roles_hold_no_more_rights_than_they_need() {
    let database = Database::create().await;
    book(&database.journal().await, TENANT, Uuid::from_u128(1)).await;
    let writer = database.writer().await;
    let query = pools::query(database.owner(), 1).await.unwrap();
    let runner = pools::runner(database.owner(), 1).await.unwrap();
    let sealer = pools::sealer(database.owner(), 1).await.unwrap();
    let refused = [
        (&writer, "DELETE FROM es.events"),
        (&writer, "INSERT INTO es.tenant_heads VALUES (gen_random_uuid(), 1)"),
        (&writer, "UPDATE es.head SET position = 0"),
        (&writer, "UPDATE es.vault SET value = ''"),
        (&runner, "SELECT FROM es.vault"),
        (&runner, "SELECT FROM es.outcomes('{}', '{}')"),
        (&sealer, "SELECT FROM es.commands"),
        (&query, "SELECT FROM es.subject_keys"),
        (&query, "SELECT FROM es.reservations"),
        (&query, "UPDATE es.events SET npi = NULL"),
    ];
    for (pool, statement) in refused {
        let error = pool.execute(statement).await.unwrap_err().to_string();
        assert!(error.contains("permission denied"), "{statement}: {error}");
    }
}

#[tokio::test]
async fn no_pool_serves_as_superuser_owner_or_around_row_level_security() {
    let database = Database::create().await;
    let bypass = "DO $$ BEGIN CREATE ROLE rollcall_test_bypass NOLOGIN BYPASSRLS;
                  EXCEPTION WHEN duplicate_object THEN NULL; END $$";
    database.execute(bypass).await.unwrap();
    let owner = database.owner();
    let cases = [
        (database.superuser(), "SELECT 1", "postgres", "is superuser"),
        (
            database.superuser(),
            "SET ROLE rollcall_test_bypass",
            "rollcall_test_bypass",
            "BYPASSRLS",
        ),
        (owner.clone(), "SELECT 1", owner.get_username(), "owns es.events"),
        (owner.clone(), "SELECT 1", pools::WRITER, "instead of rollcall_writer"),
    ];
    for (options, first, role, reason) in cases {
        let mut connection = PgConnection::connect_with(&options).await.unwrap();
        connection.execute(first).await.unwrap();
        let refused = pools::check_role(&mut connection, role).await.unwrap_err().to_string();
        assert!(refused.contains(reason), "{refused}");
    }
}

#[tokio::test]
async fn a_stream_of_another_tenant_reads_as_empty_and_cannot_be_written() {
    let database = Database::create().await;
    let journal = database.journal().await;
    let id = Uuid::from_u128(1);
    book(&journal, TENANT, id).await;
    assert_eq!(journal.load::<Ledger>(OTHER_TENANT, id).await.unwrap().version, 0);
    let mut work = journal.begin(crate::support::header(OTHER_TENANT));
    work.record::<Ledger>(id, vec![crate::support::Booked::entry(1)]).await.unwrap();
    assert!(work.commit(serde_json::json!({})).await.is_err());
    assert_eq!(journal.load::<Ledger>(TENANT, id).await.unwrap().version, 1);
}
