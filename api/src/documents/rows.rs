//! Audit events as lines of a file.
//!
//! Invariant: a line says what `auditEvents` says of the event, ids as UUIDs; a cell of CSV that a
//! spreadsheet would run begins with an apostrophe.

use chrono::{DateTime, SecondsFormat, Utc};
use csv::{Terminator, WriterBuilder};
use rollcall_domain::audit::ExportFormat;
use rollcall_projections::audit_timeline::Entry;
use serde_json::{Map, Value};
use uuid::Uuid;

const COLUMNS: [&str; 25] = [
    "position",
    "recordedAt",
    "occurredAt",
    "effectiveAt",
    "id",
    "type",
    "outcome",
    "sentence",
    "actorKind",
    "actorId",
    "actorName",
    "organizationId",
    "organizationName",
    "subjectId",
    "subjectName",
    "subjectOrganizationId",
    "subjectOrganizationName",
    "npi",
    "command",
    "sessionId",
    "policyVersion",
    "correlationId",
    "causationId",
    "before",
    "after",
];

/// What stands before the first event.
///
/// # Errors
/// None in practice: memory takes it.
pub fn head(format: ExportFormat) -> Result<Vec<u8>, csv::Error> {
    match format {
        ExportFormat::Csv => records([COLUMNS.map(str::to_owned).to_vec()]),
        ExportFormat::JsonLines => Ok(Vec::new()),
    }
}

/// The lines of some events.
///
/// # Errors
/// None in practice: memory takes them.
pub fn lines(format: ExportFormat, entries: Vec<Entry>) -> Result<Vec<u8>, csv::Error> {
    let rows = entries.into_iter().map(values);
    match format {
        ExportFormat::Csv => records(rows.map(|row| row.into_iter().map(cell).collect())),
        ExportFormat::JsonLines => {
            let mut lines = Vec::new();
            for row in rows {
                let names = COLUMNS.map(str::to_owned);
                let line: Map<String, Value> = names.into_iter().zip(row).collect();
                lines.extend_from_slice(Value::Object(line).to_string().as_bytes());
                lines.push(b'\n');
            }
            Ok(lines)
        }
    }
}

pub(super) fn records(rows: impl IntoIterator<Item = Vec<String>>) -> Result<Vec<u8>, csv::Error> {
    let mut writer = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(Vec::new());
    for row in rows {
        writer.write_record(row)?;
    }
    writer.into_inner().map_err(|error| error.into_error().into())
}

/// An event's values in the order of the columns.
fn values(entry: Entry) -> [Value; COLUMNS.len()] {
    let time = |at: DateTime<Utc>| Value::from(at.to_rfc3339_opts(SecondsFormat::Micros, true));
    let id = |id: Option<Uuid>| id.map_or(Value::Null, |id| id.to_string().into());
    let outcome = if entry.refused { "REFUSED" } else { "SUCCEEDED" };
    [
        entry.position.into(),
        time(entry.recorded_at),
        time(entry.occurred_at),
        time(entry.effective_at),
        id(Some(entry.event_id)),
        entry.event_type.into(),
        outcome.into(),
        entry.sentence.into(),
        entry.actor.kind.as_str().into(),
        id(entry.actor.id),
        entry.actor_name.into(),
        id(entry.organization),
        entry.organization_name.into(),
        id(entry.subject),
        entry.subject_name.into(),
        id(entry.subject_organization),
        entry.subject_organization_name.into(),
        entry.npi.into(),
        entry.command.into(),
        id(entry.session),
        entry.policy_version.into(),
        id(Some(entry.correlation_id)),
        id(entry.causation_id),
        entry.before.unwrap_or_default(),
        entry.after.unwrap_or_default(),
    ]
}

pub(super) fn cell(value: Value) -> String {
    guarded(match value {
        Value::Null => String::new(),
        Value::String(text) => text,
        other @ (Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
            other.to_string()
        }
    })
}

/// A cell that no spreadsheet takes for a formula.
fn guarded(text: String) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_that_a_spreadsheet_would_run_begin_with_an_apostrophe() {
        for text in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"] {
            assert_eq!(guarded(text.to_owned()), format!("'{text}"));
        }
        for text in ["", "Ann Lee", "1-1", "{\"a\":\"=1\"}", "'=1"] {
            assert_eq!(guarded(text.to_owned()), text);
        }
    }

    #[test]
    fn records_end_and_are_quoted_as_rfc_4180_has_it() {
        let row = vec!["a,b".to_owned(), "say \"x\"".to_owned(), "two\r\nlines".to_owned()];
        let text = records([row]).expect("memory takes it");
        assert_eq!(text, b"\"a,b\",\"say \"\"x\"\"\",\"two\r\nlines\"\r\n");
        let head = head(ExportFormat::Csv).expect("memory takes it");
        assert!(head.starts_with(b"position,recordedAt,") && head.ends_with(b",after\r\n"));
    }
}
