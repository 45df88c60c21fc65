//! A schema with one field for each thing that can happen, and a server for it.

use std::{
    any::TypeId,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_graphql::{
    Context, Data, ErrorExtensions, InputValueError, InputValueResult, Object, Request, Response,
    Scalar, ScalarType, Schema, Subscription, Value,
};
use async_trait::async_trait;
use futures_util::{Stream, StreamExt, stream, stream::BoxStream};
use serde_json::{Value as Json, json};

use crate::http::{
    ErrorCode, Gateway, HttpLimits, Inbound, Limits, TransportError, limited, router,
};

pub struct Query;
pub struct Mutation;
pub struct Subscriptions;
pub struct Thing;

/// A scalar that the domain refuses although its JSON type is right.
pub struct Even(String);

#[Scalar]
impl ScalarType for Even {
    fn parse(value: Value) -> InputValueResult<Self> {
        let Value::String(text) = value else {
            return Err(InputValueError::expected_type(value));
        };
        if text.len() % 2 == 0 {
            Ok(Self(text))
        } else {
            Err(InputValueError::custom("an odd number of characters"))
        }
    }

    fn is_valid(value: &Value) -> bool {
        matches!(value, Value::String(_))
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.clone())
    }
}

#[Object]
impl Query {
    async fn echo(&self, text: String) -> String {
        text
    }

    async fn even(&self, text: Even) -> Even {
        text
    }

    async fn thing(&self) -> Thing {
        Thing
    }

    #[graphql(complexity = "first * child_complexity")]
    async fn things(&self, first: usize) -> Vec<Thing> {
        (0..first).map(|_| Thing).collect()
    }

    async fn defect(&self) -> async_graphql::Result<Option<i32>> {
        Err(async_graphql::Error::new("connection to db-7.internal refused"))
    }

    async fn panic(&self) -> i32 {
        assert!(std::env::args().count() == 0, "a defect of the fixture");
        1
    }

    async fn refused(&self) -> async_graphql::Result<Option<i32>> {
        Err(async_graphql::Error::new("Not yours.")
            .extend_with(|_, extensions| extensions.set("code", "FORBIDDEN")))
    }

    async fn outlandish(&self) -> async_graphql::Result<Option<i32>> {
        Err(async_graphql::Error::new("Odd.")
            .extend_with(|_, extensions| extensions.set("code", "MADE_UP")))
    }

    async fn slow(&self) -> i32 {
        tokio::time::sleep(Duration::from_secs(60)).await;
        1
    }

    async fn cookie(&self, ctx: &Context<'_>) -> i32 {
        ctx.insert_http_header("set-cookie", "__Host-session=1; Secure; HttpOnly; Path=/");
        1
    }
}

#[Object]
impl Thing {
    async fn name(&self) -> &'static str {
        "thing"
    }

    async fn thing(&self) -> Thing {
        Thing
    }

    async fn maybe(&self) -> Option<Thing> {
        Some(Thing)
    }

    async fn list(&self) -> Vec<Option<Thing>> {
        vec![Some(Thing), Some(Thing)]
    }

    async fn strict_list(&self) -> Option<Vec<Thing>> {
        Some(vec![Thing])
    }

    async fn required(&self) -> async_graphql::Result<i32> {
        Err(async_graphql::Error::new("Not yours.")
            .extend_with(|_, extensions| extensions.set("code", "FORBIDDEN")))
    }
}

#[Object]
impl Mutation {
    async fn bump(&self, ctx: &Context<'_>) -> usize {
        ctx.data_unchecked::<Arc<Fate>>().bumps.fetch_add(1, Ordering::SeqCst) + 1
    }

    async fn slow_bump(&self, ctx: &Context<'_>) -> usize {
        let fate = ctx.data_unchecked::<Arc<Fate>>();
        fate.started.store(true, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(300)).await;
        fate.bumps.fetch_add(1, Ordering::SeqCst) + 1
    }
}

#[Subscription]
impl Subscriptions {
    async fn count(&self, to: i32) -> impl Stream<Item = i32> {
        stream::iter(1..=to)
    }

    async fn things(&self) -> impl Stream<Item = Option<Thing>> {
        stream::iter([Some(Thing), Some(Thing)])
    }

    async fn panic(&self) -> impl Stream<Item = i32> {
        stream::iter([1, 0]).map(|n| 1 / n)
    }

    async fn silence(&self) -> impl Stream<Item = i32> {
        stream::pending()
    }

    async fn closed(&self) -> async_graphql::Result<stream::Empty<i32>> {
        Err(async_graphql::Error::new("Not yours.")
            .extend_with(|_, extensions| extensions.set("code", "FORBIDDEN")))
    }
}

/// What happened, and what shall happen.
#[derive(Default)]
pub struct Fate {
    pub bumps: AtomicUsize,
    /// A slow mutation is under way.
    pub started: AtomicBool,
    /// Nobody is let in any more.
    pub revoked: AtomicBool,
}

impl Fate {
    /// Waits for what a test relies on, however busy the machine.
    pub async fn until(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        for _ in 0..1_000 {
            if holds(self) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("waited 10 s in vain: {what}");
    }
}

/// In the data of a caller who is known.
struct Known;

#[derive(Clone)]
pub struct TestGateway {
    schema: Schema<Query, Mutation, Subscriptions>,
    fate: Arc<Fate>,
}

#[async_trait]
impl Gateway for TestGateway {
    async fn context(
        &self,
        inbound: &Inbound,
        init: Option<&Json>,
    ) -> Result<Data, TransportError> {
        let token = inbound
            .headers
            .get("authorization")
            .and_then(|value| value.to_str().ok())
            .or_else(|| init.and_then(|init| init["token"].as_str()));
        if token == Some("expired") || self.fate.revoked.load(Ordering::SeqCst) {
            return Err(TransportError::new(ErrorCode::Unauthenticated, "Sign in."));
        }
        if token == Some("hasty") {
            return Err(TransportError::new(ErrorCode::RateLimited, "Slow down.").retry_after(7));
        }
        let mut data = Data::default();
        data.insert(self.fate.clone());
        if token == Some("known") {
            data.insert(Known);
        }
        Ok(data)
    }

    async fn roles(
        &self,
        data: &Data,
        among: &[&'static str],
    ) -> Result<Vec<&'static str>, TransportError> {
        let known = data.get(&TypeId::of::<Known>()).is_some();
        let role = if known { "KNOWN" } else { "STRANGER" };
        Ok(among.iter().copied().filter(|it| *it == role).collect())
    }

    async fn execute(&self, request: Request) -> Response {
        self.schema.execute(request).await
    }

    fn subscribe(&self, request: Request) -> BoxStream<'static, Response> {
        self.schema.execute_stream(request).boxed()
    }
}

/// A running server; its runtime, the test's, ends it.
pub struct Server {
    pub address: SocketAddr,
    pub fate: Arc<Fate>,
}

impl Server {
    pub async fn start() -> Self {
        Self::with(HttpLimits::default()).await
    }

    pub async fn with(limits: HttpLimits) -> Self {
        let fate = Arc::new(Fate::default());
        let builder = Schema::build(Query, Mutation, Subscriptions);
        let schema = limited(builder, Limits { complexity: 1_000, ..limits.document }).finish();
        let app = router(TestGateway { schema, fate: fate.clone() }, limits);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a bound address");
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { address, fate }
    }

    pub fn url(&self) -> String {
        format!("http://{}/graphql", self.address)
    }

    /// A POST that is right in every respect; tests change one.
    pub fn post(&self, body: &Json) -> reqwest::RequestBuilder {
        reqwest::Client::new()
            .post(self.url())
            .header("content-type", "application/json")
            .header("accept", "application/graphql-response+json")
            .body(body.to_string())
    }

    pub async fn query(&self, document: &str) -> Reply {
        Reply::of(self.post(&json!({ "query": document }))).await
    }
}

/// A response, read.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub body: Json,
}

impl Reply {
    pub async fn of(request: reqwest::RequestBuilder) -> Self {
        let response = request.send().await.expect("a response");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.expect("a body");
        let body = serde_json::from_str(&text).unwrap_or(Json::String(text));
        Self { status, headers, body }
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("visible characters"))
    }

    pub fn code(&self) -> &str {
        self.extension("code")
    }

    pub fn extension(&self, name: &str) -> &str {
        self.body["errors"][0]["extensions"][name].as_str().unwrap_or_default()
    }

    /// Status, code and whether the body has the key `data`.
    pub fn gist(&self) -> (u16, &str, bool) {
        (self.status, self.code(), self.body.get("data").is_some())
    }
}
