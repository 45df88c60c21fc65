//! Limits on documents, as a client meets them (API conventions, item 13).

use super::fixture::Server;

async fn reason(server: &Server, document: &str) -> String {
    let reply = server.query(document).await;
    if reply.code().is_empty() {
        assert_eq!(reply.status, 200, "{}", reply.body);
        return String::new();
    }
    assert_eq!(reply.gist(), (400, "QUERY_TOO_COMPLEX", false), "{}", reply.body);
    reply.extension("reason").to_owned()
}

fn nested(levels: usize) -> String {
    format!("{}name{}", "{ thing ".repeat(levels - 1) + "{ ", " }".repeat(levels))
}

#[tokio::test]
async fn twenty_levels_pass_and_twenty_one_do_not() {
    let server = Server::start().await;
    assert_eq!(reason(&server, &nested(20)).await, "");
    assert_eq!(reason(&server, &nested(21)).await, "DEPTH_LIMIT");
}

#[tokio::test]
async fn fifty_aliases_pass_and_fifty_one_do_not_even_in_fragments() {
    let server = Server::start().await;
    let aliases = |count: usize| (0..count).map(|n| format!("a{n}: name ")).collect::<String>();
    let document = |count: usize| format!("{{ thing {{ {} }} }}", aliases(count));
    assert_eq!(reason(&server, &document(50)).await, "");
    assert_eq!(reason(&server, &document(51)).await, "ALIAS_LIMIT");

    let bomb = format!(
        "{{ thing {{ ...F thing {{ ...F thing {{ ...F }} }} }} }} fragment F on Thing {{ {} }}",
        aliases(17)
    );
    assert_eq!(reason(&server, &bomb).await, "ALIAS_LIMIT");
}

#[tokio::test]
async fn twenty_root_fields_pass_and_twenty_one_do_not() {
    let server = Server::start().await;
    let document = |count: usize| format!("{{ {}}}", "__typename ".repeat(count));
    assert_eq!(reason(&server, &document(20)).await, "");
    assert_eq!(reason(&server, &document(21)).await, "ROOT_FIELD_LIMIT");
    let spread = "{ ...F ...F ...F } fragment F on Query { __typename __typename __typename \
                  __typename __typename __typename __typename }";
    assert_eq!(reason(&server, spread).await, "ROOT_FIELD_LIMIT");
}

#[tokio::test]
async fn complexity_multiplies_by_the_page_size() {
    let server = Server::start().await;
    assert_eq!(reason(&server, "{ things(first: 1000) { name } }").await, "");
    assert_eq!(
        reason(&server, "{ things(first: 501) { name thing { name } } }").await,
        "COMPLEXITY_LIMIT"
    );
}

#[tokio::test]
async fn documents_made_to_exhaust_the_server_are_refused_at_once() {
    let server = Server::start().await;
    for text in ["{ a ", "[", "{a(b:[", "...F "] {
        let document = format!("{{ {}", text.repeat(20_000));
        assert_eq!(reason(&server, &document).await, "TOKEN_LIMIT");
    }
    let long = format!("{{ {} }}", "name ".repeat(150_000));
    assert_eq!(reason(&server, &long).await, "TOKEN_LIMIT");

    let mut bomb = String::from("{ ...F0 }");
    for level in 0..30 {
        bomb += &format!(" fragment F{level} on Query {{ ...F{0} ...F{0} }}", level + 1);
    }
    bomb += " fragment F30 on Query { __typename }";
    assert_eq!(reason(&server, &bomb).await, "ROOT_FIELD_LIMIT");
}

#[tokio::test]
async fn the_parsers_complaint_does_not_repeat_the_document() {
    let server = Server::start().await;
    let deep = "{ a ".repeat(3_000) + &"}".repeat(3_000);
    let quoted = format!("{{ \"{}\" }}", "x".repeat(100_000));
    for document in [deep, quoted] {
        let reply = server.query(&document).await;
        assert_eq!(reply.gist(), (400, "GRAPHQL_PARSE_FAILED", false));
        assert!(reply.body.to_string().len() < 2_000, "{}", reply.body.to_string().len());
    }
}

#[tokio::test]
async fn the_standard_introspection_query_passes() {
    let server = Server::start().await;
    let reply = server.query(INTROSPECTION).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert_eq!(reply.body["data"]["__schema"]["queryType"]["name"], "Query");
}

/// What graphql-js sends, with nine levels of `ofType`.
const INTROSPECTION: &str = "query IntrospectionQuery { __schema { queryType { name } \
    mutationType { name } subscriptionType { name } types { ...FullType } directives { name \
    description locations args { ...InputValue } } } } fragment FullType on __Type { kind name \
    description fields(includeDeprecated: true) { name description args { ...InputValue } type \
    { ...TypeRef } isDeprecated deprecationReason } inputFields { ...InputValue } interfaces \
    { ...TypeRef } enumValues(includeDeprecated: true) { name description isDeprecated \
    deprecationReason } possibleTypes { ...TypeRef } } fragment InputValue on __InputValue { name \
    description type { ...TypeRef } defaultValue } fragment TypeRef on __Type { kind name ofType \
    { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name \
    ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } } } } } } } }";
