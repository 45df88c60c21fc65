//! `exportAuditReport`. Invariant: the file holds what `auditReport` would answer the same person for
//! the same question, which stands on record with its moment and position.

use async_graphql::{Context, ID, InputObject, Object, Result};
use rollcall_commands::{Commands, audit::ExportAuditReport, authorization::out_of_scope};
use rollcall_domain::{Code, Refusal, api_keys::Scope, audit::ExportFormat};

use super::{
    asking::{AuditReportParameters, question},
    definitions::AuditReportName,
};
use crate::{
    documents::Holds,
    graphql::{
        audit::{
            exports::{AuditExport, AuditExportFormat, link},
            viewer,
        },
        errors::top_level,
        ids::NodeType,
        sending::{MutationMeta, payload, send},
    },
};

/// Which report, and how it is written.
#[derive(Debug, InputObject)]
pub struct ExportAuditReportInput {
    pub name: AuditReportName,
    pub parameters: Option<AuditReportParameters>,
    /// Only what concerns this organisation.
    pub organization_id: Option<ID>,
    pub format: AuditExportFormat,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

payload! {
    /// Where the file is.
    ExportAuditReportPayload {
        audit_export: AuditExport,
    }
}

/// Commands on reports.
#[derive(Default)]
pub struct AuditReportMutation;

#[Object]
impl AuditReportMutation {
    /// Gives what `auditReport` shows the caller as a file (GN-26), for people alone: the row's columns,
    /// and names beside ids as they are today. Who asked for what, and each file that was given, is on
    /// record. What is wrong with the question is answered at the top, as `auditReport` does.
    /// Refusal: FIELD_INVALID for a format that is made for events.
    async fn export_audit_report(
        &self,
        ctx: &Context<'_>,
        input: ExportAuditReportInput,
    ) -> Result<ExportAuditReportPayload> {
        let (commands, caller) = (ctx.data::<Commands>()?, viewer::caller(ctx)?);
        // A machine takes nothing away, and learns nothing about the validity of a question.
        if caller.key().is_some() {
            return Err(top_level(out_of_scope()));
        }
        let organization = input.organization_id.as_ref();
        let organization =
            organization.and_then(|id| NodeType::Organization.parse(id, "organizationId").ok());
        let right = viewer::choose(commands, caller, organization, Scope::ReadAudit).await?;
        let asked =
            (input.name.into(), input.parameters.unwrap_or_default(), input.organization_id);
        let (question, reading) = question(ctx, asked, None).await?;
        drop(reading);
        let format: ExportFormat = input.format.into();
        let command = match format {
            ExportFormat::Csv | ExportFormat::JsonLines => {
                Ok(ExportAuditReport { reader: right.reader(), format, question })
            }
            ExportFormat::Ocsf | ExportFormat::Fhir | ExportFormat::Json | ExportFormat::Pdf => {
                let message = "Rows of a report have no form there. Ask for CSV or JSON_LINES.";
                Err(Refusal::new(Code::FieldInvalid, message).at("format"))
            }
        };
        let sent = send(ctx, input.meta, command).await?;
        let export = sent.output.map(|it| link(commands, (Holds::Report, format), it));
        Ok(ExportAuditReportPayload::of(sent, export))
    }
}
