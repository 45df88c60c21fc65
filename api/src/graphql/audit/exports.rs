//! `exportAuditEvents`: a part of the timeline as a file (GN-26).
//!
//! Invariant: the export holds what `auditEvents` would answer the same person for the same filter, up
//! to a position that stands fast when it is asked for.

use async_graphql::{Context, Enum, InputObject, Object, Result, SimpleObject};
use rollcall_commands::{
    Commands,
    audit::{ExportAuditEvents, RequestedExport},
};
use rollcall_domain::{
    Code, Refusal,
    api_keys::Scope,
    audit::{Export, ExportFilter, ExportFormat},
    kernel::ids::{AuditExportId, OrganizationId, UserId},
    values::Npi,
};
use rollcall_projections::audit_timeline::{Filter, Outcome};
use uuid::Uuid;

use super::{
    input::{AuditEventFilter, organization_of},
    viewer,
};
use crate::{
    documents::{self, Holds},
    graphql::{
        errors::fault,
        scalars::{DateTime, Position},
        sending::{MutationMeta, payload, send},
    },
};

/// How a file of events is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum AuditExportFormat {
    /// Comma-separated (RFC 4180) with a header. Cells that a spreadsheet would take for a formula
    /// begin with an apostrophe.
    Csv,
    /// A JSON object a line.
    JsonLines,
    /// JSON Lines of OCSF 1.8.0, for a SIEM: Account Change, Authentication, Entity Management, User
    /// Access Management and API Activity. What these have no place for stands under `unmapped`.
    Ocsf,
    /// NDJSON of AuditEvent resources of HL7 FHIR R4, as bulk data has them.
    Fhir,
}

impl From<AuditExportFormat> for ExportFormat {
    fn from(format: AuditExportFormat) -> Self {
        match format {
            AuditExportFormat::Csv => Self::Csv,
            AuditExportFormat::JsonLines => Self::JsonLines,
            AuditExportFormat::Ocsf => Self::Ocsf,
            AuditExportFormat::Fhir => Self::Fhir,
        }
    }
}

/// Which events, and how.
#[derive(Debug, InputObject)]
pub struct ExportAuditEventsInput {
    /// As of `auditEvents`; all that the caller may see if not given.
    pub filter: Option<AuditEventFilter>,
    pub format: AuditExportFormat,
    /// Nothing after this position; what is recorded by now if not given.
    pub as_of_position: Option<Position>,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

/// A file that may be fetched for a quarter of an hour, by whoever asked for it alone.
#[derive(Clone, Debug, SimpleObject)]
pub struct AuditExport {
    /// A path of this service: GET it with the session that asked for it.
    pub url: String,
    /// The same for its manifest, once the file was fetched: filter, number of rows, first and last
    /// position, and the SHA-256 of the file.
    pub manifest_url: String,
    pub expires_at: DateTime,
    /// The position it holds for.
    pub as_of_position: Position,
}

payload! {
    /// Where the file is.
    ExportAuditEventsPayload {
        audit_export: AuditExport,
    }
}

/// Commands on the timeline.
#[derive(Default)]
pub struct AuditMutation;

#[Object]
impl AuditMutation {
    /// Gives what `auditEvents` shows the caller as a file (GN-26), for people alone. Who asked for
    /// what, and each file that was given, is on record, for auditors and plan administrators.
    /// Refusals: FIELD_INVALID, NPI_INVALID, DATE_INVALID, RANGE_INVALID, NOT_FOUND.
    async fn export_audit_events(
        &self,
        ctx: &Context<'_>,
        input: ExportAuditEventsInput,
    ) -> Result<ExportAuditEventsPayload> {
        let (commands, caller) = (ctx.data::<Commands>()?, viewer::caller(ctx)?);
        let filter = input.filter.unwrap_or_default().parse();
        let organization = filter.as_ref().ok().and_then(organization_of);
        let right = viewer::choose(commands, caller, organization, Scope::ReadAudit).await?;
        let head = commands.journal.tenant_position(caller.tenant).await;
        let head = head.map_err(|error| fault(&error))?;
        let up_to = input.as_of_position.map_or(head, |position| position.0.min(head));
        let format = input.format.into();
        let command = filter.and_then(stored).map(|(filter, words)| ExportAuditEvents {
            reader: right.reader(),
            format,
            filter,
            words,
            up_to,
        });
        let sent = send(ctx, input.meta, command).await?;
        let export =
            sent.output.map(|requested| link(commands, (Holds::Events, format), requested));
        Ok(ExportAuditEventsPayload::of(sent, export))
    }
}

/// Where a file that was asked for is.
pub fn link(
    commands: &Commands,
    (holds, format): (Holds, ExportFormat),
    requested: RequestedExport,
) -> AuditExport {
    let RequestedExport { export: AuditExportId(id), up_to, expires_at } = requested;
    let path = |file| documents::audit_export_path(commands.journal.secrets(), id, file);
    AuditExport {
        url: path(documents::file_of(holds, format)),
        manifest_url: path(documents::MANIFEST),
        expires_at: expires_at.into(),
        as_of_position: Position(up_to),
    }
}

/// A filter as it stands on record, and its words, which are sealed there.
pub(super) fn stored(filter: Filter) -> Result<(ExportFilter, Vec<String>), Refusal> {
    let Filter {
        actor,
        actor_kind,
        subject,
        npi,
        organization,
        types,
        command,
        outcome,
        from,
        to,
        correlation,
        causation,
        session,
        right,
        causes_of,
        consequences_of,
        words,
        client_address,
        up_to: _,
    } = filter;
    if client_address.is_some() {
        let message = "Leave `clientAddress` out here: what is asked for stays on record for good. Ask \
                       `auditEvents` by it.";
        return Err(Refusal::new(Code::FieldInvalid, message).at("filter.clientAddress"));
    }
    let npi = npi.map(|npi| Npi::parse(&npi).map_err(|bad| Refusal::from(bad).at("filter.npi")));
    let stored = ExportFilter {
        actor,
        actor_kind,
        subject: subject.map(UserId),
        npi: npi.transpose()?,
        organization: organization.map(OrganizationId),
        types,
        command,
        refused: outcome.map(|outcome| outcome == Outcome::Refused),
        from,
        to,
        correlation,
        causation,
        session,
        right,
        causes_of,
        consequences_of,
    };
    Ok((stored, words))
}

/// The filter of an export, back from the record.
///
/// # Errors
/// NOT_FOUND where it had words and they were erased: without them it would show more.
pub fn filter_of(export: &Export) -> Result<Filter, Refusal> {
    let words = match &export.words {
        Some(words) => words.get().cloned().ok_or_else(|| Refusal::not_found("exportId"))?,
        None => Vec::new(),
    };
    Ok(Filter { up_to: Some(export.up_to), ..filter_from(export.filter.clone(), words) })
}

/// A filter back from the record, with its words.
pub fn filter_from(stored: ExportFilter, words: Vec<String>) -> Filter {
    let outcome = |refused| if refused { Outcome::Refused } else { Outcome::Succeeded };
    Filter {
        actor: stored.actor,
        actor_kind: stored.actor_kind,
        subject: stored.subject.map(Uuid::from),
        npi: stored.npi.map(|npi| npi.to_string()),
        organization: stored.organization.map(Uuid::from),
        types: stored.types,
        command: stored.command,
        outcome: stored.refused.map(outcome),
        from: stored.from,
        to: stored.to,
        correlation: stored.correlation,
        causation: stored.causation,
        session: stored.session,
        right: stored.right,
        causes_of: stored.causes_of,
        consequences_of: stored.consequences_of,
        words,
        client_address: None,
        up_to: None,
    }
}
