//! Methods, media types, statuses, ids and codes (API conventions, items 7, 10 and 17).

use std::{sync::atomic::Ordering, time::Duration};

use serde_json::json;

use super::fixture::{Reply, Server};
use crate::http::{ErrorCode, HttpLimits};

#[tokio::test]
async fn a_query_is_answered_in_the_media_type_asked_for() {
    let server = Server::start().await;
    for (accept, content_type) in [
        ("application/graphql-response+json", "application/graphql-response+json; charset=utf-8"),
        ("application/json", "application/json; charset=utf-8"),
        ("*/*", "application/json; charset=utf-8"),
    ] {
        let request = server.post(&json!({ "query": "{ __typename }" })).header("accept", accept);
        // reqwest keeps both values; the second must replace the first.
        let reply = Reply::of(replace_accept(request, accept)).await;
        assert_eq!((reply.status, reply.header("content-type")), (200, content_type), "{accept}");
        assert_eq!(reply.body, json!({ "data": { "__typename": "Query" } }));
        assert_eq!(reply.header("cache-control"), "no-store");
    }
}

fn replace_accept(request: reqwest::RequestBuilder, accept: &str) -> reqwest::RequestBuilder {
    let value = accept.parse().expect("a header");
    request.headers(reqwest::header::HeaderMap::from_iter([(reqwest::header::ACCEPT, value)]))
}

#[tokio::test]
async fn an_unknown_media_type_is_not_acceptable() {
    let server = Server::start().await;
    let request = server.post(&json!({ "query": "{ __typename }" }));
    let reply = Reply::of(replace_accept(request, "text/html")).await;
    assert_eq!(reply.gist(), (406, "BAD_USER_INPUT", false));
    assert_eq!(reply.extension("reason"), "NOT_ACCEPTABLE");
}

#[tokio::test]
async fn bodies_that_a_form_could_send_are_not_heard() {
    let server = Server::start().await;
    let body = json!({ "query": "mutation { bump }" }).to_string();
    for content_type in [
        Some("text/plain"),
        Some("application/x-www-form-urlencoded"),
        Some("multipart/form-data; boundary=x"),
        Some("application/graphql"),
        Some("application/json; charset=utf-16"),
        None,
    ] {
        let mut request = reqwest::Client::new().post(server.url()).body(body.clone());
        if let Some(content_type) = content_type {
            request = request.header("content-type", content_type);
        }
        let reply = Reply::of(request).await;
        assert_eq!(reply.gist(), (415, "BAD_USER_INPUT", false), "{content_type:?}");
    }
    assert_eq!(server.fate.bumps.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn get_runs_queries_and_nothing_else() {
    let server = Server::start().await;
    let get = |document: &str| {
        let query = [("query", document), ("variables", "{\"text\":\"é\"}")];
        let url = reqwest::Url::parse_with_params(&server.url(), query).expect("a URL");
        reqwest::Client::new().get(url)
    };
    let reply = Reply::of(get("query($text: String!) { echo(text: $text) }")).await;
    assert_eq!(reply.body, json!({ "data": { "echo": "é" } }));

    let reply = Reply::of(get("mutation { bump }")).await;
    assert_eq!((reply.gist(), reply.header("allow")), ((405, "BAD_USER_INPUT", false), "POST"));
    let reply = Reply::of(get("query A { __typename } mutation B { bump }")).await;
    assert_eq!((reply.status, reply.extension("reason")), (200, "OPERATION_NAME_REQUIRED"));
    assert_eq!(server.fate.bumps.load(Ordering::SeqCst), 0);

    let reply = Reply::of(get("subscription { silence }")).await;
    assert_eq!((reply.status, reply.extension("reason")), (400, "SUBSCRIPTION_NEEDS_STREAM"));
    let reply = Reply::of(reqwest::Client::new().get(server.url() + "?query=a&query=b")).await;
    assert_eq!(reply.status, 400);
}

#[tokio::test]
async fn other_methods_are_not_allowed() {
    let server = Server::start().await;
    for method in [reqwest::Method::PUT, reqwest::Method::DELETE, reqwest::Method::OPTIONS] {
        let reply = Reply::of(reqwest::Client::new().request(method, server.url())).await;
        assert_eq!((reply.status, reply.header("allow")), (405, "GET, POST"));
    }
}

#[tokio::test]
async fn what_is_not_a_graphql_request_is_400_in_every_media_type() {
    let server = Server::start().await;
    let query = "{ __typename }";
    for (body, reason) in [
        (json!({}), "MALFORMED_REQUEST"),
        (json!({ "query": 1 }), "MALFORMED_REQUEST"),
        (json!({ "query": query, "variables": [] }), "MALFORMED_REQUEST"),
        (json!({ "query": query, "operationName": {} }), "MALFORMED_REQUEST"),
        (json!({ "query": query, "extensions": "x" }), "MALFORMED_REQUEST"),
        (json!("query"), "MALFORMED_REQUEST"),
        (json!([{ "query": query }]), "BATCH_NOT_SUPPORTED"),
    ] {
        for accept in ["application/graphql-response+json", "application/json"] {
            let reply = Reply::of(replace_accept(server.post(&body), accept)).await;
            assert_eq!(reply.gist(), (400, "BAD_USER_INPUT", false), "{body}");
            assert_eq!(reply.extension("reason"), reason, "{body}");
        }
    }
    let reply = Reply::of(server.post(&json!({})).body("{ \"not a JSON")).await;
    assert_eq!(reply.gist(), (400, "BAD_USER_INPUT", false));
}

#[tokio::test]
async fn request_errors_have_a_code_and_no_data() {
    let server = Server::start().await;
    let missing = "query($text: String!) { echo(text: $text) }";
    let cases = [
        (json!({ "query": "{" }), "GRAPHQL_PARSE_FAILED"),
        (json!({ "query": "" }), "GRAPHQL_PARSE_FAILED"),
        (json!({ "query": "{ nothing }" }), "GRAPHQL_VALIDATION_FAILED"),
        (json!({ "query": "{ echo }" }), "GRAPHQL_VALIDATION_FAILED"),
        (json!({ "query": "{ ...F } fragment F on Query { ...F }" }), "GRAPHQL_VALIDATION_FAILED"),
        (json!({ "query": missing }), "BAD_USER_INPUT"),
        (json!({ "query": missing, "variables": { "text": null } }), "BAD_USER_INPUT"),
        (json!({ "query": missing, "variables": { "text": 7 } }), "BAD_USER_INPUT"),
        (json!({ "query": "{ __typename }", "operationName": "X" }), "BAD_USER_INPUT"),
    ];
    for (body, code) in cases {
        let reply = Reply::of(server.post(&body)).await;
        assert_eq!(reply.gist(), (400, code, false), "{body}");
        let reply = Reply::of(replace_accept(server.post(&body), "application/json")).await;
        assert_eq!(reply.gist(), (200, code, false), "{body}");
    }
}

#[tokio::test]
async fn field_errors_keep_data_and_hide_defects() {
    let server = Server::start().await;
    let reply = server.query("{ refused echo(text: \"a\") }").await;
    assert_eq!(reply.gist(), (200, "FORBIDDEN", true));
    assert_eq!(reply.body["data"], json!({ "refused": null, "echo": "a" }));

    for field in ["defect", "outlandish"] {
        let reply = server.query(&format!("{{ {field} }}")).await;
        assert_eq!(reply.gist(), (200, "INTERNAL_SERVER_ERROR", true), "{field}");
        assert_eq!(reply.extension("requestId"), reply.header("x-request-id"));
        assert!(!reply.body.to_string().contains("db-7"), "{}", reply.body);
    }
    let reply = server.query("{ even(text: \"odd\") }").await;
    assert_eq!(reply.code(), "BAD_USER_INPUT");
    let reply = server.query("{ panic }").await;
    assert_eq!(reply.gist(), (500, "INTERNAL_SERVER_ERROR", false));
}

#[tokio::test]
async fn null_goes_up_to_the_next_nullable_place() {
    let server = Server::start().await;
    let name = "thing";
    for (query, data) in [
        (
            "{ thing { name maybe { required } } }",
            json!({ "thing": { "name": name, "maybe": null } }),
        ),
        ("{ thing { maybe { thing { required } name } } }", json!({ "thing": { "maybe": null } })),
        ("{ thing { list { required } } }", json!({ "thing": { "list": [null, null] } })),
        ("{ thing { strictList { required } } }", json!({ "thing": { "strictList": null } })),
        (
            "{ thing { a: maybe { name } b: maybe { required } } }",
            json!({ "thing": { "a": { "name": name }, "b": null } }),
        ),
        ("{ thing { thing { required } } }", json!(null)),
    ] {
        let reply = server.query(query).await;
        assert_eq!(
            (reply.gist(), &reply.body["data"]),
            ((200, "FORBIDDEN", true), &data),
            "{query}"
        );
    }
    let reply = server.query("{ thing { list { required } } }").await;
    assert_eq!(reply.body["errors"][1]["path"], json!(["thing", "list", 1, "required"]));
}

#[tokio::test]
async fn a_caller_who_is_refused_executes_nothing() {
    let server = Server::start().await;
    let bump = json!({ "query": "mutation { bump }" });
    for accept in ["application/graphql-response+json", "application/json"] {
        let request = replace_accept(server.post(&bump), accept);
        let reply = Reply::of(request.header("authorization", "expired")).await;
        assert_eq!(reply.gist(), (401, "UNAUTHENTICATED", false));
        assert_eq!(reply.header("www-authenticate"), "Bearer realm=\"rollcall\"");
    }
    let reply = Reply::of(server.post(&bump).header("authorization", "hasty")).await;
    assert_eq!((reply.gist(), reply.header("retry-after")), ((429, "RATE_LIMITED", false), "7"));
    assert_eq!(server.fate.bumps.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn bodies_are_read_up_to_their_limit() {
    let server = Server::start().await;
    let body = |bytes: usize| {
        let frame = json!({ "query": "{ __typename }", "extensions": { "pad": "" } }).to_string();
        frame.replace("\"pad\":\"\"", &format!("\"pad\":\"{}\"", "x".repeat(bytes - frame.len())))
    };
    let reply = Reply::of(server.post(&json!({})).body(body(1 << 20))).await;
    assert_eq!(reply.status, 200);
    let reply = Reply::of(server.post(&json!({})).body(body((1 << 20) + 1))).await;
    assert_eq!(reply.gist(), (413, "BAD_USER_INPUT", false));
}

#[tokio::test]
async fn the_request_id_goes_round() {
    let server = Server::start().await;
    let send = |id: &str| server.post(&json!({ "query": "{" })).header("x-request-id", id);
    let reply = Reply::of(send("ticket-4711")).await;
    assert_eq!(reply.header("x-request-id"), "ticket-4711");
    assert_eq!(reply.extension("requestId"), "ticket-4711");

    for id in ["a b", "<script>", &"x".repeat(129)] {
        let reply = Reply::of(send(id)).await;
        assert!(uuid::Uuid::parse_str(reply.header("x-request-id")).is_ok(), "{id}");
        assert_eq!(reply.extension("requestId"), reply.header("x-request-id"));
    }
}

#[tokio::test]
async fn resolvers_may_set_cookies() {
    let reply = Server::start().await.query("{ cookie }").await;
    assert!(reply.header("set-cookie").starts_with("__Host-session=1"));
}

#[tokio::test]
async fn a_query_that_runs_too_long_is_stopped() {
    let limits = HttpLimits { timeout: Duration::from_millis(100), ..HttpLimits::default() };
    let reply = Server::with(limits).await.query("{ slow }").await;
    assert_eq!(reply.gist(), (400, "QUERY_TOO_COMPLEX", false));
    assert_eq!(reply.extension("reason"), "TIMEOUT");
}

#[tokio::test]
async fn a_mutation_that_runs_too_long_is_answered_and_goes_on() {
    let limits = HttpLimits { timeout: Duration::from_millis(100), ..HttpLimits::default() };
    let server = Server::with(limits).await;
    let reply = server.query("mutation { slowBump }").await;
    assert_eq!(reply.gist(), (500, "INTERNAL_SERVER_ERROR", false));
    assert_eq!(reply.extension("reason"), "TIMEOUT");
    server.fate.until("the mutation ends", |fate| fate.bumps.load(Ordering::SeqCst) == 1).await;
}

#[tokio::test]
async fn a_mutation_survives_its_callers_departure() {
    let server = Server::start().await;
    let request = server.post(&json!({ "query": "mutation { slowBump }" }));
    let caller = tokio::spawn(request.send());
    server.fate.until("the mutation runs", |fate| fate.started.load(Ordering::SeqCst)).await;
    caller.abort();
    assert!(caller.await.is_err_and(|end| end.is_cancelled()));
    server.fate.until("the mutation ends", |fate| fate.bumps.load(Ordering::SeqCst) == 1).await;
}

#[test]
fn the_codes_are_the_documented_list() {
    let codes = ErrorCode::ALL.map(ErrorCode::as_str).join(" ");
    let documented = "UNAUTHENTICATED FORBIDDEN NOT_FOUND BAD_USER_INPUT GRAPHQL_PARSE_FAILED \
                      GRAPHQL_VALIDATION_FAILED PERSISTED_QUERY_NOT_FOUND QUERY_TOO_COMPLEX \
                      RATE_LIMITED INTERNAL_SERVER_ERROR";
    assert_eq!(codes, documented);
}
