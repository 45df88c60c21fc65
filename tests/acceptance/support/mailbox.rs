//! What a portal sent, once everything that follows from what was done has been done.

use std::time::{Duration, Instant};

use rollcall_commands::processes;
use rollcall_journal::Lag;
use serde_json::Value;

use super::Portal;

/// How long the service may take to come to rest.
const PATIENCE: Duration = Duration::from_secs(20);

impl Portal {
    /// Waits until nothing is left to do: projections and processes have taken everything in, the
    /// outbox is empty and nothing is due by the clock.
    pub async fn settle(&self) {
        let deadline = Instant::now() + PATIENCE;
        self.service.background.wake();
        let mut last = Vec::new();
        loop {
            // Idle between two looks at the log that found the same: something due that was carried
            // out after the only look would have left an event that nobody had taken in.
            let idle = self.service.background.is_idle().await.expect("the database answers");
            let lags = self.lags().await;
            let caught_up =
                self.all_follow(&lags) && lags.iter().all(|lag| lag.position == lag.head);
            if caught_up && idle && last == lags {
                return;
            }
            let stalled: Vec<_> = lags.iter().filter(|lag| lag.is_stalled()).collect();
            assert!(stalled.is_empty(), "stalled: {stalled:?}");
            assert!(Instant::now() < deadline, "not at rest: idle {idle}, {lags:?}");
            last = lags;
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// What was sent to an address, oldest first.
    pub async fn mailbox(&self, to: &str) -> Vec<Value> {
        self.settle().await;
        let url = format!("http://{}/dev/mailbox", self.service.address);
        let request = reqwest::Client::new().get(url).query(&[("to", to)]);
        let response = request.send().await.expect("the service answers");
        let messages: Value = response.json().await.expect("the answer is JSON");
        messages.as_array().expect("a list").clone()
    }

    /// The newest message to an address with this subject.
    #[track_caller]
    pub fn newest<'a>(messages: &'a [Value], subject: &str) -> &'a Value {
        messages.iter().rev().find(|message| message["subject"] == subject).unwrap_or_else(|| {
            panic!("no message about {subject:?} among {messages:#?}");
        })
    }

    /// The token of the newest link of a purpose that was mailed to an address.
    pub async fn mailed_token(&self, to: &str, purpose: &str) -> String {
        let messages = self.mailbox(to).await;
        let beginning = format!("https://portal.test/{purpose}/");
        let links = messages.iter().rev().flat_map(|message| message["links"].as_array());
        let mut links = links.flatten().filter_map(Value::as_str);
        links
            .find_map(|link| link.strip_prefix(&beginning))
            .unwrap_or_else(|| panic!("no link {purpose} among {messages:#?}"))
            .to_owned()
    }

    /// The newest code sent to a telephone, as sent.
    pub async fn sent_code(&self, telephone: &str) -> String {
        let messages = self.mailbox(telephone).await;
        let code = messages.last().and_then(|message| message["codes"][0].as_str());
        code.unwrap_or_else(|| panic!("no code among {messages:#?}")).to_owned()
    }

    /// Whether every process has begun; before that its lag is not listed.
    fn all_follow(&self, lags: &[Lag]) -> bool {
        let nothing_to_follow = *self.service.commands.journal.appended().borrow() == 0;
        let listed = |name: &&str| lags.iter().any(|lag| lag.projection == **name);
        nothing_to_follow || processes::NAMES.iter().all(listed)
    }

    async fn lags(&self) -> Vec<Lag> {
        self.service.progress.lag().await.expect("lag can be read")
    }
}
