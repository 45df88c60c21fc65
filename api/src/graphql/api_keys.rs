//! `createApiKey`, `revokeApiKey`, `apiKeys`: keys by which machines ask and command (GN-28).
//!
//! Invariant: a key's text leaves once, in the payload of the mutation that made it.

use std::collections::HashMap;

use async_graphql::{Context, Enum, ID, InputObject, Object, Result, SimpleObject};
use chrono::Utc;
use rollcall_commands::{
    Commands,
    api_keys::{CreateApiKey, RevokeApiKey, prefix_of, seeing},
};
use rollcall_domain::{
    Refusal, api_keys,
    kernel::ids::{ApiKeyId, OrganizationId},
    values::{ApiKeyName, Reason},
};
use rollcall_projections::api_keys::{
    ApiKeyFilter, ApiKeyRow, api_keys as list, api_keys_by_id, count,
};
use uuid::Uuid;

use crate::graphql::{
    audit::PersonReference,
    errors::{fault, top_level},
    ids::NodeType,
    paging::{Page, Rows, connection},
    reading::{caller, read, read_if_permitted},
    scalars::{DateTime, Position},
    sending::{MutationMeta, payload, send},
    vocabulary::field,
};

/// What a key may be used for.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "rollcall_domain::api_keys::Scope")]
pub enum ApiKeyScope {
    /// Read organisations, people, their roles and permissions, and affiliations.
    ReadDirectory,
    /// Read the access register.
    ReadAccess,
    /// Read and follow the audit timeline.
    ReadAudit,
    /// Invite, deactivate and reactivate people; they can be read with it too.
    ManageUsers,
    /// Report which rights people used in an external system.
    ReportRightUse,
}

/// Where a key stands.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
pub enum ApiKeyStatus {
    Active,
    Expired,
    Revoked,
}

/// A machine's key, without what it takes to use it.
#[derive(Clone, SimpleObject)]
pub struct ApiKey {
    pub id: ID,
    /// The organisation it acts for; absent for the plan's.
    pub organization_id: Option<ID>,
    pub name: String,
    /// With what the key begins, so that one that is found can be told.
    pub prefix: String,
    pub scopes: Vec<ApiKeyScope>,
    pub status: ApiKeyStatus,
    pub created_by: PersonReference,
    pub created_at: DateTime,
    /// From this second on it works no longer.
    pub expires_at: DateTime,
    /// To the minute; absent before its first use.
    pub last_used_at: Option<DateTime>,
    pub revoked_at: Option<DateTime>,
}

impl ApiKey {
    fn of(row: ApiKeyRow, now: chrono::DateTime<Utc>) -> Self {
        let status = match row.revoked_at {
            Some(_) => ApiKeyStatus::Revoked,
            None if row.expires_at <= now => ApiKeyStatus::Expired,
            None => ApiKeyStatus::Active,
        };
        let scopes = row.scopes.iter().filter_map(|word| api_keys::Scope::parse(word));
        Self {
            id: NodeType::ApiKey.id(row.key_id),
            organization_id: row.organization_id.map(|id| NodeType::Organization.id(id)),
            name: row.name,
            prefix: prefix_of(ApiKeyId(row.key_id)),
            scopes: scopes.map(Into::into).collect(),
            status,
            created_by: PersonReference::new(row.created_by, row.created_by_name),
            created_at: row.created_at.into(),
            expires_at: row.expires_at.into(),
            last_used_at: row.last_used_at.map(DateTime::from),
            revoked_at: row.revoked_at.map(DateTime::from),
        }
    }
}

connection!(ApiKeyConnection, ApiKeyEdge, ApiKey);

/// A key to be made.
#[derive(InputObject)]
pub struct CreateApiKeyInput {
    /// The organisation whose administrator you are; absent for the plan.
    pub organization_id: Option<ID>,
    /// What it is for, in the words of those who keep it.
    pub name: String,
    /// At least one.
    pub scopes: Vec<ApiKeyScope>,
    /// Required; the policy says how late it may be.
    pub expires_at: Option<DateTime>,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

impl CreateApiKeyInput {
    fn command(&self) -> Result<CreateApiKey, Refusal> {
        let Some(expires_at) = &self.expires_at else {
            let message = "Say when the key is to end.";
            return Err(Refusal::new(rollcall_domain::Code::FieldRequired, message).at("expiresAt"));
        };
        Ok(CreateApiKey {
            organization: owner(self.organization_id.as_ref())?,
            name: field("name", ApiKeyName::parse(&self.name))?,
            scopes: self.scopes.iter().copied().map(Into::into).collect(),
            expires_at: expires_at.parse("expiresAt")?,
        })
    }
}

/// A key that is to work no longer.
#[derive(InputObject)]
pub struct RevokeApiKeyInput {
    /// The organisation it acts for; absent for the plan's.
    pub organization_id: Option<ID>,
    pub api_key_id: ID,
    pub reason: Option<String>,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

impl RevokeApiKeyInput {
    fn command(&self) -> Result<RevokeApiKey, Refusal> {
        let reason = self.reason.as_deref().filter(|reason| !reason.trim().is_empty());
        Ok(RevokeApiKey {
            organization: owner(self.organization_id.as_ref())?,
            key: NodeType::ApiKey.parse(&self.api_key_id, "apiKeyId")?,
            reason: field("reason", reason.map(Reason::parse).transpose())?,
        })
    }
}

fn owner(id: Option<&ID>) -> Result<Option<OrganizationId>, Refusal> {
    id.map(|id| NodeType::Organization.parse(id, "organizationId")).transpose()
}

payload! {
    /// The outcome of making a key.
    CreateApiKeyPayload {
        /// Absent, too, where it cannot be read yet; `apiKeys` shows it later.
        api_key: ApiKey,
        /// The key itself, sent as `Authorization: Bearer`. It is told this once: keep it where
        /// secrets are kept.
        secret: String,
    }
}
payload! {
    /// The outcome of revoking a key.
    RevokeApiKeyPayload { api_key: ApiKey }
}

/// Questions about machines' keys.
#[derive(Default)]
pub struct ApiKeyQuery;

#[Object]
impl ApiKeyQuery {
    /// An organisation's keys, newest first, for its administrators, plan administrators and
    /// auditors; without an organisation the plan's.
    #[graphql(complexity = "crate::graphql::paging::cost(first, child_complexity)")]
    async fn api_keys(
        &self,
        ctx: &Context<'_>,
        organization_id: Option<ID>,
        #[graphql(desc = "Only those that work now.", default)] active: bool,
        first: Option<i32>,
        after: Option<String>,
        min_position: Option<Position>,
    ) -> Result<ApiKeyConnection> {
        let organization = owner(organization_id.as_ref()).map_err(top_level)?;
        let page = Page::<i64>::new(first, after).map_err(top_level)?;
        let mut reading = read(ctx, seeing(organization), min_position).await?;
        let now = ctx.data::<Commands>()?.journal.now();
        let filter = ApiKeyFilter { organization, usable_at: active.then_some(now) };
        let view = &mut reading.view;
        let found = list(view, filter, page.after, page.first + 1).await;
        let found = found.map_err(|error| fault(&error))?;
        let total = if ctx.look_ahead().field("totalCount").exists() {
            Some(count(view, filter).await.map_err(|error| fault(&error))?)
        } else {
            None
        };
        let rows = found.into_iter().map(|row| (row.created_position, ApiKey::of(row, now)));
        Ok(ApiKeyConnection::of(&page, Rows { rows: rows.collect(), total }))
    }
}

/// Commands on machines' keys.
#[derive(Default)]
pub struct ApiKeyMutation;

#[Object]
impl ApiKeyMutation {
    /// Makes a key for a machine, for an organisation by one of its administrators or for the plan
    /// by one of its. The other administrators are told. Refusals: NOT_ORG_ADMIN, FORBIDDEN,
    /// FIELD_REQUIRED, NAME_INVALID, RANGE_INVALID, FEATURE_DISABLED; repeated, RESULT_WITHHELD.
    async fn create_api_key(
        &self,
        ctx: &Context<'_>,
        input: CreateApiKeyInput,
    ) -> Result<CreateApiKeyPayload> {
        let command = input.command();
        let organization = command.as_ref().ok().and_then(|command| command.organization);
        let mut sent = send(ctx, input.meta, command).await?;
        let made = sent.output.take();
        let key = made.as_ref().map(|made| made.key);
        // The key was made, and its text is nowhere else: it leaves, whatever can be read just now.
        let shown = shown(ctx, organization, key, sent.position).await.unwrap_or_else(|error| {
            tracing::warn!(error = %error.message, "a key was made and could not be shown");
            None
        });
        let secret = made.map(|made| made.text.reveal().to_owned());
        Ok(CreateApiKeyPayload::of(sent, shown, secret))
    }

    /// Ends a key at once and everywhere, by an administrator of the organisation or of the plan.
    /// Refusals: NOT_ORG_ADMIN, FORBIDDEN, NOT_FOUND, ALREADY_INACTIVE.
    async fn revoke_api_key(
        &self,
        ctx: &Context<'_>,
        input: RevokeApiKeyInput,
    ) -> Result<RevokeApiKeyPayload> {
        let command = input.command();
        let organization = command.as_ref().ok().and_then(|command| command.organization);
        let sent = send(ctx, input.meta, command).await?;
        let shown = shown(ctx, organization, sent.output, sent.position).await?;
        Ok(RevokeApiKeyPayload::of(sent, shown))
    }
}

/// The key a mutation was about, as it stands now, where the client selected it.
async fn shown(
    ctx: &Context<'_>,
    organization: Option<OrganizationId>,
    key: Option<ApiKeyId>,
    position: Option<Position>,
) -> Result<Option<ApiKey>> {
    let (Some(key), true) = (key, ctx.look_ahead().field("apiKey").exists()) else {
        return Ok(None);
    };
    let mut reading = read(ctx, seeing(organization), position).await?;
    let found = api_keys_by_id(&mut reading.view, organization, &[key.0]).await;
    let now = ctx.data::<Commands>()?.journal.now();
    Ok(found.map_err(|error| fault(&error))?.pop().map(|row| ApiKey::of(row, now)))
}

/// The keys of these ids: of the organisation the session acts for, to plan staff the plan's.
///
/// # Errors
/// As [`read_if_permitted`].
pub async fn by_ids(ctx: &Context<'_>, ids: &[Uuid]) -> Result<HashMap<Uuid, ApiKey>> {
    let organization = caller(ctx)?.organization();
    let Some(mut reading) = read_if_permitted(ctx, seeing(organization)).await? else {
        return Ok(HashMap::new());
    };
    let now = ctx.data::<Commands>()?.journal.now();
    let found = api_keys_by_id(&mut reading.view, organization, ids).await;
    let found = found.map_err(|error| fault(&error))?;
    Ok(found.into_iter().map(|row| (row.key_id, ApiKey::of(row, now))).collect())
}
