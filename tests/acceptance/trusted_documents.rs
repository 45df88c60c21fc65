//! Documents that the operator trusts, and from whom others are taken (GN-28).

use rollcall_api::http::{Trust, TrustByRole, TrustedDocuments};
use rollcall_domain::hex;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::support::{Client, Portal};

const TRUSTED: &str = "{ portal { name } }";
const OWN: &str = "{ mine: portal { name } }";

/// Why a document does not run; nothing where it does.
async fn refusal(client: &Client, document: &str) -> Value {
    let answer = client.send(document, json!({})).await;
    answer.body["errors"][0]["extensions"]["reason"].clone()
}

#[tokio::test]
async fn gn_28_only_trusted_documents_run_for_the_roles_of_which_they_are_required() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let list = json!({ hex(&Sha256::digest(TRUSTED)): TRUSTED }).to_string();
    let of_role = [
        ("AN", Trust::Require),
        ("API", Trust::Require),
        ("US", Trust::Require),
        ("OA", Trust::Prefer),
        ("PS", Trust::Off),
    ];
    let trust = TrustByRole { otherwise: Trust::Off, of_role: of_role.into() };
    let documents = TrustedDocuments::read(list.as_bytes(), trust).expect("a list");
    let trusting = portal.another_process_trusting(documents).await;
    let key = json!({
        "organizationId": world.clinic.id, "name": "Nightly", "scopes": ["READ_DIRECTORY"],
        "expiresAt": "2026-02-11T17:00:00Z",
    });
    let admin = portal.client(&world.clinic_admin).await;
    let key = admin.mutate("createApiKey", key, "secret").await;
    let machine = portal.anybody().with_token(key.done()["secret"].as_str().expect("a secret"));
    let by = |client: &Client| client.through(&trusting);
    let held = [
        ("visitor", by(&portal.anybody())),
        ("machine", by(&machine)),
        ("member", by(&portal.client(&world.processor).await)),
        ("auditor", by(&portal.client(&world.auditor).await)),
    ];
    for (who, client) in &held {
        assert_eq!(refusal(client, TRUSTED).await, Value::Null, "{who}");
        assert_eq!(refusal(client, OWN).await, "DOCUMENT_NOT_TRUSTED", "{who}");
    }
    let free = [&world.clinic_second_admin, &world.plan_support];
    for who in free {
        let client = by(&portal.client(who).await);
        assert_eq!(refusal(&client, OWN).await, Value::Null, "{who:?}");
    }
    // Who has the role no longer is held like the others, at once.
    let demote = json!({
        "organizationId": world.clinic.id, "userId": world.clinic_second_admin.user, "role": "NONE",
    });
    admin.mutate("assignOrgRole", demote, "position").await.done();
    let abe = by(&portal.client(&world.clinic_second_admin).await);
    assert_eq!(refusal(&abe, OWN).await, "DOCUMENT_NOT_TRUSTED");
    trusting.stop().await;
    portal.finish().await;
}
