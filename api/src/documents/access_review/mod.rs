//! A review of access as a file: everything as JSON, a line an item as CSV, and paper to be filed (GN-15).
//!
//! Invariant: it is made of the review's own events, as far as the view has taken them in, so it says what
//! the log says; it leaves after it is on record what leaves.

mod dossier;
mod filing;
mod json;
mod pdf;
mod table;

use rollcall_commands::Caller;
use rollcall_domain::{
    api_keys::Scope,
    audit::{Export, ExportFormat, Given},
    hex,
    kernel::ids::AccessReviewId,
};
use rollcall_projections::{Ask, NAMES, access_reviews as rows};
use sha2::{Digest, Sha256};

use self::dossier::{Dossier, Occasion};
use super::{
    Parts,
    audit_export::{gone, is_reader, record, transport},
    fault,
    rows::RowError,
};
use crate::{
    graphql::{
        access_reviews::seen, audit::viewer, errors::fault as graphql_fault, reading::authorised,
    },
    http::TransportError,
};

/// The file, on record as given.
pub(super) async fn file(
    parts: Parts,
    caller: Caller,
    (export, review): (Export, AccessReviewId),
) -> Result<Vec<u8>, TransportError> {
    let dossier = gather(&parts, &caller, (&export, review)).await.map_err(transport)?;
    let (rows, from, to) = (dossier.entries.len() as u64, dossier.opened_at, dossier.last_at);
    // Apart from the tasks that answer others.
    let written = tokio::task::spawn_blocking(move || write(export.format, &dossier));
    let bytes = written.await.map_err(|error| fault(&error))?.map_err(|error| fault(&error))?;
    let given = Given {
        rows,
        from_position: Some(from),
        to_position: Some(to),
        bytes: bytes.len() as u64,
        sha256: hex(&Sha256::digest(&bytes)),
    };
    let recorded = record(&parts.commands, &caller, (export.id, given)).await;
    recorded.map_err(|error| fault(&error))?;
    Ok(bytes)
}

fn write(format: ExportFormat, dossier: &Dossier) -> Result<Vec<u8>, RowError> {
    match format {
        ExportFormat::Csv => table::write(dossier),
        ExportFormat::Pdf => Ok(pdf::write(dossier)),
        // Of a review, nothing else is asked for than JSON.
        ExportFormat::Json | ExportFormat::JsonLines | ExportFormat::Ocsf | ExportFormat::Fhir => {
            Ok(json::write(dossier)?)
        }
    }
}

/// The review with what stands beside it, as whoever asked may see it now.
async fn gather(
    parts: &Parts,
    caller: &Caller,
    (export, review): (&Export, AccessReviewId),
) -> async_graphql::Result<Dossier> {
    let Parts { commands, reads, .. } = parts;
    let right = viewer::choose(commands, caller, export.organization, Scope::ReadAccess).await?;
    if !is_reader(right.reader(), export.organization) {
        return Err(gone());
    }
    let ask = Ask { tenant: caller.tenant, projections: NAMES, min_position: Some(export.up_to) };
    let mut view = reads.snapshot(ask).await.map_err(|error| graphql_fault(&error))?;
    let authority = authorised(commands, caller, right.demand(), &mut view).await?;
    let Some(seen) = seen(right.looking(&authority)?) else { return Err(gone()) };
    let found = rows::reviews_by_id(&mut view, seen, &[review.0]).await;
    let found = found.map_err(|error| graphql_fault(&error))?.into_iter().next();
    let found = found.ok_or_else(gone)?;
    let occasion = Occasion { export: export.id, by: export.by, at: commands.journal.now() };
    Dossier::gather(&commands.journal, &mut view, (found, occasion)).await
}
