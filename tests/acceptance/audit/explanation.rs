//! What `accessExplanation` answers: why a person has a right, or why not.

use std::time::Duration;

use rollcall_domain::{permissions::NpiLevel, policies::Preset};
use serde_json::{Value, json};

use super::{keep_to, set_level};
use crate::support::{Client, Person, Portal};

const WHY: &str =
    "query($user: ID!, $organization: ID, $right: AccessRight!, $npi: NPI, $of: String,
    $asOf: DateTime, $position: Position, $min: Position) {
  accessExplanation(userId: $user, organizationId: $organization, right: $right, npi: $npi, of: $of,
                    asOf: $asOf, asOfPosition: $position, minPosition: $min) {
    held heldFrom heldUntil neverGranted policyVersion asOf asOfPosition
    user { name } organization { name } policyEvent { type }
    conditions { kind met since cause eventPosition }
    ways { source of met requirements { kind of met since eventPosition event { sentence } } }
    missing { kind of since until cause eventPosition event { sentence actor { name } } }
    trail { kind eventPosition event { position type sentence actor { name } } } } }";

async fn why(client: &Client, variables: Value) -> Value {
    client.send(WHY, variables).await.data()["accessExplanation"].clone()
}

async fn reason(client: &Client, variables: Value) -> (String, Value) {
    let answer = client.send(WHY, variables).await;
    let extensions = &answer.body["errors"][0]["extensions"];
    let reason = extensions["reason"].as_str().or(extensions["code"].as_str());
    (reason.unwrap_or("-").to_owned(), extensions["field"].clone())
}

async fn min(portal: &Portal) -> String {
    portal.position().await.to_string()
}

fn missing(answer: &Value) -> Vec<String> {
    let missing = answer["missing"].as_array().expect("a list");
    missing.iter().map(|it| it["kind"].as_str().expect("a kind").to_owned()).collect()
}

fn trail(answer: &Value) -> Vec<String> {
    let trail = answer["trail"].as_array().expect("a list");
    trail
        .iter()
        .map(|link| format!("{} {}", link["kind"], link["event"]["actor"]["name"]).replace('"', ""))
        .collect()
}

async fn define_and_assign(portal: &Portal, to: &Person) -> String {
    let world = portal.world();
    let admin = portal.client(&world.clinic_admin).await;
    let desk = json!({ "organizationId": world.clinic.id, "name": "Front desk",
                       "features": ["ELIGIBILITY", "CLAIMS"] });
    let defined = admin.mutate("defineJobRole", desk, "jobRole { id }").await;
    let role = defined.done()["jobRole"]["id"].as_str().expect("an id").to_owned();
    let assign = json!({ "organizationId": world.clinic.id, "userId": to.user, "jobRoleId": role });
    admin.mutate("assignJobRole", assign, "position").await.done();
    role
}

#[tokio::test]
async fn gn_13_a_right_leads_back_to_its_request_and_the_approval() {
    let portal = Portal::seeded("cencal", Preset::Cencal).await;
    let world = portal.world();
    let paul = portal.client(&world.processor).await;
    let input = json!({ "organizationId": world.clinic.id, "why": "For my work.",
                        "items": [{ "feature": "EOP_REPORTS" }] });
    let asked = paul.mutate("requestAccess", input, "accessRequest { id }").await;
    let request = asked.done()["accessRequest"]["id"].clone();
    portal.advance(Duration::from_secs(3600));
    let admin = portal.client(&world.clinic_admin).await;
    let approve = json!({ "organizationId": world.clinic.id, "accessRequestId": request,
                          "decision": "APPROVE" });
    admin.mutate("decideAccessRequest", approve, "position").await.done();
    let approved_at = portal.service.commands.journal.now();
    portal.advance(Duration::from_secs(3600));
    let auditor = portal.client(&world.auditor).await;
    let ask = json!({ "user": world.processor.user, "organization": world.clinic.id,
                      "right": "USE_FEATURE", "of": "EOP_REPORTS", "min": min(&portal).await });
    let told = why(&auditor, ask.clone()).await;
    assert_eq!((&told["held"], &told["neverGranted"]), (&json!(true), &json!(false)), "{told}");
    assert_eq!(trail(&told), ["REQUEST Paul Kim", "APPROVAL Ann Lee", "GRANT Ann Lee"], "{told}");
    let grant = &told["trail"][2]["event"];
    assert_eq!(grant["position"], told["trail"][2]["eventPosition"]);
    assert_eq!(grant["type"], "permissions.membership.feature_granted");
    let from: chrono::DateTime<chrono::Utc> =
        told["heldFrom"].as_str().expect("since when").parse().expect("a moment");
    assert_eq!((from, &told["heldUntil"]), (approved_at, &Value::Null));
    let conditions = told["conditions"].as_array().expect("conditions");
    assert!(conditions.iter().all(|it| it["met"] == true), "{told}");
    let kinds: Vec<_> = conditions.iter().map(|it| it["kind"].as_str().expect("a kind")).collect();
    assert_eq!(
        kinds,
        [
            "ACCOUNT_ACTIVE",
            "MEMBERSHIP_ACTIVE",
            "ORGANIZATION_ACTIVE",
            "CONTRACT",
            "POLICY",
            "FEATURE"
        ]
    );
    assert!(conditions[1]["since"].is_string() && conditions[1]["eventPosition"].is_string());
    assert_eq!(told["missing"], json!([]));
    assert_eq!(told["policyEvent"]["type"], "policies.policy.preset_applied");
    assert_ne!(told["policyVersion"], "0");
    // Before it was given, it had never been.
    let mut before = ask;
    before["asOf"] = json!((approved_at - chrono::TimeDelta::minutes(1)).to_rfc3339());
    let before = why(&auditor, before).await;
    assert_eq!((&before["held"], &before["neverGranted"]), (&json!(false), &json!(true)));
    assert_eq!((missing(&before), trail(&before).len()), (vec!["GRANT".to_owned()], 0), "{before}");
    portal.finish().await;
}

#[tokio::test]
async fn gn_13_a_right_by_a_job_role_or_implied_by_the_policy_says_so() {
    let portal = Portal::seeded("cencal", Preset::Cencal).await;
    let world = portal.world();
    let role = define_and_assign(&portal, &world.processor).await;
    let auditor = portal.client(&world.auditor).await;
    let ask = json!({ "user": world.processor.user, "organization": world.clinic.id,
                      "right": "USE_FEATURE", "of": "CLAIMS", "min": min(&portal).await });
    let told = why(&auditor, ask).await;
    let expected = ["POLICY Rollcall", "JOB_ROLE Ann Lee", "GRANT Ann Lee"];
    assert_eq!(trail(&told), expected, "{told}");
    let ways = told["ways"].as_array().expect("ways");
    let by_role = ways.iter().find(|way| way["source"] == "JOB_ROLE").expect("the way it is held");
    assert_eq!((&by_role["met"], &by_role["of"]), (&json!(true), &json!(role)));
    let direct = ways.iter().find(|way| way["source"] == "DIRECT").expect("the other way");
    assert_eq!(direct["met"], false);
    // Administrators manage users by the policy.
    let ask = json!({ "user": world.clinic_admin.user, "organization": world.clinic.id,
                      "right": "USE_FEATURE", "of": "USER_MANAGEMENT" });
    let told = why(&auditor, ask).await;
    assert_eq!(told["held"], true, "{told}");
    let implied: Vec<_> = told["ways"]
        .as_array()
        .expect("ways")
        .iter()
        .filter(|way| way["met"] == true)
        .map(|way| (way["source"].clone(), way["requirements"][1]["of"].clone()))
        .collect();
    assert_eq!(implied, [(json!("IMPLIED_BY_ADMIN"), json!("admin.implied"))], "{told}");
    assert!(trail(&told).iter().any(|link| link.starts_with("POLICY")), "{told}");
    portal.finish().await;
}

#[tokio::test]
async fn gn_14_why_not_names_what_is_missing_and_since_when() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let admin = portal.client(&world.clinic_admin).await;
    let known = portal.position().await;
    let leave = json!({ "organizationId": world.clinic.id, "userId": world.processor.user,
                        "confirm": true, "reason": "Left.", "leftOn": "2026-01-10" });
    admin.mutate("deactivateUser", leave, "position").await.done();
    let auditor = portal.client(&world.auditor).await;
    let ask = |npi: &str, as_of: Option<&str>, position: Option<i64>| {
        json!({ "user": world.processor.user, "organization": world.clinic.id, "right": "VIEW_NPI",
                "npi": npi, "asOf": as_of, "min": known.to_string(),
                "position": position.map(|position| position.to_string()) })
    };
    let (own, other) = (world.clinic.npis[0].as_str(), world.clinic.npis[1].as_str());
    portal.settle().await;
    let during = "2026-01-11T12:00:00Z";
    let told = why(&auditor, ask(own, Some(during), None)).await;
    assert_eq!((&told["held"], &told["neverGranted"]), (&json!(false), &json!(false)));
    assert_eq!(missing(&told), ["MEMBERSHIP_ACTIVE"], "{told}");
    let lost = &told["missing"][0];
    assert_eq!(
        (&lost["since"], &lost["cause"], &lost["event"]["actor"]["name"]),
        (&json!("2026-01-11T08:00:00Z"), &json!("DEACTIVATION"), &json!("Ann Lee")),
    );
    // The last day at work is true of it; as was known then, it went on.
    let on_the_day = why(&auditor, ask(own, Some("2026-01-11T07:59:59Z"), None)).await;
    assert_eq!((&on_the_day["held"], missing(&on_the_day).len()), (&json!(true), 0));
    assert_eq!(on_the_day["heldUntil"], "2026-01-11T08:00:00Z");
    let known_then = why(&auditor, ask(own, Some(during), Some(known))).await;
    assert_eq!((&known_then["held"], &known_then["heldUntil"]), (&json!(true), &Value::Null));
    assert_eq!(known_then["asOfPosition"], known.to_string());
    // What was never given, is not told as lost.
    let never = why(&auditor, ask(other, None, None)).await;
    assert_eq!(never["neverGranted"], true);
    assert_eq!(missing(&never), ["MEMBERSHIP_ACTIVE", "GRANT"], "{never}");
    assert_eq!(never["missing"][1]["since"], Value::Null);
    portal.finish().await;
}

#[tokio::test]
async fn gn_14_a_level_taken_away_is_told_by_the_event_that_took_it() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let npi = world.clinic.npis[0].as_str();
    portal.advance(Duration::from_secs(60));
    let taken =
        set_level(&portal, &world.clinic_admin, &world.processor, npi, NpiLevel::None).await;
    let admin = portal.client(&world.clinic_admin).await;
    let ask = json!({ "user": world.processor.user, "right": "MANAGE_PIN", "npi": npi,
                      "min": taken.to_string() });
    let told = why(&admin, ask).await;
    assert_eq!(missing(&told)[0], "GRANT", "{told}");
    assert_eq!(told["missing"][0]["eventPosition"], taken.to_string());
    let sentence = told["missing"][0]["event"]["sentence"].as_str().expect("they see it");
    assert!(sentence.starts_with("Ann Lee set Paul Kim's permission"), "{sentence}");
    portal.finish().await;
}

#[tokio::test]
async fn gn_14_why_is_asked_within_ones_sight_and_in_full() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let stranger = portal.another_tenant("neighbour", Preset::MediCal).await;
    portal.settle().await;
    let npi = world.clinic.npis[0].as_str();
    let ask = |user: &Person, right: &str| json!({ "user": user.user, "organization": world.clinic.id, "right": right, "npi": npi });
    let auditor = portal.client(&world.auditor).await;
    let with = |mut ask: Value, field: &str, value: Value| {
        ask[field] = value;
        ask
    };
    let whose = ask(&world.processor, "VIEW_NPI");
    let early = with(whose.clone(), "asOf", json!("2020-01-01T00:00:00Z"));
    assert_eq!(reason(&auditor, early).await.0, "BEFORE_RECORDS");
    let beyond = with(whose.clone(), "position", json!("1000000"));
    assert_eq!(reason(&auditor, beyond).await.0, "RANGE_INVALID");
    let foreign = ask(&stranger.processor, "VIEW_NPI");
    assert_eq!(reason(&auditor, foreign).await, ("NOT_FOUND".into(), json!(["userId"])));
    let elsewhere = with(whose.clone(), "organization", json!(stranger.clinic.id));
    assert_eq!(reason(&auditor, elsewhere).await, ("NOT_FOUND".into(), json!(["organizationId"])));
    let nowhere = with(whose.clone(), "organization", Value::Null);
    assert_eq!(
        reason(&auditor, nowhere).await,
        ("FIELD_REQUIRED".into(), json!(["organizationId"]))
    );
    let without = with(whose.clone(), "npi", Value::Null);
    assert_eq!(reason(&auditor, without).await, ("FIELD_REQUIRED".into(), json!(["npi"])));
    let of_what = ask(&world.processor, "READ_CORRESPONDENCE");
    assert_eq!(reason(&auditor, of_what.clone()).await, ("FIELD_REQUIRED".into(), json!(["of"])));
    let lower = with(of_what, "of", json!("claim letters"));
    assert_eq!(reason(&auditor, lower).await, ("FIELD_INVALID".into(), json!(["of"])));
    let too_much = ask(&world.processor, "VIEW_ORGANIZATION");
    assert_eq!(reason(&auditor, too_much).await, ("FIELD_INVALID".into(), json!(["npi"])));
    // Everybody asks about themselves, administrators about their own people.
    let paul = portal.client(&world.processor).await;
    assert_eq!(why(&paul, whose.clone()).await["held"], true);
    let of_nora = ask(&world.npi_admin, "VIEW_NPI");
    assert_eq!(paul.send(WHY, of_nora).await.error_code(), "FORBIDDEN");
    let ann = portal.client(&world.clinic_admin).await;
    assert_eq!(why(&ann, whose.clone()).await["held"], true);
    let hana = portal.client(&world.hospital_admin).await;
    assert_eq!(hana.send(WHY, whose.clone()).await.error_code(), "FORBIDDEN");
    let own = with(whose.clone(), "organization", Value::Null);
    assert_eq!(reason(&hana, own).await, ("NOT_FOUND".into(), json!(["userId"])));
    // An auditor of one organisation.
    keep_to(&portal, &world.auditor, &world.hospital).await;
    assert_eq!(
        reason(&auditor, whose.clone()).await,
        ("NOT_FOUND".into(), json!(["organizationId"]))
    );
    let theirs = json!({ "user": world.hospital_admin.user, "organization": world.hospital.id,
                         "right": "VIEW_ORGANIZATION" });
    assert_eq!(why(&auditor, theirs).await["held"], true);
    let visitor = portal.visitor("medi-cal");
    assert_eq!(visitor.send(WHY, whose).await.error_code(), "UNAUTHENTICATED");
    portal.finish().await;
}

#[tokio::test]
async fn gn_14_who_asks_about_themself_is_told_of_their_own_organizations_only() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    portal.settle().await;
    let paul = portal.client(&world.processor).await;
    let user = world.processor.user;
    let ask = |organization: Value| json!({ "user": user, "organization": organization, "right": "VIEW_NPI", "npi": world.hospital.npis[0] });
    for foreign in [json!(world.hospital.id), json!(world.biller.id), json!(uuid::Uuid::new_v4())] {
        let expected = ("NOT_FOUND".to_owned(), json!(["organizationId"]));
        assert_eq!(reason(&paul, ask(foreign)).await, expected);
    }
    let own = why(&paul, ask(json!(world.clinic.id))).await;
    assert_eq!(
        (&own["held"], &own["organization"]["name"]),
        (&json!(false), &json!("Redwood Clinic"))
    );
    let whole_plan = json!({ "user": user, "right": "PLAN_ROLE", "of": "AU" });
    assert_eq!(why(&paul, whole_plan).await["neverGranted"], true);
    portal.finish().await;
}
