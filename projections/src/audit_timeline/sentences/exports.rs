//! What was taken away of the timeline, told. What was asked for stands beside the sentence.

use rollcall_domain::audit::{AuditExportEvent, ExportFormat};

use super::Telling;

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
