//! A part of the audit timeline, or the rows of a report, as a file, and the file's manifest (GN-26).
//!
//! Invariant: who asked fetches it and nobody else, by the right of the same query, which is judged
//! anew for every thousand of them; no more than two thousand are in memory; and the last byte leaves
//! after it is on record what left.

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
    audit::{AuditExport, Export, ExportFormat, Given, ReportQuestion},
    hex,
    kernel::ids::{AuditExportId, OrganizationId, UserId},
};
use rollcall_journal::secrets::Secrets;
use rollcall_projections::{
    Ask, NAMES, ReadStore,
    audit_timeline::{self, Entry, Filter, Order, PageRequest, sentences::Names},
    reports::{self, Row},
};
use serde_json::json;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{
    Parts, fault, hold_to, not_found, private, refuse, report_rows, rows, unauthenticated,
};
use crate::{
    graphql::{
        audit::{Reach, filter_of, organization_of, viewer},
        errors::fault as graphql_fault,
        reading::authorised,
    },
    http::{ErrorCode, Inbound, Purpose, TransportError},
};

/// Events of one look.
const BATCH: i64 = 1_000;
const PURPOSE: &str = "audit-export";
/// The manifest's name beside the file.
pub const MANIFEST: &str = "manifest.json";

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    Events,
    Report,
}

/// The file's name in a format.
#[must_use]
pub const fn file_of(holds: Holds, format: ExportFormat) -> &'static str {
    match (holds, format) {
        (Holds::Events, ExportFormat::Csv) => "events.csv",
        (Holds::Events, ExportFormat::JsonLines) => "events.jsonl",
        (Holds::Report, ExportFormat::Csv) => "report.csv",
        (Holds::Report, ExportFormat::JsonLines) => "report.jsonl",
    }
}

const fn file_in(export: &Export) -> &'static str {
    let holds = if export.report.is_some() { Holds::Report } else { Holds::Events };
    file_of(holds, export.format)
}

const fn media_type(format: ExportFormat) -> &'static str {
    match format {
        ExportFormat::Csv => "text/csv; charset=utf-8; header=present",
        ExportFormat::JsonLines => "application/jsonl; charset=utf-8",
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
        "filter": export.filter,
        "report": export.report,
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
    Events(Vec<Entry>),
    Rows(Vec<Row>, Names),
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
    const fn len(&self) -> usize {
        match self {
            Self::Events(entries) => entries.len(),
            Self::Rows(rows, _) => rows.len(),
        }
    }

    fn last(&self) -> Option<After> {
        match self {
            Self::Events(entries) => entries.last().map(|entry| After::Position(entry.position)),
            Self::Rows(rows, _) => rows.last().map(|row| After::Key(row.key.clone())),
        }
    }

    /// Of events.
    fn first_position(&self) -> Option<i64> {
        match self {
            Self::Events(entries) => entries.first().map(|entry| entry.position),
            Self::Rows(..) => None,
        }
    }
}

/// An export that the caller may fetch no more.
fn gone() -> async_graphql::Error {
    crate::graphql::errors::top_level(Refusal::not_found("exportId"))
}

/// A file on its way.
struct Sheet {
    commands: Commands,
    reads: ReadStore,
    caller: Caller,
    export: Export,
    asked: Asked,
    /// What was read and not yet written.
    next: Batch,
    /// What stands before it.
    head: Vec<u8>,
    sha256: Sha256,
    given: Given,
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
            next: Batch::Events(Vec::new()),
            head,
            sha256: Sha256::new(),
            given,
            over: false,
        };
        sheet.next = sheet.look(None).await.map_err(transport)?;
        Ok(sheet)
    }

    /// What comes next, as far as the caller may see it now.
    async fn look(&self, after: Option<After>) -> async_graphql::Result<Batch> {
        let Self { commands, caller, export, asked, .. } = self;
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
        let mut view = self.reads.snapshot(ask).await.map_err(|error| graphql_fault(&error))?;
        let authority = authorised(commands, caller, right.demand(), &mut view).await?;
        let looking = right.looking(&authority)?;
        match asked {
            Asked::Events(filter) => {
                let after = after.and_then(|after| after.position());
                let request = PageRequest { order: Order::OldestFirst, after, limit: BATCH };
                let entries =
                    audit_timeline::page(&mut view, &looking.sight, filter, request).await;
                Ok(Batch::Events(entries.map_err(|error| graphql_fault(&error))?))
            }
            Asked::Report(question) => {
                if !Reach::of(&looking, &authority).is_ok_and(|reach| reach.covers(question)) {
                    return Err(gone());
                }
                let after = after.and_then(After::key);
                let rows = reports::page(&mut view, question, after.as_deref(), BATCH).await;
                let rows = rows.map_err(|error| graphql_fault(&error))?;
                let names = reports::names(&mut view, &rows).await;
                Ok(Batch::Rows(rows, names.map_err(|error| graphql_fault(&error))?))
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

    /// Writes what was read and reads on; with the last of it, what left goes on record.
    async fn write(&mut self) -> io::Result<Bytes> {
        let batch = mem::replace(&mut self.next, Batch::Events(Vec::new()));
        let is_last = (batch.len() as i64) < BATCH;
        let last = batch.last();
        self.given.rows += batch.len() as u64;
        self.given.from_position = self.given.from_position.or(batch.first_position());
        self.given.to_position = last.as_ref().and_then(After::position).or(self.given.to_position);
        let mut chunk = mem::take(&mut self.head);
        let lines = match batch {
            Batch::Events(entries) => rows::lines(self.export.format, entries),
            Batch::Rows(found, names) => self.report_lines(&found, &names),
        };
        chunk.extend(lines.map_err(io::Error::other)?);
        self.sha256.update(&chunk);
        self.given.bytes += chunk.len() as u64;
        if is_last {
            self.over = true;
            self.record().await?;
        } else {
            self.next = self.look(last).await.map_err(broken)?;
        }
        Ok(chunk.into())
    }

    fn report_lines(&self, found: &[Row], names: &Names) -> Result<Vec<u8>, csv::Error> {
        let Asked::Report(question) = &self.asked else { return Ok(Vec::new()) };
        report_rows::lines(self.export.format, question.report, (found, names))
    }

    async fn record(&mut self) -> io::Result<()> {
        let sha256 = hex(&mem::take(&mut self.sha256).finalize());
        let given = Given { sha256, ..self.given.clone() };
        let record = RecordAuditExportGiven { export: self.export.id, given };
        let (commands, caller) = (self.commands.clone(), self.caller.clone());
        // In its own task: a client that hangs up tears no command.
        let recorded = tokio::spawn(async move { commands.dispatch(&caller, None, &record).await });
        match recorded.await.map_err(io::Error::other)? {
            Ok(_) => Ok(()),
            Err(DispatchError::Refused(refusal)) => Err(io::Error::other(refusal.message)),
            Err(DispatchError::Fault(error)) => {
                tracing::error!(%error, "what left of the timeline could not be recorded");
                Err(io::Error::other("what left could not be recorded"))
            }
        }
    }
}

/// Whether it is the standing in which the export was asked for: another one might show more.
fn is_reader(reader: AuditReader, organization: Option<OrganizationId>) -> bool {
    match reader {
        AuditReader::Administrator(of) => organization == Some(of),
        AuditReader::Plan | AuditReader::Person => organization.is_none(),
    }
}

/// What a query would answer, as a document does.
fn transport(error: async_graphql::Error) -> TransportError {
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
