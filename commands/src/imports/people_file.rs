//! The file of people as CSV, read on the machine the service runs on (GN-33).
//!
//! Invariant: a line that cannot be read is refused with its number; the others are imported.

use rollcall_domain::{
    Code, Refusal,
    imports::{LineOutcome, LineResult, PersonRow},
    kernel::ids::TenantId,
    organizations::EnrolmentSource,
    tenants::Tenant,
};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::ImportPerson;
use crate::{Caller, Commands, DispatchError};

/// Columns that must be there; the others may be left out. Their names are the fields' of
/// [`PersonRow`].
const REQUIRED: [&str; 4] = ["email", "first_name", "last_name", "mobile"];

/// Imports a whole file, line by line, and tells each line's result and how many there are; answers
/// all results in their order. Interrupted and repeated, it imports nobody twice.
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
    let file_sha256: String =
        Sha256::digest(file).iter().map(|byte| format!("{byte:02x}")).collect();
    let caller = Caller::system(tenant, Uuid::now_v7(), None);
    let total = lines.len();
    let mut results = Vec::with_capacity(total);
    for (line, row) in lines {
        let imported = match row {
            Ok(row) => {
                let source = EnrolmentSource { file_sha256: file_sha256.clone(), line };
                let import = ImportPerson { source, row };
                commands.dispatch(&caller, None, &import).await.map(|receipt| receipt.output)
            }
            Err(refusal) => Err(refusal.into()),
        };
        let result = match imported {
            Ok(done) => LineResult {
                line,
                outcome: done.outcome,
                user: Some(done.user),
                organization: Some(done.organization),
                refusal: None,
            },
            Err(DispatchError::Refused(refusal)) => LineResult {
                line,
                outcome: LineOutcome::Refused,
                user: None,
                organization: None,
                refusal: Some(refusal),
            },
            Err(fault @ DispatchError::Fault(_)) => return Err(fault),
        };
        progress(&result, total);
        results.push(result);
    }
    Ok(results)
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
