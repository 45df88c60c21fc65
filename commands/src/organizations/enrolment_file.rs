//! The plan's enrolment file as CSV, read on the machine the service runs on (GN-32).
//!
//! Invariant: a line that cannot be read is refused with its number; the others are imported.

use rollcall_domain::{Code, Refusal, hex, kernel::ids::TenantId, tenants::Tenant};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{EnrolmentRow, ImportEnrolment, ImportOrigin, MAX_ROWS, RowOutcome, RowResult};
use crate::{Caller, Commands, DispatchError};

/// Columns that must be there; the others may be left out. Their names are the fields' of
/// [`EnrolmentRow`].
const REQUIRED: [&str; 5] = ["organization", "kinds", "tax_id_type", "tax_id", "contact_email"];

/// Imports a whole file, [`MAX_ROWS`] lines at a time; answers one result per line, in their order.
///
/// # Errors
/// `NOT_FOUND` for a tenant that does not exist, `CSV_INVALID` for a file whose header does not fit,
/// or a fault.
pub async fn import_file(
    commands: &Commands,
    tenant: TenantId,
    file: &[u8],
) -> Result<Vec<RowResult>, DispatchError> {
    if commands.journal.load::<Tenant>(tenant, tenant.0).await?.state.profile().is_none() {
        return Err(Refusal::not_found("tenant").into());
    }
    let (rows, mut results) = read(file)?;
    let file_sha256 = hex(&Sha256::digest(file));
    let caller = Caller::system(tenant, Uuid::now_v7(), None);
    for rows in rows.chunks(MAX_ROWS) {
        let import = ImportEnrolment {
            origin: ImportOrigin::CommandLine,
            file_sha256: file_sha256.clone(),
            rows: rows.to_vec(),
        };
        results.extend(commands.dispatch(&caller, None, &import).await?.output);
    }
    results.sort_by_key(|result| result.line);
    Ok(results)
}

/// Lines with their numbers, and the refusals of those that could not be read.
type Read = (Vec<(u32, EnrolmentRow)>, Vec<RowResult>);

fn read(file: &[u8]) -> Result<Read, Refusal> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(file);
    let headers = reader.headers().map_err(|_| invalid("Save the file as CSV in UTF-8."))?.clone();
    if let Some(missing) = REQUIRED.iter().find(|name| !headers.iter().any(|h| h == **name)) {
        return Err(invalid(&format!("The column {missing} is missing.")));
    }
    let (mut rows, mut refused) = (Vec::new(), Vec::new());
    for record in reader.records() {
        let line_of = |position: Option<&csv::Position>| {
            position.and_then(|at| u32::try_from(at.line()).ok()).unwrap_or_default()
        };
        match record {
            Ok(record) => {
                let line = line_of(record.position());
                match record.deserialize(Some(&headers)) {
                    Ok(row) => rows.push((line, row)),
                    Err(_) => return Err(invalid("A column of the header is not known.")),
                }
            }
            Err(error) => refused.push(RowResult {
                line: line_of(error.position()),
                outcome: RowOutcome::Refused,
                organization: None,
                refusal: Some(invalid("The line has not the header's columns, or is no UTF-8.")),
            }),
        }
    }
    Ok((rows, refused))
}

fn invalid(message: &str) -> Refusal {
    Refusal::new(Code::CsvInvalid, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "organization,kinds,tax_id_type,tax_id,contact_email";

    #[test]
    fn gn_32_lines_keep_their_numbers_and_unreadable_ones_stand_alone() {
        let file = format!("{HEADER}\nA,PROVIDER,EIN,12-3456789,a@b.example\nB,too few\n");
        let (rows, refused) = read(file.as_bytes()).expect("the header fits");
        assert_eq!(
            rows.iter().map(|(line, row)| (*line, &row.organization[..])).next(),
            Some((2, "A"))
        );
        assert_eq!(refused.iter().map(|result| result.line).collect::<Vec<_>>(), [3]);
    }

    #[test]
    fn gn_32_a_header_that_does_not_fit_refuses_the_file() {
        let code = |file: &str| read(file.as_bytes()).err().map(|refusal| refusal.code);
        assert_eq!(code("organization,kinds\n"), Some(Code::CsvInvalid));
        assert_eq!(code(&format!("{HEADER},colour\nA,B,C,D,E,F\n")), Some(Code::CsvInvalid));
        assert_eq!(code(&format!("{HEADER}\n")), None);
    }
}
