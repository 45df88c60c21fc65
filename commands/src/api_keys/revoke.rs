//! `RevokeApiKey`: a machine's key works no longer, from this append on and in every process
//! (GN-28).

use async_trait::async_trait;
use rollcall_domain::{
    Refusal,
    api_keys::{ApiKey, ApiKeyCommand},
    kernel::ids::{ApiKeyId, OrganizationId},
    values::Reason,
};

use super::revoking;
use crate::{Access, Command, Context, Failure};

/// Revokes a key of an organisation, or of the plan.
pub struct RevokeApiKey {
    pub organization: Option<OrganizationId>,
    pub key: ApiKeyId,
    pub reason: Option<Reason>,
}

#[async_trait]
impl Command for RevokeApiKey {
    const NAME: &'static str = "RevokeApiKey";
    type Output = ApiKeyId;

    fn access(&self) -> Access {
        revoking(self.organization)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<ApiKeyId, Failure> {
        let key = cx.load::<ApiKey>(self.key).await?;
        if key.grant().is_none_or(|grant| grant.organization != self.organization) {
            return Err(Refusal::not_found("apiKeyId").into());
        }
        let (by, reason) = (Some(cx.person()?), self.reason.clone());
        cx.decide::<ApiKey>(self.key, ApiKeyCommand::RevokeApiKey { by, reason }).await?;
        Ok(self.key)
    }
}
