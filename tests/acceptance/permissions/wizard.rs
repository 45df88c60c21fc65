//! The permission wizard for a new person (MC-43, MC-44).

use serde_json::json;

use super::{change, set_levels};
use crate::support::Portal;

#[tokio::test]
async fn mc_43_the_npi_step_is_required_and_the_others_may_follow() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let admin = portal.client(&world.clinic_admin).await;
    let about = (world, &world.newcomer);
    for steps in [json!({}), json!({ "steps": ["NPI"] }), json!({ "steps": ["ORGANIZATION"] })] {
        let answer = change(&admin, "finishPermissionWizard", about, steps).await;
        assert_eq!(answer.refused(), "NPI_STEP_REQUIRED");
    }
    set_levels(&admin, about, &[(&world.clinic.npis[0], "PROCESSOR")]).await.done();
    let without = json!({ "steps": ["CORRESPONDENCE"] });
    let answer = change(&admin, "finishPermissionWizard", about, without).await;
    assert_eq!(answer.refused(), "NPI_STEP_REQUIRED");
    let answer = change(&admin, "finishPermissionWizard", about, json!({})).await;
    let user = &answer.done()["user"];
    assert_eq!((&user["setupState"], &user["setupSteps"]), (&json!("ASSIGNED"), &json!(["NPI"])));

    change(&admin, "assignOrgRole", about, json!({ "role": "PROCESSOR" })).await.done();
    let answer = change(&admin, "finishPermissionWizard", about, json!({})).await;
    assert_eq!(answer.done()["user"]["setupSteps"], json!(["NPI", "ORGANIZATION"]));
    let processor = portal.client(&world.processor).await;
    let answer = change(&processor, "finishPermissionWizard", about, json!({})).await;
    assert_eq!(answer.refused(), "NOT_ORG_ADMIN");
    portal.finish().await;
}

#[tokio::test]
async fn mc_44_who_was_skipped_for_now_has_no_right_and_is_found() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let admin = portal.client(&world.clinic_admin).await;
    let about = (world, &world.newcomer);
    let answer = change(&admin, "deferPermissions", about, json!({})).await;
    let user = &answer.done()["user"];
    assert_eq!((&user["setupState"], &user["unassigned"]), (&json!("DEFERRED"), &json!(true)));

    let document = "query($id: ID!, $unassigned: Boolean!) {
        users(organizationId: $id, unassigned: $unassigned) { totalCount nodes { firstName } } }";
    let variables = |unassigned| json!({ "id": world.clinic.id, "unassigned": unassigned });
    let found = admin.send(document, variables(true)).await;
    let expected = json!({ "totalCount": 1, "nodes": [{ "firstName": "Nell" }] });
    assert_eq!(found.data()["users"], expected);
    assert_eq!(admin.send(document, variables(false)).await.data()["users"]["totalCount"], 4);

    let newcomer = portal.client(&world.newcomer).await;
    let rights = super::effective::rights(&newcomer, world, &world.newcomer).await;
    assert!(rights.is_empty(), "{rights:?}");
    portal.finish().await;
}
