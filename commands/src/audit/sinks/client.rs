//! One delivery to a receiver.
//!
//! Invariant: no redirect is followed and no proxy asked, so that the address that was allowed is the
//! one that is reached; of an answer nothing is kept but its status, since its text may repeat what was
//! sent, and no erasure would reach that.

use std::time::Duration;

use reqwest::{Client, StatusCode, Url, redirect::Policy};
use rollcall_domain::{
    audit::AuditSink,
    kernel::ids::{AuditSinkId, TenantId},
};
use rollcall_journal::{Journal, JournalError};
use uuid::Uuid;

use super::{
    secret::{self, signature},
    target::{Targets, resolver},
};

/// The longest a receiver may take for one answer, and for a connection.
const PATIENCE: Duration = Duration::from_secs(15);
const CONNECTING: Duration = Duration::from_secs(5);

/// What a receiver is sent.
pub struct Batch {
    pub sink: AuditSinkId,
    /// The events lie after the first position, up to the second.
    pub after: i64,
    pub to: i64,
    pub body: Vec<u8>,
}

impl Batch {
    /// The message's id: the same for the same range, however often it is sent.
    #[must_use]
    pub fn id(&self) -> String {
        let range = format!("{}-{}", self.after, self.to);
        format!("msg_{}", Uuid::new_v5(&self.sink.0, range.as_bytes()).simple())
    }
}

/// What became of a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It was taken.
    Taken,
    /// The receiver is gone for good; its status.
    Gone(String),
    /// It was not taken; its status, or why there is none in a few words.
    Failed(String),
}

/// Delivers.
#[derive(Clone)]
pub struct SinkClient {
    client: Client,
    targets: Targets,
}

impl SinkClient {
    /// A client for these targets.
    ///
    /// # Errors
    /// TLS cannot be used here.
    pub fn new(targets: Targets) -> Result<Self, reqwest::Error> {
        let client = Client::builder()
            .redirect(Policy::none())
            .no_proxy()
            .timeout(PATIENCE)
            .connect_timeout(CONNECTING)
            .dns_resolver(resolver(targets))
            .user_agent(concat!("Rollcall/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { client, targets })
    }

    /// Delivers a batch, signed with every secret that counts now.
    ///
    /// # Errors
    /// The vault could not be read.
    pub async fn deliver(
        &self,
        journal: &Journal,
        tenant: TenantId,
        sink: &AuditSink,
        batch: Batch,
    ) -> Result<Verdict, JournalError> {
        // What was allowed when it was made need not be so now.
        let url = match self.targets.parse(&sink.url) {
            Ok(url) => url,
            Err(refusal) => return Ok(Verdict::Failed(refusal.message)),
        };
        let now = journal.now();
        let (id, timestamp) = (batch.id(), now.timestamp());
        let mut signatures = Vec::new();
        for kept in sink.secrets(now) {
            if let Some(bytes) = secret::kept(journal, tenant, kept).await? {
                signatures.push(signature(&bytes, &id, timestamp, &batch.body));
            }
        }
        if signatures.is_empty() {
            return Ok(Verdict::Failed("its secret is not there".to_owned()));
        }
        Ok(self.post(url, (&id, timestamp, &signatures.join(" ")), batch.body).await)
    }

    async fn post(
        &self,
        url: Url,
        (id, timestamp, signatures): (&str, i64, &str),
        body: Vec<u8>,
    ) -> Verdict {
        let request = self
            .client
            .post(url)
            .header("content-type", "application/x-ndjson")
            .header("webhook-id", id)
            .header("webhook-timestamp", timestamp)
            .header("webhook-signature", signatures)
            .body(body);
        match request.send().await {
            Ok(response) => verdict(response.status()),
            // The kind only: the error itself repeats the address.
            Err(error) if error.is_timeout() => Verdict::Failed("no answer in time".to_owned()),
            Err(error) if error.is_connect() => Verdict::Failed("no connection".to_owned()),
            Err(_) => Verdict::Failed("the connection broke".to_owned()),
        }
    }
}

fn verdict(status: StatusCode) -> Verdict {
    let said = || status.as_str().to_owned();
    match status {
        _ if status.is_success() => Verdict::Taken,
        StatusCode::GONE => Verdict::Gone(said()),
        _ => Verdict::Failed(said()),
    }
}
