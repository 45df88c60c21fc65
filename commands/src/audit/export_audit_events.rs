//! `ExportAuditEvents` and, once the file has left, `RecordAuditExportGiven` (GN-26).
//!
//! Invariant: an export is asked for by the right by which its events may be read, by people alone,
//! and given to nobody else.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rollcall_domain::{
    Refusal,
    audit::{AuditExport, AuditExportCommand, ExportFilter, ExportFormat, Given},
    kernel::ids::{AuditExportId, OrganizationId},
    tenants::PlanRole,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Access, Command, Context, Failure};

/// The plan roles that read across organisations.
pub const AUDIT_READERS: &[PlanRole] = &[PlanRole::Au, PlanRole::Pa, PlanRole::Ps];

/// As whom somebody reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuditReader {
    /// In a role of the plan.
    Plan,
    /// As administrator of the organisation.
    Administrator(OrganizationId),
    /// What they had a part in.
    Person,
}

/// Asks for a file of events.
pub struct ExportAuditEvents {
    pub reader: AuditReader,
    pub format: ExportFormat,
    pub filter: ExportFilter,
    /// That must all be found.
    pub words: Vec<String>,
    /// Nothing after this position, nor after what is recorded now.
    pub up_to: i64,
}

/// Writes down that the file was given.
pub struct RecordAuditExportGiven {
    pub export: AuditExportId,
    pub given: Given,
}

/// An export that may be fetched.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct RequestedExport {
    pub export: AuditExportId,
    pub up_to: i64,
    pub expires_at: DateTime<Utc>,
}

#[async_trait]
impl Command for ExportAuditEvents {
    const NAME: &'static str = "ExportAuditEvents";
    type Output = RequestedExport;

    fn access(&self) -> Access {
        match self.reader {
            AuditReader::Plan => Access::PlanWithin(AUDIT_READERS),
            AuditReader::Administrator(organization) => Access::OrgAdmin(organization),
            AuditReader::Person => Access::SignedIn,
        }
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<RequestedExport, Failure> {
        let export = AuditExportId(Uuid::now_v7());
        let organization = match self.reader {
            AuditReader::Administrator(organization) => Some(organization),
            AuditReader::Plan | AuditReader::Person => None,
        };
        let request = AuditExportCommand::Request {
            export,
            by: cx.person()?,
            organization,
            format: self.format,
            filter: Box::new(self.filter.clone()),
            words: self.words.clone(),
            report: None,
            review: None,
            up_to: self.up_to,
        };
        cx.decide::<AuditExport>(export, request).await?;
        let state = cx.load::<AuditExport>(export).await?;
        let open = state.open_to(cx.person()?, cx.now).map_err(Refusal::from)?;
        let expires_at = open.expires_at;
        Ok(RequestedExport { export, up_to: self.up_to, expires_at })
    }
}

#[async_trait]
impl Command for RecordAuditExportGiven {
    const NAME: &'static str = "RecordAuditExportGiven";
    type Output = ();

    fn access(&self) -> Access {
        Access::SignedIn
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<(), Failure> {
        let record =
            AuditExportCommand::RecordGiven { by: cx.person()?, given: self.given.clone() };
        cx.decide::<AuditExport>(self.export, record).await?;
        Ok(())
    }
}
