//! Audit events as lines of a file.
//!
//! Invariant: a line says what `auditEvents` says of the event, ids as UUIDs; a cell of CSV that a
//! spreadsheet would run begins with an apostrophe.

mod fhir;
mod ocsf;

use chrono::{DateTime, SecondsFormat, Utc};
use csv::{ByteRecord, Terminator, WriterBuilder};
use rollcall_domain::{audit::ExportFormat, kernel::ids::TenantId};
use rollcall_projections::audit_timeline::{Entry, TellError, acts};
use serde::Serialize;
use serde_json::{Value, json, value::RawValue};
use uuid::Uuid;

const COLUMNS: [&str; 26] = [
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
    "clientAddress",
    "policyVersion",
    "correlationId",
    "causationId",
    "before",
    "after",
];

/// Why events could not be written down.
#[derive(Debug, thiserror::Error)]
pub enum RowError {
    #[error(transparent)]
    Tell(#[from] TellError),
    #[error(transparent)]
    Csv(#[from] csv::Error),
    #[error(transparent)]
    Json(#[from] serde_json::Error),
}

/// What stands before the first event.
///
/// # Errors
/// None in practice: memory takes it.
pub fn head(format: ExportFormat) -> Result<Vec<u8>, RowError> {
    match format {
        ExportFormat::Csv => records([Ok(ByteRecord::from(COLUMNS.to_vec()))]),
        ExportFormat::JsonLines
        | ExportFormat::Ocsf
        | ExportFormat::Fhir
        | ExportFormat::Json
        | ExportFormat::Pdf => Ok(Vec::new()),
    }
}

/// The lines of some events of a tenant; no more than one is held beside its line.
///
/// # Errors
/// An event cannot be told.
pub fn lines(
    format: ExportFormat,
    tenant: TenantId,
    entries: impl Iterator<Item = Result<Entry, TellError>>,
) -> Result<Vec<u8>, RowError> {
    match format {
        ExportFormat::Csv => records(entries.map(|entry| Ok(Line::of(&entry?).record()))),
        // Events are asked for as neither of the other two.
        ExportFormat::JsonLines | ExportFormat::Json | ExportFormat::Pdf => {
            json_lines(entries, |out, entry| serde_json::to_writer(out, &Line::of(&entry)))
        }
        ExportFormat::Ocsf => json_lines(entries, |out, entry| {
            serde_json::to_writer(out, &ocsf::event(&entry, tenant))
        }),
        ExportFormat::Fhir => json_lines(entries, |out, entry| {
            serde_json::to_writer(out, &fhir::event(&entry, tenant))
        }),
    }
}

/// What a manifest says of how events were brought into a format that is not our own.
pub fn mapping(format: ExportFormat) -> Value {
    match format {
        ExportFormat::Csv | ExportFormat::JsonLines | ExportFormat::Json | ExportFormat::Pdf => {
            Value::Null
        }
        ExportFormat::Ocsf => {
            json!({ "standard": "OCSF", "edition": ocsf::EDITION, "version": acts::VERSION })
        }
        ExportFormat::Fhir => {
            json!({ "standard": "HL7 FHIR", "edition": fhir::EDITION, "version": acts::VERSION })
        }
    }
}

fn json_lines(
    entries: impl Iterator<Item = Result<Entry, TellError>>,
    write: impl Fn(&mut Vec<u8>, Entry) -> serde_json::Result<()>,
) -> Result<Vec<u8>, RowError> {
    let mut lines = Vec::new();
    for entry in entries {
        write(&mut lines, entry?)?;
        lines.push(b'\n');
    }
    Ok(lines)
}

pub(super) fn records(
    rows: impl IntoIterator<Item = Result<ByteRecord, TellError>>,
) -> Result<Vec<u8>, RowError> {
    let mut writer = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(Vec::new());
    for row in rows {
        writer.write_byte_record(&row?)?;
    }
    writer.into_inner().map_err(|error| csv::Error::from(error.into_error()).into())
}

/// An event, its fields in the order of the columns.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Line<'a> {
    position: i64,
    recorded_at: String,
    occurred_at: String,
    effective_at: String,
    id: Uuid,
    #[serde(rename = "type")]
    event_type: &'a str,
    outcome: &'static str,
    sentence: &'a str,
    actor_kind: &'static str,
    actor_id: Option<Uuid>,
    actor_name: &'a str,
    organization_id: Option<Uuid>,
    organization_name: Option<&'a str>,
    subject_id: Option<Uuid>,
    subject_name: Option<&'a str>,
    subject_organization_id: Option<Uuid>,
    subject_organization_name: Option<&'a str>,
    npi: Option<&'a str>,
    command: &'a str,
    session_id: Option<Uuid>,
    client_address: Option<&'a str>,
    policy_version: i64,
    correlation_id: Uuid,
    causation_id: Option<Uuid>,
    before: Option<&'a RawValue>,
    after: Option<&'a RawValue>,
}

/// A moment, to the microsecond.
pub(super) fn moment(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}

impl<'a> Line<'a> {
    fn of(entry: &'a Entry) -> Self {
        Self {
            position: entry.position,
            recorded_at: moment(entry.recorded_at),
            occurred_at: moment(entry.occurred_at),
            effective_at: moment(entry.effective_at),
            id: entry.event_id,
            event_type: &entry.event_type,
            outcome: if entry.refused { "REFUSED" } else { "SUCCEEDED" },
            sentence: &entry.sentence,
            actor_kind: entry.actor.kind.as_str(),
            actor_id: entry.actor.id,
            actor_name: &entry.actor_name,
            organization_id: entry.organization,
            organization_name: entry.organization_name.as_deref(),
            subject_id: entry.subject,
            subject_name: entry.subject_name.as_deref(),
            subject_organization_id: entry.subject_organization,
            subject_organization_name: entry.subject_organization_name.as_deref(),
            npi: entry.npi.as_deref(),
            command: &entry.command,
            session_id: entry.session,
            client_address: entry.client_address.as_deref(),
            policy_version: entry.policy_version,
            correlation_id: entry.correlation_id,
            causation_id: entry.causation_id,
            before: entry.before.as_deref(),
            after: entry.after.as_deref(),
        }
    }

    fn record(&self) -> ByteRecord {
        let mut cells = Cells(ByteRecord::with_capacity(1_024, COLUMNS.len()));
        cells.number(self.position);
        for at in [&self.recorded_at, &self.occurred_at, &self.effective_at] {
            cells.text(at);
        }
        cells.id(Some(self.id));
        for text in [self.event_type, self.outcome, self.sentence, self.actor_kind] {
            cells.text(text);
        }
        cells.id(self.actor_id);
        cells.text(self.actor_name);
        cells.id(self.organization_id);
        cells.text(self.organization_name.unwrap_or_default());
        cells.id(self.subject_id);
        cells.text(self.subject_name.unwrap_or_default());
        cells.id(self.subject_organization_id);
        cells.text(self.subject_organization_name.unwrap_or_default());
        cells.text(self.npi.unwrap_or_default());
        cells.text(self.command);
        cells.id(self.session_id);
        cells.text(self.client_address.unwrap_or_default());
        cells.number(self.policy_version);
        cells.id(Some(self.correlation_id));
        cells.id(self.causation_id);
        for side in [self.before, self.after] {
            cells.text(side.map(RawValue::get).unwrap_or_default());
        }
        cells.0
    }
}

/// A record of CSV in the making.
pub(super) struct Cells(ByteRecord);

impl Cells {
    /// The cells of some values, each as text.
    pub(super) fn of(values: impl IntoIterator<Item = Value>) -> ByteRecord {
        let mut cells = Self(ByteRecord::new());
        for value in values {
            match value {
                Value::Null => cells.text(""),
                Value::String(text) => cells.text(&text),
                other
                @ (Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
                    cells.text(&other.to_string())
                }
            }
        }
        cells.0
    }

    fn text(&mut self, text: &str) {
        if runs(text) {
            self.0.push_field(format!("'{text}").as_bytes());
        } else {
            self.0.push_field(text.as_bytes());
        }
    }

    fn number(&mut self, number: i64) {
        self.0.push_field(number.to_string().as_bytes());
    }

    fn id(&mut self, id: Option<Uuid>) {
        let mut letters = Uuid::encode_buffer();
        let text: &str = match id {
            Some(id) => id.hyphenated().encode_lower(&mut letters),
            None => "",
        };
        self.0.push_field(text.as_bytes());
    }
}

/// Whether a spreadsheet would take a cell for a formula.
fn runs(text: &str) -> bool {
    text.starts_with(['=', '+', '-', '@', '\t', '\r'])
}

/// A tree of values without the fields that say nothing.
fn stated(value: Value) -> Value {
    match value {
        Value::Object(fields) => Value::Object(
            fields
                .into_iter()
                .filter(|(_, field)| !field.is_null())
                .map(|(name, field)| (name, stated(field)))
                .collect(),
        ),
        Value::Array(items) => Value::Array(items.into_iter().map(stated).collect()),
        other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => other,
    }
}

#[cfg(test)]
mod tests;
