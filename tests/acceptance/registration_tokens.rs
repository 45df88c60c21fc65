//! Letter tokens: issued once, delivered on paper, good for thirty local days (MC-03, MC-04).

use chrono::{TimeDelta, TimeZone, Utc};
use rollcall_commands::{
    Caller,
    organizations::{
        letter::Letter,
        tokens::{ExpireRegistrationToken, find},
    },
};
use rollcall_domain::{
    Code,
    kernel::ids::RegistrationTokenId,
    organizations::{RegistrationToken, RegistrationTokenEvent},
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    enrolment::{import, line},
    support::{Client, Portal, uuid_of},
};

const TOKEN: &str = "registrationToken { id status issuedOn expiresAt organizationName }";

/// An enrolled organisation that has not registered yet.
async fn enrolled(portal: &Portal, overrides: Value) -> String {
    let admin = portal.client(&portal.world().plan_admin).await;
    let results = import(&admin, vec![line(overrides)]).await;
    results[0]["organizationId"].as_str().expect("it was imported").to_owned()
}

async fn issue(admin: &Client, organization: &str) -> Value {
    let input = json!({ "organizationId": organization });
    let answer = admin.mutate("issueRegistrationToken", input, TOKEN).await;
    answer.done()["registrationToken"].clone()
}

fn id_of(token: &Value) -> RegistrationTokenId {
    RegistrationTokenId(uuid_of(token["id"].as_str().expect("an id")))
}

#[tokio::test]
async fn mc_03_one_token_per_organization_is_issued_and_its_letter_queued() {
    let portal = Portal::medi_cal().await;
    let organization = enrolled(&portal, json!({})).await;
    let admin = portal.client(&portal.world().plan_admin).await;
    let token = issue(&admin, &organization).await;
    assert_eq!(token["status"], "ISSUED");
    assert_eq!(token["issuedOn"], "2026-01-12");
    let events = portal.events::<RegistrationToken>(id_of(&token)).await;
    assert!(matches!(
        &events[..],
        [
            RegistrationTokenEvent::RegistrationTokenIssued { .. },
            RegistrationTokenEvent::LetterQueued { .. }
        ]
    ));

    let again = json!({ "organizationId": organization });
    let refused = admin.mutate("issueRegistrationToken", again.clone(), TOKEN).await;
    assert_eq!(refused.refused(), "TOKEN_ACTIVE");
    let support = portal.client(&portal.world().plan_support).await;
    let refused = support.mutate("issueRegistrationToken", again, TOKEN).await;
    assert_eq!(refused.refused(), "FORBIDDEN");
    let homeless = json!({
        "organization": "Nowhere Clinic", "taxId": "20-0000002", "npi": "", "payToLine1": "",
        "payToCity": "", "payToState": "", "payToZip": "",
    });
    let homeless = json!({ "organizationId": enrolled(&portal, homeless).await });
    let refused = admin.mutate("issueRegistrationToken", homeless, TOKEN).await;
    assert_eq!(refused.refused(), "NO_PAY_TO_ADDRESS");
    let clinic = json!({ "organizationId": portal.world().clinic.id.to_string() });
    let refused = admin.mutate("issueRegistrationToken", clinic, TOKEN).await;
    assert_eq!(refused.refused(), "ORG_ALREADY_REGISTERED");
    portal.finish().await;
}

#[tokio::test]
async fn mc_03_the_letter_carries_the_token_to_the_address_on_file() {
    let portal = Portal::medi_cal().await;
    let organization = enrolled(&portal, json!({})).await;
    let admin = portal.client(&portal.world().plan_admin).await;
    let token = id_of(&issue(&admin, &organization).await);
    let journal = &portal.service.commands.journal;
    let tenant = portal.world().tenant;
    let letter = Letter::of(journal, tenant, token, "https://portal.test").await.unwrap();
    let letter = letter.expect("there is an address");
    assert_eq!(letter.address.line1, "22 Oak Ave");
    assert_eq!(letter.last_day.to_string(), "2026-02-11", "the thirtieth day after its issue");
    let pdf = letter.render();
    let shows = |text: &str| pdf.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(shows(&letter.token) && shows("Sierra Family Clinic") && shows("February 11, 2026"));

    let typed = letter.token.to_lowercase().replace('-', " ");
    assert_eq!(find(journal, tenant, &typed).await.unwrap(), Some(token));
    assert_eq!(find(journal, tenant, "0000-0000-0000-0000").await.unwrap(), None);
    let input = json!({ "tokenId": token.to_string(), "reason": "Sent to the wrong clinic." });
    admin.mutate("revokeRegistrationToken", input, TOKEN).await.done();
    let late = Letter::of(journal, tenant, token, "https://portal.test").await.unwrap();
    assert!(late.is_none(), "no letter goes out in vain");
    portal.finish().await;
}

#[tokio::test]
async fn mc_03_a_reissued_token_kills_the_one_before() {
    let portal = Portal::medi_cal().await;
    let organization = enrolled(&portal, json!({})).await;
    let admin = portal.client(&portal.world().plan_admin).await;
    let reissue = json!({ "organizationId": organization, "reason": "The letter came back." });
    let name = "reissueRegistrationToken";
    let none = admin.mutate(name, reissue.clone(), TOKEN).await;
    assert_eq!(none.refused(), "NOT_FOUND");
    let first = issue(&admin, &organization).await;
    let second = admin.mutate(name, reissue, TOKEN).await;
    let second = second.done()["registrationToken"].clone();
    assert_ne!(first["id"], second["id"]);

    let list = "query($status: RegistrationTokenStatus) {
        registrationTokens(status: $status) { nodes { id status } } }";
    let all = admin.send(list, json!({})).await;
    assert_eq!(
        all.data()["registrationTokens"]["nodes"],
        json!([
            { "id": second["id"], "status": "ISSUED" },
            { "id": first["id"], "status": "REVOKED" },
        ])
    );
    let issued = admin.send(list, json!({ "status": "ISSUED" })).await;
    assert_eq!(issued.data()["registrationTokens"]["nodes"].as_array().unwrap().len(), 1);
    let revoke = json!({ "tokenId": first["id"], "reason": "Twice is once too often." });
    let dead = admin.mutate("revokeRegistrationToken", revoke, TOKEN).await;
    assert_eq!(dead.refused(), "TOKEN_REVOKED");
    let member = portal.client(&portal.world().clinic_admin).await;
    assert_eq!(member.send(list, json!({})).await.error_code(), "FORBIDDEN");
    portal.finish().await;
}

#[tokio::test]
async fn mc_04_a_token_issued_on_1_march_works_to_the_last_second_of_31_march() {
    let portal = Portal::medi_cal().await;
    let organization = enrolled(&portal, json!({})).await;
    // 23:30 in California; the days count from the local date, whatever the hour.
    portal.clock.set(Utc.with_ymd_and_hms(2026, 3, 2, 7, 30, 0).unwrap());
    let admin = portal.client(&portal.world().plan_admin).await;
    let token = issue(&admin, &organization).await;
    assert_eq!(token["issuedOn"], "2026-03-01");
    assert_eq!(token["expiresAt"], "2026-04-01T07:00:00Z", "midnight in daylight-saving time");

    let end = Utc.with_ymd_and_hms(2026, 4, 1, 7, 0, 0).unwrap();
    let list = "{ registrationTokens { nodes { status } } }";
    let status = async || {
        let admin = portal.client(&portal.world().plan_admin).await;
        admin.send(list, json!({})).await.data()["registrationTokens"]["nodes"][0]["status"].clone()
    };
    portal.clock.set(end - TimeDelta::seconds(1));
    assert_eq!(status().await, "ISSUED");
    let scheduler = Caller::system(portal.world().tenant, Uuid::new_v4(), None);
    let expire = ExpireRegistrationToken { token: id_of(&token) };
    let early = portal.service.commands.dispatch(&scheduler, None, &expire).await;
    assert_eq!(early.unwrap_err().code(), Some(Code::TooEarly));
    portal.clock.set(end);
    assert_eq!(status().await, "EXPIRED", "whether or not that was written down");
    let admin = portal.client(&portal.world().plan_admin).await;
    let next = issue(&admin, &organization).await;
    assert_eq!(next["status"], "ISSUED", "an expired token is in nobody's way");
    portal.finish().await;
}
