//! `ExportAccessReview`: a review as a file to be filed, on the way of every export (GN-15).
//!
//! Invariant: who may see the whole review takes it away, and nobody else; what was asked for is on
//! record before anything leaves.

use async_trait::async_trait;
use rollcall_domain::{
    Refusal,
    audit::{AuditExport, AuditExportCommand, ExportFilter, ExportFormat},
    kernel::ids::{AccessReviewId, AuditExportId, OrganizationId},
};
use uuid::Uuid;

use super::review_seen;
use crate::{
    Access, Command, Context, Failure,
    audit::{AUDIT_READERS, AuditReader, RequestedExport},
};

/// Asks for a review as a file.
pub struct ExportAccessReview {
    pub reader: AuditReader,
    pub organization: OrganizationId,
    pub review: AccessReviewId,
    /// CSV, JSON or PDF.
    pub format: ExportFormat,
}

#[async_trait]
impl Command for ExportAccessReview {
    const NAME: &'static str = "ExportAccessReview";
    type Output = RequestedExport;

    fn access(&self) -> Access {
        match self.reader {
            AuditReader::Plan => Access::PlanOf(self.organization, AUDIT_READERS),
            // A member sees what was delegated to them, which is not the review.
            AuditReader::Administrator(_) | AuditReader::Person => {
                Access::OrgAdmin(self.organization)
            }
        }
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<RequestedExport, Failure> {
        review_seen(cx, self.review, self.organization).await?;
        let organization = match self.reader {
            AuditReader::Plan => None,
            AuditReader::Administrator(_) | AuditReader::Person => Some(self.organization),
        };
        let export = AuditExportId(Uuid::now_v7());
        let up_to = cx.journal().tenant_position(cx.tenant()).await?;
        let request = AuditExportCommand::Request {
            export,
            by: cx.person()?,
            organization,
            format: self.format,
            filter: Box::new(ExportFilter::default()),
            words: Vec::new(),
            report: None,
            review: Some(self.review),
            up_to,
        };
        cx.decide::<AuditExport>(export, request).await?;
        let state = cx.load::<AuditExport>(export).await?;
        let expires_at = state.open_to(cx.person()?, cx.now).map_err(Refusal::from)?.expires_at;
        Ok(RequestedExport { export, up_to, expires_at })
    }
}
