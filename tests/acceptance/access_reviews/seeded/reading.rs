//! What a review and its list show.

use std::time::Duration;

use rollcall_domain::{
    access_reviews::ReviewDecision, kernel::ids::UserId, organizations::OrgRole, policies::Preset,
};
use serde_json::json;
use sqlx::{Connection, PgConnection};
use uuid::Uuid;

use super::Review;
use crate::{
    audit::statements::{caller, fewest},
    rebuild::every_rebuild_agrees,
    support::{Person, Portal},
};

const KEEP: ReviewDecision = ReviewDecision::Keep;
const REVOKE: ReviewDecision = ReviewDecision::Revoke { left_on: None };
const COUNTS: &str = "counts { undecided pending kept revoked changed gone }";

#[tokio::test]
async fn cc_13_a_review_is_read_with_its_list_its_decisions_and_its_signature() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let (ann, abe) = (&world.clinic_admin, &world.clinic_second_admin);
    let people = [
        (ann, OrgRole::Admin),
        (&world.processor, OrgRole::None),
        (&world.npi_admin, OrgRole::None),
    ];
    let review = Review::open(&portal, (&world.clinic, abe), &people).await;
    let admin = portal.client(abe).await;
    let told = review.seen_by(&admin, "status population scope { choice } openedBy { name }").await;
    let by = json!({ "name": "Abe Fox" });
    let opened = json!({ "status": "OPEN", "population": 3, "scope": { "choice": "ROSTER" },
                         "openedBy": by });
    assert_eq!(told, opened);
    let page = review.items(&admin, ", first: 2", "user { name } role outcome memberSince").await;
    assert_eq!(page["nodes"][0]["user"]["name"], "Ann Lee");
    assert_eq!(page["nodes"][0]["role"], "ADMIN");
    assert!(page["nodes"][0]["memberSince"].is_string(), "{page}");
    assert_eq!(page["pageInfo"]["hasNextPage"], true);
    let after = page["pageInfo"]["endCursor"].as_str().expect("a cursor");
    let rest = review.items(&admin, &format!(", after: \"{after}\""), "outcome").await;
    assert_eq!(rest["nodes"], json!([{ "item": 3, "outcome": "UNDECIDED" }]));

    review.decide(abe, &[1], KEEP).await;
    portal.advance(Duration::from_secs(40));
    review.decide(abe, &[2, 3], REVOKE).await;
    let told = review.seen_by(&admin, COUNTS).await;
    let counts =
        json!({ "undecided": 0, "pending": 2, "kept": 1, "revoked": 0, "changed": 0, "gone": 0 });
    assert_eq!(told["counts"], counts);
    let fields = "outcome decision reason decidedBy { name } verified delaySeconds";
    review.executed(2, Duration::from_secs(10)).await;
    let second = review.items(&admin, ", outcome: REVOKED", fields).await;
    let expected = json!([{ "item": 2, "outcome": "REVOKED", "decision": "REVOKE",
        "reason": "Left the practice.", "decidedBy": by, "verified": true, "delaySeconds": 10 }]);
    assert_eq!(second["nodes"], expected);
    // Another decision takes the place of one that has not taken effect.
    review.decide(abe, &[3], KEEP).await;
    review.complete(abe).await;
    let fields = format!(
        "status joiners {COUNTS} attestation {{ name statement signedBy {{ name }} }}
         closedBy {{ name }} resultsSha256
         figures {{ approvalRate secondsPerItem medianSecondsToRemoval progress {{ decided left }} }}"
    );
    let told = review.seen_by(&admin, &fields).await;
    assert_eq!((&told["status"], &told["joiners"]), (&json!("COMPLETED"), &json!(1)), "{told}");
    assert_eq!(told["attestation"]["name"], "Ann Lee");
    assert_eq!(told["attestation"]["signedBy"], by);
    assert!(told["attestation"]["statement"].as_str().expect("a text").starts_with("I reviewed"));
    assert_eq!(told["counts"]["kept"], 2);
    assert_eq!(told["counts"]["revoked"], 1);
    assert_eq!(told["resultsSha256"].as_str().map(str::len), Some(64));
    // GN-15: forty seconds for two items, and ten for the last one.
    let figures = &told["figures"];
    assert_eq!(figures["secondsPerItem"], 50.0 / 3.0);
    assert_eq!(figures["medianSecondsToRemoval"], 10.0);
    assert_eq!(figures["progress"], json!([{ "decided": 3, "left": 0 }]));
    assert_eq!(figures["approvalRate"], 2.0 / 3.0);
    portal.settle().await;
    every_rebuild_agrees(&portal).await;
    portal.finish().await;
}

#[tokio::test]
async fn gn_16_items_tell_sign_ins_uses_and_what_was_decided_before_and_advise() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let abe = &world.clinic_second_admin;
    let people = [(&world.npi_admin, OrgRole::None), (&world.processor, OrgRole::None)];
    let first = Review::open(&portal, (&world.clinic, abe), &people).await;
    first.decide(abe, &[1], KEEP).await;
    portal.client(&world.npi_admin).await;
    portal.advance(Duration::from_secs(100 * 24 * 3600));
    let second = Review::open(&portal, (&world.clinic, abe), &people).await;
    let admin = portal.client(abe).await;
    let fields = "lastSignInAt grantedAt grantCause isMember changedSince
      previousDecision { decision decidedBy { name } accessReviewId }
      rights { right count lastUse { state on } } recommendation { advice grounds { kind at right } }";
    let page = second.items(&admin, "", fields).await;
    let (nora, paul) = (&page["nodes"][0], &page["nodes"][1]);
    assert!(nora["lastSignInAt"].is_string() && nora["grantedAt"].is_string(), "{page}");
    assert_eq!(nora["recommendation"]["advice"], "KEEP");
    assert_eq!(nora["recommendation"]["grounds"][0]["kind"], "SIGNED_IN");
    assert_eq!(nora["previousDecision"]["decision"], "KEEP");
    assert_eq!(nora["previousDecision"]["decidedBy"]["name"], "Abe Fox");
    let rights = nora["rights"].as_array().expect("a list");
    let pins = rights.iter().find(|it| it["right"] == "MANAGE_PIN").expect("an NPI's Admin");
    assert_eq!(pins["lastUse"]["state"], "UNUSED_SINCE", "{rights:?}");
    let read = rights.iter().find(|it| it["right"] == "READ_CORRESPONDENCE");
    assert!(read.is_none_or(|it| it["lastUse"]["state"] == "NOT_OBSERVABLE"), "{rights:?}");
    // Who never signed in within ninety days is recommended to go; what cannot be observed is no ground.
    assert_eq!((&paul["lastSignInAt"], &paul["previousDecision"]), (&json!(null), &json!(null)));
    assert_eq!(paul["recommendation"]["advice"], "REVOKE", "{paul}");
    assert_eq!(paul["recommendation"]["grounds"][0]["kind"], "NOT_SIGNED_IN_SINCE");
    let grounds = paul["recommendation"]["grounds"].as_array().expect("a list");
    assert!(grounds.iter().all(|it| it["right"] != "READ_CORRESPONDENCE"), "{grounds:?}");
    // Who came after the list was frozen stands in a list of their own.
    portal.advance(Duration::from_secs(3600));
    portal.somebody_without_password().await;
    let admin = portal.client(abe).await;
    let document = "query($id: ID!) { accessReviewJoiners(accessReviewId: $id) {
        nodes { user { name } role } } }";
    let joiners = admin.send(document, json!({ "id": second.id })).await;
    let nodes = &joiners.data()["accessReviewJoiners"]["nodes"];
    assert_eq!(*nodes, json!([{ "user": { "name": "Wanda Late" }, "role": "NONE" }]));
    portal.finish().await;
}

#[tokio::test]
async fn gn_15_a_page_comes_with_a_receipt_of_what_it_shows() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let abe = &world.clinic_second_admin;
    let people = [(&world.npi_admin, OrgRole::None), (&world.processor, OrgRole::None)];
    let review = Review::open(&portal, (&world.clinic, abe), &people).await;
    let (admin, support) = (portal.client(abe).await, portal.client(&world.plan_support).await);
    let page = review.items(&admin, "", "outcome").await;
    let secrets = portal.service.commands.journal.secrets();
    let receipt = page["receipt"].as_str().expect("a receipt");
    let read = rollcall_commands::access_reviews::receipt::read;
    let seen = read(secrets, abe.user, receipt).expect("it is his");
    assert_eq!(json!(seen.sha256), page["sha256"]);
    assert_eq!(json!(seen.position.to_string()), page["position"]);
    assert!(read(secrets, world.plan_support.user, receipt).is_err(), "it is nobody else's");
    // Another reader of the same page has the same hash; another page has not.
    assert_eq!(review.items(&support, "", "outcome").await["sha256"], page["sha256"]);
    assert_ne!(review.items(&support, ", first: 1", "outcome").await["sha256"], page["sha256"]);
    review.decide(abe, &[1], KEEP).await;
    assert_ne!(review.items(&admin, "", "outcome").await["sha256"], page["sha256"]);
    portal.finish().await;
}

/// Where the newest decision stands; what comes by itself may follow it.
async fn last_decision(portal: &Portal) -> i64 {
    let mut session = PgConnection::connect_with(&portal.database()).await.expect("a connection");
    let decided = "SELECT max(tenant_position) FROM es.events
                    WHERE event_type = 'access_reviews.access_review.review_item_decided'";
    sqlx::query_scalar(decided).fetch_one(&mut session).await.expect("a decision")
}

#[tokio::test]
async fn gn_13_an_explanation_names_the_last_review_that_let_the_membership_stand_as_of_then() {
    let portal = Portal::seeded("medi-cal", Preset::MediCal).await;
    let world = portal.world().clone();
    let abe = &world.clinic_second_admin;
    let people = [(&world.npi_admin, OrgRole::None)];
    let review = Review::open(&portal, (&world.clinic, abe), &people).await;
    portal.advance(Duration::from_secs(3600));
    let before = portal.now();
    portal.advance(Duration::from_secs(3600));
    review.decide(abe, &[1], KEEP).await;
    let kept_at = last_decision(&portal).await;
    portal.advance(Duration::from_secs(3600));
    let auditor = portal.client(&world.auditor).await;
    let document = "query($user: ID!, $of: ID, $asOf: DateTime, $position: Position) {
        accessExplanation(userId: $user, organizationId: $of, right: VIEW_ORGANIZATION, asOf: $asOf,
                          asOfPosition: $position) {
          lastReview { decision decidedBy { name } accessReviewId event { type } eventPosition } } }";
    let ask = async |client: &crate::support::Client, when: serde_json::Value| {
        let mut variables = json!({ "user": world.npi_admin.user, "of": world.clinic.id });
        variables.as_object_mut().expect("an object").extend(when.as_object().cloned().unwrap());
        let answer = client.send(document, variables).await;
        answer.data()["accessExplanation"]["lastReview"].clone()
    };
    let told = ask(&auditor, json!({})).await;
    assert_eq!(told["decision"], "KEEP", "{told}");
    assert_eq!(told["decidedBy"]["name"], "Abe Fox");
    assert_eq!(told["event"]["type"], "access_reviews.access_review.review_item_decided");
    assert_eq!(told["eventPosition"], kept_at.to_string());
    assert_eq!(ask(&auditor, json!({ "asOf": before })).await, json!(null));
    let unknown = json!({ "position": (kept_at - 1).to_string() });
    assert_eq!(ask(&auditor, unknown).await, json!(null));
    // One that another decision took the place of does not count, but did as of then.
    review.decide(abe, &[1], REVOKE).await;
    assert_eq!(ask(&auditor, json!({})).await, json!(null));
    let then = ask(&auditor, json!({ "position": kept_at.to_string() })).await;
    assert_eq!(then["decision"], "KEEP");
    portal.finish().await;
}

#[tokio::test]
async fn a_page_of_a_reviews_list_takes_the_same_few_statements_however_long_it_is() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let abe = &world.clinic_second_admin;
    let somebody = |n: u128| Person {
        user: UserId(Uuid::from_u128(n)),
        email: String::new(),
        username: None,
        organization: None,
    };
    let others: Vec<Person> = (1..60).map(somebody).collect();
    let known = [&world.npi_admin, &world.processor];
    let people: Vec<_> = known.into_iter().chain(&others).map(|who| (who, OrgRole::None)).collect();
    let review = Review::open(&portal, (&world.clinic, abe), &people).await;
    review.decide(abe, &[1, 2, 3], KEEP).await;
    portal.settle().await;
    let auditor = portal.client(&world.auditor).await;
    let caller = caller(&portal, &auditor).await;
    let items = |first: u32| {
        format!(
            "{{ accessReviewItems(accessReviewId: \"{}\", first: {first}) {{ receipt nodes {{
                user {{ name }} grantEvent {{ sentence }} rights {{ right }} reason
                decidedBy {{ name }} }} }} }}",
            review.id
        )
    };
    let short = fewest(&portal, &caller, &items(2)).await;
    let long = fewest(&portal, &caller, &items(60)).await;
    assert_eq!(short, long);
    assert!((4..=24).contains(&long), "{long} statements");
    portal.finish().await;
}
