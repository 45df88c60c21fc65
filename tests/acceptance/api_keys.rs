//! Keys by which machines ask and command (GN-28).

use std::time::Duration;

use rollcall_domain::{
    Decider,
    audit::Denial,
    kernel::ids::OrganizationId,
    organizations::{Organization, OrganizationCommand},
    policies::{PolicyKey, PolicyValue, Preset},
    values::Reason,
};
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};

use crate::support::{Answer, Client, Portal, World, uuid_of};

const SHOWN: &str = "secret apiKey { id name prefix scopes status createdBy { name } createdAt
  expiresAt lastUsedAt revokedAt organizationId }";
const DAY: Duration = Duration::from_secs(24 * 3600);

fn wanted(organization: Option<OrganizationId>, scopes: &[&str]) -> Value {
    json!({
        "organizationId": organization.map(|id| id.to_string()),
        "name": "Nightly roster",
        "scopes": scopes,
        "expiresAt": "2026-02-11T17:00:00Z",
    })
}

async fn make(by: &Client, input: Value) -> Answer {
    by.mutate("createApiKey", input, SHOWN).await
}

/// A machine of the clinic with these scopes, and its key's id.
async fn clinic_machine(portal: &Portal, scopes: &[&str]) -> (Client, String) {
    let world = portal.world();
    let admin = portal.client(&world.clinic_admin).await;
    machine(portal, &make(&admin, wanted(Some(world.clinic.id), scopes)).await)
}

fn machine(portal: &Portal, made: &Answer) -> (Client, String) {
    let made = made.done();
    let secret = made["secret"].as_str().expect("a secret");
    let machine = portal.visitor(&portal.world().slug).with_token(secret);
    (machine, made["apiKey"]["id"].as_str().expect("an id").to_owned())
}

async fn people(client: &Client, organization: OrganizationId) -> Answer {
    let query = "query($id: ID!) { users(organizationId: $id) { nodes { lastName } } }";
    client.send(query, json!({ "id": organization.to_string() })).await
}

async fn invite(client: &Client, world: &World, email: &str) -> Answer {
    let input = json!({
        "organizationId": world.clinic.id.to_string(),
        "email": email,
        "firstName": "Rita",
        "lastName": "Voss",
        "mobile": "+12025550177",
    });
    client.mutate("inviteUser", input, "invitation { id }").await
}

async fn revoke(by: &Client, world: &World, key: &str) -> Answer {
    let input = json!({
        "organizationId": world.clinic.id.to_string(),
        "apiKeyId": key,
        "reason": "It was in a public repository.",
    });
    by.mutate("revokeApiKey", input, "apiKey { status revokedAt }").await
}

#[tokio::test]
async fn gn_28_a_key_is_given_once_and_what_is_kept_of_it_helps_nobody() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let admin = portal.client(&world.clinic_admin).await;
    let mut input = wanted(Some(world.clinic.id), &["READ_DIRECTORY", "READ_AUDIT"]);
    input["idempotencyKey"] = json!("once");
    let made = make(&admin, input.clone()).await;
    let secret = made.done()["secret"].as_str().expect("a secret").to_owned();
    let key = &made.done()["apiKey"];
    let prefix = key["prefix"].as_str().expect("a prefix");
    let id = uuid_of(key["id"].as_str().expect("an id"));
    assert_eq!(prefix, format!("rck_{}", id.simple()));
    let rest = secret.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('_'));
    let rest = rest.expect("the key begins with its prefix");
    assert_eq!(rest.len(), 43);
    assert_eq!(key["createdBy"]["name"], "Ann Lee");
    assert_eq!(key["status"], "ACTIVE");
    assert_eq!(make(&admin, input).await.refused(), "RESULT_WITHHELD");

    let list = "query($id: ID!) { apiKeys(organizationId: $id, active: true) { totalCount
      nodes { name prefix scopes lastUsedAt expiresAt } } }";
    let listed = admin.send(list, json!({ "id": world.clinic.id.to_string() })).await;
    let listed = &listed.data()["apiKeys"];
    assert_eq!(listed["totalCount"], 1);
    assert_eq!(listed["nodes"][0]["scopes"], json!(["READ_DIRECTORY", "READ_AUDIT"]));
    assert_eq!(listed["nodes"][0]["lastUsedAt"], Value::Null);

    portal.settle().await;
    let mut database = PgConnection::connect_with(&portal.database()).await.expect("a connection");
    let kept: i64 = sqlx::query_scalar(
        "SELECT (SELECT count(*) FROM es.events WHERE payload::text || metadata::text LIKE $1)
              + (SELECT count(*) FROM es.commands c WHERE to_jsonb(c)::text LIKE $1)
              + (SELECT count(*) FROM es.reservations r WHERE to_jsonb(r)::text LIKE $1)
              + (SELECT count(*) FROM read.api_keys k WHERE to_jsonb(k)::text LIKE $1)",
    )
    .bind(format!("%{rest}%"))
    .fetch_one(&mut database)
    .await
    .expect("a count");
    assert_eq!(kept, 0, "the secret is in the database");
    portal.finish().await;
}

#[tokio::test]
async fn gn_28_a_key_acts_within_its_scopes_and_for_its_organization_alone() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let (reader, _) = clinic_machine(&portal, &["READ_DIRECTORY"]).await;
    let found = people(&reader, world.clinic.id).await;
    assert!(found.data()["users"]["nodes"].as_array().expect("a list").len() >= 5);
    assert_eq!(people(&reader, world.hospital.id).await.error_code(), "NOT_FOUND");
    let rights = "query($o: ID!, $u: ID!) {
      effectivePermissions(organizationId: $o, userId: $u) { rights { kind } } }";
    let about = |organization: OrganizationId| json!({ "o": organization.to_string(), "u": world.npi_admin.user.to_string() });
    reader.send(rights, about(world.clinic.id)).await.data();

    let forbidden = [
        "{ auditEvents { nodes { id } } }",
        "{ accessRegister { nodes { right } } }",
        "{ sessions { nodes { id } } }",
        "{ me { id } }",
        "{ organizations { nodes { id } } }",
        "{ apiKeys { nodes { id } } }",
    ];
    for query in forbidden {
        assert_eq!(reader.send(query, json!({})).await.error_code(), "FORBIDDEN", "{query}");
    }
    let denied = invite(&reader, world, "rita.voss@redwood.example").await;
    assert_eq!(denied.refused(), "FORBIDDEN");
    let journal = &portal.service.commands.journal;
    assert_eq!(journal.streams_of(world.tenant, Denial::TYPE).await.expect("streams").len(), 1);

    // What anybody may ask, a machine may.
    reader.send("{ portal { name } }", json!({})).await.data();
    // A key of this portal is nobody's in another one.
    let other = portal.another_tenant("other-plan", Preset::MediCal).await;
    let mut elsewhere = reader.clone();
    elsewhere.tenant = Some(other.slug);
    assert_eq!(people(&elsewhere, world.clinic.id).await.error_code(), "UNAUTHENTICATED");
    let (register, _) = clinic_machine(&portal, &["READ_ACCESS"]).await;
    let asked = "{ accessRegister(first: 100) { nodes { organization { name } } } }";
    let answer = register.send(asked, json!({})).await;
    let rows = answer.data()["accessRegister"]["nodes"].as_array().expect("rows").clone();
    assert!(!rows.is_empty());
    assert!(rows.iter().all(|row| row["organization"]["name"] == "Redwood Clinic"), "{rows:?}");
    let asked = "query($o: ID!) { accessRegister(organizationId: $o) { nodes { right } } }";
    let other = register.send(asked, json!({ "o": world.hospital.id.to_string() })).await;
    assert_eq!(other.error_code(), "NOT_FOUND");
    portal.finish().await;
}

#[tokio::test]
async fn gn_28_a_machine_manages_people_and_is_told_by_the_name_of_its_key() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let (manager, key) = clinic_machine(&portal, &["MANAGE_USERS"]).await;
    let once = |key: &str| {
        json!({
            "organizationId": world.clinic.id.to_string(), "email": "rita.voss@redwood.example",
            "firstName": "Rita", "lastName": "Voss", "mobile": "+12025550177",
            "idempotencyKey": key,
        })
    };
    let first = manager.mutate("inviteUser", once("a"), "invitation { id }").await;
    let again = manager.mutate("inviteUser", once("a"), "invitation { id }").await;
    assert_eq!(first.done()["invitation"]["id"], again.done()["invitation"]["id"]);
    let gone = json!({
        "organizationId": world.clinic.id.to_string(),
        "userId": world.processor.user.to_string(),
        "confirm": true,
        "reason": "left",
    });
    let done = manager
        .mutate(
            "deactivateUser",
            gone,
            "user { statusLabel history { actorKind
      actorName actorId fact } }",
        )
        .await;
    let user = &done.done()["user"];
    assert_eq!(user["statusLabel"], "Deactivated User");
    let told = json!({ "actorKind": "API_KEY", "actorName": "Nightly roster", "actorId": key,
        "fact": "DEACTIVATED" });
    assert_eq!(user["history"][0], told);

    let (auditor, _) = clinic_machine(&portal, &["READ_AUDIT"]).await;
    let query = "query($filter: AuditEventFilter, $min: Position) {
      auditEvents(filter: $filter, minPosition: $min) {
        nodes { sentence command actor { kind id name } organization { name } } } }";
    let filter = json!({ "actor": key, "types": ["organizations.organization.user_deactivated"] });
    let min = done.done()["position"].clone();
    let found = auditor.send(query, json!({ "filter": filter, "min": min })).await;
    let event = &found.data()["auditEvents"]["nodes"][0];
    let actor = json!({ "kind": "API_KEY", "id": key, "name": "the key Nightly roster" });
    assert_eq!(event["actor"], actor);
    assert_eq!(event["organization"]["name"], "Redwood Clinic");
    let sentence = event["sentence"].as_str().expect("a sentence");
    assert!(sentence.starts_with("The key Nightly roster deactivated Paul Kim"), "{sentence}");
    // What is the person's own affair is none of the organisation's machine.
    let all = auditor.send("{ auditEvents(first: 100) { nodes { type } } }", json!({})).await;
    let nodes = all.data()["auditEvents"]["nodes"].as_array().expect("events").clone();
    assert!(nodes.iter().any(|node| node["type"] == "api_keys.api_key.api_key_created"));
    let own = |node: &Value| node["type"].as_str().is_some_and(|it| it.starts_with("sessions."));
    assert!(!nodes.iter().any(own), "{nodes:?}");
    portal.finish().await;
}

#[tokio::test]
async fn gn_28_a_key_in_use_is_written_of_once_a_minute_and_read_the_rest_of_the_time() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let (reader, _) = clinic_machine(&portal, &["READ_DIRECTORY"]).await;
    let mut database = PgConnection::connect_with(&portal.database()).await.expect("a connection");
    // Who wrote the row, and who locked it without a change: both would be durable.
    let mut touched = async || -> (String, String, String) {
        sqlx::query_as(
            "SELECT xmin::text, xmax::text, last_used_at::text FROM ops.api_key_activity",
        )
        .fetch_one(&mut database)
        .await
        .expect("a row")
    };
    people(&reader, world.clinic.id).await.data();
    let first = touched().await;
    for _ in 0..3 {
        portal.advance(Duration::from_secs(19));
        people(&reader, world.clinic.id).await.data();
        assert_eq!(touched().await, first);
    }
    portal.advance(Duration::from_secs(3));
    people(&reader, world.clinic.id).await.data();
    let next = touched().await;
    assert_ne!((&next.0, &next.2), (&first.0, &first.2));
    portal.finish().await;
}

#[tokio::test]
async fn gn_28_a_key_is_given_even_while_it_cannot_be_shown() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let admin = portal.client(&world.clinic_admin).await;
    let mut database = PgConnection::connect_with(&portal.database()).await.expect("a connection");
    let mut held = database.begin().await.expect("a transaction");
    let lock = "LOCK TABLE read.api_keys IN ACCESS EXCLUSIVE MODE";
    sqlx::query(lock).execute(&mut *held).await.expect("a lock");
    let made = make(&admin, wanted(Some(world.clinic.id), &["READ_DIRECTORY"])).await;
    held.rollback().await.expect("an end");
    assert_eq!(made.done()["apiKey"], Value::Null);
    let secret = made.done()["secret"].as_str().expect("the secret");
    let machine = portal.visitor(&world.slug).with_token(secret);
    people(&machine, world.clinic.id).await.data();
    let list = "query($id: ID!, $min: Position) {
        apiKeys(organizationId: $id, minPosition: $min) { nodes { name } } }";
    let asked =
        json!({ "id": world.clinic.id.to_string(), "min": portal.position().await.to_string() });
    let listed = admin.send(list, asked).await;
    assert_eq!(listed.data()["apiKeys"]["nodes"], json!([{ "name": "Nightly roster" }]));
    portal.finish().await;
}

#[tokio::test]
async fn gn_28_a_revoked_key_is_refused_at_once_in_every_process() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let (here, key) = clinic_machine(&portal, &["MANAGE_USERS"]).await;
    let process = portal.another_process().await;
    let there = here.through(&process);
    for client in [&here, &there] {
        people(client, world.clinic.id).await.data();
    }
    invite(&there, world, "first@redwood.example").await.done();
    let colleague = portal.client(&world.clinic_second_admin).await;
    let gone = revoke(&colleague, world, &key).await;
    assert_eq!(gone.done()["apiKey"]["status"], "REVOKED");
    for client in [&there, &here] {
        for answer in [
            people(client, world.clinic.id).await,
            invite(client, world, "b@redwood.example").await,
        ] {
            assert_eq!(answer.error_code(), "UNAUTHENTICATED");
            assert_eq!(answer.body["errors"][0]["extensions"]["reason"], "API_KEY_REVOKED");
        }
    }
    assert_eq!(revoke(&colleague, world, &key).await.refused(), "ALREADY_INACTIVE");
    process.stop().await;
    portal.finish().await;
}

#[tokio::test]
async fn gn_28_a_key_ends_at_its_second_and_none_is_made_beyond_the_policys_days() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let admin = portal.client(&world.clinic_admin).await;
    for end in ["2027-01-12T17:00:01Z", "2026-01-12T16:59:59Z"] {
        let mut late = wanted(Some(world.clinic.id), &["READ_DIRECTORY"]);
        late["expiresAt"] = json!(end);
        assert_eq!(make(&admin, late).await.refused(), "RANGE_INVALID");
    }
    let mut endless = wanted(Some(world.clinic.id), &["READ_DIRECTORY"]);
    endless["expiresAt"] = Value::Null;
    assert_eq!(make(&admin, endless).await.refused(), "FIELD_REQUIRED");
    assert_eq!(make(&admin, wanted(Some(world.clinic.id), &[])).await.refused(), "FIELD_REQUIRED");

    let (reader, _) = clinic_machine(&portal, &["READ_DIRECTORY"]).await;
    portal.advance(30 * DAY - Duration::from_secs(1));
    people(&reader, world.clinic.id).await.data();
    portal.advance(Duration::from_secs(1));
    let over = people(&reader, world.clinic.id).await;
    assert_eq!(over.error_code(), "UNAUTHENTICATED");
    assert_eq!(over.body["errors"][0]["extensions"]["reason"], "API_KEY_EXPIRED");
    portal.finish().await;
}

#[tokio::test]
async fn gn_28_the_keys_of_a_suspended_organization_and_of_a_portal_without_keys_serve_nothing() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let (reader, _) = clinic_machine(&portal, &["MANAGE_USERS"]).await;
    portal.change_policy(PolicyKey::ApiKeysMaxDays, PolicyValue::Off).await;
    let off = people(&reader, world.clinic.id).await;
    assert_eq!(off.body["errors"][0]["extensions"]["reason"], "FEATURE_DISABLED");
    let admin = portal.client(&world.clinic_admin).await;
    let none = make(&admin, wanted(Some(world.clinic.id), &["READ_DIRECTORY"])).await;
    assert_eq!(none.refused(), "FEATURE_DISABLED");
    portal.change_policy(PolicyKey::ApiKeysMaxDays, PolicyValue::Integer(30)).await;
    people(&reader, world.clinic.id).await.data();

    let reason = Reason::parse("Its licence lapsed.").expect("a reason");
    let suspend = OrganizationCommand::SuspendOrganization { reason };
    portal.decide::<Organization>(world.clinic.id.0, suspend).await;
    assert_eq!(people(&reader, world.clinic.id).await.error_code(), "NOT_FOUND");
    assert_eq!(invite(&reader, world, "b@redwood.example").await.refused(), "NOT_FOUND");
    portal.finish().await;
}

#[tokio::test]
async fn gn_28_the_other_administrators_are_told_of_a_key() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let (_, key) = clinic_machine(&portal, &["READ_DIRECTORY"]).await;
    let others = portal.mailbox(&world.clinic_second_admin.email).await;
    let mail = Portal::newest(&others, "A key for a machine was made").to_string();
    assert!(mail.contains("Redwood Clinic") && !mail.contains("rck_"), "{mail}");
    let own = portal.mailbox(&world.clinic_admin.email).await;
    let made = |mail: &Value| mail["subject"] == "A key for a machine was made";
    assert!(!own.iter().any(made), "who made the key knows it");
    let colleague = portal.client(&world.clinic_second_admin).await;
    let query = "{ notifications { nodes { type text } } }";
    let notices = colleague.send(query, json!({})).await;
    let told = json!({ "type": "ACCOUNT_SECURITY",
        "text": "A key was made by which a machine may act for Redwood Clinic." });
    let notices = notices.data()["notifications"]["nodes"].as_array().expect("notices").clone();
    assert!(notices.contains(&told), "{notices:?}");

    revoke(&colleague, world, &key).await.done();
    let maker = portal.mailbox(&world.clinic_admin.email).await;
    Portal::newest(&maker, "A machine's key was revoked");
    portal.finish().await;
}

#[tokio::test]
async fn gn_28_only_administrators_make_keys_and_only_for_what_is_theirs() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let scopes = ["READ_DIRECTORY"];
    let (clinic, plan) = (Some(world.clinic.id), None);
    for (who, owner, code) in [
        (&world.npi_admin, clinic, "NOT_ORG_ADMIN"),
        (&world.hospital_admin, clinic, "NOT_FOUND"),
        (&world.plan_admin, clinic, "NOT_FOUND"),
        (&world.clinic_admin, plan, "FORBIDDEN"),
        (&world.plan_support, plan, "FORBIDDEN"),
    ] {
        let client = portal.client(who).await;
        assert_eq!(make(&client, wanted(owner, &scopes)).await.refused(), code, "{}", who.email);
    }
    let (everything, key) = clinic_machine(
        &portal,
        &["READ_DIRECTORY", "READ_ACCESS", "READ_AUDIT", "MANAGE_USERS", "REPORT_RIGHT_USE"],
    )
    .await;
    assert_eq!(make(&everything, wanted(clinic, &scopes)).await.refused(), "FORBIDDEN");
    assert_eq!(revoke(&everything, world, &key).await.refused(), "FORBIDDEN");

    let pia = portal.client(&world.plan_admin).await;
    let (plan_machine, _) = machine(&portal, &make(&pia, wanted(plan, &["MANAGE_USERS"])).await);
    people(&plan_machine, world.hospital.id).await.data();
    let all = plan_machine.send("{ organizations { nodes { id } } }", json!({})).await;
    assert!(all.data()["organizations"]["nodes"].as_array().expect("a list").len() >= 3);
    let audit = plan_machine.send("{ auditEvents { nodes { id } } }", json!({})).await;
    assert_eq!(audit.error_code(), "FORBIDDEN");
    // A key of an organisation that got about, the plan revokes too; the plan's keys no organisation
    // sees.
    revoke(&pia, world, &key).await.done();
    let listed = "{ apiKeys { nodes { name } } }";
    let clinic_admin = portal.client(&world.clinic_admin).await;
    assert_eq!(clinic_admin.send(listed, json!({})).await.error_code(), "FORBIDDEN");
    let auditor = portal.client(&world.auditor).await;
    let seen = auditor.send(listed, json!({})).await;
    assert_eq!(seen.data()["apiKeys"]["nodes"], json!([{ "name": "Nightly roster" }]));
    portal.finish().await;
}

#[tokio::test]
async fn gn_28_a_machine_asks_by_get_and_its_last_use_is_kept_to_the_minute() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let (reader, key) = clinic_machine(&portal, &["READ_DIRECTORY"]).await;
    let query = format!(
        "{{ users(organizationId: \"{}\", first: 1) {{ nodes {{ lastName }} }} }}",
        world.clinic.id
    );
    let url = format!("http://{}/graphql", portal.service.address);
    let get = reqwest::Client::new()
        .get(url)
        .query(&[("query", &query)])
        .header("accept", "application/graphql-response+json")
        .bearer_auth(reader.token.as_deref().expect("a key"));
    let answer: Value = get.send().await.expect("an answer").json().await.expect("JSON");
    assert_eq!(answer["data"]["users"]["nodes"].as_array().map(Vec::len), Some(1), "{answer}");
    let admin = portal.client(&world.clinic_admin).await;
    let last_use = async || {
        let asked = "query($id: ID!) { node(id: $id) { ... on ApiKey { lastUsedAt } } }";
        let answer = admin.send(asked, json!({ "id": key })).await;
        answer.data()["node"]["lastUsedAt"].clone()
    };
    assert_eq!(last_use().await, "2026-01-12T17:00:00Z");
    for (seconds, expected) in [(59, "2026-01-12T17:00:00Z"), (1, "2026-01-12T17:01:00Z")] {
        portal.advance(Duration::from_secs(seconds));
        people(&reader, world.clinic.id).await.data();
        assert_eq!(last_use().await, expected);
    }
    portal.finish().await;
}

#[tokio::test]
async fn gn_28_a_machine_follows_the_audit_timeline_until_its_key_is_revoked() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let (follower, key) = clinic_machine(&portal, &["READ_AUDIT"]).await;
    let appended = "subscription($filter: AuditEventFilter, $after: Position) {
      eventAppended(filter: $filter, afterPosition: $after) { type } }";
    let filter = json!({ "types": ["users.invitation.user_invited"] });
    let after = portal.position().await.to_string();
    let variables = json!({ "filter": filter, "after": after });
    let mut subscription = portal.subscribe(&follower, appended, variables).await;
    let admin = portal.client(&world.clinic_admin).await;
    invite(&admin, world, "rita.voss@redwood.example").await.done();
    let heard = subscription.next().await;
    assert_eq!(heard["eventAppended"]["type"], "users.invitation.user_invited");
    revoke(&admin, world, &key).await.done();
    invite(&admin, world, "vera.rosso@redwood.example").await.done();
    let end = subscription.hear().await;
    let errors = match end["type"].as_str() {
        Some("next") => &end["payload"]["errors"],
        Some("error") => &end["payload"],
        _ => panic!("expected the end of the stream: {end}"),
    };
    assert_eq!(errors[0]["extensions"]["code"], "UNAUTHENTICATED", "{end}");
    portal.finish().await;
}
