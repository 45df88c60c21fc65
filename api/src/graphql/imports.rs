//! `importPeople`, `peopleImport`: existing people taken over with their rights (AL-02, GN-33).

use std::collections::HashMap;

use async_graphql::{Context, Enum, ID, InputObject, Object, Result, SimpleObject};
use rollcall_commands::{
    Access, Commands,
    imports::{IMPORT_STAFF, RequestPeopleImport},
};
use rollcall_domain::{
    Refusal, hex,
    imports::{LineOutcome, LineResult, PeopleImport as Job, PersonRow},
    kernel::ids::PeopleImportId,
};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{
    errors::{UserError, fault},
    ids::NodeType,
    reading::{absent, caller, read, read_if_permitted},
    scalars::Position,
    sending::{MutationMeta, payload, send},
};

/// Up to 500 lines of a file of people.
#[derive(InputObject)]
pub struct ImportPeopleInput {
    pub rows: Vec<PersonRowInput>,
    /// SHA-256 of the file in hexadecimal, which every right names as its cause; that of the lines
    /// sent if not given.
    pub file_sha256: Option<String>,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

/// A person with what they may do in one organisation. Several lines may name one person.
#[derive(InputObject)]
pub struct PersonRowInput {
    /// The line's number in its file; its place in `rows` if not given.
    pub line: Option<i32>,
    /// The plan's own number of the organisation; without one, its tax id.
    #[graphql(default)]
    pub organization_reference: String,
    /// `EIN` or `SSN`.
    #[graphql(default)]
    pub tax_id_type: String,
    #[graphql(default, secret)]
    pub tax_id: String,
    /// What the other portal called the person.
    #[graphql(default)]
    pub legacy_id: String,
    /// Required where people sign in by user name.
    #[graphql(default)]
    pub username: String,
    pub email: String,
    pub first_name: String,
    pub last_name: String,
    pub mobile: String,
    #[graphql(default)]
    pub business_phone: String,
    /// The Argon2 hash of the password in the other portal, as a PHC string: it signs in once more, to
    /// be changed. Without one the person asks for a reset.
    #[graphql(default, secret)]
    pub password_hash: String,
    /// `ADMIN`, `PROCESSOR`, or `NONE` (also when blank).
    #[graphql(default)]
    pub org_role: String,
    /// `NPI=LEVEL` with semicolons between; `*` for all NPIs.
    #[graphql(default)]
    pub npis: String,
    /// `NPI=TYPE+TYPE` with semicolons between; `*` for all.
    #[graphql(default)]
    pub correspondence: String,
}

impl From<PersonRowInput> for PersonRow {
    fn from(input: PersonRowInput) -> Self {
        Self {
            organization_reference: input.organization_reference,
            tax_id_type: input.tax_id_type,
            tax_id: input.tax_id,
            legacy_id: input.legacy_id,
            username: input.username,
            email: input.email,
            first_name: input.first_name,
            last_name: input.last_name,
            mobile: input.mobile,
            business_phone: input.business_phone,
            password_hash: input.password_hash,
            org_role: input.org_role,
            npis: input.npis,
            correspondence: input.correspondence,
        }
    }
}

/// What became of a line.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "LineOutcome")]
pub enum PersonOutcome {
    /// The person is new here, or new in the organisation.
    Imported,
    /// A member has rights they had not.
    Updated,
    /// Everything was so already.
    Unchanged,
    /// Nothing of the line was recorded.
    Refused,
}

/// The result of one line.
#[derive(Clone, SimpleObject)]
pub struct PersonResult {
    pub line: i32,
    pub outcome: PersonOutcome,
    /// Absent when refused.
    pub user_id: Option<ID>,
    /// Absent when refused.
    pub organization_id: Option<ID>,
    /// Why it was refused; `field` is the column.
    pub error: Option<UserError>,
}

impl From<&LineResult> for PersonResult {
    fn from(result: &LineResult) -> Self {
        Self {
            line: i32::try_from(result.line).unwrap_or(i32::MAX),
            outcome: result.outcome.into(),
            user_id: result.user.map(|id| NodeType::User.id(id)),
            organization_id: result.organization.map(|id| NodeType::Organization.id(id)),
            error: result.refusal.clone().map(UserError::from),
        }
    }
}

/// A job that imports people, as far as it has come.
#[derive(Clone, SimpleObject)]
pub struct PeopleImport {
    pub id: ID,
    /// SHA-256 of the file in hexadecimal.
    pub file_sha256: String,
    /// How many lines it has.
    pub total: i32,
    /// How many of them are done.
    pub done: i32,
    pub completed: bool,
    /// The lines done so far, in their order.
    pub results: Vec<PersonResult>,
}

impl PeopleImport {
    fn of(id: PeopleImportId, job: &Job) -> Self {
        let count = |of: usize| i32::try_from(of).unwrap_or(i32::MAX);
        Self {
            id: NodeType::PeopleImport.id(id),
            file_sha256: job.file_sha256().to_owned(),
            total: count(job.total()),
            done: count(job.results().len()),
            completed: job.next_line().is_none(),
            results: job.results().iter().map(PersonResult::from).collect(),
        }
    }
}

payload! {
    /// What became of `importPeople`: the job, whose lines are done one after another.
    ImportPeoplePayload { import: PeopleImport }
}

/// Questions about imports.
#[derive(Default)]
pub struct ImportQuery;

#[Object]
impl ImportQuery {
    /// A job that imports people, for plan administrators.
    async fn people_import(
        &self,
        ctx: &Context<'_>,
        id: ID,
        min_position: Option<Position>,
    ) -> Result<Option<PeopleImport>> {
        drop(read(ctx, Access::Plan(IMPORT_STAFF), min_position).await?);
        match absent(NodeType::PeopleImport.parse(&id, "id"))? {
            Some(id) => job(ctx, id).await,
            None => Ok(None),
        }
    }
}

/// Imports.
#[derive(Default)]
pub struct ImportMutation;

#[Object]
impl ImportMutation {
    /// Has people imported with their rights, for plan administrators; `peopleImport` tells how far it
    /// has come. The same lines again change nothing, and no right is lowered. Refusals: FORBIDDEN,
    /// PAGE_SIZE_EXCEEDED, FIELD_INVALID (a hash nobody could sign in with, or no SHA-256).
    async fn import_people(
        &self,
        ctx: &Context<'_>,
        input: ImportPeopleInput,
    ) -> Result<ImportPeoplePayload> {
        let rows: Vec<(u32, PersonRow)> = (1..)
            .zip(input.rows)
            .map(|(place, row)| {
                let line = row.line.and_then(|line| u32::try_from(line).ok()).unwrap_or(place);
                (line, row.into())
            })
            .collect();
        let command = file_hash(input.file_sha256.as_deref(), &rows)
            .map(|file_sha256| RequestPeopleImport { file_sha256, rows });
        let sent = send(ctx, input.meta, command).await?;
        let import = match sent.output {
            Some(id) => job(ctx, id).await?,
            None => None,
        };
        Ok(ImportPeoplePayload::of(sent, import))
    }
}

/// The jobs of these ids, for plan administrators.
///
/// # Errors
/// As [`read_if_permitted`].
pub async fn by_ids(ctx: &Context<'_>, ids: &[Uuid]) -> Result<HashMap<Uuid, PeopleImport>> {
    let Some(reading) = read_if_permitted(ctx, Access::Plan(IMPORT_STAFF)).await? else {
        return Ok(HashMap::new());
    };
    drop(reading);
    let journal = &ctx.data::<Commands>()?.journal;
    let found = journal.load_all::<Job>(caller(ctx)?.tenant, ids).await;
    let found = found.map_err(|error| fault(&error))?;
    let shown = |job: &Job| job.id().map(|id| (id.0, PeopleImport::of(id, job)));
    Ok(found.values().filter_map(shown).collect())
}

/// The job on its own stream, which no projection follows.
async fn job(ctx: &Context<'_>, id: PeopleImportId) -> Result<Option<PeopleImport>> {
    let journal = &ctx.data::<Commands>()?.journal;
    let loaded = journal.load_fresh::<Job>(caller(ctx)?.tenant, id.0).await;
    let state = loaded.map_err(|error| fault(&error))?.state;
    Ok(state.id().map(|id| PeopleImport::of(id, &state)))
}

fn file_hash(given: Option<&str>, rows: &[(u32, PersonRow)]) -> Result<String, Refusal> {
    let is_hash = |text: &str| text.len() == 64 && text.chars().all(|c| c.is_ascii_hexdigit());
    match given {
        Some(hash) if is_hash(hash) => Ok(hash.to_ascii_lowercase()),
        Some(_) => {
            let message = "Give the file's SHA-256 as 64 hexadecimal digits, or leave it out.";
            Err(Refusal::new(rollcall_domain::Code::FieldInvalid, message).at("fileSha256"))
        }
        None => {
            let bytes = serde_json::to_vec(rows).expect("rows are plain text");
            Ok(hex(&Sha256::digest(bytes)))
        }
    }
}
