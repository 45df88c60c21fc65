//! `ImportEnrolment`: the plan's file of organisations and NPIs (GN-32).
//!
//! Invariant: the same file twice records nothing the second time, and a bad line keeps no good one
//! out.

use std::collections::HashMap;

use async_trait::async_trait;
use rollcall_domain::{
    Code, Refusal, hex,
    kernel::ids::OrganizationId,
    organizations::{
        EnrolmentSource, Organization, OrganizationCommand, TaxIdRef, organization::Enrolment,
    },
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{
    ENROLMENT_STAFF, EnrolmentRow,
    enrolment::ParsedRow,
    matching::{Contact, TAX_ID},
    npis::{self, NPI},
};
use crate::{Access, Command, Context, Failure};

/// Lines taken at once.
pub const MAX_ROWS: usize = 500;
/// The reservation kind under which an organisation has the plan's own number.
pub(crate) const REFERENCE: &str = "org_by_reference";

/// What names lines that came without a file: SHA-256 of all of them, in hex.
#[must_use]
pub fn file_sha256(rows: &[(u32, EnrolmentRow)]) -> String {
    let bytes = serde_json::to_vec(rows).expect("rows are plain text");
    hex(&Sha256::digest(bytes))
}

/// From where the lines come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImportOrigin {
    /// Plan staff send them through the portal.
    Portal,
    /// Whoever runs the service reads a file on its own machine.
    CommandLine,
}

/// Imports up to [`MAX_ROWS`] lines.
pub struct ImportEnrolment {
    pub origin: ImportOrigin,
    /// SHA-256 of the whole file, in hex; every change names it with its line.
    pub file_sha256: String,
    /// Lines with their numbers, counted from 1, the header included.
    pub rows: Vec<(u32, EnrolmentRow)>,
}

/// What became of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RowOutcome {
    /// The organisation is new.
    Enrolled,
    /// Something differs from before and was recorded.
    Updated,
    /// Everything was on file already.
    Unchanged,
    /// Nothing of the line was recorded.
    Refused,
}

/// The result of one line.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RowResult {
    pub line: u32,
    pub outcome: RowOutcome,
    /// Absent when refused.
    pub organization: Option<OrganizationId>,
    pub refusal: Option<Refusal>,
}

#[async_trait]
impl Command for ImportEnrolment {
    const NAME: &'static str = "ImportEnrolment";
    type Output = Vec<RowResult>;

    fn access(&self) -> Access {
        match self.origin {
            ImportOrigin::Portal => Access::Plan(ENROLMENT_STAFF),
            ImportOrigin::CommandLine => Access::System,
        }
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<Vec<RowResult>, Failure> {
        if self.rows.is_empty() || self.rows.len() > MAX_ROWS {
            let message = format!("Send 1 to {MAX_ROWS} rows at once.");
            return Err(Refusal::new(Code::PageSizeExceeded, message).at("rows").into());
        }
        let mut import = Import::default();
        let mut results = Vec::with_capacity(self.rows.len());
        for (line, row) in &self.rows {
            let source = EnrolmentSource { file_sha256: self.file_sha256.clone(), line: *line };
            let imported = match row.parse() {
                Ok(row) => import.row(cx, row, source).await,
                Err(refusal) => Err(refusal.into()),
            };
            let (outcome, organization, refusal) = match imported {
                Ok((outcome, organization)) => (outcome, Some(organization), None),
                Err(Failure::Refused(refusal)) => (RowOutcome::Refused, None, Some(refusal)),
                Err(fault) => return Err(fault),
            };
            results.push(RowResult { line: *line, outcome, organization, refusal });
        }
        Ok(results)
    }
}

/// What the lines before have claimed: the journal does not know it yet.
#[derive(Default)]
struct Import {
    references: HashMap<String, OrganizationId>,
    tax_ids: HashMap<[u8; 32], OrganizationId>,
    npis: HashMap<String, OrganizationId>,
    contacts: HashMap<OrganizationId, Contact>,
}

impl Import {
    async fn row(
        &mut self,
        cx: &mut Context<'_>,
        row: ParsedRow,
        source: EnrolmentSource,
    ) -> Result<(RowOutcome, OrganizationId), Failure> {
        let contact = Contact::of(cx.journal(), cx.tenant(), &row.tax_id, &row.contact_email);
        let organization = self.identify(cx, &row, &contact).await?;
        let holds = self.check_npi(cx, &row, organization).await?;
        let state = cx.load::<Organization>(organization).await?;
        let is_new = state.record().is_none();
        let before = (self.kept(cx, organization).await?, state);

        let enrolment = Enrolment {
            organization,
            name: row.name,
            kinds: row.kinds,
            tax_id: TaxIdRef { kind: row.tax_id.kind(), last4: row.tax_id.last4().to_owned() },
            pay_to_address: row.pay_to_address,
            pay_to_zip: row.pay_to_zip,
            contact_email: row.contact_email,
            contract_status: row.contract_status,
            source: Some(source),
        };
        let record = OrganizationCommand::RecordEnrolment(Box::new(enrolment));
        let recorded = cx.decide::<Organization>(organization, record).await?;
        let moved = before.0.as_ref() != Some(&contact);
        self.claim(cx, organization, before.0, contact, row.reference);
        let attached = match row.npi {
            Some(details) if !holds => {
                npis::attach(cx, organization, &details, None).await?;
                self.npis.insert(details.npi.as_str().to_owned(), organization);
                true
            }
            Some(_) | None => false,
        };
        let outcome = match (is_new, recorded.is_empty() && !moved && !attached) {
            (true, _) => RowOutcome::Enrolled,
            (false, true) => RowOutcome::Unchanged,
            (false, false) => RowOutcome::Updated,
        };
        Ok((outcome, organization))
    }

    /// The organisation a line is about: by the plan's number, else by the tax id, else a new one.
    async fn identify(
        &self,
        cx: &Context<'_>,
        row: &ParsedRow,
        contact: &Contact,
    ) -> Result<OrganizationId, Failure> {
        let (journal, tenant) = (cx.journal(), cx.tenant());
        let by_tax_id = match self.tax_ids.get(&contact.tax_id) {
            Some(organization) => Some(*organization),
            None => {
                journal.owner_of_hash(tenant, TAX_ID, &contact.tax_id).await?.map(OrganizationId)
            }
        };
        let Some(reference) = &row.reference else {
            let fresh = || tenant.derive("organization.tax_id", &hex(&contact.tax_id));
            return Ok(by_tax_id.unwrap_or_else(|| OrganizationId(fresh())));
        };
        let by_reference = match self.references.get(reference) {
            Some(organization) => Some(*organization),
            None => journal.owner_of(tenant, REFERENCE, reference).await?.map(OrganizationId),
        };
        let organization = by_reference
            .unwrap_or_else(|| OrganizationId(tenant.derive("organization.reference", reference)));
        match by_tax_id {
            Some(other) if other != organization => Err(tax_id_taken().into()),
            Some(_) | None => Ok(organization),
        }
    }

    /// Whether the organisation holds the line's NPI already.
    async fn check_npi(
        &self,
        cx: &Context<'_>,
        row: &ParsedRow,
        organization: OrganizationId,
    ) -> Result<bool, Failure> {
        let Some(details) = &row.npi else { return Ok(false) };
        let npi = details.npi.as_str();
        let owner = match self.npis.get(npi) {
            Some(organization) => Some(organization.0),
            None => cx.journal().owner_of(cx.tenant(), NPI, npi).await?,
        };
        match owner {
            Some(owner) if owner != organization.0 => Err(npis::held_elsewhere().into()),
            Some(_) => Ok(true),
            None => Ok(false),
        }
    }

    async fn kept(
        &self,
        cx: &Context<'_>,
        organization: OrganizationId,
    ) -> Result<Option<Contact>, Failure> {
        match self.contacts.get(&organization) {
            Some(contact) => Ok(Some(contact.clone())),
            None => Contact::load(cx.journal(), cx.tenant(), organization).await,
        }
    }

    /// Reserves tax id and reference, and keeps the hashes a registrant is compared with.
    fn claim(
        &mut self,
        cx: &mut Context<'_>,
        organization: OrganizationId,
        before: Option<Contact>,
        contact: Contact,
        reference: Option<String>,
    ) {
        if before.as_ref() != Some(&contact) {
            if let Some(old) = before.filter(|old| old.tax_id != contact.tax_id) {
                cx.work.release_hash(TAX_ID, old.tax_id, organization.0);
            }
            cx.work.reserve_hash(TAX_ID, contact.tax_id, organization.0, tax_id_taken());
            contact.keep(cx, organization);
            self.tax_ids.insert(contact.tax_id, organization);
            self.contacts.insert(organization, contact);
        }
        if let Some(reference) = reference.filter(|r| !self.references.contains_key(r)) {
            let taken = Refusal::new(Code::VersionConflict, "Send the file again.");
            cx.work.reserve(REFERENCE, &reference, organization.0, taken);
            self.references.insert(reference, organization);
        }
    }
}

fn tax_id_taken() -> Refusal {
    Refusal::new(Code::TaxIdTaken, "Another organization is on file with this tax identifier.")
        .at("tax_id")
}
