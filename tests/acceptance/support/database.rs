//! A database per test, cloned from a template that is migrated once per run.

use rollcall_api::postgres::volatile;
use rollcall_journal::schema;
use sqlx::{Connection, Executor, PgConnection, postgres::PgConnectOptions};
use tokio::sync::OnceCell;
use uuid::Uuid;

static TEMPLATE: OnceCell<String> = OnceCell::const_new();

/// A fresh, migrated database on the shared volatile server.
pub async fn fresh() -> (String, PgConnectOptions) {
    let template = TEMPLATE.get_or_init(migrated).await;
    clone_of(template).await
}

/// A copy of `template`; who is still connected there has five seconds to go.
pub async fn clone_of(template: &str) -> (String, PgConnectOptions) {
    let name = format!("t_{}", Uuid::new_v4().simple());
    administrate(&format!("CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")).await;
    let options = volatile::connect_options(&name);
    (name, options)
}

/// Drops a database, whoever is still connected.
pub async fn drop(name: &str) {
    administrate(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
}

async fn migrated() -> String {
    let name = format!("tpl_{}", Uuid::new_v4().simple());
    administrate(&format!("CREATE DATABASE {name}")).await;
    schema::migrate(&volatile::connect_options(&name)).await.expect("the template migrates");
    name
}

async fn administrate(statement: &str) {
    let mut connection = PgConnection::connect_with(&volatile::connect_options("postgres"))
        .await
        .expect("the volatile server answers");
    connection.execute(statement).await.expect("administration works");
}
