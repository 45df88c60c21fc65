//! Every mutation takes the version that the client saw, or says why not (GN-28).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::{input::Shapes, send};
use crate::support::Portal;

/// Mutations without `expectedVersion`, each with its reason.
fn unversioned() -> BTreeMap<&'static str, &'static str> {
    with_reasons(include_str!("unversioned_mutations.txt"))
}

/// Mutations with `expectedVersion` whose sample is refused for something else before.
fn refused_before() -> BTreeMap<&'static str, &'static str> {
    with_reasons(include_str!("refused_before_the_version.txt"))
}

fn with_reasons(list: &'static str) -> BTreeMap<&'static str, &'static str> {
    list.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| line.split_once(": ").expect("a mutation and its reason"))
        .collect()
}

#[tokio::test]
async fn gn_28_every_mutation_takes_the_version_seen_or_says_why_not() {
    let portal = Portal::medi_cal().await;
    let shapes = Shapes::read(&portal.visitor(&portal.world().slug)).await;
    let excepted = unversioned();
    let takes_it = |mutation: &&str| shapes.takes(mutation, "expectedVersion");
    let without: Vec<_> = shapes
        .mutations()
        .filter(|mutation| !takes_it(mutation) && !excepted.contains_key(mutation))
        .collect();
    assert!(without.is_empty(), "neither expectedVersion nor a reason: {without:?}");
    let idle: Vec<_> = excepted.keys().filter(|name| !shapes.has(name) || takes_it(name)).collect();
    assert!(idle.is_empty(), "no longer exceptions: {idle:?}");
    portal.finish().await;
}

#[tokio::test]
async fn gn_28_nothing_is_done_on_a_version_that_nobody_saw() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let shapes = Shapes::read(&portal.visitor(&world.slug)).await;
    let (admin, plan) =
        (portal.client(&world.clinic_admin).await, portal.client(&world.plan_admin).await);
    let mut reached = BTreeSet::new();
    let mut others: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for mutation in shapes.mutations().filter(|name| shapes.takes(name, "expectedVersion")) {
        for client in [&admin, &plan] {
            let mut input = shapes.sample(mutation, world);
            input["expectedVersion"] = json!(987_654);
            let answer = send(client, &shapes, mutation, input).await;
            let errors = &answer.body["data"][mutation]["userErrors"];
            let refused = errors.as_array().is_some_and(|errors| !errors.is_empty());
            assert!(refused || answer.body["errors"].is_array(), "{mutation}: {}", answer.body);
            if errors[0]["code"] == "VERSION_CONFLICT" {
                reached.insert(mutation);
            } else {
                others.entry(mutation).or_default().push(answer.body.to_string());
            }
        }
    }
    others.retain(|mutation, _| !reached.contains(mutation));
    let listed = refused_before();
    let silent: BTreeMap<_, _> =
        others.iter().filter(|(name, _)| !listed.contains_key(*name)).collect();
    assert!(silent.is_empty(), "no sample comes as far as the version: {silent:#?}");
    let idle: Vec<_> = listed.keys().filter(|name| !others.contains_key(*name)).collect();
    assert!(idle.is_empty(), "these come as far as the version: {idle:?}");
    assert!(reached.len() >= 15, "most samples come as far as the version: {reached:?}");
    portal.finish().await;
}

#[tokio::test]
async fn gn_28_a_conflict_names_the_current_version_and_changes_nothing() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let plan = portal.client(&world.plan_admin).await;
    let admin = portal.client(&world.clinic_admin).await;
    let document = "query($id: ID!) { organization(id: $id) { version } }";
    let shown = plan.send(document, json!({ "id": world.clinic.id })).await;
    let version = shown.data()["organization"]["version"].as_i64().expect("a version");
    let attach = |version: i64| {
        json!({ "organizationId": world.clinic.id, "userId": world.hospital_admin.user,
                "reason": "Asked for by letter.", "expectedVersion": version })
    };
    portal.settle().await;
    let before = portal.position().await;
    let stale = plan.mutate("attachUserToOrganization", attach(version - 1), "").await;
    assert_eq!(stale.refused(), "VERSION_CONFLICT");
    assert_eq!(stale.refusal()["field"], json!(["expectedVersion"]));
    assert_eq!(stale.refusal()["details"], json!([format!("currentVersion={version}")]));
    assert_eq!(portal.position().await, before, "nothing changed");
    plan.mutate("attachUserToOrganization", attach(version), "").await.done();

    let end = |version: i64| {
        json!({ "userId": world.plan_support.user, "role": "QI", "reason": "A helping hand.",
                "expectedVersion": version })
    };
    let assigned = plan.mutate("assignPlanRole", end(1), "planStaff { version }").await;
    let version = assigned.done()["planStaff"]["version"].as_i64().expect("a version");
    let again = plan.mutate("assignPlanRole", end(version - 1), "").await;
    assert_eq!(again.refused(), "VERSION_CONFLICT");
    plan.mutate("endPlanRole", end(version), "").await.done();

    // Who may not see it does not learn the version either.
    let hidden = admin.mutate("endPlanRole", end(1), "").await;
    assert_eq!(hidden.refused(), "FORBIDDEN");
    portal.finish().await;
}
