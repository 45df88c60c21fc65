//! Rows of a report as lines of a file.
//!
//! Invariant: what a recount gives stands there unchanged; names stand beside ids, in columns of their
//! own that no recount has.

use rollcall_domain::audit::{ExportFormat, ReportName};
use rollcall_projections::{audit_timeline::sentences::Names, reports::Row};
use serde_json::{Map, Value};

use super::rows::{cell, records};

/// Columns of ids, each with the column of the name that stands beside it.
const NAMED: [(&str, &str); 6] = [
    ("userId", "userName"),
    ("organizationId", "organizationName"),
    ("submitterId", "submitterName"),
    ("providerId", "providerName"),
    ("actorId", "actorName"),
    ("byId", "byName"),
];

/// The columns of a file, each with the column whose name it tells where it is none of the row's.
fn columns(report: ReportName) -> Vec<(&'static str, Option<&'static str>)> {
    let name = |column: &str| NAMED.iter().find(|(id, _)| *id == column);
    let columns = report.definition().columns.iter().flat_map(|column| {
        let named = name(column).map(|(id, name)| (*name, Some(*id)));
        std::iter::once((*column, None)).chain(named)
    });
    columns.collect()
}

/// What stands before the first row.
///
/// # Errors
/// None in practice: memory takes it.
pub fn head(format: ExportFormat, report: ReportName) -> Result<Vec<u8>, csv::Error> {
    match format {
        ExportFormat::Csv => {
            records([columns(report).iter().map(|(name, _)| (*name).to_owned()).collect()])
        }
        ExportFormat::JsonLines => Ok(Vec::new()),
    }
}

/// The lines of some rows.
///
/// # Errors
/// None in practice: memory takes them.
pub fn lines(
    format: ExportFormat,
    report: ReportName,
    (rows, names): (&[Row], &Names),
) -> Result<Vec<u8>, csv::Error> {
    let columns = columns(report);
    let value = |row: &Row, (column, of): &(&str, Option<&str>)| match of {
        None => row.cell(column).clone(),
        Some(id) => {
            let id = row.uuid(id);
            let known = id.and_then(|id| {
                names.people.get(&id).or(names.organizations.get(&id)).or(names.things.get(&id))
            });
            known.cloned().into()
        }
    };
    match format {
        ExportFormat::Csv => {
            records(rows.iter().map(|row| {
                columns.iter().map(|column| cell(value(row, column))).collect::<Vec<_>>()
            }))
        }
        ExportFormat::JsonLines => {
            let mut lines = Vec::new();
            for row in rows {
                let line: Map<String, Value> = columns
                    .iter()
                    .map(|column| (column.0.to_owned(), value(row, column)))
                    .collect();
                lines.extend_from_slice(Value::Object(line).to_string().as_bytes());
                lines.push(b'\n');
            }
            Ok(lines)
        }
    }
}
