//! Log-ins of partner systems that count as a person's own (CX-11). The partner signs with a key of
//! its own, by the crate `jsonwebtoken`.

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use rollcall_domain::users::external_identity::{ExternalIdentities, ExternalIdentitiesEvent};
use serde_json::{Value, json};

use crate::support::{Answer, Client, Portal};

const ISSUER: &str = "https://sms.partner.example";
/// The key pair of RFC 8037, appendix A, and another one.
const KEY: (&str, &str) = (
    "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
    "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
);
const OTHER_KEY: &str = "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb";
/// 12 January 2026, 17:00 UTC: when every test begins.
const NOW: i64 = 1_768_237_200;

/// An Ed25519 private key as PKCS #8 (RFC 8410).
fn pkcs8(seed: &str) -> Vec<u8> {
    let seed = (0..seed.len() / 2).map(|n| u8::from_str_radix(&seed[2 * n..2 * n + 2], 16));
    let mut der = vec![
        0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04,
        0x20,
    ];
    der.extend(seed.map(|byte| byte.expect("hexadecimal")));
    der
}

fn key_set() -> String {
    json!({ "keys": [{ "kty": "OKP", "crv": "Ed25519", "kid": "1", "alg": "EdDSA", "x": KEY.1 }] })
        .to_string()
}

fn token_by(seed: &str, more: Value) -> String {
    let mut claims = json!({
        "iss": ISSUER, "aud": "rollcall", "sub": "ann-77", "iat": NOW, "exp": NOW + 300,
    });
    for (name, value) in more.as_object().expect("an object") {
        claims[name] = value.clone();
    }
    let header = Header { kid: Some("1".to_owned()), ..Header::new(Algorithm::EdDSA) };
    encode(&header, &claims, &EncodingKey::from_ed_der(&pkcs8(seed))).expect("a token")
}

fn token(more: Value) -> String {
    token_by(KEY.0, more)
}

async fn trust(portal: &Portal, more: Value) -> Answer {
    let mut input = json!({
        "issuer": ISSUER, "name": "Partner SMS", "audience": "rollcall", "keySet": key_set(),
    });
    for (name, value) in more.as_object().expect("an object") {
        input[name] = value.clone();
    }
    let admin = portal.client(&portal.world().plan_admin).await;
    admin.mutate("trustIssuer", input, "").await
}

async fn link(client: &Client, token: &str) -> Answer {
    client.mutate("linkExternalIdentity", json!({ "token": token }), "").await
}

async fn identities(client: &Client) -> Value {
    let document = "{ me { identities { issuer name subject linkedAt } } }";
    client.send(document, json!({})).await.data()["me"]["identities"].clone()
}

#[tokio::test]
async fn cx_11_a_log_in_of_a_trusted_partner_is_linked_by_its_token_and_unlinked() {
    let portal = Portal::medi_cal().await;
    let who = portal.world().clinic_admin.clone();
    let client = portal.client(&who).await;
    let refused = link(&client, &token(json!({}))).await;
    assert_eq!(refused.refused(), "ISSUER_NOT_TRUSTED");
    trust(&portal, json!({})).await.done();
    link(&client, &token(json!({}))).await.done();
    let shown = json!([{
        "issuer": ISSUER, "name": "Partner SMS", "subject": "ann-77",
        "linkedAt": "2026-01-12T17:00:00Z",
    }]);
    assert_eq!(identities(&client).await, shown);
    let twice = link(&client, &token(json!({ "sub": "ann-78" }))).await;
    assert_eq!(twice.refused(), "ALREADY_ASSIGNED");
    let other = portal.client(&portal.world().processor).await;
    assert_eq!(link(&other, &token(json!({}))).await.refused(), "ALREADY_ASSIGNED");

    let stream = portal.world().tenant.external_identities_stream(who.user);
    let events = portal.events::<ExternalIdentities>(stream).await;
    let [ExternalIdentitiesEvent::ExternalIdentityLinked { issuer, .. }] = &events[..] else {
        panic!("linked: {events:?}");
    };
    assert_eq!(issuer, ISSUER);
    let unlink = async || {
        let input = json!({ "issuer": ISSUER });
        client.mutate("unlinkExternalIdentity", input, "").await
    };
    unlink().await.done();
    assert_eq!(unlink().await.refused(), "NOT_FOUND");
    assert_eq!(identities(&client).await, json!([]));
    link(&other, &token(json!({}))).await.done();
    portal.finish().await;
}

#[tokio::test]
async fn cx_11_a_token_counts_by_its_signature_audience_and_time_only() {
    let portal = Portal::medi_cal().await;
    trust(&portal, json!({})).await.done();
    let client = portal.client(&portal.world().clinic_admin).await;
    let unsigned = {
        let parts: Vec<String> = token(json!({})).split('.').map(str::to_owned).collect();
        format!("eyJhbGciOiJub25lIn0.{}.", parts[1])
    };
    for (what, token, code) in [
        ("another key", token_by(OTHER_KEY, json!({})), "TOKEN_INVALID"),
        ("another audience", token(json!({ "aud": "elsewhere" })), "TOKEN_INVALID"),
        ("another issuer", token(json!({ "iss": "https://x.example" })), "ISSUER_NOT_TRUSTED"),
        ("no subject", token(json!({ "sub": "" })), "TOKEN_INVALID"),
        ("over", token(json!({ "exp": NOW })), "TOKEN_EXPIRED"),
        ("to come", token(json!({ "nbf": NOW + 61 })), "TOKEN_EXPIRED"),
        ("unsigned", unsigned, "TOKEN_INVALID"),
        ("nonsense", "nonsense".to_owned(), "TOKEN_INVALID"),
        ("nothing", String::new(), "TOKEN_INVALID"),
    ] {
        assert_eq!(link(&client, &token).await.refused(), code, "{what}");
    }
    link(&client, &token(json!({ "exp": NOW + 1, "nbf": NOW + 60 }))).await.done();
    portal.finish().await;
}

#[tokio::test]
async fn cx_11_plan_administrators_say_which_partners_are_trusted() {
    let portal = Portal::medi_cal().await;
    for (field, value) in [
        ("issuer", json!("http://partner.example")),
        ("name", json!("")),
        ("keySet", json!("{}")),
        ("keySet", json!("{\"keys\":[]}")),
        ("keySet", json!("{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\"}]}")),
    ] {
        let refused = trust(&portal, json!({ field: value })).await;
        assert_eq!(refused.refused(), "FIELD_INVALID", "{value}");
        assert_eq!(refused.refusal()["field"], json!([field]));
    }
    trust(&portal, json!({})).await.done();
    let admin = portal.client(&portal.world().plan_admin).await;
    let support = portal.client(&portal.world().plan_support).await;
    let document = "{ trustedIssuers { issuer name audience } }";
    let shown = json!([{ "issuer": ISSUER, "name": "Partner SMS", "audience": "rollcall" }]);
    assert_eq!(support.send(document, json!({})).await.data()["trustedIssuers"], shown);
    let client = portal.client(&portal.world().clinic_admin).await;
    assert_eq!(client.send(document, json!({})).await.error_code(), "FORBIDDEN");
    link(&client, &token(json!({}))).await.done();
    let distrust = json!({ "issuer": ISSUER });
    let refused = support.mutate("distrustIssuer", distrust.clone(), "").await;
    assert_eq!(refused.refused(), "FORBIDDEN");
    admin.mutate("distrustIssuer", distrust.clone(), "").await.done();
    assert_eq!(admin.mutate("distrustIssuer", distrust, "").await.refused(), "ISSUER_NOT_TRUSTED");
    // It stays on file, and counts for nothing.
    assert_eq!(identities(&client).await[0]["name"], Value::Null);
    let other = portal.client(&portal.world().processor).await;
    let refused = link(&other, &token(json!({ "sub": "paul-1" }))).await;
    assert_eq!(refused.refused(), "ISSUER_NOT_TRUSTED");
    portal.finish().await;
}
