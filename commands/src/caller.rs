//! Who sends a command or asks a question, as the edge established it.

use std::net::IpAddr;

use rollcall_domain::{
    Actor,
    kernel::ids::{ApiKeyId, OrganizationId, SessionId, TenantId, UserId},
};
use uuid::Uuid;

/// A caller within one tenant.
#[derive(Clone, Debug)]
pub struct Caller {
    pub tenant: TenantId,
    pub identity: Identity,
    /// The client's address as the transport saw it.
    pub address: Option<IpAddr>,
    /// Ties together everything one request causes.
    pub correlation_id: Uuid,
}

/// What the caller proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Identity {
    /// Nothing: a visitor.
    Anonymous,
    /// A live session of a person; which organisation it acts for stands in the session's stream
    /// and, per command, in its input.
    Person { session: SessionId, user: UserId, organization: Option<OrganizationId> },
    /// A machine's key that works, and the organisation it acts for; `None` for the plan's (GN-28).
    ApiKey { key: ApiKeyId, organization: Option<OrganizationId> },
    /// The scheduler or a process of the service, caused by an event.
    System { causation_id: Option<Uuid> },
}

impl Caller {
    /// A visitor of `tenant`.
    #[must_use]
    pub fn anonymous(tenant: TenantId, address: Option<IpAddr>) -> Self {
        Self { tenant, identity: Identity::Anonymous, address, correlation_id: Uuid::now_v7() }
    }

    /// The service itself.
    #[must_use]
    pub fn system(tenant: TenantId, correlation_id: Uuid, causation_id: Option<Uuid>) -> Self {
        Self { tenant, identity: Identity::System { causation_id }, address: None, correlation_id }
    }

    /// The signed-in person.
    #[must_use]
    pub fn user(&self) -> Option<UserId> {
        match self.identity {
            Identity::Person { user, .. } => Some(user),
            Identity::Anonymous | Identity::ApiKey { .. } | Identity::System { .. } => None,
        }
    }

    /// The live session.
    #[must_use]
    pub fn session(&self) -> Option<SessionId> {
        match self.identity {
            Identity::Person { session, .. } => Some(session),
            Identity::Anonymous | Identity::ApiKey { .. } | Identity::System { .. } => None,
        }
    }

    /// The machine's key.
    #[must_use]
    pub fn key(&self) -> Option<ApiKeyId> {
        match self.identity {
            Identity::ApiKey { key, .. } => Some(key),
            Identity::Anonymous | Identity::Person { .. } | Identity::System { .. } => None,
        }
    }

    /// Whether nobody is known behind the request.
    #[must_use]
    pub fn is_visitor(&self) -> bool {
        self.identity == Identity::Anonymous
    }

    /// The organisation the session or the key acts for.
    #[must_use]
    pub fn organization(&self) -> Option<OrganizationId> {
        match self.identity {
            Identity::Person { organization, .. } | Identity::ApiKey { organization, .. } => {
                organization
            }
            Identity::Anonymous | Identity::System { .. } => None,
        }
    }

    /// The actor before authorisation decided in which role they act.
    #[must_use]
    pub fn actor(&self) -> Actor {
        match self.identity {
            Identity::Anonymous => Actor::ANONYMOUS,
            Identity::Person { user, .. } => Actor::user(user),
            Identity::ApiKey { key, .. } => Actor::api_key(key),
            Identity::System { .. } => Actor::SYSTEM,
        }
    }
}
