//! `CreateApiKey`: an administrator makes a key for a machine (GN-28).
//!
//! Invariant: what the key may do, its creator could give: administrators have every scope of their
//! organisation, plan administrators every scope of the plan, and nobody makes keys for others.

use std::collections::BTreeSet;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rollcall_domain::{
    Code, Refusal,
    api_keys::{ApiKey, ApiKeyCommand, Scope},
    kernel::ids::{ApiKeyId, OrganizationId},
    values::ApiKeyName,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{API_KEY, ApiKeyText, making};
use crate::{Access, Command, Context, Failure};

/// Makes a key.
pub struct CreateApiKey {
    /// `None`: for the plan.
    pub organization: Option<OrganizationId>,
    pub name: ApiKeyName,
    pub scopes: BTreeSet<Scope>,
    pub expires_at: DateTime<Utc>,
}

/// A key, given once.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CreatedApiKey {
    pub key: ApiKeyId,
    pub text: ApiKeyText,
}

#[async_trait]
impl Command for CreateApiKey {
    const NAME: &'static str = "CreateApiKey";
    const SECRET_OUTPUT: bool = true;
    type Output = CreatedApiKey;

    fn access(&self) -> Access {
        making(self.organization)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<CreatedApiKey, Failure> {
        let key = ApiKeyId(Uuid::now_v7());
        let create = ApiKeyCommand::CreateApiKey {
            key,
            organization: self.organization,
            name: self.name.clone(),
            scopes: self.scopes.clone(),
            by: cx.person()?,
            expires_at: self.expires_at,
        };
        cx.decide::<ApiKey>(key, create).await?;
        let text = ApiKeyText::random(key);
        let hash = cx.journal().secrets().link_hash(text.reveal());
        cx.work.reserve_hash(API_KEY, hash, key.0, repeated());
        Ok(CreatedApiKey { key, text })
    }
}

fn repeated() -> Refusal {
    Refusal::new(Code::VersionConflict, "The key was not made. Try again.")
}
