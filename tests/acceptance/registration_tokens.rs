//! Letter tokens: issued once, delivered on paper, good for thirty local days (MC-03, MC-04).

use chrono::{TimeDelta, TimeZone, Utc};
use rollcall_commands::{
    Caller,
    organizations::{
        letter::Letter,
        tokens::{ExpireRegistrationToken, find, token_text},
    },
};
use rollcall_domain::{
    Code,
    kernel::ids::RegistrationTokenId,
    organizations::{RegistrationToken, RegistrationTokenEvent},
    policies::Preset,
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    enrolment::{import, line},
    support::{Client, Portal, uuid_of},
};

const TOKEN: &str =
    "registrationToken { id status issuedOn expiresAt organizationName letter { url } }";

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

/// Opens a document as somebody, or as nobody; answers status, caching and the bytes.
async fn open(portal: &Portal, url: &str, who: Option<&Client>) -> (u16, String, Vec<u8>) {
    let url = format!("http://{}{url}", portal.service.address);
    let mut request = reqwest::Client::new().get(url);
    if let Some(client) = who {
        request = request.bearer_auth(client.token.as_deref().expect("signed in"));
    }
    let answer = request.send().await.expect("the service answers");
    let caching = answer.headers()["cache-control"].to_str().expect("text").to_owned();
    let status = answer.status().as_u16();
    (status, caching, answer.bytes().await.expect("a body").to_vec())
}

async fn openings(portal: &Portal, token: RegistrationTokenId) -> usize {
    let events = portal.events::<RegistrationToken>(token).await;
    let is_opening = |event: &&RegistrationTokenEvent| {
        matches!(event, RegistrationTokenEvent::LetterOpened { .. })
    };
    events.iter().filter(is_opening).count()
}

#[tokio::test]
async fn mc_03_a_plan_administrator_opens_the_letter_and_each_opening_is_on_record() {
    let portal = Portal::medi_cal().await;
    let organization = enrolled(&portal, json!({})).await;
    let admin = portal.client(&portal.world().plan_admin).await;
    let issued = issue(&admin, &organization).await;
    let token = id_of(&issued);
    let url = issued["letter"]["url"].as_str().expect("a link to the letter").to_owned();
    for times in 1..=2 {
        let (status, caching, pdf) = open(&portal, &url, Some(&admin)).await;
        assert_eq!((status, caching.as_str()), (200, "no-store"));
        let text = token_text(portal.service.commands.journal.secrets(), token);
        assert!(pdf.starts_with(b"%PDF-"), "a PDF");
        assert!(pdf.windows(text.len()).any(|window| window == text.as_bytes()), "with the token");
        assert_eq!(openings(&portal, token).await, times);
    }
    let address = format!("http://{}{url}", portal.service.address);
    let head = reqwest::Client::new().head(address).bearer_auth(admin.token.as_deref().unwrap());
    assert_eq!(head.send().await.expect("the service answers").status().as_u16(), 405);
    assert_eq!(openings(&portal, token).await, 2, "nobody saw anything");
    portal.settle().await;
    let told = "{ auditEvents(first: 5) { nodes { sentence } } }";
    let auditor = portal.client(&portal.world().auditor).await;
    let told = auditor.send(told, json!({})).await.data().to_string();
    let sentence = "Pia Stone opened the letter with the token of Sierra Family Clinic.";
    assert!(told.contains(sentence), "{told}");

    let revoke = json!({ "tokenId": token.to_string(), "reason": "Sent to the wrong clinic." });
    let revoked = admin.mutate("revokeRegistrationToken", revoke, TOKEN).await;
    assert_eq!(revoked.done()["registrationToken"]["letter"], Value::Null);
    assert_eq!(open(&portal, &url, Some(&admin)).await.0, 404, "the token is ISSUED no more");
    assert_eq!(openings(&portal, token).await, 2);
    portal.finish().await;
}

#[tokio::test]
async fn mc_03_nobody_but_who_issues_tokens_opens_a_letter_and_only_to_its_last_second() {
    let portal = Portal::medi_cal().await;
    let organization = enrolled(&portal, json!({})).await;
    let admin = portal.client(&portal.world().plan_admin).await;
    let issued = issue(&admin, &organization).await;
    let token = id_of(&issued);
    let url = issued["letter"]["url"].as_str().expect("a link to the letter").to_owned();

    let world = portal.world();
    let support = portal.client(&world.plan_support).await;
    let list = "{ registrationTokens { nodes { letter { url } } } }";
    let seen = support.send(list, json!({})).await;
    assert_eq!(seen.data()["registrationTokens"]["nodes"][0]["letter"], Value::Null);
    let other = portal.another_tenant("other-plan", Preset::MediCal).await;
    for stranger in [
        support,
        portal.client(&world.auditor).await,
        portal.client(&world.clinic_admin).await,
        portal.client_in(&other, Preset::MediCal, &other.plan_admin).await,
    ] {
        let (status, caching, _) = open(&portal, &url, Some(&stranger)).await;
        assert_eq!((status, caching.as_str()), (404, "no-store"));
    }
    assert_eq!(open(&portal, &url, None).await.0, 401);
    let unknown = url.replace(&token.to_string(), &Uuid::new_v4().to_string());
    assert_eq!(open(&portal, &unknown, Some(&admin)).await.0, 404);
    let nonsense = url.replace(&token.to_string(), "nonsense");
    assert_eq!(open(&portal, &nonsense, Some(&admin)).await.0, 404);
    assert_eq!(openings(&portal, token).await, 0);

    // Issued on 12 January for thirty days: over with 11 February, Pacific time.
    let end = Utc.with_ymd_and_hms(2026, 2, 12, 8, 0, 0).unwrap();
    for (at, status) in [(end - TimeDelta::seconds(1), 200), (end, 404)] {
        portal.clock.set(at);
        let admin = portal.client(&world.plan_admin).await;
        assert_eq!(open(&portal, &url, Some(&admin)).await.0, status, "{at}");
    }
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

#[tokio::test]
async fn gn_03_a_token_is_taken_back_with_a_reason_and_a_returned_letter_is_noted() {
    let portal = Portal::medi_cal().await;
    let organization = enrolled(&portal, json!({})).await;
    let admin = portal.client(&portal.world().plan_admin).await;
    let token = issue(&admin, &organization).await;
    let support = portal.client(&portal.world().plan_support).await;
    let returned = async |client: &Client, id: &Value| {
        let selection = "registrationToken { status letterReturned }";
        client.mutate("recordLetterReturned", json!({ "tokenId": id }), selection).await
    };
    let noted = returned(&support, &token["id"]).await;
    assert_eq!(
        noted.done()["registrationToken"],
        json!({ "status": "ISSUED", "letterReturned": true })
    );
    let nowhere = json!(Uuid::new_v4().to_string());
    assert_eq!(returned(&support, &nowhere).await.refused(), "NOT_FOUND");
    let stranger = portal.client(&portal.world().clinic_admin).await;
    assert_eq!(returned(&stranger, &token["id"]).await.refused(), "FORBIDDEN");

    let revoke = async |reason: &str| {
        let input = json!({ "tokenId": token["id"], "reason": reason });
        admin.mutate("revokeRegistrationToken", input, TOKEN).await
    };
    assert_eq!(revoke(" ").await.refused(), "REASON_REQUIRED");
    let revoked = revoke("The letter came back.").await;
    assert_eq!(revoked.done()["registrationToken"]["status"], "REVOKED");
    assert_eq!(revoke("Once more.").await.refused(), "TOKEN_REVOKED");
    let input = json!({ "organizationId": organization, "reason": "A new letter." });
    let next = admin.mutate("reissueRegistrationToken", input, TOKEN).await;
    assert_eq!(next.done()["registrationToken"]["status"], "ISSUED");
    portal.finish().await;
}
