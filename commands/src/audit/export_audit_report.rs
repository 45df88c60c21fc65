//! `ExportAuditReport`: the rows of a report as a file, on the way of every export (GN-26).
//!
//! Invariant: the question stands on record as it is answered, moment and position included, before a
//! row leaves.

use async_trait::async_trait;
use rollcall_domain::{
    Refusal,
    audit::{AuditExport, AuditExportCommand, ExportFilter, ExportFormat, ReportQuestion},
    kernel::ids::AuditExportId,
    tenants::PlanRole,
};
use uuid::Uuid;

use super::{AuditReader, RequestedExport};
use crate::{Access, Command, Context, Failure, authorization::forbidden};

/// The plan roles that ask for reports.
pub const REPORT_READERS: &[PlanRole] = &[PlanRole::Au, PlanRole::Pa];

/// Asks for the rows of a report as a file.
pub struct ExportAuditReport {
    pub reader: AuditReader,
    pub format: ExportFormat,
    pub question: ReportQuestion,
}

#[async_trait]
impl Command for ExportAuditReport {
    const NAME: &'static str = "ExportAuditReport";
    type Output = RequestedExport;

    fn access(&self) -> Access {
        match self.reader {
            AuditReader::Plan => Access::PlanWithin(REPORT_READERS),
            AuditReader::Administrator(organization) => Access::OrgAdmin(organization),
            AuditReader::Person => Access::SignedIn,
        }
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<RequestedExport, Failure> {
        let organization = match self.reader {
            AuditReader::Administrator(organization) => Some(organization),
            AuditReader::Plan => None,
            AuditReader::Person => return Err(forbidden().into()),
        };
        let export = AuditExportId(Uuid::now_v7());
        let up_to = self.question.known_at;
        let request = AuditExportCommand::Request {
            export,
            by: cx.person()?,
            organization,
            format: self.format,
            filter: Box::new(ExportFilter::default()),
            words: Vec::new(),
            report: Some(Box::new(self.question.clone())),
            review: None,
            up_to,
        };
        cx.decide::<AuditExport>(export, request).await?;
        let state = cx.load::<AuditExport>(export).await?;
        let expires_at = state.open_to(cx.person()?, cx.now).map_err(Refusal::from)?.expires_at;
        Ok(RequestedExport { export, up_to, expires_at })
    }
}
