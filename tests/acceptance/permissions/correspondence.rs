//! Correspondence types per NPI (MC-45, MC-46, GN-12).

use rollcall_domain::{kernel::ids::MembershipId, permissions::Membership};
use serde_json::{Value, json};

use super::{matrix, set_levels, set_types};
use crate::support::Portal;

/// The types of each row.
fn types(rows: &[Value]) -> Vec<Value> {
    rows.iter().map(|row| row["correspondence"].clone()).collect()
}

#[tokio::test]
async fn mc_45_types_are_given_only_for_assigned_npis_and_only_types_there_are() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let admin = portal.client(&world.clinic_admin).await;
    let about = (world, &world.processor);
    let [first, second, _] = [0, 1, 2].map(|nth| world.clinic.npis[nth].as_str());
    let answer = set_types(&admin, about, &[first, second], &["RAD"]).await;
    assert_eq!(answer.refused(), "NPI_NOT_ASSIGNED");
    assert_eq!(answer.refusal()["field"], json!(["npis", "1"]));
    for unknown in ["HOROSCOPES", "rad", ""] {
        let answer = set_types(&admin, about, &[first], &[unknown]).await;
        assert!(["TYPE_UNKNOWN", "FIELD_REQUIRED"].contains(&answer.refused()), "{unknown}");
    }
    let rows = matrix(&admin, world, &world.processor).await;
    assert_eq!(types(&rows), [json!([]), json!([]), json!([])]);
    set_types(&admin, about, &[first], &["TAX_DOCUMENTS", "RAD"]).await.done();
    set_types(&admin, about, &[first], &["RAD"]).await.done();
    let rows = matrix(&admin, world, &world.processor).await;
    assert_eq!(types(&rows), [json!(["RAD"]), json!([]), json!([])], "exactly what was set last");
    portal.finish().await;
}

#[tokio::test]
async fn mc_45_the_types_to_choose_from_are_listed() {
    let portal = Portal::medi_cal().await;
    let client = portal.client(&portal.world().newcomer).await;
    let answer = client.send("{ correspondenceTypes { key label } }", json!({})).await;
    let expected = json!([
        { "key": "RAD", "label": "Remittance Advice Detail" },
        { "key": "TAX_DOCUMENTS", "label": "Tax Documents" },
        { "key": "PROVIDER_WELCOME_LETTER", "label": "Provider Welcome Letter" },
    ]);
    assert_eq!(answer.data()["correspondenceTypes"], expected);
    portal.finish().await;
}

#[tokio::test]
async fn mc_46_types_are_set_for_several_npis_at_once_or_for_one() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let admin = portal.client(&world.clinic_admin).await;
    let about = (world, &world.newcomer);
    let [first, second, third] = [0, 1, 2].map(|nth| world.clinic.npis[nth].as_str());
    let levels = [(first, "PROCESSOR"), (second, "ADMIN"), (third, "PROCESSOR")];
    set_levels(&admin, about, &levels).await.done();
    let membership = MembershipId::of(world.tenant, world.newcomer.user, world.clinic.id);
    let before = portal.events::<Membership>(membership).await.len();
    set_types(&admin, about, &[first, second], &["RAD"]).await.done();
    let after = portal.events::<Membership>(membership).await.len();
    assert_eq!(after, before + 2, "one fact per NPI");
    set_types(&admin, about, &[second], &["PROVIDER_WELCOME_LETTER"]).await.done();
    let rows = matrix(&admin, world, &world.newcomer).await;
    let expected = [json!(["RAD"]), json!(["PROVIDER_WELCOME_LETTER"]), json!([])];
    assert_eq!(types(&rows), expected);
    portal.finish().await;
}

#[tokio::test]
async fn gn_12_taking_an_npi_away_takes_its_correspondence_away() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let admin = portal.client(&world.clinic_admin).await;
    let about = (world, &world.processor);
    let npi = world.clinic.npis[0].as_str();
    set_types(&admin, about, &[npi], &["*"]).await.done();
    let rows = matrix(&admin, world, &world.processor).await;
    let all = json!(["PROVIDER_WELCOME_LETTER", "RAD", "TAX_DOCUMENTS"]);
    assert_eq!(rows[0]["correspondence"], all);
    set_levels(&admin, about, &[(npi, "NONE")]).await.done();
    set_levels(&admin, about, &[(npi, "PROCESSOR")]).await.done();
    let rows = matrix(&admin, world, &world.processor).await;
    assert_eq!(rows[0]["level"], "PROCESSOR");
    assert_eq!(rows[0]["correspondence"], json!([]), "the NPI came back, its types did not");
    portal.finish().await;
}
