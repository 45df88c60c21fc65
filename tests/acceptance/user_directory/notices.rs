//! Who is told when somebody leaves, returns or gets another role (MC-30, MC-31, MC-39, MC-47).

use serde_json::json;

use super::change;
use crate::support::{Client, Portal};

/// The types of a person's notices, newest first.
async fn notices(client: &Client) -> Vec<String> {
    let document = "{ notifications(first: 20) { nodes { type } } }";
    let answer = client.send(document, json!({})).await;
    let nodes = answer.data()["notifications"]["nodes"].as_array().expect("nodes");
    nodes.iter().map(|node| node["type"].as_str().expect("a type").to_owned()).collect()
}

#[tokio::test]
async fn mc_30_the_person_is_mailed_and_the_other_administrators_find_a_notice() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let admin = portal.client(&world.clinic_admin).await;
    let other = portal.client(&world.clinic_second_admin).await;
    portal.settle().await;
    let before = notices(&other).await.len();
    let left = json!({ "confirm": true, "reason": "left for another clinic" });
    change(&admin, "deactivateUser", (world, &world.processor), left).await.done();
    portal.settle().await;
    let found = notices(&other).await;
    assert_eq!((found.len(), found[0].as_str()), (before + 1, "USER_ACTIVITY"));
    let mails = portal.mailbox(&world.processor.email).await;
    let mail = mails.last().expect("a mail").to_string();
    assert!(mail.contains("Redwood Clinic"), "{mail}");
    assert!(!mail.contains("another clinic"), "the reason stays inside: {mail}");
    portal.finish().await;
}

#[tokio::test]
async fn mc_31_the_person_is_mailed_and_the_other_administrators_find_a_notice() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let admin = portal.client(&world.clinic_admin).await;
    let other = portal.client(&world.clinic_second_admin).await;
    let about = (world, &world.processor);
    let left = json!({ "confirm": true, "reason": "left" });
    change(&admin, "deactivateUser", about, left).await.done();
    portal.settle().await;
    let (before, mailed) =
        (notices(&other).await.len(), portal.mailbox(&world.processor.email).await.len());
    change(&admin, "reactivateUser", about, json!({ "confirm": true })).await.done();
    portal.settle().await;
    assert_eq!(notices(&other).await.len(), before + 1);
    assert_eq!(portal.mailbox(&world.processor.email).await.len(), mailed + 1);
    portal.finish().await;
}

#[tokio::test]
async fn mc_39_the_person_finds_one_notice_however_many_npis_changed() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let admin = portal.client(&world.clinic_admin).await;
    let newcomer = portal.client(&world.newcomer).await;
    portal.settle().await;
    let before = notices(&newcomer).await.len();
    let all = json!({ "level": "PROCESSOR" });
    change(&admin, "quickAssignNpis", (world, &world.newcomer), all).await.done();
    portal.settle().await;
    let found = notices(&newcomer).await;
    assert_eq!((found.len(), found[0].as_str()), (before + 1, "PERMISSION_CHANGE"));
    portal.finish().await;
}

#[tokio::test]
async fn mc_47_the_person_and_the_administrators_find_a_notice_of_a_changed_role() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let admin = portal.client(&world.clinic_admin).await;
    let other = portal.client(&world.clinic_second_admin).await;
    let newcomer = portal.client(&world.newcomer).await;
    portal.settle().await;
    let before = notices(&other).await.len();
    let promote = json!({ "role": "PROCESSOR" });
    change(&admin, "assignOrgRole", (world, &world.newcomer), promote).await.done();
    portal.settle().await;
    assert_eq!(notices(&newcomer).await[0], "PERMISSION_CHANGE");
    let found = notices(&other).await;
    assert_eq!((found.len(), found[0].as_str()), (before + 1, "USER_ACTIVITY"));
    portal.finish().await;
}
