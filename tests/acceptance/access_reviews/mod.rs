//! Periodic reviews of access: opened, decided item by item, carried out, verified, signed (CC-13, GN-15).

mod affiliations;
mod attesting;
mod by_policy;
mod campaigns;
mod changes;
mod closing;
mod commands;
mod confirming;
mod delta;
mod evidence;
mod hasty;
mod keys;
mod places;
mod plan_staff;
mod rights;
mod schedule;
mod seeded;
mod substitutes;
mod templates;
mod undo;
mod verification;
mod walk;

use rollcall_commands::access_reviews::receipt;
use rollcall_domain::{
    access_reviews::{AccessReview, AccessReviewEvent, ReviewItem},
    kernel::ids::OrganizationId,
};
use serde_json::{Value, json};
use uuid::Uuid;

pub use seeded::one_is_open;

use crate::support::{Answer, Client, Person, Portal, uuid_of};

const SHOWN: &str = "accessReview { id status }";

/// A review of an organisation's people, and those who are on its list.
struct Review {
    id: Uuid,
    organization: OrganizationId,
    items: Vec<ReviewItem>,
}

impl Review {
    /// Opened by hand.
    async fn open(portal: &Portal, by: &Client, organization: OrganizationId) -> Self {
        Self::open_of(portal, by, organization, json!({})).await
    }

    /// Opened by hand, of what the input's further fields say.
    async fn open_of(
        portal: &Portal,
        by: &Client,
        organization: OrganizationId,
        more: Value,
    ) -> Self {
        let mut input = json!({ "organizationId": organization });
        for (name, value) in more.as_object().expect("an object") {
            input[name] = value.clone();
        }
        let opened = by.mutate("openReview", input, SHOWN).await;
        assert_eq!(opened.done()["accessReview"]["status"], "OPEN");
        let id = uuid_of(opened.done()["accessReview"]["id"].as_str().expect("an id"));
        Self::at(portal, id, organization).await
    }

    /// One that is there.
    async fn at(portal: &Portal, id: Uuid, organization: OrganizationId) -> Self {
        let events = portal.events::<AccessReview>(id).await;
        let items = events.into_iter().filter_map(|event| {
            let AccessReviewEvent::ReviewItemsListed { items, .. } = event else { return None };
            Some(items)
        });
        Self { id, organization, items: items.flatten().collect() }
    }

    /// The person's number on the list.
    #[track_caller]
    fn of(&self, who: &Person) -> u32 {
        let found = self.items.iter().find(|item| item.user == who.user);
        found.expect("the person is on the list").item
    }

    fn input(&self, more: Value) -> Value {
        let mut input = json!({ "organizationId": self.organization, "accessReviewId": self.id });
        for (name, value) in more.as_object().expect("an object") {
            input[name] = value.clone();
        }
        input
    }

    /// A decision by a person who was shown the list; `more` are the input's further fields.
    async fn decide(
        &self,
        (portal, by, who): (&Portal, &Client, &Person),
        items: &[u32],
        decision: &str,
        more: Value,
    ) -> Answer {
        let mut input = self.input(more);
        input["items"] = json!(items);
        input["decision"] = json!(decision);
        if input["confirmation"].is_null() {
            input["confirmation"] = json!(format!("{decision} {}", items.len()));
        }
        if input["receipt"].is_null() {
            input["receipt"] = json!(receipt_for(portal, who));
        }
        by.mutate("decideReviewItems", input, SHOWN).await
    }

    async fn keep(&self, by: (&Portal, &Client, &Person), items: &[u32]) -> Answer {
        self.decide(by, items, "KEEP", json!({})).await
    }

    async fn revoke(&self, by: (&Portal, &Client, &Person), items: &[u32]) -> Answer {
        self.decide(by, items, "REVOKE", json!({ "reason": "Left the practice." })).await
    }

    async fn complete(&self, by: &Client) -> Answer {
        let signature = json!({ "name": "Ann Lee", "attested": true });
        by.mutate("completeReview", self.input(json!({ "signature": signature })), SHOWN).await
    }

    async fn events(&self, portal: &Portal) -> Vec<AccessReviewEvent> {
        portal.events::<AccessReview>(self.id).await
    }
}

/// As it would come with a page of items.
fn receipt_for(portal: &Portal, who: &Person) -> String {
    receipt::issue(portal.service.commands.journal.secrets(), who.user, 17, [0xab; 32])
}

#[track_caller]
fn error(answer: &Answer) -> (&str, &str, Vec<&str>) {
    let error = &answer.body["data"].as_object().expect("data").values().next().expect("a field")["userErrors"]
        [0];
    let texts = |of: &'static str| {
        error[of].as_array().expect("a list").iter().map(|it| it.as_str().expect("a text"))
    };
    let code = error["code"].as_str().unwrap_or_else(|| panic!("not refused: {}", answer.body));
    (code, texts("field").next().unwrap_or_default(), texts("details").collect())
}

/// That the timeline tells an auditor so, sentence by sentence.
async fn tells(portal: &Portal, auditor: &Client, sentences: &[&str]) {
    let document =
        "query($at: Position) { auditEvents(first: 60, minPosition: $at) { nodes { sentence } } }";
    let at = portal.position().await.to_string();
    let told = auditor.send(document, json!({ "at": at })).await.data().to_string();
    for sentence in sentences {
        assert!(told.contains(sentence), "{sentence}: {told}");
    }
}

/// What the portal tells somebody about reviews, once all is taken in.
async fn notices(portal: &Portal, client: &Client) -> Vec<String> {
    portal.settle().await;
    let at = portal.position().await.to_string();
    let list = "query($at: Position) { notifications(minPosition: $at) { nodes { type text } } }";
    let answer = client.send(list, json!({ "at": at })).await;
    let nodes = answer.data()["notifications"]["nodes"].as_array().expect("nodes");
    let due = nodes.iter().filter(|node| node["type"] == "REVIEW_DUE");
    due.map(|node| node["text"].as_str().expect("a sentence").to_owned()).collect()
}

/// How often somebody was told so.
async fn times_told(portal: &Portal, client: &Client, text: &str) -> usize {
    notices(portal, client).await.iter().filter(|notice| *notice == text).count()
}
