//! A million events as a file, beside `COPY … TO` of the same rows.
//!
//! Invariant: what is counted is the service's memory while nothing but the export is going on.

use std::time::{Duration, Instant};

use futures_util::StreamExt;
use serde_json::json;
use sqlx::{Connection, PgConnection, postgres::PgConnectOptions};

use super::{
    portal::Portal,
    report::{Report, resident},
};

const ROWS: i64 = 1_000_000;
const EXPORT: &str = "mutation($input: ExportAuditEventsInput!) { exportAuditEvents(input: $input)
    { auditExport { url } userErrors { code message } } }";

pub async fn measure(report: &mut Report, portal: &Portal, database: &PgConnectOptions) {
    let client = portal.client(&portal.population.world.auditor).await;
    let mut session = PgConnection::connect_with(database).await.expect("the server answers");
    let rows = ROWS.min(portal.population.events / 2);
    let end: chrono::DateTime<chrono::Utc> =
        sqlx::query_scalar("SELECT recorded_at FROM read.audit_timeline WHERE position = $1")
            .bind(rows)
            .fetch_one(&mut session)
            .await
            .expect("an event");
    let begun = Instant::now();
    let copy = format!(
        "COPY (SELECT t.*, e.payload FROM read.audit_timeline t
                 JOIN es.events e ON e.tenant_id = t.tenant_id AND e.tenant_position = t.position
                WHERE t.recorded_at < '{end}' ORDER BY t.position) TO STDOUT (FORMAT csv)"
    );
    let mut copied = session.copy_out_raw(&copy).await.expect("it is copied");
    let mut bytes = 0;
    while let Some(chunk) = copied.next().await {
        bytes += chunk.expect("it is copied").len();
    }
    drop(copied);
    let copying = begun.elapsed();
    report.note("COPY of the rows", rows as f64 / copying.as_secs_f64(), "rows/s");
    report.note("its size", bytes as f64 / 1e6, "MB");
    for format in ["JSON_LINES", "CSV"] {
        let input = json!({ "format": format, "filter": { "to": end } });
        let asked = client.ask(EXPORT, &json!({ "input": input })).await;
        let url = &asked["exportAuditEvents"]["auditExport"]["url"];
        let url = url.as_str().unwrap_or_else(|| panic!("{asked}"));
        let before = resident();
        let (time, bytes, peak) = client.drain(url, resident).await;
        report.note(&format!("{format} of them"), rows as f64 / time.as_secs_f64(), "rows/s");
        report.note("its size", bytes as f64 / 1e6, "MB");
        let ratio = copying.as_secs_f64() / time.as_secs_f64();
        report.at_least(&format!("{format} / COPY, speed"), ratio, 0.5, "x");
        report.at_most(&format!("{format}, memory that came in"), peak - before, 200.0, "MiB");
    }
    assert!(Duration::from_millis(1) < copying);
}
