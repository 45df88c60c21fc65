//! A service under test and the clients that drive it.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, TimeZone, Utc};
use rollcall_api::{
    config::Config,
    service::{Ground, Service, ServiceClock},
};
use rollcall_journal::{InjectedClock, MasterKey};
use serde_json::{Value, json};

use super::database;

/// When every test begins: a Monday morning in California, far from any change of the clock.
fn beginning() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 1, 12, 17, 0, 0).unwrap()
}

/// A running service with its own database, clock and mailbox.
pub struct Portal {
    pub clock: Arc<InjectedClock>,
    pub service: Service,
    database: String,
}

impl Portal {
    /// A service on an empty database.
    pub async fn empty() -> Self {
        let (name, options) = database::fresh().await;
        let clock = Arc::new(InjectedClock::starting_at(beginning()));
        let config = Config {
            database_url: None,
            data_dir: None,
            listen: "127.0.0.1:0".parse().unwrap(),
            public_url: "https://portal.test".to_owned(),
            production: false,
            allow_managed: false,
            demo: false,
            dev: true,
            tenant_hosts: Default::default(),
        };
        let ground = Ground {
            config,
            database: options,
            master_key: MasterKey::from_bytes([7; 32]),
            clock: ServiceClock::Injected(Arc::clone(&clock)),
        };
        let service = Service::start(ground).await.expect("the service starts");
        Self { clock, service, database: name }
    }

    /// A visitor of `tenant`.
    pub fn visitor(&self, tenant: &str) -> Client {
        Client {
            http: reqwest::Client::new(),
            url: format!("http://{}/graphql", self.service.address),
            tenant: Some(tenant.to_owned()),
            token: None,
        }
    }

    /// What a GET of `path` answers, as JSON.
    pub async fn get(&self, path: &str) -> Value {
        let url = format!("http://{}{path}", self.service.address);
        let response = reqwest::get(url).await.expect("the service answers");
        response.json().await.expect("the answer is JSON")
    }

    /// Moves the clock.
    pub fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    /// Stops the service and drops its database; fails when a projection stands still.
    pub async fn finish(self) {
        let lags = self.service.progress.lag().await.expect("lag can be read");
        assert!(lags.iter().all(|lag| !lag.is_stalled()), "a projection is stalled: {lags:?}");
        self.service.stop().await;
        database::drop(&self.database).await;
    }
}

/// Somebody who sends GraphQL.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    url: String,
    pub tenant: Option<String>,
    pub token: Option<String>,
}

impl Client {
    /// The same person, signed in.
    pub fn with_token(&self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self.clone() }
    }

    /// Sends a document with variables.
    pub async fn send(&self, document: &str, variables: Value) -> Answer {
        let mut request = self
            .http
            .post(&self.url)
            .header("accept", "application/graphql-response+json")
            .json(&json!({ "query": document, "variables": variables }));
        if let Some(tenant) = &self.tenant {
            request = request.header("rollcall-tenant", tenant);
        }
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        let response = request.send().await.expect("the service answers");
        let status = response.status().as_u16();
        let body = response.json().await.expect("the answer is JSON");
        Answer { status, body }
    }
}

/// A GraphQL response.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub body: Value,
}

impl Answer {
    /// `data`, when there is no error at all.
    #[track_caller]
    pub fn data(&self) -> &Value {
        assert!(self.body.get("errors").is_none(), "unexpected errors: {}", self.body);
        &self.body["data"]
    }

    /// The payload of the only mutation, when it was not refused.
    #[track_caller]
    pub fn done(&self) -> &Value {
        let payload = self.payload();
        assert_eq!(payload["userErrors"], json!([]), "refused: {payload}");
        payload
    }

    /// The code of the only userError.
    #[track_caller]
    pub fn refused(&self) -> &str {
        let errors = self.payload()["userErrors"].as_array().expect("userErrors were selected");
        assert_eq!(errors.len(), 1, "expected one refusal: {}", self.body);
        errors[0]["code"].as_str().expect("a refusal has a code")
    }

    /// `extensions.code` of the first top-level error.
    #[track_caller]
    pub fn error_code(&self) -> &str {
        self.body["errors"][0]["extensions"]["code"].as_str().unwrap_or_else(|| {
            panic!("expected a top-level error: {}", self.body);
        })
    }

    #[track_caller]
    fn payload(&self) -> &Value {
        let fields = self.data().as_object().expect("data is an object");
        assert_eq!(fields.len(), 1, "expected one mutation: {}", self.body);
        fields.values().next().expect("one field")
    }
}
