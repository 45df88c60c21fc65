//! Documents by their hash: automatic persisted queries, trusted documents, and answers a client
//! has already (API conventions, items 10 and 12).

use std::sync::atomic::Ordering;

use serde_json::{Value, json};

use super::fixture::{Reply, Server};
use crate::http::{HttpLimits, Trust, TrustByRole, TrustedDocuments, persisted::hash};

const QUERY: &str = "query($text: String!) { echo(text: $text) }";

fn persisted(document: &str) -> Value {
    json!({ "persistedQuery": { "version": 1, "sha256Hash": hash(document) } })
}

async fn trusting(trust: Trust) -> Server {
    let list = json!({ hash(QUERY): QUERY }).to_string();
    let trusted_documents = TrustedDocuments::read(list.as_bytes(), trust).expect("a list");
    Server::with(HttpLimits { trusted_documents, ..HttpLimits::default() }).await
}

#[tokio::test]
async fn a_query_sent_once_is_known_by_its_hash() {
    let server = Server::start().await;
    let by_hash = json!({ "extensions": persisted(QUERY), "variables": { "text": "a" } });
    let unknown = Reply::of(server.post(&by_hash)).await;
    assert_eq!(unknown.gist(), (400, "PERSISTED_QUERY_NOT_FOUND", false));
    assert_eq!(unknown.body["errors"][0]["message"], "PersistedQueryNotFound");

    let mut with_text = by_hash.clone();
    with_text["query"] = json!(QUERY);
    assert_eq!(Reply::of(server.post(&with_text)).await.body["data"]["echo"], "a");
    let mut other = by_hash.clone();
    other["variables"]["text"] = json!("b");
    assert_eq!(Reply::of(server.post(&other)).await.body["data"]["echo"], "b");

    // By GET as well, where the URL stays short.
    let url = reqwest::Url::parse_with_params(
        &server.url(),
        [("extensions", persisted(QUERY).to_string()), ("variables", r#"{"text":"c"}"#.into())],
    );
    let reply = Reply::of(reqwest::Client::new().get(url.expect("a URL"))).await;
    assert_eq!(reply.body["data"]["echo"], "c");
}

#[tokio::test]
async fn nothing_is_registered_under_anothers_hash() {
    let server = Server::start().await;
    let body = json!({ "query": "mutation { bump }", "extensions": persisted(QUERY) });
    let refused = Reply::of(server.post(&body)).await;
    assert_eq!(refused.gist(), (400, "BAD_USER_INPUT", false));
    assert_eq!(refused.extension("reason"), "PERSISTED_QUERY_MISMATCH");
    let by_hash = json!({ "extensions": persisted(QUERY) });
    assert_eq!(Reply::of(server.post(&by_hash)).await.code(), "PERSISTED_QUERY_NOT_FOUND");
    assert_eq!(server.fate.bumps.load(Ordering::SeqCst), 0);

    // Nor is what is no document.
    let body = json!({ "query": "{", "extensions": persisted("{") });
    assert_eq!(Reply::of(server.post(&body)).await.code(), "GRAPHQL_PARSE_FAILED");
    let by_hash = json!({ "extensions": persisted("{") });
    assert_eq!(Reply::of(server.post(&by_hash)).await.code(), "PERSISTED_QUERY_NOT_FOUND");

    for wrong in [
        json!({ "version": 2, "sha256Hash": hash(QUERY) }),
        json!({ "version": 1, "sha256Hash": "abc" }),
        json!("x"),
    ] {
        let body = json!({ "query": QUERY, "extensions": { "persistedQuery": wrong } });
        let reply = Reply::of(server.post(&body)).await;
        assert_eq!(reply.extension("reason"), "MALFORMED_REQUEST", "{body}");
    }
}

#[tokio::test]
async fn only_trusted_documents_run_where_they_are_required() {
    let server = trusting(Trust::Require).await;
    let id = format!("sha256:{}", hash(QUERY));
    let variables = json!({ "text": "a" });
    for named in [
        json!({ "documentId": id, "variables": variables }),
        json!({ "query": QUERY, "variables": variables }),
        json!({ "extensions": persisted(QUERY), "variables": variables }),
    ] {
        assert_eq!(Reply::of(server.post(&named)).await.body["data"]["echo"], "a", "{named}");
    }
    for foreign in [
        json!({ "query": "mutation { bump }" }),
        json!({ "query": "mutation { bump }", "extensions": persisted("mutation { bump }") }),
    ] {
        let refused = Reply::of(server.post(&foreign)).await;
        assert_eq!(refused.gist(), (403, "FORBIDDEN", false), "{foreign}");
        assert_eq!(refused.extension("reason"), "DOCUMENT_NOT_TRUSTED");
    }
    // Sending it refused did not register it.
    let by_hash = json!({ "extensions": persisted("mutation { bump }") });
    assert_eq!(Reply::of(server.post(&by_hash)).await.code(), "PERSISTED_QUERY_NOT_FOUND");
    assert_eq!(server.fate.bumps.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn where_roles_differ_a_document_runs_for_those_who_may_bring_their_own() {
    let list = json!({ hash(QUERY): QUERY }).to_string();
    let of_role = [("KNOWN", Trust::Off), ("STRANGER", Trust::Require)].into();
    let trust = TrustByRole { otherwise: Trust::Prefer, of_role };
    let trusted_documents = TrustedDocuments::read(list.as_bytes(), trust).expect("a list");
    let server = Server::with(HttpLimits { trusted_documents, ..HttpLimits::default() }).await;
    let named = json!({ "documentId": hash(QUERY), "variables": { "text": "a" } });
    assert_eq!(Reply::of(server.post(&named)).await.body["data"]["echo"], "a");
    let bump = "mutation { bump }";
    let own = json!({ "query": bump, "extensions": persisted(bump) });
    let refused = Reply::of(server.post(&own)).await;
    assert_eq!(refused.gist(), (403, "FORBIDDEN", false));
    assert_eq!(refused.extension("reason"), "DOCUMENT_NOT_TRUSTED");
    let by_hash = json!({ "extensions": persisted(bump) });
    let unknown = Reply::of(server.post(&by_hash)).await;
    assert_eq!(unknown.code(), "PERSISTED_QUERY_NOT_FOUND", "refused, it is not kept");
    let known = Reply::of(server.post(&own).header("authorization", "known")).await;
    assert_eq!(known.body["data"]["bump"], 1);
    // Kept for one, it is no other's to run.
    assert_eq!(Reply::of(server.post(&by_hash)).await.extension("reason"), "DOCUMENT_NOT_TRUSTED");
    let stream = json!({ "query": "subscription { count(to: 1) }" });
    let events = server.post(&stream).header("accept", "text/event-stream");
    let events = events.send().await.expect("a response").text().await.expect("a body");
    assert!(events.contains("DOCUMENT_NOT_TRUSTED"), "{events}");
    assert_eq!(server.fate.bumps.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn others_run_beside_trusted_documents_where_those_are_preferred_or_off() {
    for trust in [Trust::Prefer, Trust::Off] {
        let server = trusting(trust).await;
        let named = json!({ "documentId": hash(QUERY), "variables": { "text": "a" } });
        assert_eq!(Reply::of(server.post(&named)).await.body["data"]["echo"], "a");
        assert_eq!(server.query("{ __typename }").await.status, 200);
        let unknown = json!({ "documentId": hash("{ a }") });
        assert_eq!(Reply::of(server.post(&unknown)).await.code(), "PERSISTED_QUERY_NOT_FOUND");
        let both = json!({ "documentId": hash(QUERY), "query": QUERY });
        assert_eq!(Reply::of(server.post(&both)).await.extension("reason"), "MALFORMED_REQUEST");
    }
}

#[tokio::test]
async fn a_query_by_get_is_answered_304_to_who_has_the_data() {
    let server = Server::start().await;
    let get = |document: &str| {
        let url = reqwest::Url::parse_with_params(&server.url(), [("query", document)]);
        reqwest::Client::new().get(url.expect("a URL"))
    };
    let first = Reply::of(get("{ thing { name } }")).await;
    let tag = first.header("etag").to_owned();
    assert!(tag.starts_with("W/\""), "{tag}");
    let again = Reply::of(get("{ thing { name } }").header("if-none-match", &tag)).await;
    assert_eq!((again.status, again.body), (304, json!("")));
    let listed = format!("\"x\", {tag}");
    let again = Reply::of(get("{ thing { name } }").header("if-none-match", listed)).await;
    assert_eq!((again.status, again.header("etag")), (304, tag.as_str()));

    let other = Reply::of(get("{ a: thing { name } }").header("if-none-match", &tag)).await;
    assert_eq!((other.status, other.body["data"]["a"]["name"].as_str()), (200, Some("thing")));
    // Who may no longer ask is told so, whatever they kept; errors have no tag.
    let refused = get("{ thing { name } }").header("if-none-match", &tag);
    assert_eq!(Reply::of(refused.header("authorization", "expired")).await.status, 401);
    let partly = Reply::of(get("{ refused }")).await;
    assert_eq!((partly.status, partly.header("etag")), (200, ""));
    let posted = server.query("{ thing { name } }").await;
    assert_eq!((posted.status, posted.header("etag")), (200, ""));
}
