//! `GET /evidence/<id>/bundle.zip`: a bundle is made, put on record, and leaves (GN-35).
//!
//! Invariant: what leaves is the file whose digest is on record; nothing of it stays behind.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Read, Seek},
    path::{Path, PathBuf},
};

use axum::{
    body::{Body, Bytes},
    extract::{Path as UrlPath, Request, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use futures_util::stream;
use rollcall_commands::{
    Access, Caller, DispatchError,
    audit::{AUDITORS, OpenEvidence},
};
use rollcall_domain::{
    Code, Refusal,
    audit::{Evidence, RequestedEvidence},
    hex,
    kernel::ids::{EvidenceId, UserId},
    values::Reason,
};
use rollcall_projections::{
    Ask,
    proof::bundle::{self, BundleError, Manifest, Occasion},
};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{Parts, fault, hold_to, not_found, private, refuse, told, unauthenticated};
use crate::http::{ErrorCode, Inbound, Purpose, TransportError};

/// Bytes read at a time.
const CHUNK: usize = 1 << 16;

pub(super) async fn bundle(
    State(parts): State<Parts>,
    UrlPath(id): UrlPath<String>,
    request: Request,
) -> Response {
    let inbound = Inbound::new(request.headers(), request.extensions(), Purpose::Operation);
    // In its own task: a client that hangs up tears no command.
    let made = tokio::spawn(async move {
        let caller = match parts.gateway.caller(&inbound, None).await? {
            Some(caller) if caller.user().is_some() => caller,
            Some(_) | None => return Err(unauthenticated("Sign in first.")),
        };
        let evidence = Uuid::parse_str(&id).map(EvidenceId).map_err(|_| not_found())?;
        make(&parts, &caller, evidence).await
    });
    match made.await {
        Ok(Ok(file)) => attachment(file),
        Ok(Err(error)) => refuse(&error),
        Err(error) => refuse(&fault(&error)),
    }
}

/// The bundle's file, from its beginning; it has no name any more.
async fn make(
    parts: &Parts,
    caller: &Caller,
    evidence: EvidenceId,
) -> Result<File, TransportError> {
    let asked = asked(parts, caller, evidence).await?;
    let file = nameless(&parts.folder).map_err(|error| fault(&error))?;
    let (file, manifest) = write(parts, caller, &asked, file).await?;
    let (file, sha256) = tokio::task::spawn_blocking(|| digest(file))
        .await
        .map_err(|error| fault(&error))?
        .map_err(|error| fault(&error))?;
    let open = OpenEvidence {
        evidence,
        checkpoint: manifest.checkpoint,
        population: manifest.report.population,
        sha256,
    };
    match parts.commands.dispatch(caller, None, &open).await {
        Ok(_) => Ok(file),
        Err(DispatchError::Refused(refusal)) => Err(told(&refusal, gone)),
        Err(DispatchError::Fault(error)) => Err(fault(&error)),
    }
}

/// What was asked for, by whoever fetches it now and may.
async fn asked(
    parts: &Parts,
    caller: &Caller,
    evidence: EvidenceId,
) -> Result<RequestedEvidence, TransportError> {
    let journal = &parts.commands.journal;
    let now = journal.now();
    hold_to(Access::Plan(AUDITORS), &parts.commands, caller, |_| not_found()).await?;
    let loaded = journal.load_fresh::<Evidence>(caller.tenant, evidence.0).await;
    let state = loaded.map_err(|error| fault(&error))?.state;
    let user = caller.user().unwrap_or(UserId(Uuid::nil()));
    state.fetched_by(user, now).cloned().map_err(|refusal| told(&refusal.into(), gone))
}

async fn write(
    parts: &Parts,
    caller: &Caller,
    asked: &RequestedEvidence,
    file: File,
) -> Result<(File, Manifest), TransportError> {
    let ask = Ask { tenant: caller.tenant, projections: &[], min_position: None };
    let mut view = parts.reads.snapshot(ask).await.map_err(|error| fault(&error))?;
    let text = |text: Option<&Reason>| text.map(ToString::to_string).unwrap_or_default();
    let occasion = Occasion {
        requested_by: asked.requested_by.0,
        recipient: text(asked.recipient.get()),
        purpose: text(asked.purpose.get()),
        produced_at: parts.commands.journal.now(),
        build: format!("rollcall {}", env!("CARGO_PKG_VERSION")),
    };
    let question = (&asked.question, asked.since);
    let of = (caller.tenant, &parts.keys);
    let out = BufWriter::new(file);
    match bundle::write(view.connection(), of, question, occasion, out).await {
        Ok((out, manifest)) => {
            let file = out.into_inner().map_err(|error| fault(&error))?;
            Ok((file, manifest))
        }
        Err(error) => Err(match error {
            BundleError::NothingSigned
            | BundleError::Nothing
            | BundleError::UnknownCheckpoint(..) => {
                TransportError::new(ErrorCode::NotFound, sentence(&error))
            }
            BundleError::Proof(_) | BundleError::Keys(_) | BundleError::Write(_) => fault(&error),
        }),
    }
}

fn sentence(error: &BundleError) -> String {
    let text = error.to_string();
    let mut letters = text.chars();
    let first = letters.next().map(char::to_uppercase);
    first.into_iter().flatten().chain(letters).chain(['.']).collect()
}

/// Whoever asked too long ago is told so; to others there is no such document.
fn gone(refusal: &Refusal) -> TransportError {
    if refusal.code == Code::LinkExpired {
        return TransportError::new(ErrorCode::NotFound, &refusal.message)
            .reason(refusal.code.as_str());
    }
    not_found()
}

/// A file that is gone when it is closed, however that comes.
fn nameless(folder: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    let folder: PathBuf = folder.join("evidence");
    fs::create_dir_all(&folder)?;
    let path = folder.join(Uuid::new_v4().to_string());
    let file = File::options().read(true).write(true).create_new(true).mode(0o600).open(&path)?;
    fs::remove_file(&path)?;
    Ok(file)
}

/// The file and its SHA-256 in hexadecimal digits; read from its beginning the next time.
fn digest(mut file: File) -> io::Result<(File, String)> {
    let mut hash = Sha256::new();
    let mut chunk = vec![0; CHUNK];
    file.rewind()?;
    loop {
        match file.read(&mut chunk)? {
            0 => break,
            read => hash.update(&chunk[..read]),
        }
    }
    file.rewind()?;
    Ok((file, hex(&hash.finalize())))
}

fn attachment(file: File) -> Response {
    let length = file.metadata().map(|metadata| metadata.len()).ok();
    let chunks = stream::try_unfold(file, |mut file| async move {
        let read = tokio::task::spawn_blocking(move || {
            let mut chunk = vec![0; CHUNK];
            let read = file.read(&mut chunk)?;
            chunk.truncate(read);
            Ok::<_, io::Error>((chunk, file))
        });
        let (chunk, file) = read.await.map_err(io::Error::other)??;
        Ok::<_, io::Error>((!chunk.is_empty()).then(|| (Bytes::from(chunk), file)))
    });
    let headers = [
        (header::CONTENT_TYPE, "application/zip"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"evidence.zip\""),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    let mut response = (StatusCode::OK, headers, Body::from_stream(chunks)).into_response();
    if let Some(length) = length {
        response.headers_mut().insert(header::CONTENT_LENGTH, length.into());
    }
    private(response)
}
