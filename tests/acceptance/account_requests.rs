//! The form by which anybody asks for an account (AL-01).

use std::time::Duration;

use rollcall_domain::{policies::Preset, values::AgreementKind};
use serde_json::{Value, json};

use crate::{
    enrolment::{import, line},
    support::{Answer, Client, Portal},
};

const DAY: u64 = 24 * 60 * 60;
const INES: &str = "ines@sierra.example";

fn form(overrides: Value) -> Value {
    let mut form = json!({
        "organizationName": "Sierra Family Clinic", "npi": "1000000004", "firstName": "Ines",
        "lastName": "Vega", "email": INES, "phone": "+12025550190",
        "agreement": { "version": "2", "boxes": ["READ"] },
    });
    form.as_object_mut().unwrap().extend(overrides.as_object().unwrap().clone());
    form
}

async fn submit(visitor: &Client, overrides: Value) -> Answer {
    visitor.mutate("submitAccountRequest", form(overrides), "requestId").await
}

async fn alliance() -> Portal {
    let portal = Portal::seeded("alliance", Preset::Alliance).await;
    portal.publish(AgreementKind::PortalTerms, "2", &["READ"]).await;
    portal
}

/// The plan's list with these arguments.
async fn list(plan: &Client, arguments: &str) -> Vec<Value> {
    let document = format!(
        "{{ accountRequests{arguments} {{ nodes {{
            id status organizationName npi email dueAt organizationId }} }} }}"
    );
    let answer = plan.send(&document, json!({})).await;
    answer.data()["accountRequests"]["nodes"].as_array().expect("nodes").clone()
}

#[tokio::test]
async fn al_01_anybody_asks_and_the_plan_makes_the_account_and_mails_the_way_in() {
    let portal = alliance().await;
    let support = portal.client(&portal.world().plan_support).await;
    let enrolled = import(&support, vec![line(json!({}))]).await;
    let organization = enrolled[0]["organizationId"].clone();
    let submitted = submit(&portal.anybody(), json!({})).await;
    let request = submitted.done()["requestId"].clone();
    let subject = "Your request for an account in alliance portal was received";
    Portal::newest(&portal.mailbox(INES).await, subject);

    // Monday, 12 January: seven business days end with Wednesday, 21 January.
    let waiting = list(&support, "(status: SUBMITTED)").await;
    assert_eq!((&waiting[0]["id"], &waiting[0]["npi"]), (&request, &json!("1000000004")));
    assert_eq!(waiting[0]["dueAt"], "2026-01-22T08:00:00Z");
    portal.advance(Duration::from_secs(3 * DAY));
    let support = portal.client(&portal.world().plan_support).await;
    assert_eq!(list(&support, "(ageDays: 3)").await.len(), 1);
    assert_eq!(list(&support, "(ageDays: 4)").await.len(), 0);
    assert_eq!(list(&support, "(overdue: true)").await.len(), 0);

    let input = json!({ "requestId": request, "organizationId": organization, "role": "ADMIN" });
    let fulfil = async || {
        let shown = "invitation { id status }";
        support.mutate("fulfilAccountRequest", input.clone(), shown).await
    };
    let done = fulfil().await;
    assert_eq!(done.done()["invitation"]["status"], "SENT");
    assert_eq!(fulfil().await.refused(), "ALREADY_DECIDED");
    let fulfilled = list(&support, "(status: FULFILLED)").await;
    assert_eq!(fulfilled[0]["organizationId"], organization);

    let token = portal.mailed_token(INES, "invitation").await;
    let visitor = portal.anybody();
    let opened = visitor.send(
        "query($token: String!) { invitation(token: $token) { email status step } }",
        json!({ "token": token }),
    );
    assert_eq!(opened.await.data()["invitation"]["email"], INES);
    let users = "query($id: ID!) { users(organizationId: $id) { nodes { email orgRole status } } }";
    let users = support.send(users, json!({ "id": organization })).await;
    let expected = json!([{ "email": INES, "orgRole": "ADMIN", "status": "INVITED" }]);
    assert_eq!(users.data()["users"]["nodes"], expected);
    portal.finish().await;
}

#[tokio::test]
async fn al_01_the_form_takes_the_terms_one_request_at_a_time_and_right_fields() {
    let portal = alliance().await;
    let visitor = portal.anybody();
    let untold = submit(&visitor, json!({ "agreement": null })).await;
    assert_eq!(untold.refused(), "AGREEMENT_REQUIRED");
    let unticked = json!({ "agreement": { "version": "2", "boxes": [] } });
    assert_eq!(submit(&visitor, unticked).await.refused(), "BOX_NOT_TICKED");
    for (field, value, code) in [
        ("npi", json!("1234567890"), "NPI_INVALID"),
        ("npi", Value::Null, "FIELD_REQUIRED"),
        ("email", json!("no address"), "EMAIL_INVALID"),
        ("phone", json!("+10125550123"), "PHONE_INVALID"),
        ("organizationName", json!(" "), "FIELD_REQUIRED"),
    ] {
        let refused = submit(&visitor, json!({ field: value })).await;
        assert_eq!((refused.refused(), &refused.refusal()["field"]), (code, &json!([field])));
    }
    let by_tax_id = json!({ "npi": null, "taxIdType": "EIN", "taxId": "12-3456789" });
    submit(&visitor, by_tax_id).await.done();
    let again = submit(&visitor, json!({ "email": "INES@sierra.example" })).await;
    assert_eq!(again.refused(), "DUPLICATE_REQUEST");
    portal.finish().await;
}

#[tokio::test]
async fn al_01_the_plan_declines_with_a_reason_and_the_address_may_ask_again() {
    let portal = alliance().await;
    let world = portal.world();
    let visitor = portal.anybody();
    let request = submit(&visitor, json!({})).await.done()["requestId"].clone();
    let reject = async |client: &Client, reason: Value| {
        let input = json!({ "requestId": request, "reason": reason });
        client.mutate("rejectAccountRequest", input, "request { status }").await
    };
    let admin = portal.client(&world.clinic_admin).await;
    assert_eq!(reject(&admin, json!("No such office.")).await.refused(), "FORBIDDEN");
    let hidden = admin.send("{ accountRequests { nodes { id } } }", json!({})).await;
    assert_eq!(hidden.error_code(), "FORBIDDEN");
    let support = portal.client(&world.plan_support).await;
    assert_eq!(reject(&support, Value::Null).await.refused(), "REASON_REQUIRED");
    let done = reject(&support, json!("No such office.")).await;
    assert_eq!(done.done()["request"]["status"], "REJECTED");
    let subject = "Your request for an account in alliance portal was declined";
    Portal::newest(&portal.mailbox(INES).await, subject);
    submit(&visitor, json!({})).await.done();
    portal.advance(Duration::from_secs(10 * DAY));
    let support = portal.client(&world.plan_support).await;
    portal.settle().await;
    assert_eq!(list(&support, "(overdue: true)").await.len(), 1, "the declined one is decided");
    portal.finish().await;
}

#[tokio::test]
async fn al_01_where_there_is_no_form_nobody_files_it() {
    for (slug, preset) in [
        ("medi-cal", Preset::MediCal),
        ("cencal", Preset::Cencal),
        ("carecentrix", Preset::Carecentrix),
        ("hardened", Preset::Hardened),
    ] {
        let portal = Portal::seeded(slug, preset).await;
        let refused = submit(&portal.anybody(), json!({ "agreement": null })).await;
        assert_eq!(refused.refused(), "FEATURE_DISABLED", "{slug}");
        portal.finish().await;
    }
}
