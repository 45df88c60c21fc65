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
    audit::{OpenEvidence, takes_away},
};
use rollcall_domain::{
    Code, Refusal,
    access_reviews::AccessReview,
    audit::{Evidence, EvidenceQuestion, RequestedEvidence},
    hex,
    kernel::ids::{EvidenceId, OrganizationId, UserId},
    values::Reason,
};
use rollcall_projections::{
    Ask, NAMES, Snapshot,
    audit_timeline::{self, Audience, Filter, Sight},
    proof::{
        bundle::{self, BundleError, Extent, Manifest, Occasion},
        store,
    },
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
        kept_to: asked.kept_to,
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
    hold_to(Access::SignedIn, &parts.commands, caller, |_| not_found()).await?;
    let loaded = journal.load_fresh::<Evidence>(caller.tenant, evidence.0).await;
    let state = loaded.map_err(|error| fault(&error))?.state;
    let user = caller.user().unwrap_or(UserId(Uuid::nil()));
    let asked = state.fetched_by(user, now).cloned();
    let asked = asked.map_err(|refusal| told(&refusal.into(), gone))?;
    hold_to(takes_away(asked.kept_to), &parts.commands, caller, |_| not_found()).await?;
    Ok(asked)
}

/// The positions of the events that answer and are in the sight of whoever is kept to the
/// organisation; of those that are signed for.
async fn present(
    parts: &Parts,
    caller: &Caller,
    (asked, organization): (&RequestedEvidence, OrganizationId),
) -> Result<(Snapshot, Vec<i64>), TransportError> {
    let view = |projections, min_position| async move {
        let ask = Ask { tenant: caller.tenant, projections, min_position };
        parts.reads.snapshot(ask).await.map_err(|error| fault(&error))
    };
    let mut head = view(&[], None).await?;
    let signed = store::latest(head.connection(), caller.tenant).await;
    let signed = signed.map_err(|error| fault(&error))?.and_then(|latest| latest.checkpoint);
    let signed = signed.map(|signed| signed.size);
    drop(head);
    let mut view = view(NAMES, signed).await?;
    let EvidenceQuestion { types, actor, subject, npi, access_review, from, to, .. } =
        asked.question.clone();
    let filter = Filter {
        types,
        actor,
        subject: subject.map(|subject| subject.0),
        npi: npi.map(|npi| npi.to_string()),
        organization: Some(organization.0),
        from,
        to,
        up_to: Some(signed.unwrap_or(0)),
        ..Filter::default()
    };
    let of_it = (vec![organization], Audience::ALL.to_vec());
    let sight = Sight { of_organizations: vec![of_it], ..Sight::default() };
    let positions = audit_timeline::positions(&mut view, &sight, &filter).await;
    let mut positions = positions.map_err(|error| fault(&error))?;
    if let Some(review) = access_review {
        let journal = &parts.commands.journal;
        let of_it = journal.positions_of::<AccessReview>(caller.tenant, review.0).await;
        let of_it = of_it.map_err(|error| fault(&error))?;
        positions.retain(|position| of_it.binary_search(position).is_ok());
    }
    Ok((view, positions))
}

async fn write(
    parts: &Parts,
    caller: &Caller,
    asked: &RequestedEvidence,
    file: File,
) -> Result<(File, Manifest), TransportError> {
    let (mut view, present) = match asked.kept_to {
        Some(organization) => {
            let (view, positions) = present(parts, caller, (asked, organization)).await?;
            (view, Some((organization, positions)))
        }
        None => {
            let ask = Ask { tenant: caller.tenant, projections: &[], min_position: None };
            (parts.reads.snapshot(ask).await.map_err(|error| fault(&error))?, None)
        }
    };
    let upcasters = parts.commands.journal.upcasters();
    let extent = match (&present, &asked.report) {
        (Some((organization, positions)), _) => {
            Extent::Presence { organization: *organization, positions }
        }
        (None, Some(report)) => Extent::Report(report, upcasters),
        (None, None) => Extent::Range,
    };
    let text = |text: Option<&Reason>| text.map(ToString::to_string).unwrap_or_default();
    let occasion = Occasion {
        requested_by: asked.requested_by.0,
        recipient: text(asked.recipient.get()),
        purpose: text(asked.purpose.get()),
        produced_at: parts.commands.journal.now(),
        build: format!("rollcall {}", env!("CARGO_PKG_VERSION")),
        release: asked.released + 1,
    };
    let order = bundle::Order {
        tenant: caller.tenant,
        keys: &parts.keys,
        question: &asked.question,
        since: asked.since,
        occasion,
    };
    let out = BufWriter::new(file);
    match bundle::write(view.connection(), order, extent, out).await {
        Ok((out, manifest)) => {
            let file = out.into_inner().map_err(|error| fault(&error))?;
            Ok((file, manifest))
        }
        Err(error) => Err(match error {
            BundleError::NothingSigned
            | BundleError::Nothing
            | BundleError::NotYetSigned { .. }
            | BundleError::UnknownCheckpoint(..) => {
                TransportError::new(ErrorCode::NotFound, sentence(&error))
            }
            BundleError::Proof(_)
            | BundleError::Keys(_)
            | BundleError::Unreadable(_)
            | BundleError::Write(_) => fault(&error),
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
