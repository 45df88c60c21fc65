//! The aggregate of one key. Invariant: whether it works is decided by comparison with its end, so
//! no scheduler can be late.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};

use super::{ApiKeyEvent, ApiKeyRefusal, Scope};
use crate::kernel::ids::{ApiKeyId, OrganizationId, SubjectId, UserId};
use crate::values::{ApiKeyName, Reason};
use crate::{Decider, Decision, Sealed};

/// A key, from its making to its end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ApiKey {
    /// The id is not in use.
    #[default]
    NotCreated,
    /// Not revoked; whether it still works is [`ApiKey::usable`]'s matter.
    Created(Grant),
    /// Over for good.
    Revoked(Grant),
}

/// What a key stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    pub key: ApiKeyId,
    /// `None`: it acts for the plan.
    pub organization: Option<OrganizationId>,
    pub name: ApiKeyName,
    pub scopes: BTreeSet<Scope>,
    /// Who made it, and was told its text.
    pub by: UserId,
    pub expires_at: DateTime<Utc>,
}

impl Grant {
    /// Whether one of its scopes lets do what is demanded.
    #[must_use]
    pub fn covers(&self, demanded: Scope) -> bool {
        self.scopes.iter().any(|scope| scope.covers(demanded))
    }
}

/// A command to stream `api_keys.api_key`.
#[derive(Clone, Debug)]
pub enum ApiKeyCommand {
    CreateApiKey {
        key: ApiKeyId,
        organization: Option<OrganizationId>,
        name: ApiKeyName,
        scopes: BTreeSet<Scope>,
        by: UserId,
        expires_at: DateTime<Utc>,
    },
    RevokeApiKey {
        /// Nobody where the policy has it so.
        by: Option<UserId>,
        reason: Option<Reason>,
    },
}

impl ApiKey {
    /// What it stands for, also once it is over.
    #[must_use]
    pub fn grant(&self) -> Option<&Grant> {
        match self {
            Self::NotCreated => None,
            Self::Created(grant) | Self::Revoked(grant) => Some(grant),
        }
    }

    /// The key, if it works at `now`; with the second of its end it is over.
    ///
    /// # Errors
    /// NOT_FOUND, API_KEY_REVOKED or API_KEY_EXPIRED.
    pub fn usable(&self, now: DateTime<Utc>) -> Result<&Grant, ApiKeyRefusal> {
        match self {
            Self::NotCreated => Err(ApiKeyRefusal::Unknown),
            Self::Revoked(_) => Err(ApiKeyRefusal::Revoked),
            Self::Created(grant) if now >= grant.expires_at => Err(ApiKeyRefusal::Expired),
            Self::Created(grant) => Ok(grant),
        }
    }
}

impl Decider for ApiKey {
    const TYPE: &'static str = "api_keys.api_key";
    type Command = ApiKeyCommand;
    type Event = ApiKeyEvent;
    type Refusal = ApiKeyRefusal;

    fn decide(
        &self,
        decision: &Decision<'_>,
        command: ApiKeyCommand,
    ) -> Result<Vec<ApiKeyEvent>, ApiKeyRefusal> {
        match command {
            ApiKeyCommand::CreateApiKey { key, organization, name, scopes, by, expires_at } => {
                if *self != Self::NotCreated {
                    return Err(ApiKeyRefusal::Exists);
                }
                let max_days = decision.policy.api_key_max_days();
                let max_days = max_days.ok_or(ApiKeyRefusal::NotOffered)?;
                if scopes.is_empty() {
                    return Err(ApiKeyRefusal::NoScope);
                }
                let latest = decision.now + TimeDelta::days(i64::from(max_days));
                if expires_at <= decision.now || latest < expires_at {
                    return Err(ApiKeyRefusal::EndOutOfRange { max_days });
                }
                Ok(vec![ApiKeyEvent::ApiKeyCreated {
                    key,
                    organization,
                    name,
                    scopes,
                    by,
                    expires_at,
                }])
            }
            ApiKeyCommand::RevokeApiKey { by, reason } => {
                let usable = self.usable(decision.now);
                let grant = usable.map_err(ApiKeyRefusal::once_over)?;
                let subject = SubjectId::from(by.unwrap_or(grant.by));
                Ok(vec![ApiKeyEvent::ApiKeyRevoked {
                    key: grant.key,
                    organization: grant.organization,
                    by,
                    reason: reason.map(|reason| Sealed::new(subject, reason)),
                }])
            }
        }
    }

    fn evolve(&mut self, event: &ApiKeyEvent) {
        match event {
            ApiKeyEvent::ApiKeyCreated { key, organization, name, scopes, expires_at, by } => {
                *self = Self::Created(Grant {
                    key: *key,
                    organization: *organization,
                    name: name.clone(),
                    scopes: scopes.clone(),
                    by: *by,
                    expires_at: *expires_at,
                });
            }
            ApiKeyEvent::ApiKeyRevoked { .. } => {
                if let Self::Created(grant) = self {
                    *self = Self::Revoked(grant.clone());
                }
            }
        }
    }
}
