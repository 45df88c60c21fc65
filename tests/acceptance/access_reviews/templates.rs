//! Templates: saved, changed, opened by hand, and by themselves when their date comes, once.

use chrono::{DateTime, TimeDelta, Utc};
use rollcall_domain::access_reviews::{AccessReview, AccessReviewEvent, Opener};
use serde_json::{Value, json};
use uuid::Uuid;

use super::schedule::{at, come_to};
use crate::{
    rebuild::every_rebuild_agrees,
    support::{Answer, Client, Person, Portal, uuid_of},
};

const SHOWN: &str =
    "reviewTemplate { id name version nextOpening lastCampaignId lastOpenedAt lastDueOn
  lastSkipReason retiredAt openDays changedOnly organizationIds organizationKind setBy { name }
  scope { choice } recurrence { everyDays from dates } }";

async fn create(client: &Client, input: Value) -> Value {
    client.mutate("createReviewTemplate", input, SHOWN).await.done()["reviewTemplate"].clone()
}

async fn send(client: &Client, what: &str, template: &Value, more: Value) -> Answer {
    let mut input = more;
    input["reviewTemplateId"] = template["id"].clone();
    let shown = if what == "openReviewTemplate" {
        "reviewCampaign { id name dueOn changedOnly reviewTemplateId }"
    } else {
        SHOWN
    };
    client.mutate(what, input, shown).await
}

async fn template(client: &Client, id: &Value) -> Value {
    let fields = SHOWN.trim_start_matches("reviewTemplate");
    let ask = format!("query($id: ID!) {{ reviewTemplate(id: $id) {fields} }}");
    client.send(&ask, json!({ "id": id })).await.data()["reviewTemplate"].clone()
}

/// What it opened, newest first.
async fn campaigns(client: &Client, template: &Value) -> Vec<Value> {
    let ask =
        "query($id: ID!) { reviewCampaigns(reviewTemplateId: $id) { nodes { id name dueOn status
        reviewTemplateId changedOnly openedBy { id } dueAt organizations { total skipped } } } }";
    let answer = client.send(ask, json!({ "id": template["id"] })).await;
    answer.data()["reviewCampaigns"]["nodes"].as_array().expect("nodes").clone()
}

fn quarterly() -> Value {
    json!({ "name": "Administrators", "choice": { "scope": "ADMINISTRATORS" }, "openDays": 20,
            "recurrence": { "everyDays": 90, "from": "2026-04-01" } })
}

fn moment(value: &Value) -> DateTime<Utc> {
    at(value.as_str().expect("a moment"))
}

#[tokio::test]
async fn gn_15_a_template_opens_its_campaign_at_the_second_its_day_begins_and_once() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let plan = portal.client(&world.plan_admin).await;
    let made = create(&plan, quarterly()).await;
    // Midnight there.
    let first = at("2026-04-01T07:00:00Z");
    assert_eq!(moment(&made["nextOpening"]), first);
    come_to(&portal, first - TimeDelta::seconds(1)).await;
    let plan = portal.client(&world.plan_admin).await;
    assert_eq!(campaigns(&plan, &made).await, Vec::<Value>::new());
    // Two processes look at the same date, and one of them is stopped after it.
    let other = portal.another_process().await;
    portal.clock.set(first);
    other.background.wake();
    come_to(&portal, first).await;
    other.stop().await;
    let portal = portal.restarted().await;
    come_to(&portal, first + TimeDelta::minutes(1)).await;
    let plan = portal.client(&world.plan_admin).await;
    let opened = campaigns(&plan, &made).await;
    assert_eq!(opened.len(), 1, "{opened:?}");
    let campaign = &opened[0];
    assert_eq!(
        (&campaign["name"], &campaign["dueOn"]),
        (&json!("Administrators 2026-04-01"), &json!("2026-04-01"))
    );
    assert_eq!(campaign["reviewTemplateId"], made["id"]);
    assert_eq!(moment(&campaign["dueAt"]), at("2026-04-21T07:00:00Z"));
    let by = campaign["openedBy"]["id"].as_str().expect("whose template it is");
    assert_eq!(uuid_of(by), world.plan_admin.user.0);
    let now = template(&plan, &made["id"]).await;
    assert_eq!(moment(&now["nextOpening"]), at("2026-06-30T07:00:00Z"));
    assert_eq!(
        (&now["lastCampaignId"], &now["lastDueOn"]),
        (&campaign["id"], &json!("2026-04-01"))
    );
    // Its reviews are the plan's, and nobody opened them by hand.
    let of =
        "query($id: ID!) { reviewCampaignOrganizations(reviewCampaignId: $id, state: UNDER_WAY)
              { nodes { accessReviewId } } }";
    let found = plan.send(of, json!({ "id": campaign["id"] })).await;
    let id = &found.data()["reviewCampaignOrganizations"]["nodes"][0]["accessReviewId"];
    let events = portal.events::<AccessReview>(uuid_of(id.as_str().expect("an id"))).await;
    let AccessReviewEvent::AccessReviewOpened { opened_by, .. } = &events[0] else { panic!() };
    assert_eq!(*opened_by, Opener::Scheduled);

    // The service was down for months: one campaign, the last one's.
    come_to(&portal, at("2027-02-01T12:00:00Z")).await;
    let plan = portal.client(&world.plan_admin).await;
    let opened = campaigns(&plan, &made).await;
    let dates: Vec<&Value> = opened.iter().map(|it| &it["dueOn"]).collect();
    assert_eq!(dates, [&json!("2026-12-27"), &json!("2026-04-01")]);
    let now = template(&plan, &made["id"]).await;
    assert_eq!(moment(&now["nextOpening"]), at("2027-03-27T07:00:00Z"));
    every_rebuild_agrees(&portal).await;
    portal.finish().await;
}

#[tokio::test]
async fn gn_15_a_template_covers_what_is_there_then_and_says_what_it_says_then() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let plan = portal.client(&world.plan_admin).await;
    let choice = json!({ "organizationIds": [world.clinic.id, world.hospital.id] });
    let dates = json!({ "dates": ["07-01", "02-01"] });
    let made =
        create(&plan, json!({ "name": "Twice a year", "choice": choice, "recurrence": dates }))
            .await;
    assert_eq!(moment(&made["nextOpening"]), at("2026-02-01T08:00:00Z"));
    assert_eq!(made["recurrence"]["dates"], json!(["02-01", "07-01"]));
    let stop = json!({ "organizationId": world.hospital.id, "reason": "Closed for now." });
    plan.mutate("suspendOrganization", stop, "").await.done();
    come_to(&portal, at("2026-02-01T08:00:00Z")).await;
    let plan = portal.client(&world.plan_admin).await;
    let opened = campaigns(&plan, &made).await;
    assert_eq!(opened[0]["organizations"]["total"], 1, "who is suspended is not covered");

    // Changed by whoever saw it as it is.
    let mut other = quarterly();
    other["choice"] = json!({ "organizationIds": [world.hospital.id] });
    other["recurrence"] = json!({ "everyDays": 30, "from": "2026-02-10" });
    other["expectedVersion"] = made["version"].clone();
    let stale = send(&plan, "changeReviewTemplate", &made, other.clone()).await;
    assert_eq!(stale.refused(), "VERSION_CONFLICT", "it opened one since");
    other["expectedVersion"] = template(&plan, &made["id"]).await["version"].clone();
    let changed = send(&plan, "changeReviewTemplate", &made, other).await;
    let changed = changed.done()["reviewTemplate"].clone();
    assert_eq!((&changed["name"], &changed["openDays"]), (&json!("Administrators"), &json!(20)));
    assert_eq!(moment(&changed["nextOpening"]), at("2026-02-10T08:00:00Z"));
    // Nobody is there to be reviewed on that day, which is written down; the next day is another one.
    come_to(&portal, at("2026-02-10T08:00:00Z")).await;
    let plan = portal.client(&world.plan_admin).await;
    let now = template(&plan, &made["id"]).await;
    assert_eq!(now["lastSkipReason"], "NO_ORGANIZATIONS", "{now}");
    assert_eq!(moment(&now["nextOpening"]), at("2026-03-12T07:00:00Z"));
    assert_eq!(campaigns(&plan, &made).await.len(), 1);
    let again = json!({ "organizationId": world.hospital.id });
    plan.mutate("reopenOrganization", again, "").await.done();
    come_to(&portal, at("2026-03-12T07:00:00Z")).await;
    let plan = portal.client(&world.plan_admin).await;
    assert_eq!(campaigns(&plan, &made).await.len(), 2);

    let retired = send(&plan, "retireReviewTemplate", &made, json!({})).await;
    let retired = retired.done()["reviewTemplate"].clone();
    assert_eq!((retired["retiredAt"].is_string(), &retired["nextOpening"]), (true, &Value::Null));
    come_to(&portal, at("2026-04-12T07:00:00Z")).await;
    let plan = portal.client(&world.plan_admin).await;
    assert_eq!(campaigns(&plan, &made).await.len(), 2, "nothing more");
    assert_eq!(
        send(&plan, "openReviewTemplate", &made, json!({})).await.refused(),
        "ALREADY_INACTIVE"
    );
    let list =
        |all: bool| format!("{{ reviewTemplates(withRetired: {all}) {{ nodes {{ id }} }} }}");
    for (all, expected) in [(false, 0), (true, 1)] {
        let listed = plan.send(&list(all), json!({})).await;
        let nodes = listed.data()["reviewTemplates"]["nodes"].as_array().map_or(9, Vec::len);
        assert_eq!(nodes, expected);
    }
    portal.finish().await;
}

#[tokio::test]
async fn gn_15_a_template_is_opened_by_hand_beside_its_dates_and_once_for_a_key() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let plan = portal.client(&world.plan_admin).await;
    let mut terms = quarterly();
    terms["changedOnly"] = json!(true);
    let made = create(&plan, terms).await;
    let support = portal.client(&world.plan_support).await;
    let key = json!({ "idempotencyKey": "once", "expectedVersion": made["version"] });
    let opened = send(&support, "openReviewTemplate", &made, key.clone()).await;
    let opened = opened.done()["reviewCampaign"].clone();
    let told = (&opened["name"], &opened["dueOn"], &opened["changedOnly"]);
    assert_eq!(told, (&json!("Administrators"), &Value::Null, &json!(true)));
    let again = send(&support, "openReviewTemplate", &made, key).await;
    assert_eq!(again.done()["reviewCampaign"]["id"], opened["id"]);
    portal.settle().await;
    let found = campaigns(&plan, &made).await;
    assert_eq!(found.len(), 1);
    let by = found[0]["openedBy"]["id"].as_str().expect("who did");
    assert_eq!(uuid_of(by), world.plan_support.user.0);
    let now = template(&plan, &made["id"]).await;
    assert_eq!((&now["lastCampaignId"], &now["lastDueOn"]), (&opened["id"], &Value::Null));
    assert_eq!(now["nextOpening"], made["nextOpening"]);
    // A date that is today counts.
    let today = json!({ "name": "Today", "choice": { "scope": "RIGHTS" },
                        "recurrence": { "dates": [portal.now().format("%m-%d").to_string()] } });
    let today = create(&plan, today).await;
    portal.settle().await;
    assert_eq!(campaigns(&plan, &today).await.len(), 1);
    portal.finish().await;
}

async fn refusal(portal: &Portal, who: &Person, input: Value) -> String {
    let client = portal.client(who).await;
    client.mutate("createReviewTemplate", input, SHOWN).await.refused().to_owned()
}

#[tokio::test]
async fn gn_15_who_may_not_open_campaigns_has_no_templates_and_bad_terms_are_refused() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    for who in [&world.clinic_admin, &world.processor, &world.auditor] {
        assert_eq!(refusal(&portal, who, quarterly()).await, "FORBIDDEN");
    }
    let plan = portal.client(&world.plan_admin).await;
    let made = create(&plan, quarterly()).await;
    portal.settle().await;
    let ann = portal.client(&world.clinic_admin).await;
    assert_eq!(template(&ann, &made["id"]).await, Value::Null);
    for what in ["openReviewTemplate", "retireReviewTemplate"] {
        assert_eq!(send(&ann, what, &made, json!({})).await.refused(), "FORBIDDEN", "{what}");
    }
    let nobody = json!({ "id": Uuid::nil() });
    assert_eq!(
        send(&plan, "retireReviewTemplate", &nobody, json!({})).await.refused(),
        "NOT_FOUND"
    );

    let with = |name: &str, value: Value| {
        let mut input = quarterly();
        input[name] = value;
        input
    };
    let recurrence = |value: Value| with("recurrence", value);
    for (bad, code) in [
        (with("name", json!(" ")), "FIELD_REQUIRED"),
        (with("openDays", json!(367)), "RANGE_INVALID"),
        (with("choice", json!({ "scope": "DORMANT" })), "FIELD_REQUIRED"),
        (with("choice", json!({ "organizationIds": [] })), "FIELD_INVALID"),
        (recurrence(json!({})), "FIELD_INVALID"),
        (recurrence(json!({ "everyDays": 90 })), "FIELD_INVALID"),
        (recurrence(json!({ "everyDays": 731, "from": "2026-04-01" })), "RANGE_INVALID"),
        (recurrence(json!({ "everyDays": 0, "from": "2026-04-01" })), "RANGE_INVALID"),
        (recurrence(json!({ "dates": ["02-30"] })), "DATE_INVALID"),
        (recurrence(json!({ "dates": [] })), "RANGE_INVALID"),
        (recurrence(json!({ "dates": ["04-01"], "everyDays": 90 })), "FIELD_INVALID"),
    ] {
        assert_eq!(refusal(&portal, &world.plan_admin, bad.clone()).await, code, "{bad}");
    }
    let dormant = json!({ "name": "x", "changedOnly": true,
                          "choice": { "scope": "DORMANT", "dormantDays": 30 } });
    assert_eq!(refusal(&portal, &world.plan_admin, dormant).await, "FIELD_INVALID");
    portal.finish().await;
}
