//! Reviews of what each may do: single rights on a list, taken away, lowered and given back (CC-13, GN-15).

use std::time::Duration;

use rollcall_domain::{
    access_reviews::AccessReviewEvent,
    kernel::ids::MembershipId,
    permissions::{Cause, Membership, MembershipEvent, NpiLevel},
    policies::Preset,
};
use serde_json::{Value, json};

use super::{Review, SHOWN, error};
use crate::{
    rebuild::every_rebuild_agrees,
    support::{Answer, Client, Person, Portal},
};

const RIGHT: &str = "user { name } kind granted { kind npi providerName level correspondenceType
  feature name until } lastUse { state } isHeld presentLevel changedSince grantCause outcome decision
  previousDecision { decision } recommendation { advice grounds { kind right } } verified delaySeconds";

/// The list as somebody is shown it, everything so far counted.
async fn listed(portal: &Portal, client: &Client, review: &Review) -> Vec<Value> {
    portal.settle().await;
    let document = format!(
        "query($id: ID!, $at: Position) {{ accessReviewItems(accessReviewId: $id, minPosition: $at) {{ nodes {{ item {RIGHT} }} }} }}"
    );
    let at = portal.position().await.to_string();
    let answer = client.send(&document, json!({ "id": review.id, "at": at })).await;
    answer.data()["accessReviewItems"]["nodes"].as_array().expect("a list").clone()
}

/// The number of somebody's right of a kind.
#[track_caller]
fn of(items: &[Value], who: &str, kind: &str) -> u32 {
    let found = items.iter().find(|it| it["user"]["name"] == who && it["kind"] == kind);
    let number = found.unwrap_or_else(|| panic!("{who} has no {kind}: {items:?}"))["item"].as_u64();
    u32::try_from(number.expect("a number")).expect("a small one")
}

#[track_caller]
fn item(items: &[Value], number: u32) -> &Value {
    items.iter().find(|it| it["item"] == number).expect("on the list")
}

async fn counts(portal: &Portal, client: &Client, review: &Review) -> Value {
    portal.settle().await;
    let document = "query($id: ID!, $at: Position) { accessReview(id: $id, minPosition: $at) {
        counts { undecided pending kept revoked changed gone } joiners } }";
    let at = portal.position().await.to_string();
    let answer = client.send(document, json!({ "id": review.id, "at": at })).await;
    answer.data()["accessReview"].clone()
}

pub(super) async fn set_level(
    client: &Client,
    portal: &Portal,
    who: &Person,
    change: Value,
) -> Answer {
    let clinic = portal.world().clinic.id;
    let input = json!({ "organizationId": clinic, "userId": who.user, "permissions": [change] });
    client.mutate("setNpiPermissions", input, "position").await
}

async fn set_types(client: &Client, portal: &Portal, who: &Person, types: Value) -> Answer {
    let world = portal.world();
    let input = json!({ "organizationId": world.clinic.id, "userId": who.user,
                        "npis": [world.clinic.npis[0]], "types": types });
    client.mutate("setCorrespondencePermissions", input, "position").await
}

async fn reveal(portal: &Portal, client: &Client) -> Answer {
    let world = portal.world();
    let input = json!({ "organizationId": world.clinic.id, "npi": world.clinic.npis[0] });
    client.mutate("revealPin", input, "pin").await
}

async fn facts(portal: &Portal, who: &Person) -> Vec<MembershipEvent> {
    let world = portal.world();
    let stream = MembershipId::of(world.tenant, who.user, world.clinic.id);
    portal.events::<Membership>(stream).await
}

/// What somebody may do for the clinic's first NPI now, as the portal itself decides.
async fn level(portal: &Portal, who: &Person) -> NpiLevel {
    let (journal, world) = (&portal.service.commands.journal, portal.world());
    let stream = MembershipId::of(world.tenant, who.user, world.clinic.id);
    let loaded = journal.load_fresh::<Membership>(world.tenant, stream.0).await;
    let npi = world.clinic.npis[0].parse().expect("a valid NPI");
    loaded.expect("the permissions").state.level(&npi, portal.now())
}

#[tokio::test]
async fn cc_13_a_review_of_rights_goes_from_its_list_to_a_signature_and_who_lost_one_is_refused() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    reveal(&portal, &portal.client(&world.npi_admin).await).await.done();
    portal.advance(Duration::from_secs(26 * 3600));
    portal.settle().await;
    let ann = portal.client(&world.clinic_admin).await;
    let nora = portal.client(&world.npi_admin).await;
    let review =
        Review::open_of(&portal, &ann, world.clinic.id, json!({ "scope": "RIGHTS" })).await;
    let items = listed(&portal, &ann, &review).await;
    let told = |it: &Value| {
        let of = &it["granted"];
        let words = [&it["user"]["name"], &it["kind"], &of["npi"], &of["level"]];
        words.map(|word| word.as_str().unwrap_or_default().to_owned()).join(" ")
    };
    let mut lines: Vec<String> = items.iter().map(told).collect();
    lines.sort();
    let first = &world.clinic.npis[0];
    let expected = [
        "Ann Lee CORRESPONDENCE * ".to_owned(),
        "Ann Lee NPI_LEVEL * ADMIN".to_owned(),
        format!("Nora Diaz NPI_LEVEL {first} ADMIN"),
        format!("Paul Kim NPI_LEVEL {first} PROCESSOR"),
    ];
    assert_eq!(lines, expected);
    let (noras, pauls) =
        (of(&items, "Nora Diaz", "NPI_LEVEL"), of(&items, "Paul Kim", "NPI_LEVEL"));
    let shown = item(&items, noras);
    assert!(shown["granted"]["providerName"].is_string(), "{shown}");
    assert_eq!((&shown["isHeld"], &shown["changedSince"]), (&json!(true), &json!(false)));
    assert_eq!(shown["grantCause"], "ADMINISTRATOR");
    assert_eq!(shown["lastUse"]["state"], "USED_ON", "by revealing a PIN the day before");
    let grounds = json!([{ "kind": "SIGNED_IN", "right": null },
                         { "kind": "USED_ON", "right": "VIEW_NPI" }]);
    let advised = json!({ "advice": "KEEP", "grounds": grounds });
    assert_eq!(shown["recommendation"], advised);
    assert_eq!(item(&items, pauls)["lastUse"]["state"], "UNUSED_SINCE");
    assert_eq!(item(&items, pauls)["recommendation"], Value::Null, "too short to tell");
    let all = item(&items, of(&items, "Ann Lee", "CORRESPONDENCE"));
    assert_eq!(
        (&all["granted"]["correspondenceType"], &all["granted"]["npi"]),
        (&json!("*"), &json!("*"))
    );
    assert_eq!(
        (&all["lastUse"]["state"], &all["grantCause"]),
        (&json!("NOT_OBSERVABLE"), &json!("REGISTRATION"))
    );

    let by = (&portal, &ann, &world.clinic_admin);
    let bare = review.decide(by, &[noras], "REVOKE", json!({})).await;
    assert_eq!(error(&bare).0, "REASON_REQUIRED");
    reveal(&portal, &nora).await.done();
    review.revoke(by, &[noras]).await.done();
    assert_eq!(reveal(&portal, &nora).await.refused(), "NPI_NOT_PERMITTED", "at once");
    assert_eq!(level(&portal, &world.npi_admin).await, NpiLevel::None);
    // She is a member as before, and her own rights nobody decides about themself.
    assert!(nora.send("{ me { email } }", json!({})).await.body["errors"].is_null());
    let own = [of(&items, "Ann Lee", "NPI_LEVEL"), of(&items, "Ann Lee", "CORRESPONDENCE")];
    assert_eq!(review.keep(by, &own).await.refused(), "SELF_REVIEW");
    review.keep(by, &[pauls]).await.done();
    assert_eq!(review.complete(&ann).await.refused(), "ITEMS_UNDECIDED");
    let abe = portal.client(&world.clinic_second_admin).await;
    review.keep((&portal, &abe, &world.clinic_second_admin), &own).await.done();
    portal.settle().await;
    let now = listed(&portal, &ann, &review).await;
    let revoked = item(&now, noras);
    assert_eq!((&revoked["outcome"], &revoked["verified"]), (&json!("REVOKED"), &json!(true)));
    assert_eq!((&revoked["delaySeconds"], &revoked["isHeld"]), (&json!(0), &json!(false)));
    // A right that came since is counted, and listed apart.
    portal.advance(Duration::from_secs(60));
    let other = json!({ "npi": world.clinic.npis[1], "level": "PROCESSOR" });
    set_level(&ann, &portal, &world.newcomer, other).await.done();
    portal.settle().await;
    let document = "query($id: ID!, $at: Position) { accessReviewJoiners(accessReviewId: $id,
        minPosition: $at) { nodes { user { name } granted { kind npi level } } } }";
    let at = portal.position().await.to_string();
    let came = ann.send(document, json!({ "id": review.id, "at": at })).await;
    let granted = json!({ "kind": "NPI_LEVEL", "npi": world.clinic.npis[1], "level": "PROCESSOR" });
    let expected = json!([{ "user": { "name": "Nell Ortiz" }, "granted": granted }]);
    assert_eq!(came.data()["accessReviewJoiners"]["nodes"], expected);
    assert_eq!(review.complete(&ann).await.done()["accessReview"]["status"], "COMPLETED");
    let told = counts(&portal, &ann, &review).await;
    let expected =
        json!({ "undecided": 0, "pending": 0, "kept": 3, "revoked": 1, "changed": 0, "gone": 0 });
    assert_eq!((&told["counts"], &told["joiners"]), (&expected, &json!(1)));

    // The next one tells what was decided about the same right, and of no other.
    let next = Review::open_of(&portal, &ann, world.clinic.id, json!({ "scope": "RIGHTS" })).await;
    let items = listed(&portal, &ann, &next).await;
    let former = |who: &str| {
        let of = items.iter().find(|it| it["user"]["name"] == who).expect("on the list");
        of["previousDecision"]["decision"].clone()
    };
    assert_eq!((former("Paul Kim"), former("Nell Ortiz")), (json!("KEEP"), Value::Null));
    assert!(items.iter().all(|it| it["user"]["name"] != "Nora Diaz"), "{items:?}");
    every_rebuild_agrees(&portal).await;
    portal.finish().await;
}

#[tokio::test]
async fn gn_15_keeping_gives_the_very_right_back_by_a_grant_of_its_own() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let ann = portal.client(&world.clinic_admin).await;
    let (npi, paul) = (&world.clinic.npis[0], &world.processor);
    let until = "2026-06-01T07:00:00Z";
    let ends = json!({ "npi": npi, "level": "PROCESSOR", "until": until });
    set_level(&ann, &portal, paul, ends).await.done();
    set_types(&ann, &portal, paul, json!(["RAD", "TAX_DOCUMENTS"])).await.done();
    let scope = json!({ "scope": "NPI", "npi": npi });
    let review = Review::open_of(&portal, &ann, world.clinic.id, scope).await;
    let items = listed(&portal, &ann, &review).await;
    let pauls = of(&items, "Paul Kim", "NPI_LEVEL");
    assert_eq!(item(&items, pauls)["granted"]["until"], until);
    let types: Vec<&Value> = items
        .iter()
        .filter(|it| it["user"]["name"] == "Paul Kim" && it["kind"] == "CORRESPONDENCE")
        .collect();
    assert_eq!(types.len(), 2, "{items:?}");
    let by = (&portal, &ann, &world.clinic_admin);
    review.revoke(by, &[pauls]).await.done();
    assert_eq!(level(&portal, paul).await, NpiLevel::None);
    // Correspondence stands on the level: it is over, and nobody has to decide about it.
    let now = listed(&portal, &ann, &review).await;
    let reads = of(&now, "Paul Kim", "CORRESPONDENCE");
    assert_eq!(item(&now, reads)["isHeld"], false);
    let told = counts(&portal, &ann, &review).await;
    assert_eq!((&told["counts"]["gone"], &told["counts"]["revoked"]), (&json!(2), &json!(1)));
    let over = review.revoke(by, &[reads]).await;
    assert_eq!(error(&over), ("ALREADY_INACTIVE", "items", vec![reads.to_string().as_str()]));
    review.keep(by, &[pauls]).await.done();
    assert_eq!(level(&portal, paul).await, NpiLevel::Processor);
    let history = facts(&portal, paul).await;
    let Some(MembershipEvent::NpiPermissionSet { until: end, cause, .. }) =
        history.iter().rfind(|it| matches!(it, MembershipEvent::NpiPermissionSet { .. }))
    else {
        panic!("{history:?}");
    };
    assert_eq!(end.map(|end| end.to_rfc3339()), Some("2026-06-01T07:00:00+00:00".to_owned()));
    assert_eq!(*cause, Cause::Review);
    let now = listed(&portal, &ann, &review).await;
    assert!(now.iter().all(|it| it["changedSince"] == false), "{now:?}");
    // A type is taken by itself, and what somebody else gave or took since is left alone.
    review.revoke(by, &[reads]).await.done();
    let left = facts(&portal, paul).await;
    let Some(MembershipEvent::CorrespondencePermissionSet { types, .. }) = left.last() else {
        panic!("{left:?}");
    };
    assert_eq!(types.len(), 1);
    review.keep(by, &[reads]).await.done();
    let back = facts(&portal, paul).await;
    let Some(MembershipEvent::CorrespondencePermissionSet { types, cause, .. }) = back.last()
    else {
        panic!("{back:?}");
    };
    assert_eq!((types.len(), *cause), (2, Cause::Review));
    review.revoke(by, &[reads]).await.done();
    for types in [json!(["RAD", "TAX_DOCUMENTS"]), json!([])] {
        set_types(&ann, &portal, paul, types).await.done();
    }
    let before = facts(&portal, paul).await.len();
    review.keep(by, &[reads]).await.done();
    assert_eq!(facts(&portal, paul).await.len(), before, "an administrator took it since");
    portal.finish().await;
}

#[tokio::test]
async fn gn_15_at_once_the_identical_right_is_taken_and_a_level_is_lowered_and_raised_back() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let ann = portal.client(&world.clinic_admin).await;
    let npi = &world.clinic.npis[0];
    for who in [&world.newcomer, &world.clinic_second_admin] {
        let level = json!({ "npi": npi, "level": "PROCESSOR" });
        set_level(&ann, &portal, who, level).await.done();
    }
    let review = Review::open_of(&portal, &ann, world.clinic.id, json!({ "scope": "NPI" })).await;
    let items = listed(&portal, &ann, &review).await;
    let number = |who: &str| of(&items, who, "NPI_LEVEL");
    let [nora, paul, nell, abe] = ["Nora Diaz", "Paul Kim", "Nell Ortiz", "Abe Fox"].map(number);
    let by = (&portal, &ann, &world.clinic_admin);
    assert_eq!(error(&review.revoke(by, &[nora, paul]).await), ("FIELD_INVALID", "items", vec![]));
    assert_eq!(level(&portal, &world.processor).await, NpiLevel::Processor, "nothing was done");
    let abes = portal.client(&world.clinic_second_admin).await;
    let by_abe = (&portal, &abes, &world.clinic_second_admin);
    assert_eq!(review.revoke(by_abe, &[paul, nell, abe]).await.refused(), "SELF_REVIEW");
    review.revoke(by, &[paul, nell]).await.done();
    for who in [&world.processor, &world.newcomer] {
        assert_eq!(level(&portal, who).await, NpiLevel::None);
    }

    let to = |level: &str| json!({ "reason": "Works at the desk now.", "level": level });
    for (wrong, field) in [
        (to("ADMIN"), "level"),
        (to("NONE"), "level"),
        (json!({ "reason": "Why.", "role": "PROCESSOR" }), "decision"),
        (json!({ "reason": "Why.", "role": "PROCESSOR", "level": "PROCESSOR" }), "level"),
        (json!({ "reason": "Why." }), "role"),
    ] {
        assert_eq!(error(&review.decide(by, &[nora], "CHANGE", wrong).await).1, field);
    }
    let late = json!({ "reason": "Retires.", "leftOn": "2026-01-20" });
    assert_eq!(error(&review.decide(by, &[nora], "REVOKE", late).await).1, "leftOn");
    review.decide(by, &[nora], "CHANGE", to("PROCESSOR")).await.done();
    assert_eq!(level(&portal, &world.npi_admin).await, NpiLevel::Processor);
    let now = listed(&portal, &ann, &review).await;
    let lowered = item(&now, nora);
    assert_eq!(
        (&lowered["outcome"], &lowered["presentLevel"]),
        (&json!("CHANGED"), &json!("PROCESSOR"))
    );
    review.keep(by, &[nora]).await.done();
    assert_eq!(level(&portal, &world.npi_admin).await, NpiLevel::Admin);
    let taken: Vec<_> = review
        .events(&portal)
        .await
        .into_iter()
        .filter_map(|event| {
            let AccessReviewEvent::ReviewRevocationExecuted(done) = event else { return None };
            Some((done.item, done.verified, done.right.is_some()))
        })
        .collect();
    let mut expected = vec![(paul, true, true), (nell, true, true)];
    expected.sort_unstable();
    let mut found = taken;
    found.sort_unstable();
    assert_eq!(found, expected);
    portal.finish().await;
}

#[tokio::test]
async fn gn_15_what_changed_meanwhile_is_told_and_what_ended_needs_no_decision() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let ann = portal.client(&world.clinic_admin).await;
    let abe = portal.client(&world.clinic_second_admin).await;
    let npi = &world.clinic.npis[0];
    set_level(&ann, &portal, &world.newcomer, json!({ "npi": npi, "level": "ADMIN" })).await.done();
    let review =
        Review::open_of(&portal, &ann, world.clinic.id, json!({ "scope": "RIGHTS" })).await;
    let items = listed(&portal, &ann, &review).await;
    let number = |who: &str| of(&items, who, "NPI_LEVEL");
    let [nora, paul, nell] = ["Nora Diaz", "Paul Kim", "Nell Ortiz"].map(number);
    portal.advance(Duration::from_secs(60));
    // One is lowered, one is taken away, one leaves: by an administrator, outside of the review.
    let lower = json!({ "npi": npi, "level": "PROCESSOR" });
    set_level(&ann, &portal, &world.npi_admin, lower).await.done();
    let none = json!({ "npi": npi, "level": "NONE" });
    set_level(&ann, &portal, &world.processor, none).await.done();
    let leaves = json!({ "organizationId": world.clinic.id, "userId": world.newcomer.user,
                         "confirm": true, "reason": "Left." });
    abe.mutate("deactivateUser", leaves, "position").await.done();
    let now = listed(&portal, &ann, &review).await;
    let changed = item(&now, nora);
    assert_eq!((&changed["changedSince"], &changed["isHeld"]), (&json!(true), &json!(true)));
    assert_eq!(
        (&changed["granted"]["level"], &changed["presentLevel"]),
        (&json!("ADMIN"), &json!("PROCESSOR"))
    );
    assert_eq!(
        (&item(&now, paul)["isHeld"], &item(&now, paul)["changedSince"]),
        (&json!(false), &json!(true))
    );
    let told = counts(&portal, &ann, &review).await;
    assert_eq!((&told["counts"]["gone"], &told["counts"]["undecided"]), (&json!(2), &json!(3)));
    let by = (&portal, &ann, &world.clinic_admin);
    for gone in [paul, nell] {
        assert_eq!(review.revoke(by, &[gone]).await.refused(), "ALREADY_INACTIVE");
    }
    // As it stands now, it is taken away.
    review.revoke(by, &[nora]).await.done();
    assert_eq!(level(&portal, &world.npi_admin).await, NpiLevel::None);
    let own = [of(&items, "Ann Lee", "NPI_LEVEL"), of(&items, "Ann Lee", "CORRESPONDENCE")];
    review.keep((&portal, &abe, &world.clinic_second_admin), &own).await.done();
    portal.settle().await;
    review.complete(&ann).await.done();
    let events = review.events(&portal).await;
    let Some(AccessReviewEvent::AccessReviewCompleted { totals, gone, joiners, .. }) =
        events.last()
    else {
        panic!("{events:?}");
    };
    assert_eq!((totals.population, totals.kept, totals.revoked, totals.gone), (5, 2, 1, 2));
    let mut left = vec![paul, nell];
    left.sort_unstable();
    assert_eq!((gone, *joiners), (&left, 0), "the same right at another level is no new one");
    portal.settle().await;
    portal.finish().await;
}

#[tokio::test]
async fn gn_15_rights_are_reviewed_by_npi_feature_and_job_role_each_beside_the_other() {
    let portal = Portal::seeded("cencal", Preset::Cencal).await;
    let world = portal.world().clone();
    let ann = portal.client(&world.clinic_admin).await;
    let clinic = world.clinic.id;
    let role = json!({ "organizationId": clinic, "name": "Biller", "features": ["CLAIMS"] });
    let role = ann.mutate("defineJobRole", role, "jobRole { id }").await;
    let role = role.done()["jobRole"]["id"].clone();
    let about = |who: &Person| json!({ "organizationId": clinic, "userId": who.user });
    let mut feature = about(&world.processor);
    feature["feature"] = json!("CLAIMS");
    ann.mutate("grantFeature", feature, "position").await.done();
    let mut other = about(&world.processor);
    other["feature"] = json!("ELIGIBILITY");
    ann.mutate("grantFeature", other, "position").await.done();
    let mut assigned = about(&world.newcomer);
    assigned["jobRoleId"] = role.clone();
    ann.mutate("assignJobRole", assigned, "position").await.done();

    let open = |more: Value| Review::open_of(&portal, &ann, clinic, more);
    let named = |items: &[Value]| -> Vec<String> {
        let text = |it: &Value| {
            format!(
                "{} {}",
                it["user"]["name"].as_str().unwrap_or_default(),
                it["granted"]["name"].as_str().unwrap_or_default()
            )
        };
        let mut all: Vec<String> = items.iter().map(text).collect();
        all.sort();
        all
    };
    let by_feature = open(json!({ "scope": "FEATURE", "feature": "CLAIMS" })).await;
    let items = listed(&portal, &ann, &by_feature).await;
    // Also by a job role that bundles it.
    assert_eq!(named(&items), ["Nell Ortiz Biller", "Paul Kim Claims"]);
    let by_role = open(json!({ "scope": "JOB_ROLE", "jobRoleId": role })).await;
    assert_eq!(named(&listed(&portal, &ann, &by_role).await), ["Nell Ortiz Biller"]);
    let by_npi = open(json!({ "scope": "NPI", "npi": world.clinic.npis[1] })).await;
    let npis = listed(&portal, &ann, &by_npi).await;
    assert!(
        npis.iter().all(|it| it["user"]["name"] == "Ann Lee" && it["granted"]["npi"] == "*"),
        "{npis:?}"
    );
    // One of its kind at a time, the narrowed ones each for itself.
    let again = json!({ "organizationId": clinic, "scope": "FEATURE", "feature": "CLAIMS" });
    assert_eq!(ann.mutate("openReview", again, SHOWN).await.refused(), "DUPLICATE_REQUEST");
    let features = open(json!({ "scope": "FEATURE" })).await;
    let every = ["Nell Ortiz Biller", "Paul Kim Claims", "Paul Kim Eligibility"];
    assert_eq!(named(&listed(&portal, &ann, &features).await), every);
    let scope =
        "query($id: ID!) { accessReview(id: $id) { scope { choice npi feature jobRoleId } } }";
    let scope = ann.send(scope, json!({ "id": by_feature.id })).await;
    let expected =
        json!({ "choice": "FEATURE", "npi": null, "feature": "CLAIMS", "jobRoleId": null });
    assert_eq!(scope.data()["accessReview"]["scope"], expected);
    for (input, code, field) in [
        (json!({ "scope": "NPI", "npi": "1234567890" }), "NPI_INVALID", "npi"),
        (json!({ "scope": "NPI", "npi": world.hospital.npis[0] }), "NPI_NOT_IN_ORG", "npi"),
        (json!({ "scope": "FEATURE", "feature": "EOP_REPORTS" }), "FIELD_INVALID", "scope"),
        (json!({ "scope": "JOB_ROLE", "jobRoleId": clinic }), "ROLE_UNKNOWN", "jobRoleId"),
        (json!({ "scope": "JOB_ROLE", "jobRoleId": "none" }), "NOT_FOUND", "jobRoleId"),
    ] {
        let mut wrong = json!({ "organizationId": clinic });
        wrong.as_object_mut().expect("an object").extend(input.as_object().cloned().unwrap());
        let answer = ann.mutate("openReview", wrong, SHOWN).await;
        assert_eq!((error(&answer).0, error(&answer).1), (code, field));
    }

    // Taken by the review of the feature, the right is over in the one of all features.
    let pauls = of(&items, "Paul Kim", "FEATURE");
    let by = (&portal, &ann, &world.clinic_admin);
    by_feature.revoke(by, &[pauls]).await.done();
    let told = counts(&portal, &ann, &features).await;
    assert_eq!(told["counts"]["gone"], 1);
    let soon = json!({ "feature": "CLAIMS", "state": "COMING_SOON", "message": "In May.", "reason": "As planned." });
    let plan = portal.client(&world.plan_admin).await;
    plan.mutate("setFeatureAvailability", soon, "position").await.done();
    let refused = by_feature.keep(by, &[pauls]).await;
    assert_eq!(refused.refused(), "FEATURE_COMING_SOON", "given back as any grant is");
    let on = json!({ "feature": "CLAIMS", "state": "ON", "reason": "As planned." });
    plan.mutate("setFeatureAvailability", on, "position").await.done();
    by_feature.keep(by, &[pauls]).await.done();
    let history = facts(&portal, &world.processor).await;
    let Some(MembershipEvent::FeatureGranted { cause, .. }) = history.last() else {
        panic!("{history:?}");
    };
    assert_eq!(*cause, Cause::Review);
    let role_item = of(&items, "Nell Ortiz", "JOB_ROLE");
    by_feature.revoke(by, &[role_item]).await.done();
    let history = facts(&portal, &world.newcomer).await;
    assert!(matches!(
        history.last(),
        Some(MembershipEvent::JobRoleUnassigned { cause: Cause::Review, .. })
    ));
    portal.settle().await;
    let told = counts(&portal, &ann, &by_role).await;
    assert_eq!((&told["counts"]["gone"], &told["counts"]["undecided"]), (&json!(1), &json!(0)));
    by_role.complete(&ann).await.done();
    every_rebuild_agrees(&portal).await;
    portal.finish().await;
}
