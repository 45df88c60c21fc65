//! Who did it. The kind says in which role, the id says which person or key; SYSTEM has no id.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::ids::{ApiKeyId, UserId};

/// The role in which somebody acted, as stored in the envelope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ActorKind {
    /// A visitor who has not signed in.
    Anonymous,
    /// A person acting for a provider or submitter organisation, or for themself.
    User,
    /// A person of the health plan acting in a plan role (GN-31).
    PlanStaff,
    /// A person who runs the service and sees no tenant data (GN-31).
    Operator,
    /// The scheduler or a process of the service itself.
    System,
    /// A machine by its key (GN-28).
    ApiKey,
}

impl ActorKind {
    /// The stored name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Anonymous => "ANONYMOUS",
            Self::User => "USER",
            Self::PlanStaff => "PLAN_STAFF",
            Self::Operator => "OPERATOR",
            Self::System => "SYSTEM",
            Self::ApiKey => "API_KEY",
        }
    }

    /// Reads a stored name back.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let all = [
            Self::Anonymous,
            Self::User,
            Self::PlanStaff,
            Self::Operator,
            Self::System,
            Self::ApiKey,
        ];
        all.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// Who acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    pub kind: ActorKind,
    /// The person or the key; `None` for visitors and the system.
    pub id: Option<Uuid>,
}

impl Actor {
    pub const ANONYMOUS: Self = Self { kind: ActorKind::Anonymous, id: None };
    pub const SYSTEM: Self = Self { kind: ActorKind::System, id: None };

    #[must_use]
    pub fn user(id: UserId) -> Self {
        Self { kind: ActorKind::User, id: Some(id.0) }
    }

    #[must_use]
    pub fn plan_staff(id: UserId) -> Self {
        Self { kind: ActorKind::PlanStaff, id: Some(id.0) }
    }

    #[must_use]
    pub fn operator(id: UserId) -> Self {
        Self { kind: ActorKind::Operator, id: Some(id.0) }
    }

    #[must_use]
    pub fn api_key(id: ApiKeyId) -> Self {
        Self { kind: ActorKind::ApiKey, id: Some(id.0) }
    }

    /// The acting person, if there is one.
    #[must_use]
    pub fn person(&self) -> Option<UserId> {
        match self.kind {
            ActorKind::User | ActorKind::PlanStaff | ActorKind::Operator => self.id.map(UserId),
            ActorKind::Anonymous | ActorKind::System | ActorKind::ApiKey => None,
        }
    }

    /// The acting machine's key, if there is one.
    #[must_use]
    pub fn key(&self) -> Option<ApiKeyId> {
        match self.kind {
            ActorKind::ApiKey => self.id.map(ApiKeyId),
            ActorKind::Anonymous
            | ActorKind::User
            | ActorKind::PlanStaff
            | ActorKind::Operator
            | ActorKind::System => None,
        }
    }
}
