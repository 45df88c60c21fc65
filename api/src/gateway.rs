//! Between the transport and the schema: who is calling, and in which tenant.
//!
//! Invariant: a session that contradicts the tenant a request names is nobody's session.

use std::{
    any::TypeId,
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use async_graphql::{Data, Request, Response, Value};
use async_trait::async_trait;
use axum::http::header::{AUTHORIZATION, HOST};
use futures_util::stream::{BoxStream, StreamExt};
use rollcall_commands::{Caller, Commands, Failure, Identity, authentication::Presented};
use rollcall_domain::{
    Code,
    kernel::ids::{OrganizationId, TenantId, UserId},
    organizations::{OrgRole, Organization},
    tenants::{PlanRole, PlanStaff, Tenant},
};
use rollcall_journal::JournalError;
use rollcall_projections::{ReadStore, proof::Signer};
use uuid::Uuid;

use crate::{
    config::Config,
    graphql::{Schema, reading::RequestView, transactions::PublicUrl},
    http::{ErrorCode, Gateway, Inbound, Purpose, TransportError},
    proxies::TrustedProxies,
};

/// Roles by which the setting `ROLLCALL_TRUST` tells callers apart: a visitor, a machine's key,
/// anybody signed in, an administrator of the organisation acted for, and the plan's own roles.
pub const ROLES: [&str; 10] =
    [VISITOR, MACHINE, SIGNED_IN, ADMINISTRATOR, "PA", "PS", "QI", "CE", "AU", "OPERATOR"];
const VISITOR: &str = "AN";
const MACHINE: &str = "API";
const SIGNED_IN: &str = "US";
const ADMINISTRATOR: &str = "OA";

/// The service's side of the transport.
#[derive(Clone)]
pub struct ServiceGateway(Arc<Parts>);

struct Parts {
    schema: Schema,
    commands: Commands,
    reads: ReadStore,
    tenant_hosts: BTreeMap<String, String>,
    public_url: PublicUrl,
    proxies: TrustedProxies,
    signer: Signer,
}

impl ServiceGateway {
    #[must_use]
    pub fn new(
        schema: Schema,
        commands: Commands,
        reads: ReadStore,
        config: &Config,
        signer: Signer,
    ) -> Self {
        let tenant_hosts = config.tenant_hosts.clone();
        let public_url = PublicUrl(config.public_url.clone().into());
        let proxies = config.trusted_proxies.clone();
        Self(Arc::new(Parts { schema, commands, reads, tenant_hosts, public_url, proxies, signer }))
    }

    /// The tenant a request names: header, connection_init or host.
    async fn named_tenant(
        &self,
        inbound: &Inbound,
        init: Option<&serde_json::Value>,
    ) -> Result<Option<TenantId>, TransportError> {
        let header = inbound.headers.get("rollcall-tenant").and_then(|value| value.to_str().ok());
        let from_init = init.and_then(|init| init.get("tenant")).and_then(|slug| slug.as_str());
        let host = inbound.headers.get(HOST).and_then(|value| value.to_str().ok());
        let by_host = host.and_then(|host| {
            let name = host.rsplit_once(':').map_or(host, |(name, _)| name).to_ascii_lowercase();
            self.0.tenant_hosts.get(&name).map(String::as_str)
        });
        let Some(slug) = header.or(from_init).or(by_host) else { return Ok(None) };
        let tenant = TenantId::of_slug(slug);
        let state = self.0.commands.journal.load::<Tenant>(tenant, tenant.0).await;
        match state {
            Ok(loaded) if loaded.state.profile().is_some() => Ok(Some(tenant)),
            Ok(_) => Err(TransportError::new(
                ErrorCode::NotFound,
                "No portal has this name. Check the Rollcall-Tenant header.",
            )),
            Err(error) => Err(unavailable(&error)),
        }
    }

    /// The roles of a signed-in person, of those asked about. They are read anew: what was taken away
    /// in another process counts no more.
    async fn roles_of(
        &self,
        tenant: TenantId,
        (user, organization): (UserId, Option<OrganizationId>),
        among: &[&'static str],
    ) -> Result<Vec<&'static str>, JournalError> {
        let journal = &self.0.commands.journal;
        let now = journal.now();
        let mut roles = vec![SIGNED_IN];
        if let Some(id) = organization.filter(|_| among.contains(&ADMINISTRATOR)) {
            let roster = journal.load_fresh::<Organization>(tenant, id.0).await?.state;
            roles.extend((roster.role_of(user, now) == OrgRole::Admin).then_some(ADMINISTRATOR));
        }
        if among.iter().any(|role| PlanRole::parse(role).is_some()) {
            let stream = tenant.plan_staff_stream(user);
            let staff = journal.load_fresh::<PlanStaff>(tenant, stream).await?.state;
            roles.extend(staff.roles_at(now).into_iter().map(PlanRole::as_str));
        }
        Ok(roles)
    }

    /// Who sends a request, whatever it asks for; `None` when it names no tenant.
    ///
    /// # Errors
    /// A session that is none, a tenant that is none, or a fault.
    pub async fn caller(
        &self,
        inbound: &Inbound,
        init: Option<&serde_json::Value>,
    ) -> Result<Option<Caller>, TransportError> {
        let tenant = self.named_tenant(inbound, init).await?;
        let client = |peer: SocketAddr| self.0.proxies.client(peer.ip(), &inbound.headers);
        let address = inbound.peer.map(client);
        let correlation_id =
            Uuid::parse_str(&inbound.request_id).unwrap_or_else(|_| Uuid::now_v7());
        match bearer(inbound, init)? {
            Some(token) => self
                .signed_in(inbound.purpose, &token, tenant, address, correlation_id)
                .await
                .map(Some),
            None => Ok(tenant
                .map(|tenant| Caller { correlation_id, ..Caller::anonymous(tenant, address) })),
        }
    }

    async fn signed_in(
        &self,
        purpose: Purpose,
        token: &str,
        tenant: Option<TenantId>,
        address: Option<IpAddr>,
        correlation_id: Uuid,
    ) -> Result<Caller, TransportError> {
        let is_activity = match purpose {
            Purpose::Operation | Purpose::Connect => true,
            Purpose::Recheck => false,
        };
        let presented = Presented { token, tenant, address, correlation_id, is_activity };
        self.0.commands.authenticate(presented).await.map_err(|failure| match failure {
            Failure::Refused(refusal) | Failure::RefusedOnRecord(refusal) => {
                TransportError::new(ErrorCode::Unauthenticated, refusal.message)
                    .reason(Code::as_str(refusal.code))
            }
            Failure::Journal(error) => unavailable(&error),
            Failure::Database(error) => unavailable(&error),
        })
    }
}

#[async_trait]
impl Gateway for ServiceGateway {
    async fn context(
        &self,
        inbound: &Inbound,
        init: Option<&serde_json::Value>,
    ) -> Result<Data, TransportError> {
        let mut data = Data::default();
        if let Some(caller) = self.caller(inbound, init).await? {
            data.insert(caller);
        }
        data.insert(self.0.commands.clone());
        data.insert(self.0.reads.clone());
        data.insert(self.0.public_url.clone());
        data.insert(self.0.signer.clone());
        Ok(data)
    }

    async fn roles(
        &self,
        data: &Data,
        among: &[&'static str],
    ) -> Result<Vec<&'static str>, TransportError> {
        let caller = data.get(&TypeId::of::<Caller>()).and_then(|it| it.downcast_ref::<Caller>());
        let Some(caller) = caller else { return Ok(vec![VISITOR]) };
        match caller.identity {
            Identity::Anonymous => Ok(vec![VISITOR]),
            Identity::ApiKey { .. } => Ok(vec![MACHINE]),
            Identity::Person { user, organization, .. } => {
                let roles = self.roles_of(caller.tenant, (user, organization), among).await;
                roles.map_err(|error| unavailable(&error))
            }
            Identity::System { .. } => Ok(Vec::new()),
        }
    }

    async fn execute(&self, request: Request) -> Response {
        let view = Arc::new(RequestView::default());
        let request = request.data(Arc::clone(&view)).data(self.0.schema.clone());
        let response = self.0.schema.execute(request).await;
        match view.answered() {
            Some((position, lag)) => response.extension("projection", projection(position, lag)),
            None => response,
        }
    }

    fn subscribe(&self, request: Request) -> BoxStream<'static, Response> {
        let request = request.data(Arc::new(RequestView::default()));
        self.0.schema.execute_stream(request).boxed()
    }
}

/// `extensions.projection`: what the answer to somebody known holds for.
fn projection(position: i64, lag_ms: i64) -> Value {
    let mut map = async_graphql::indexmap::IndexMap::new();
    map.insert(async_graphql::Name::new("position"), Value::from(position.to_string()));
    map.insert(async_graphql::Name::new("lagMs"), Value::from(lag_ms));
    Value::Object(map)
}

/// The token of `Authorization: Bearer …`, or of connection_init's `authorization`.
fn bearer(
    inbound: &Inbound,
    init: Option<&serde_json::Value>,
) -> Result<Option<String>, TransportError> {
    let header = match inbound.headers.get(AUTHORIZATION) {
        Some(value) => Some(value.to_str().map_err(|_| malformed())?),
        None => init.and_then(|init| init.get("authorization")).and_then(|value| value.as_str()),
    };
    let Some(header) = header else { return Ok(None) };
    match header.split_once(' ') {
        Some((scheme, token))
            if scheme.eq_ignore_ascii_case("bearer") && !token.trim().is_empty() =>
        {
            Ok(Some(token.trim().to_owned()))
        }
        Some(_) | None => Err(malformed()),
    }
}

fn malformed() -> TransportError {
    TransportError::new(
        ErrorCode::Unauthenticated,
        "Send the session as `Authorization: Bearer <token>`.",
    )
}

fn unavailable(error: &dyn std::fmt::Display) -> TransportError {
    tracing::error!(%error, "the caller could not be resolved");
    TransportError::new(ErrorCode::InternalServerError, "The service could not answer. Try again.")
}
