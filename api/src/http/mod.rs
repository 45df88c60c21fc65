//! GraphQL over HTTP, server-sent events and WebSocket: the transport in front of any schema.
//!
//! It knows nothing of the schema or of who may do what; a [`Gateway`] supplies both. In return
//! the schema is built through [`limited`], so that documents are bounded before they run and
//! errors tell at which stage they arose.
//!
//! Invariant: nothing executes before its document was measured and its caller resolved.

mod document;
mod errors;
mod handler;
mod limits;
mod media;
mod nulls;
mod operation;
mod params;
mod persisted;
mod sse;
mod subscriber;
#[cfg(test)]
mod tests;
mod tokens;
mod trace;
mod ws;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use async_graphql::{Data, Request, Response};
use async_trait::async_trait;
use axum::{
    Router,
    extract::{ConnectInfo, DefaultBodyLimit},
    http::{Extensions, HeaderMap},
    routing::{any, get},
};
use futures_util::stream::BoxStream;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

pub use self::{
    errors::{ErrorCode, TransportError, complete},
    limits::{Limits, check_text, limited},
    persisted::{Trust, TrustByRole, TrustError, TrustedDocuments},
    trace::TraceParent,
};

/// What the transport needs of the service behind it.
#[async_trait]
pub trait Gateway: Clone + Send + Sync + 'static {
    /// Resolves who is calling into data for the resolvers. An error is answered in place of the
    /// operation (401, 403, 429 …) or closes the WebSocket.
    ///
    /// `init` is the payload of a WebSocket's `connection_init`. It is called again for every
    /// operation of a socket, so that a right revoked meanwhile is gone, and from time to time
    /// while one is open ([`Purpose::Recheck`]).
    async fn context(
        &self,
        inbound: &Inbound,
        init: Option<&serde_json::Value>,
    ) -> Result<Data, TransportError>;

    /// Which of these roles the caller has for whom `data` was made. Asked only where one of them
    /// decides whether the caller's document may run.
    async fn roles(
        &self,
        data: &Data,
        among: &[&'static str],
    ) -> Result<Vec<&'static str>, TransportError>;

    /// Executes a query or mutation with `request.data` as [`Gateway::context`] made it.
    async fn execute(&self, request: Request) -> Response;

    /// Starts a subscription, likewise.
    fn subscribe(&self, request: Request) -> BoxStream<'static, Response>;
}

/// Why a caller is resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// For an operation about to run.
    Operation,
    /// For a WebSocket's `connection_init`.
    Connect,
    /// To see whether an open WebSocket or event stream may stay open. It is no activity of the user: a session's
    /// idle time goes on.
    Recheck,
}

/// The request as it came in, as far as the caller can be told from it.
#[derive(Clone, Debug)]
pub struct Inbound {
    /// All headers.
    pub headers: HeaderMap,
    /// The other end of the connection; a proxy's where there is one. Known if the router is
    /// served with connect info.
    pub peer: Option<SocketAddr>,
    /// Goes to the answer's `x-request-id` and every error.
    pub request_id: String,
    /// The caller's span, if it sent one.
    pub trace_parent: Option<TraceParent>,
    /// Why the caller is to be resolved.
    pub purpose: Purpose,
}

impl Inbound {
    pub(crate) fn new(headers: &HeaderMap, extensions: &Extensions, purpose: Purpose) -> Self {
        Self {
            headers: headers.clone(),
            peer: extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0),
            request_id: trace::request_id(headers),
            trace_parent: TraceParent::of(headers),
            purpose,
        }
    }
}

/// Limits and times of the transport.
#[derive(Clone, Debug)]
pub struct HttpLimits {
    /// Bytes of a request body or a WebSocket message.
    pub body_bytes: usize,
    /// How long a query or mutation may take. Statements should time out earlier.
    pub timeout: Duration,
    /// Limits on documents; the same as the schema's.
    pub document: Limits,
    /// How long a WebSocket may wait with `connection_init`.
    pub init_timeout: Duration,
    /// How often a WebSocket is pinged; one silent for twice as long is dropped.
    pub ping_interval: Duration,
    /// How often an open WebSocket's caller is checked: a session that ended is gone from it within
    /// five seconds (GN-11).
    pub recheck_interval: Duration,
    /// Operations one WebSocket may have open.
    pub operations_per_socket: usize,
    /// Origins, besides the service's own host, whose pages may open WebSockets, such as
    /// `https://portal.example.org` behind a proxy that rewrites Host.
    pub trusted_origins: Vec<String>,
    /// Documents that clients may name by their hash, and whether others run.
    pub trusted_documents: TrustedDocuments,
}

impl Default for HttpLimits {
    fn default() -> Self {
        Self {
            body_bytes: 1 << 20,
            timeout: Duration::from_secs(10),
            document: Limits::default(),
            init_timeout: Duration::from_secs(5),
            ping_interval: Duration::from_secs(15),
            recheck_interval: Duration::from_secs(4),
            operations_per_socket: 50,
            trusted_origins: Vec::new(),
            trusted_documents: TrustedDocuments::default(),
        }
    }
}

#[derive(Clone)]
struct Transport<G> {
    gateway: G,
    limits: HttpLimits,
    documents: Arc<persisted::Documents>,
}

impl<G: Gateway> Transport<G> {
    /// [`Gateway::context`] within the time limit.
    async fn resolve_caller(
        &self,
        inbound: &Inbound,
        init: Option<&serde_json::Value>,
    ) -> Result<Data, TransportError> {
        let resolved = self.gateway.context(inbound, init);
        tokio::time::timeout(self.limits.timeout, resolved).await.unwrap_or_else(|_| {
            tracing::error!(request_id = %inbound.request_id, "resolving the caller took too long");
            Err(TransportError::defect())
        })
    }

    /// Resolves who sends a request into its data, and lets its document run if it may for them.
    async fn admit(
        &self,
        inbound: &Inbound,
        init: Option<&serde_json::Value>,
        document_hash: &str,
        request: &mut Request,
    ) -> Result<(), TransportError> {
        request.data = self.resolve_caller(inbound, init).await?;
        let among = self.documents.roles_that_count(document_hash);
        let roles = if among.is_empty() {
            Vec::new()
        } else {
            let asked = self.gateway.roles(&request.data, &among);
            tokio::time::timeout(self.limits.timeout, asked).await.unwrap_or_else(|_| {
                tracing::error!(request_id = %inbound.request_id, "the caller's roles took too long");
                Err(TransportError::defect())
            })?
        };
        self.documents.admit(request, document_hash, &roles)
    }

    /// Whether a stream that is open may stay open.
    ///
    /// # Errors
    /// UNAUTHENTICATED or FORBIDDEN. Trouble of the service's own is no reason to end one.
    async fn still_welcome(
        &self,
        inbound: &Inbound,
        init: Option<&serde_json::Value>,
    ) -> Result<(), TransportError> {
        let recheck = Inbound { purpose: Purpose::Recheck, ..inbound.clone() };
        match self.resolve_caller(&recheck, init).await {
            Err(error)
                if matches!(error.code, ErrorCode::Unauthenticated | ErrorCode::Forbidden) =>
            {
                Err(error)
            }
            Err(_) | Ok(_) => Ok(()),
        }
    }
}

/// A tick every so often, the first one after that time.
fn ticks(every: Duration) -> Interval {
    let mut ticks = interval_at(Instant::now() + every, every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

/// Routes `/graphql` and `/graphql/ws` to `gateway`.
pub fn router<G: Gateway>(gateway: G, limits: HttpLimits) -> Router {
    let body_limit = DefaultBodyLimit::max(limits.body_bytes);
    let documents = Arc::new(persisted::Documents::new(limits.trusted_documents.clone()));
    Router::new()
        .route("/graphql", any(handler::graphql::<G>).layer(body_limit))
        .route("/graphql/ws", any(ws::upgrade::<G>))
        .with_state(Transport { gateway, limits, documents })
}

/// Routes `/health/live`: the process runs and hears requests, nothing more.
pub fn liveness() -> Router {
    Router::new().route("/health/live", get(|| async { "live\n" }))
}
