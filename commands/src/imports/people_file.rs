//! The file of people as CSV, read on the machine the service runs on (GN-33).
//!
//! Invariant: a line that cannot be read is refused with its number; the others are imported.

use std::{collections::VecDeque, sync::Arc};

use rollcall_domain::{
    Code, Refusal, hex,
    imports::{LineOutcome, LineResult, PersonRow},
    kernel::ids::TenantId,
    organizations::EnrolmentSource,
    tenants::Tenant,
};
use sha2::{Digest, Sha256};
use tokio::task::{JoinError, JoinHandle};
use uuid::Uuid;

use super::{
    ImportPerson, Imported,
    ahead::{Ahead, Found},
    turns::{Turn, Turns},
};
use crate::{Caller, Commands, DispatchError};

/// Columns that must be there; the others may be left out. Their names are the fields' of
/// [`PersonRow`].
const REQUIRED: [&str; 4] = ["email", "first_name", "last_name", "mobile"];

/// Lines under way at once: enough for their appends to fill batches, few enough to wait for one
/// organisation within a lane's patience.
const AT_ONCE: usize = 64;
/// Lines whose names are looked up together.
const TOGETHER: usize = 1_000;
/// Attempts at a line that others keep coming in the way of.
const ATTEMPTS: usize = 4;

/// Imports a whole file and tells each line's result, in the order of the lines, and how many there
/// are; answers all results. Lines of different people are under way together; after a fault no more
/// are begun, and those under way are brought to their end. Interrupted and repeated, it imports nobody
/// twice.
///
/// # Errors
/// `NOT_FOUND` for a tenant that does not exist, `CSV_INVALID` for a file whose header does not fit,
/// or a fault.
pub async fn import_file(
    commands: &Commands,
    tenant: TenantId,
    file: &[u8],
    mut progress: impl FnMut(&LineResult, usize),
) -> Result<Vec<LineResult>, DispatchError> {
    if commands.journal.load::<Tenant>(tenant, tenant.0).await?.state.profile().is_none() {
        return Err(Refusal::not_found("tenant").into());
    }
    let lines = read(file)?;
    let importer = Arc::new(Importer {
        commands: commands.clone(),
        caller: Caller::system(tenant, Uuid::now_v7(), None),
        file_sha256: hex(&Sha256::digest(file)),
    });
    let total = lines.len();
    let mut under_way = UnderWay {
        lines: VecDeque::with_capacity(AT_ONCE),
        results: Vec::with_capacity(total),
        progress: |result: &LineResult| progress(result, total),
    };
    let mut fault = importer.begin_all(lines, &mut under_way).await.err();
    // What is begun is written, or not, before whoever asked for the import is told how it went.
    while !under_way.lines.is_empty() {
        let finished = under_way.finish_first().await;
        fault = fault.or(finished.err());
    }
    match fault {
        Some(fault) => Err(fault),
        None => Ok(under_way.results),
    }
}

/// Lines that were begun, and what became of those that are done.
struct UnderWay<P> {
    lines: VecDeque<JoinHandle<Result<LineResult, DispatchError>>>,
    results: Vec<LineResult>,
    progress: P,
}

impl<P: FnMut(&LineResult)> UnderWay<P> {
    /// Waits for the line that came first.
    async fn finish_first(&mut self) -> Result<(), DispatchError> {
        let Some(first) = self.lines.pop_front() else { return Ok(()) };
        let died = |died: JoinError| Err(DispatchError::Fault(died.to_string()));
        let result = first.await.unwrap_or_else(died)?;
        (self.progress)(&result);
        self.results.push(result);
        Ok(())
    }
}

/// What all lines of a file have in common.
struct Importer {
    commands: Commands,
    caller: Caller,
    file_sha256: String,
}

/// A line that could be read.
struct Row {
    row: PersonRow,
    found: Found,
    turn: Turn,
}

impl Importer {
    /// Begins one line after the other, a few at once, until one meets with a fault.
    async fn begin_all<P: FnMut(&LineResult)>(
        self: &Arc<Self>,
        mut lines: Vec<Line>,
        under_way: &mut UnderWay<P>,
    ) -> Result<(), DispatchError> {
        let source = (&self.commands.journal, self.caller.tenant);
        let mut turns = Turns::default();
        lines.reverse();
        while !lines.is_empty() {
            let some = lines.split_off(lines.len().saturating_sub(TOGETHER));
            let rows = some.iter().filter_map(|(_, row)| row.as_ref().ok());
            let ahead = Ahead::of(source, rows).await?;
            for (line, row) in some.into_iter().rev() {
                if under_way.lines.len() == AT_ONCE {
                    under_way.finish_first().await?;
                }
                let row =
                    row.map(|row| Row { turn: turns.next(&row), found: ahead.found(&row), row });
                under_way.lines.push_back(tokio::spawn(Arc::clone(self).import(line, row)));
            }
        }
        Ok(())
    }

    async fn import(
        self: Arc<Self>,
        line: u32,
        row: Result<Row, Refusal>,
    ) -> Result<LineResult, DispatchError> {
        let imported = match row {
            Ok(row) => self.import_row(line, row).await,
            Err(refusal) => Err(refusal.into()),
        };
        match imported {
            Ok(done) => Ok(LineResult {
                line,
                outcome: done.outcome,
                user: Some(done.user),
                organization: Some(done.organization),
                refusal: None,
            }),
            Err(DispatchError::Refused(refusal)) => Ok(LineResult {
                line,
                outcome: LineOutcome::Refused,
                user: None,
                organization: None,
                refusal: Some(refusal),
            }),
            Err(fault @ DispatchError::Fault(_)) => Err(fault),
        }
    }

    async fn import_row(&self, line: u32, row: Row) -> Result<Imported, DispatchError> {
        let Row { row, found, mut turn } = row;
        turn.comes().await;
        let source = EnrolmentSource { file_sha256: self.file_sha256.clone(), line };
        let mut import = ImportPerson { source, row, found };
        let mut attempts = 1;
        loop {
            match self.commands.dispatch(&self.caller, None, &import).await {
                // What was looked up ahead may be what has changed.
                Err(DispatchError::Refused(refusal))
                    if refusal.code == Code::VersionConflict && attempts < ATTEMPTS =>
                {
                    import.found = Found::default();
                    attempts += 1;
                }
                done => return done.map(|receipt| receipt.output),
            }
        }
    }
}

/// A line with its number; one that cannot be read with its refusal.
type Line = (u32, Result<PersonRow, Refusal>);

fn read(file: &[u8]) -> Result<Vec<Line>, Refusal> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(file);
    let headers = reader.headers().map_err(|_| invalid("Save the file as CSV in UTF-8."))?.clone();
    if let Some(missing) = REQUIRED.iter().find(|name| !headers.iter().any(|h| h == **name)) {
        return Err(invalid(&format!("The column {missing} is missing.")));
    }
    let line_of = |position: Option<&csv::Position>| {
        position.and_then(|at| u32::try_from(at.line()).ok()).unwrap_or_default()
    };
    let mut lines = Vec::new();
    for record in reader.records() {
        lines.push(match record {
            Ok(record) => {
                let unknown = |_| invalid("A column of the header is not known.");
                let row = record.deserialize(Some(&headers)).map_err(unknown)?;
                (line_of(record.position()), Ok(row))
            }
            Err(error) => {
                let message = "The line has not the header's columns, or is no UTF-8.";
                (line_of(error.position()), Err(invalid(message)))
            }
        });
    }
    Ok(lines)
}

fn invalid(message: &str) -> Refusal {
    Refusal::new(Code::CsvInvalid, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "email,first_name,last_name,mobile";

    #[test]
    fn gn_33_lines_keep_their_numbers_and_unreadable_ones_stand_alone() {
        let file = format!("{HEADER}\na@b.example,A,B,+12025550123\ntoo,few\n");
        let lines = read(file.as_bytes()).expect("the header fits");
        assert_eq!(lines.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [2, 3]);
        assert_eq!(lines[0].1.as_ref().map(|row| row.email.as_str()), Ok("a@b.example"));
        assert_eq!(lines[1].1.as_ref().err().map(|refusal| refusal.code), Some(Code::CsvInvalid));
    }

    #[test]
    fn gn_33_a_header_that_does_not_fit_refuses_the_file() {
        let code = |file: &str| read(file.as_bytes()).err().map(|refusal| refusal.code);
        assert_eq!(code("email,first_name\n"), Some(Code::CsvInvalid));
        assert_eq!(code(&format!("{HEADER},colour\nA,B,C,D,E\n")), Some(Code::CsvInvalid));
        assert_eq!(code(&format!("{HEADER}\n")), None);
    }
}
