//! `RequestPeopleImport`: lines become a job, which the scheduler carries out (GN-33).
//!
//! Invariant: no password's hash and no tax id is in the job's events: the vault keeps the one, the
//! other is exchanged for the organisation it names.

use async_trait::async_trait;
use rollcall_domain::{
    Code, Refusal, Sealed, hex,
    imports::{ImportLine, PeopleImport, PeopleImportCommand, PersonRow},
    kernel::ids::{OrganizationId, PeopleImportId, SubjectId, TenantId, UserId},
    values::EmailAddress,
};
use rollcall_journal::Journal;
use uuid::Uuid;

use super::{IMPORT_STAFF, import_person::keep_hash, line::tax_id};
use crate::{
    Access, Command, Context, Failure,
    organizations::{REFERENCE, TAX_ID},
    users::user_of,
};

/// Lines of one job.
pub const MAX_LINES: usize = 500;

/// Has up to [`MAX_LINES`] lines imported.
pub struct RequestPeopleImport {
    /// SHA-256 of the file, in hex.
    pub file_sha256: String,
    /// Lines with their numbers, counted from 1, the header included.
    pub rows: Vec<(u32, PersonRow)>,
}

#[async_trait]
impl Command for RequestPeopleImport {
    const NAME: &'static str = "RequestPeopleImport";
    type Output = PeopleImportId;

    fn access(&self) -> Access {
        Access::Plan(IMPORT_STAFF)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<PeopleImportId, Failure> {
        if self.rows.is_empty() || self.rows.len() > MAX_LINES {
            let message = format!("Send 1 to {MAX_LINES} rows at once.");
            return Err(Refusal::new(Code::PageSizeExceeded, message).at("rows").into());
        }
        let import = PeopleImportId(Uuid::now_v7());
        let mut lines = Vec::with_capacity(self.rows.len());
        for (nth, (line, row)) in self.rows.iter().enumerate() {
            let column = |refusal: Refusal| {
                let field = format!("rows.{nth}.{}", refusal.field.join("."));
                refusal.at(&field)
            };
            let organization = organization_of(cx, row).await?;
            let hash_ref = keep_hash(cx, &row.password_hash).map_err(column)?;
            let subject = match EmailAddress::parse(row.email.trim()) {
                Ok(email) => person_of_line(cx, &email).await?.into(),
                Err(_) => SubjectId(import.0),
            };
            let row =
                PersonRow { tax_id: String::new(), password_hash: String::new(), ..row.clone() };
            let row = Sealed::new(subject, row);
            lines.push(ImportLine { line: *line, row, organization, hash_ref });
        }
        let file_sha256 = self.file_sha256.clone();
        let request = PeopleImportCommand::Request { import, file_sha256, lines };
        cx.decide::<PeopleImport>(import, request).await?;
        Ok(import)
    }
}

/// Who has this address, or who will have it: the same id however often the line is read.
pub(super) async fn person_of_line(
    cx: &Context<'_>,
    email: &EmailAddress,
) -> Result<UserId, Failure> {
    let owner = user_of(cx, email).await?;
    Ok(owner.unwrap_or_else(|| derived_person(cx.journal(), cx.tenant(), email)))
}

/// Who will have an address that nobody has.
pub(super) fn derived_person(journal: &Journal, tenant: TenantId, email: &EmailAddress) -> UserId {
    let key = journal.secrets().lookup_key(tenant, "imported_person", &email.key());
    UserId(tenant.derive("imported_person", &hex(&key)))
}

/// The organisation a line names, by the plan's number or by tax id; `None` where it names none that
/// is enrolled.
pub(super) async fn organization_of(
    cx: &Context<'_>,
    row: &PersonRow,
) -> Result<Option<OrganizationId>, Failure> {
    let (journal, tenant) = (cx.journal(), cx.tenant());
    let reference = row.organization_reference.trim();
    if !reference.is_empty() {
        let owner = journal.owner_of(tenant, REFERENCE, reference).await?;
        return Ok(owner.map(OrganizationId));
    }
    // One that cannot be read names nobody, and the line says so when it is done.
    let Ok(Some(tax_id)) = tax_id(row) else { return Ok(None) };
    let owner = journal.owner_of(tenant, TAX_ID, &tax_id.normalized()).await?;
    Ok(owner.map(OrganizationId))
}
