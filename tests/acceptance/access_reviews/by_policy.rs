//! What becomes of items about which nobody decided until the grace was over (GN-15).

use chrono::TimeDelta;
use rollcall_domain::{
    Actor,
    access_reviews::{
        AccessReview, AccessReviewCommand, AccessReviewEvent, Changes, NewReview, Opener,
        ReviewScope, Reviewed, ReviewedAccess, Split,
    },
    kernel::ids::{AccessReviewId, UserId},
    organizations::{OrgRole, Organization},
    policies::{PolicyKey, PolicyValue, RevocationMode, SecondReviewer},
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Review, times_told};
use crate::support::{Client, Person, Portal};

/// Kept or taken away, by their tiers of risk.
async fn policy(portal: &Portal, (ordinary, high): (&str, &str)) {
    // Nobody leaves in that time for another reason.
    for key in [PolicyKey::UnassignedDeactivateDays, PolicyKey::DormantDeactivateDays] {
        portal.change_policy(key, PolicyValue::Off).await;
    }
    for (key, word) in
        [(PolicyKey::ReviewUndecided, ordinary), (PolicyKey::ReviewUndecidedHigh, high)]
    {
        portal.change_policy(key, PolicyValue::Text(word.to_owned())).await;
    }
}

/// A review of the clinic of which one item is kept, after its grace.
async fn after_the_grace(portal: &Portal, actions: (&str, &str)) -> Review {
    let world = portal.world();
    policy(portal, actions).await;
    let ann = portal.client(&world.clinic_admin).await;
    let review = Review::open(portal, &ann, world.clinic.id).await;
    let by = (portal, &ann, &world.clinic_admin);
    review.keep(by, &[review.of(&world.processor)]).await.done();
    portal.clock.set(portal.now() + TimeDelta::days(44) - TimeDelta::seconds(1));
    portal.settle().await;
    assert_eq!(by_policy(portal, &review).await, Vec::<u32>::new());
    portal.clock.set(portal.now() + TimeDelta::seconds(1));
    portal.service.background.wake();
    portal.settle().await;
    review
}

/// The items that the policy decided.
async fn by_policy(portal: &Portal, review: &Review) -> Vec<u32> {
    let of = |event| {
        let AccessReviewEvent::ReviewItemDecidedByPolicy(decided) = event else { return None };
        Some(decided.item)
    };
    review.events(portal).await.into_iter().filter_map(of).collect()
}

async fn is_member(portal: &Portal, who: &Person) -> bool {
    let (journal, world) = (&portal.service.commands.journal, portal.world());
    let loaded = journal.load_fresh::<Organization>(world.tenant, world.clinic.id.0).await;
    loaded.expect("the roster").state.is_active_member(who.user, portal.now())
}

async fn items(client: &Client, review: &Review) -> Vec<Value> {
    let document = "query($id: ID!) { accessReviewItems(accessReviewId: $id) { nodes {
        item outcome decision decidedByPolicy decidedBy { name } refusal { code } } } }";
    let answer = client.send(document, json!({ "id": review.id })).await;
    answer.data()["accessReviewItems"]["nodes"].as_array().expect("items").clone()
}

#[tokio::test]
async fn gn_15_after_the_grace_the_policy_decides_by_risk_and_that_is_nobodys_approval() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let review = after_the_grace(&portal, ("KEEP", "REVOKE")).await;
    let admins = [&world.clinic_admin, &world.clinic_second_admin];
    let [ann, abe] = admins.map(|who| review.of(who));
    let (stays, left, gone) = if is_member(&portal, admins[0]).await {
        (ann, admins[0], abe)
    } else {
        (abe, admins[1], ann)
    };
    assert!(is_member(&portal, left).await, "an organization keeps its last administrator");
    let [nora, nell] = [&world.npi_admin, &world.newcomer].map(|who| review.of(who));
    let mut expected = vec![nora, nell, gone];
    let mut found = by_policy(&portal, &review).await;
    expected.sort_unstable();
    found.sort_unstable();
    assert_eq!(found, expected);

    let support = portal.client(&world.plan_support).await;
    let shown = items(&support, &review).await;
    let of = |item: u32| shown.iter().find(|it| it["item"] == item).expect("the item").clone();
    let policy = |item, outcome, decision| {
        json!({ "item": item, "outcome": outcome, "decision": decision, "decidedByPolicy": true,
                "decidedBy": null, "refusal": null })
    };
    assert_eq!(of(nora), policy(nora, "KEPT", "KEEP"));
    assert_eq!(of(gone), policy(gone, "REVOKED", "REVOKE"));
    assert_eq!(of(stays)["refusal"]["code"], "LAST_ADMIN");
    assert_eq!(
        (&of(stays)["outcome"], &of(stays)["decidedByPolicy"]),
        (&json!("UNDECIDED"), &json!(false))
    );
    assert_eq!(of(review.of(&world.processor))["decidedBy"]["name"], "Ann Lee");
    let text = "The policy could not take everything away that nobody decided about in the access review of \
                Redwood Clinic. Decide about it.";
    assert_eq!(times_told(&portal, &support, text).await, 1);
    let document = "query($id: ID!) { accessReview(id: $id) { statement statementVersion
        counts { undecided kept revoked byPolicy } figures { approvalRate reviewers { decided } } } }";
    let told =
        support.send(document, json!({ "id": review.id })).await.data()["accessReview"].clone();
    let counts = json!({ "undecided": 1, "kept": 3, "revoked": 1, "byPolicy": 3 });
    assert_eq!(told["counts"], counts);
    assert_eq!(told["figures"], json!({ "approvalRate": 1.0, "reviewers": [{ "decided": 1 }] }));
    assert!(told["statement"].as_str().expect("a statement").contains("the policy decided"));

    // A person decides about the rest, and may decide otherwise about what the policy kept.
    let by = (&portal, &support, &world.plan_support);
    review.keep(by, &[stays, nell]).await.done();
    let signed = review.complete(&support).await;
    assert_eq!(signed.done()["accessReview"]["status"], "COMPLETED");
    let events = review.events(&portal).await;
    let Some(AccessReviewEvent::AccessReviewCompleted { totals, signature, .. }) = events.last()
    else {
        panic!("{events:?}");
    };
    assert_eq!((totals.kept, totals.revoked, totals.by_policy), (4, 1, 2));
    assert_eq!(signature.statement, "3");
    let auditor = portal.client(&world.auditor).await;
    let document = "{ auditEvents(filter: { types:
        [\"access_reviews.access_review.review_item_decided_by_policy\"] }) { nodes { sentence actor { kind } } } }";
    portal.settle().await;
    let told = auditor.send(document, json!({})).await.data()["auditEvents"]["nodes"].to_string();
    let sentence = "Nobody decided in the access review of Redwood Clinic in time, and the policy did by itself \
                    that Nora Diaz stays.";
    assert!(told.contains(sentence), "{told}");
    portal.finish().await;
}

#[tokio::test]
async fn gn_15_what_the_policy_took_away_is_kept_by_a_person_and_comes_back() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let review = after_the_grace(&portal, ("REVOKE", "ESCALATE")).await;
    let ann = portal.client(&world.clinic_admin).await;
    let by = (&portal, &ann, &world.clinic_admin);
    let [nora, nell] = [&world.npi_admin, &world.newcomer].map(|who| review.of(who));
    let mut found = by_policy(&portal, &review).await;
    found.sort_unstable();
    let mut expected = vec![nora, nell];
    expected.sort_unstable();
    assert_eq!(found, expected, "administrators are left to the plan");
    assert!(!is_member(&portal, &world.npi_admin).await);
    review.keep(by, &[nora]).await.done();
    assert!(is_member(&portal, &world.npi_admin).await);
    let shown = items(&ann, &review).await;
    let of = |item: u32| shown.iter().find(|it| it["item"] == item).expect("the item").clone();
    assert_eq!(of(nell)["outcome"], "REVOKED");
    assert_eq!(of(review.of(&world.clinic_second_admin))["outcome"], "UNDECIDED");
    portal.settle().await;
    let csv = ann
        .mutate(
            "exportAccessReview",
            review.input(json!({ "format": "CSV" })),
            "auditExport { url }",
        )
        .await;
    let url = csv.done()["auditExport"]["url"].as_str().expect("a path").to_owned();
    let token = ann.token.clone().expect("a session");
    let file = reqwest::Client::new().get(format!("http://{}{url}", ann.address()));
    let file = file.bearer_auth(token).send().await.expect("the service answers");
    let file = file.text().await.expect("a text");
    let mut reader = csv::Reader::from_reader(file.as_bytes());
    let head = reader.headers().expect("a header").clone();
    let column = |name: &str| head.iter().position(|it| it == name).expect("the column");
    let by_policy: Vec<String> = reader
        .records()
        .map(|row| row.expect("a row"))
        .filter(|row| row[column("decidedByPolicy")] == *"true")
        .map(|row| {
            format!("{} {}{}", &row[0], &row[column("decision")], &row[column("reviewerId")])
        })
        .collect();
    assert_eq!(by_policy, [format!("{nell} REVOKE")]);
    portal.finish().await;
}

#[tokio::test]
async fn gn_15_the_policy_decides_a_long_list_portion_by_portion_and_each_item_once() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    policy(&portal, ("KEEP", "KEEP")).await;
    let (id, now) = (AccessReviewId(Uuid::new_v4()), portal.now());
    let access = ReviewedAccess::Membership { role: OrgRole::None };
    let listed =
        (1..=120).map(|n| Reviewed { user: UserId(Uuid::from_u128(n)), access: access.clone() });
    let new = NewReview {
        review: id,
        organization: world.clinic.id,
        campaign: None,
        scope: ReviewScope::Roster,
        as_of: portal.position().await,
        list: Split::all_of(listed.collect()),
        changes: Changes::All,
        opened_by: Opener::Scheduled,
        due_at: now + TimeDelta::days(1),
        grace_until: now + TimeDelta::days(1),
        revocations: RevocationMode::AtOnce,
        asks_for_attestation: false,
        second_reviewer: SecondReviewer::None,
    };
    let open = AccessReviewCommand::Open(Box::new(new));
    portal.record::<AccessReview>(Actor::SYSTEM, id.0, open).await;
    portal.settle().await;
    portal.clock.set(now + TimeDelta::days(1));
    portal.service.background.wake();
    portal.settle().await;
    let review = Review { id: id.0, organization: world.clinic.id, items: Vec::new() };
    let mut decided = by_policy(&portal, &review).await;
    decided.sort_unstable();
    assert_eq!(decided, (1..=120).collect::<Vec<u32>>());
    portal.finish().await;
}
