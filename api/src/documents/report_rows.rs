//! Rows of a report as lines of a file.
//!
//! Invariant: what a recount gives stands there unchanged; names stand beside ids, in columns of their
//! own that no recount has.

use rollcall_domain::audit::{ExportFormat, ReportName};
use rollcall_projections::{audit_timeline::sentences::Names, reports::Row};
use serde_json::{Map, Value};

use super::rows::{Cells, RowError, records};

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
pub fn head(format: ExportFormat, report: ReportName) -> Result<Vec<u8>, RowError> {
    match format {
        ExportFormat::Csv => {
            let names = columns(report).into_iter().map(|(name, _)| Value::from(name));
            records([Ok(Cells::of(names))])
        }
        ExportFormat::JsonLines
        | ExportFormat::Ocsf
        | ExportFormat::Fhir
        | ExportFormat::Json
        | ExportFormat::Pdf => Ok(Vec::new()),
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
) -> Result<Vec<u8>, RowError> {
    let columns = columns(report);
    let value = |row: &Row, (column, of): &(&str, Option<&str>)| match of {
        None => row.cell(column).clone(),
        Some(id) => {
            let known = row.uuid(id).and_then(|id| {
                names.people.get(&id).or(names.organizations.get(&id)).or(names.things.get(&id))
            });
            known.cloned().into()
        }
    };
    match format {
        ExportFormat::Csv => {
            let cells = |row| Ok(Cells::of(columns.iter().map(|column| value(row, column))));
            records(rows.iter().map(cells))
        }
        ExportFormat::JsonLines
        | ExportFormat::Ocsf
        | ExportFormat::Fhir
        | ExportFormat::Json
        | ExportFormat::Pdf => {
            let mut lines = Vec::new();
            for row in rows {
                let cells = columns.iter().map(|it| (it.0.to_owned(), value(row, it)));
                let line: Map<String, Value> = cells.collect();
                serde_json::to_writer(&mut lines, &line)?;
                lines.push(b'\n');
            }
            Ok(lines)
        }
    }
}
