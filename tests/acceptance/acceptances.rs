//! What people accepted, and who may see it (MC-06, MC-18).

use std::time::Duration;

use rollcall_domain::{kernel::ids::UserId, policies::Preset, values::AgreementKind};
use serde_json::{Value, json};

use crate::{
    registration::Letter,
    support::{Answer, Client, Portal, uuid_of},
};

const ACCEPTANCES: &str = "query($of: ID!, $first: Int, $after: String) {
  acceptances(userId: $of, first: $first, after: $after) {
    totalCount pageInfo { hasNextPage endCursor }
    nodes { kind version boxes acceptedAt occasion organizationId } } }";

async fn ask(client: &Client, of: UserId) -> Answer {
    client.send(ACCEPTANCES, json!({ "of": of.to_string() })).await
}

/// Everything a client is shown, organisations by their UUID.
async fn shown(client: &Client, of: UserId) -> Value {
    let mut nodes = ask(client, of).await.data()["acceptances"]["nodes"].clone();
    for node in nodes.as_array_mut().expect("a list") {
        let organization = node["organizationId"].as_str().map(uuid_of);
        node["organizationId"] = json!(organization);
    }
    nodes
}

async fn accept_myself(client: &Client, version: &str, boxes: &[&str]) -> Answer {
    let input = json!({ "kind": "PORTAL_TERMS", "version": version, "boxes": boxes });
    client.mutate("acceptAgreement", input, "").await
}

#[tokio::test]
async fn mc_06_what_a_registrant_accepted_is_told_once_with_version_boxes_and_moment() {
    let letter = Letter::sent().await;
    let portal = &letter.portal;
    let world = portal.world().clone();
    let hana = world.hospital_admin.clone();
    let registration = letter.ready(&hana.email).await;
    let own = portal.client(&hana).await;
    portal.settle().await;
    assert_eq!(shown(&own, hana.user).await, json!([]), "whose it was is told at the end");
    portal.advance(Duration::from_secs(60));
    letter.complete(&registration).await.done();
    portal.settle().await;
    let accepted = |kind: &str, boxes: &[&str]| {
        json!({
            "kind": kind, "version": "1", "boxes": boxes, "occasion": "REGISTRATION",
            "acceptedAt": "2026-01-12T17:00:00Z", "organizationId": letter.organization.0,
        })
    };
    let conditions = accepted("ONLINE_CONDITIONS_OF_USE", &["READ", "AUTHORIZED"]);
    let terms = accepted("PORTAL_TERMS", &["READ"]);
    let both = json!([conditions, terms]);
    for who in [&hana, &world.auditor, &world.plan_admin, &world.plan_support] {
        assert_eq!(shown(&portal.client(who).await, hana.user).await, both);
    }

    portal.publish(AgreementKind::PortalTerms, "2", &["READ", "OTHER"]).await;
    assert_eq!(accept_myself(&own, "1", &["READ"]).await.refused(), "AGREEMENT_SUPERSEDED");
    assert_eq!(accept_myself(&own, "2", &["READ"]).await.refused(), "BOX_NOT_TICKED");
    for _ in 0..2 {
        accept_myself(&own, "2", &["READ", "OTHER"]).await.done();
    }
    portal.settle().await;
    let newer = json!({
        "kind": "PORTAL_TERMS", "version": "2", "boxes": ["READ", "OTHER"], "occasion": "ACCOUNT",
        "acceptedAt": "2026-01-12T17:01:00Z", "organizationId": null,
    });
    assert_eq!(shown(&own, hana.user).await, json!([newer, conditions, terms]));
    let page = json!({ "of": hana.user.to_string(), "first": 2 });
    let page = own.send(ACCEPTANCES, page).await.data()["acceptances"].clone();
    assert_eq!((&page["totalCount"], page["nodes"].as_array().unwrap().len()), (&json!(3), 2));
    let after = &page["pageInfo"]["endCursor"];
    let rest = own.send(ACCEPTANCES, json!({ "of": hana.user.to_string(), "after": after })).await;
    assert_eq!(rest.data()["acceptances"]["nodes"][0]["kind"], "PORTAL_TERMS");
    assert_eq!(rest.data()["acceptances"]["pageInfo"]["hasNextPage"], false);
    letter.portal.finish().await;
}

#[tokio::test]
async fn mc_18_administrators_see_what_was_accepted_for_their_organization_and_no_more() {
    let portal = Portal::medi_cal().await;
    portal.publish_agreements().await;
    let world = portal.world().clone();
    let hana = world.hospital_admin.clone();
    let own = portal.client(&hana).await;
    accept_myself(&own, "1", &["READ"]).await.done();
    let admin = portal.client(&world.clinic_admin).await;
    assert_eq!(ask(&admin, hana.user).await.error_code(), "NOT_FOUND", "nobody of theirs");
    let invite = json!({
        "organizationId": world.clinic.id.to_string(), "email": hana.email,
        "firstName": "Hana", "lastName": "Wu", "mobile": "+12025550177",
    });
    let invited = admin.mutate("inviteUser", invite, "invitation { id }").await;
    let invitation = invited.done()["invitation"]["id"].as_str().expect("an id").to_owned();
    portal.settle().await;
    assert_eq!(shown(&admin, hana.user).await, json!([]), "nothing accepted for the clinic yet");
    let token = portal.invitation_token(&invitation).await;
    portal.visitor(&world.slug).accept_system_use(&token).await.done();
    portal.settle().await;

    let for_clinic = json!({
        "kind": "SYSTEM_USE_NOTIFICATION", "version": "1", "boxes": ["READ", "AUTHORIZED"],
        "occasion": "INVITATION", "acceptedAt": "2026-01-12T17:00:00Z",
        "organizationId": world.clinic.id.0,
    });
    let by_herself = json!({
        "kind": "PORTAL_TERMS", "version": "1", "boxes": ["READ"], "occasion": "ACCOUNT",
        "acceptedAt": "2026-01-12T17:00:00Z", "organizationId": null,
    });
    assert_eq!(shown(&admin, hana.user).await, json!([for_clinic]));
    assert_eq!(shown(&own, hana.user).await, json!([for_clinic, by_herself]));
    let support = portal.client(&world.plan_support).await;
    assert_eq!(shown(&support, hana.user).await, json!([for_clinic, by_herself]));

    let processor = portal.client(&world.processor).await;
    assert_eq!(ask(&processor, hana.user).await.error_code(), "FORBIDDEN");
    let biller = portal.client(&world.biller_admin).await;
    assert_eq!(ask(&biller, hana.user).await.error_code(), "NOT_FOUND");
    let visitor = portal.visitor(&world.slug);
    assert_eq!(ask(&visitor, hana.user).await.error_code(), "UNAUTHENTICATED");
    let other = portal.another_tenant("other-plan", Preset::MediCal).await;
    let foreign = portal.client_in(&other, Preset::MediCal, &other.auditor).await;
    assert_eq!(shown(&foreign, hana.user).await, json!([]), "another portal knows nothing");
    portal.finish().await;
}
