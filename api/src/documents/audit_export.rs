//! A part of the audit timeline, the rows of a report or a review of access as a file, and the file's
//! manifest (GN-26, GN-15).
//!
//! Invariant: who asked fetches it and nobody else, by the right of the same query, which is judged
//! anew for each look; no more than two looks are in memory; and the last byte leaves after it is on
//! record what left.

use std::{io, mem};

use axum::{
    Json,
    body::{Body, Bytes},
    extract::{Path, Request, State},
    http::header,
    response::{IntoResponse, Response},
};
use futures_util::{Stream, stream};
use rollcall_commands::{
    Access, Caller, Commands, DispatchError,
    audit::{AuditReader, RecordAuditExportGiven},
};
use rollcall_domain::{
    Refusal,
    api_keys::Scope,
    audit::{AuditExport, Export, ExportFormat, Given, ReportName, ReportQuestion},
    hex,
    kernel::ids::{AuditExportId, OrganizationId, TenantId, UserId},
};
use rollcall_journal::secrets::Secrets;
use rollcall_projections::{
    Ask, NAMES, ReadStore,
    audit_timeline::{self, Filter, KnownNames, Order, PageRequest, Untold, sentences::Names},
    reports::{self, Row},
};
use serde_json::json;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{
    Parts, access_review, fault, hold_to, not_found, private, refuse, report_rows,
    rows::{self, RowError},
    unauthenticated,
};
use crate::{
    graphql::{
        audit::{Reach, filter_of, organization_of, viewer},
        errors::fault as graphql_fault,
        reading::authorised,
    },
    http::{ErrorCode, Inbound, Purpose, TransportError},
};

/// Events of the first look, so that a file begins soon.
const FIRST: usize = 1_000;
/// Events of each look after it: the right, the view and the names cost as much for one as for many.
const BATCH: usize = 4_000;
const PURPOSE: &str = "audit-export";
/// The manifest's name beside the file.
pub const MANIFEST: &str = "manifest.json";

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    Events,
    Report,
    Review,
}

/// The file's name in a format.
#[must_use]
pub const fn file_of(holds: Holds, format: ExportFormat) -> &'static str {
    match (holds, format) {
        (Holds::Events, ExportFormat::Csv) => "events.csv",
        // What is no line of a file is asked for of reviews alone.
        (Holds::Events, ExportFormat::JsonLines | ExportFormat::Json | ExportFormat::Pdf) => {
            "events.jsonl"
        }
        (Holds::Events, ExportFormat::Ocsf) => "events.ocsf.jsonl",
        (Holds::Events, ExportFormat::Fhir) => "events.fhir.ndjson",
        (Holds::Report, ExportFormat::Csv) => "report.csv",
        // Rows of a report have no form in other standards; they are asked for as these two alone.
        (
            Holds::Report,
            ExportFormat::JsonLines
            | ExportFormat::Ocsf
            | ExportFormat::Fhir
            | ExportFormat::Json
            | ExportFormat::Pdf,
        ) => "report.jsonl",
        (Holds::Review, ExportFormat::Csv) => "review.csv",
        (Holds::Review, ExportFormat::Pdf) => "review.pdf",
        (
            Holds::Review,
            ExportFormat::Json | ExportFormat::JsonLines | ExportFormat::Ocsf | ExportFormat::Fhir,
        ) => "review.json",
    }
}

const fn file_in(export: &Export) -> &'static str {
    let holds = match (&export.review, &export.report) {
        (Some(_), _) => Holds::Review,
        (None, Some(_)) => Holds::Report,
        (None, None) => Holds::Events,
    };
    file_of(holds, export.format)
}

const fn media_type(format: ExportFormat) -> &'static str {
    match format {
        ExportFormat::Csv => "text/csv; charset=utf-8; header=present",
        ExportFormat::JsonLines | ExportFormat::Ocsf => "application/jsonl; charset=utf-8",
        ExportFormat::Fhir => "application/fhir+ndjson",
        ExportFormat::Json => "application/json",
        ExportFormat::Pdf => "application/pdf",
    }
}

/// The name under which a file of an export is kept.
fn name(export: &Export, file: &str) -> String {
    format!("audit-{}-{file}", export.id)
}

fn attachment(export: &Export, file: &str) -> String {
    format!("attachment; filename=\"{}\"", name(export, file))
}

/// Where a file of an export is fetched; the token is made of the export's id by the service's key.
#[must_use]
pub fn path(secrets: &Secrets, export: Uuid, file: &str) -> String {
    format!("/audit-exports/{export}/{}/{file}", secrets.link_token(PURPOSE, export))
}

/// `GET /audit-exports/<id>/<token>/<file>`.
pub async fn file(
    State(parts): State<Parts>,
    Path(path): Path<(String, String, String)>,
    request: Request,
) -> Response {
    let inbound = Inbound::new(request.headers(), request.extensions(), Purpose::Operation);
    match answer(parts, inbound, path).await {
        Ok(response) => private(response),
        Err(error) => refuse(&error),
    }
}

async fn answer(
    parts: Parts,
    inbound: Inbound,
    (id, token, file): (String, String, String),
) -> Result<Response, TransportError> {
    let (caller, user) = match parts.gateway.caller(&inbound, None).await? {
        Some(caller) => caller.user().map(|user| (caller, user)),
        None => None,
    }
    .ok_or_else(|| unauthenticated("Sign in first."))?;
    let export = open(&parts.commands, &caller, user, (&id, &token)).await?;
    if file == MANIFEST {
        return manifest(&export);
    }
    if file != file_in(&export) {
        return Err(not_found());
    }
    let headers = [
        (header::CONTENT_TYPE, media_type(export.format).to_owned()),
        (header::CONTENT_DISPOSITION, attachment(&export, &file)),
        (header::LINK, format!("<{MANIFEST}>; rel=\"describedby\"")),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        (header::REFERRER_POLICY, "no-referrer".to_owned()),
    ];
    if let Some(review) = export.review {
        let bytes = access_review::file(parts, caller, (export, review)).await?;
        return Ok((headers, bytes).into_response());
    }
    let sheet = Sheet::open(parts, caller, export).await?;
    Ok((headers, Body::from_stream(sheet.stream())).into_response())
}

/// The export that the link names, if it is the caller's and works still.
async fn open(
    commands: &Commands,
    caller: &Caller,
    user: UserId,
    (id, token): (&str, &str),
) -> Result<Export, TransportError> {
    let now = commands.journal.now();
    let forbidden = |refusal: &Refusal| {
        TransportError::new(ErrorCode::Forbidden, &refusal.message).reason(refusal.code.as_str())
    };
    hold_to(Access::SignedIn, commands, caller, forbidden).await?;
    let export = AuditExportId(id.parse().map_err(|_| not_found())?);
    let secrets = commands.journal.secrets();
    // Compared by their keyed hashes, so that the time it takes tells nothing of the token.
    if secrets.link_hash(token) != secrets.link_hash(&secrets.link_token(PURPOSE, export.0)) {
        return Err(not_found());
    }
    let loaded = commands.journal.load_fresh::<AuditExport>(caller.tenant, export.0).await;
    let loaded = loaded.map_err(|error| fault(&error))?;
    loaded.state.open_to(user, now).cloned().map_err(|_| not_found())
}

fn manifest(export: &Export) -> Result<Response, TransportError> {
    let Some(given) = &export.given else {
        let message = "Fetch the file first: its manifest says what was in it.";
        return Err(TransportError::new(ErrorCode::NotFound, message));
    };
    let manifest = json!({
        "file": name(export, file_in(export)),
        "format": export.format,
        "mapping": rows::mapping(export.format),
        "filter": export.filter,
        "report": export.report,
        "accessReview": export.review,
        "text": export.words.as_ref().and_then(|words| words.get()),
        "export": export.id,
        "requestedBy": export.by,
        "requestedAs": export.organization,
        "asOfPosition": export.up_to,
        "rows": given.rows,
        "fromPosition": given.from_position,
        "toPosition": given.to_position,
        "bytes": given.bytes,
        "sha256": given.sha256,
    });
    let headers = [(header::CONTENT_DISPOSITION, attachment(export, MANIFEST))];
    Ok((headers, Json(manifest)).into_response())
}

/// What was asked for.
enum Asked {
    Events(Box<Filter>),
    Report(Box<ReportQuestion>),
}

/// What was read together.
enum Batch {
    Events(Untold),
    Rows(ReportName, Vec<Row>, Names),
}

/// Where the next batch begins.
enum After {
    Position(i64),
    Key(String),
}

impl After {
    const fn position(&self) -> Option<i64> {
        match self {
            Self::Position(position) => Some(*position),
            Self::Key(_) => None,
        }
    }

    fn key(self) -> Option<String> {
        match self {
            Self::Position(_) => None,
            Self::Key(key) => Some(key),
        }
    }
}

impl Batch {
    fn len(&self) -> usize {
        match self {
            Self::Events(events) => events.len(),
            Self::Rows(_, rows, _) => rows.len(),
        }
    }

    /// The positions of the first and last event, of events.
    fn ends(&self) -> Option<(i64, i64)> {
        match self {
            Self::Events(events) => events.ends(),
            Self::Rows(..) => None,
        }
    }

    fn last(&self) -> Option<After> {
        match self {
            Self::Events(events) => events.ends().map(|(_, last)| After::Position(last)),
            Self::Rows(_, rows, _) => rows.last().map(|row| After::Key(row.key.clone())),
        }
    }

    fn lines(self, format: ExportFormat, tenant: TenantId) -> Result<Vec<u8>, RowError> {
        match self {
            Self::Events(events) => rows::lines(format, tenant, events.tell()),
            Self::Rows(report, rows, names) => report_rows::lines(format, report, (&rows, &names)),
        }
    }
}

/// An export that the caller may fetch no more.
pub(super) fn gone() -> async_graphql::Error {
    crate::graphql::errors::top_level(Refusal::not_found("exportId"))
}

/// A file on its way.
struct Sheet {
    commands: Commands,
    reads: ReadStore,
    caller: Caller,
    export: Export,
    asked: Asked,
    /// What was read and not yet written, and how much was asked for.
    next: Option<(Batch, usize)>,
    /// What stands before it.
    head: Vec<u8>,
    sha256: Sha256,
    given: Given,
    names: KnownNames,
    over: bool,
}

impl Sheet {
    /// Reads the first events, so that a refusal comes instead of a file.
    async fn open(parts: Parts, caller: Caller, export: Export) -> Result<Self, TransportError> {
        let (asked, head) = match &export.report {
            Some(question) => {
                let head = report_rows::head(export.format, question.report);
                (Asked::Report(question.clone()), head)
            }
            None => {
                let filter = filter_of(&export).map_err(|_| not_found())?;
                (Asked::Events(Box::new(filter)), rows::head(export.format))
            }
        };
        let head = head.map_err(|error| fault(&error))?;
        let given = Given {
            rows: 0,
            from_position: None,
            to_position: None,
            bytes: 0,
            sha256: String::new(),
        };
        let mut sheet = Self {
            commands: parts.commands,
            reads: parts.reads,
            caller,
            export,
            asked,
            next: None,
            head,
            sha256: Sha256::new(),
            given,
            names: KnownNames::default(),
            over: false,
        };
        sheet.next = Some((sheet.look(None, FIRST).await.map_err(transport)?, FIRST));
        Ok(sheet)
    }

    /// What comes next, as far as the caller may see it now.
    async fn look(&mut self, after: Option<After>, limit: usize) -> async_graphql::Result<Batch> {
        let Self { commands, reads, caller, export, asked, names, .. } = self;
        let organization = match asked {
            Asked::Events(filter) => organization_of(filter),
            Asked::Report(_) => None,
        };
        let organization = organization.or(export.organization);
        let right = viewer::choose(commands, caller, organization, Scope::ReadAudit).await?;
        if !is_reader(right.reader(), export.organization) {
            return Err(gone());
        }
        let ask =
            Ask { tenant: caller.tenant, projections: NAMES, min_position: Some(export.up_to) };
        let mut view = reads.snapshot(ask).await.map_err(|error| graphql_fault(&error))?;
        let authority = authorised(commands, caller, right.demand(), &mut view).await?;
        let looking = right.looking(&authority)?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        match asked {
            Asked::Events(filter) => {
                let after = after.and_then(|after| after.position());
                let request = PageRequest { order: Order::OldestFirst, after, limit };
                let sight = &looking.sight;
                let read =
                    audit_timeline::untold_page(&mut view, sight, filter, request, names).await;
                Ok(Batch::Events(read.map_err(|error| graphql_fault(&error))?))
            }
            Asked::Report(question) => {
                if !Reach::of(&looking, &authority).is_ok_and(|reach| reach.covers(question)) {
                    return Err(gone());
                }
                let after = after.and_then(After::key);
                let rows = reports::page(&mut view, question, after.as_deref(), limit).await;
                let rows = rows.map_err(|error| graphql_fault(&error))?;
                let names = reports::names(&mut view, &rows).await;
                let names = names.map_err(|error| graphql_fault(&error))?;
                Ok(Batch::Rows(question.report, rows, names))
            }
        }
    }

    fn stream(self) -> impl Stream<Item = io::Result<Bytes>> {
        stream::unfold(self, |mut sheet| async move {
            if sheet.over {
                return None;
            }
            let chunk = sheet.write().await;
            sheet.over |= chunk.is_err();
            Some((chunk, sheet))
        })
    }

    /// Writes what was read while it reads on; with the last of it, what left goes on record.
    async fn write(&mut self) -> io::Result<Bytes> {
        let Some((read, asked)) = self.next.take() else { return Ok(Bytes::new()) };
        let (count, ends, last) = (read.len(), read.ends(), read.last());
        let (mut chunk, mut sha256) = (mem::take(&mut self.head), mem::take(&mut self.sha256));
        let (format, tenant) = (self.export.format, self.caller.tenant);
        // Apart from the tasks that answer others.
        let written = tokio::task::spawn_blocking(move || {
            chunk.extend(read.lines(format, tenant)?);
            sha256.update(&chunk);
            Ok::<_, RowError>((chunk, sha256))
        });
        let more = last.filter(|_| count == asked);
        let reading = async {
            match more {
                Some(last) => self.look(Some(last), BATCH).await.map(Some),
                None => Ok(None),
            }
        };
        let (written, next) = tokio::join!(written, reading);
        let (chunk, sha256) = written.map_err(io::Error::other)?.map_err(io::Error::other)?;
        self.next = next.map_err(broken)?.map(|read| (read, BATCH));
        self.sha256 = sha256;
        self.given.rows += count as u64;
        self.given.from_position = self.given.from_position.or(ends.map(|(first, _)| first));
        self.given.to_position = ends.map(|(_, last)| last).or(self.given.to_position);
        self.given.bytes += chunk.len() as u64;
        if self.next.is_none() {
            self.over = true;
            self.record().await?;
        }
        Ok(chunk.into())
    }

    async fn record(&mut self) -> io::Result<()> {
        let sha256 = hex(&mem::take(&mut self.sha256).finalize());
        let given = Given { sha256, ..self.given.clone() };
        record(&self.commands, &self.caller, (self.export.id, given)).await
    }
}

/// Puts on record what leaves.
pub(super) async fn record(
    commands: &Commands,
    caller: &Caller,
    (export, given): (AuditExportId, Given),
) -> io::Result<()> {
    let record = RecordAuditExportGiven { export, given };
    let (commands, caller) = (commands.clone(), caller.clone());
    // In its own task: a client that hangs up tears no command.
    let recorded = tokio::spawn(async move { commands.dispatch(&caller, None, &record).await });
    match recorded.await.map_err(io::Error::other)? {
        Ok(_) => Ok(()),
        Err(DispatchError::Refused(refusal)) => Err(io::Error::other(refusal.message)),
        Err(DispatchError::Fault(error)) => {
            tracing::error!(%error, "what left of the records could not be recorded");
            Err(io::Error::other("what left could not be recorded"))
        }
    }
}

/// Whether it is the standing in which the export was asked for: another one might show more.
pub(super) fn is_reader(reader: AuditReader, organization: Option<OrganizationId>) -> bool {
    match reader {
        AuditReader::Administrator(of) => organization == Some(of),
        AuditReader::Plan | AuditReader::Person => organization.is_none(),
    }
}

/// What a query would answer, as a document does.
pub(super) fn transport(error: async_graphql::Error) -> TransportError {
    use async_graphql::Value;
    let code = error.extensions.as_ref().and_then(|it| it.get("code"));
    let of = |name: ErrorCode| code == Some(&Value::from(name.as_str()));
    if of(ErrorCode::Unauthenticated) {
        unauthenticated(&error.message)
    } else if of(ErrorCode::Forbidden) || of(ErrorCode::NotFound) {
        not_found()
    } else {
        fault(&error.message)
    }
}

/// The file breaks off, so that nobody takes a part of it for the whole.
fn broken(error: async_graphql::Error) -> io::Error {
    io::Error::other(error.message)
}
