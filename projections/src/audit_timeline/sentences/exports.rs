//! What was taken away of the timeline, told. What was asked for stands beside the sentence.

use rollcall_domain::audit::{AuditExportEvent, AuditSinksEvent, ExportFormat, SinkFormat};

use super::{Telling, lower, time};

pub(super) fn sentence(event: &AuditExportEvent, telling: Telling<'_>) -> String {
    match event {
        AuditExportEvent::AuditExportRequested { by, organization, format, up_to, .. } => {
            let (who, at) = (telling.person(*by), telling.at("of", *organization));
            let format = match format {
                ExportFormat::Csv => "CSV",
                ExportFormat::JsonLines => "JSON Lines",
                ExportFormat::Ocsf => "OCSF",
                ExportFormat::Fhir => "FHIR",
            };
            format!("{who} asked for audit events{at} up to position {up_to} as {format}.")
        }
        AuditExportEvent::AuditExportGiven { by, given, .. } => {
            format!("{} was given {} audit events as a file.", telling.person(*by), given.rows)
        }
    }
}

pub(super) fn sinks(event: &AuditSinksEvent, telling: Telling<'_>) -> String {
    use AuditSinksEvent as E;
    let who = telling.who();
    let sink = |id| super::short("sink", id);
    match event {
        E::AuditSinkCreated { sink: id, name, url, format, after_position, .. } => {
            let format = match format {
                SinkFormat::JsonLines => "JSON Lines",
                SinkFormat::Ocsf => "OCSF",
            };
            let sink = sink(id.0);
            format!(
                "{who} has audit events after position {after_position} pushed to {name} ({sink}) at \
                 {url} as {format}."
            )
        }
        E::AuditSinkSecretRotated { sink: id, both_until, .. } => {
            let (sink, end) = (sink(id.0), time(both_until));
            format!("{who} replaced the secret of {sink}; the former one counts until {end}.")
        }
        E::AuditSinkPaused { sink: id, cause, .. } => {
            format!("{who} stopped pushing audit events to {} ({}).", sink(id.0), lower(cause))
        }
        E::AuditSinkResumed { sink: id, .. } => {
            format!("{who} has audit events pushed to {} again.", sink(id.0))
        }
        E::AuditSinkDeleted { sink: id, .. } => {
            format!("{who} has audit events pushed to {} no more.", sink(id.0))
        }
        E::AuditSinkDelivered { sink: id, delivered } => format!(
            "{} took {} audit events, all that were for it after position {} up to {}.",
            sink(id.0),
            delivered.events,
            delivered.after_position,
            delivered.to_position
        ),
    }
}
