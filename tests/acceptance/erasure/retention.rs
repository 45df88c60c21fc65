//! From when a person may be erased.

use chrono::TimeDelta;
use rollcall_domain::policies::{PolicyKey, PolicyValue};
use serde_json::json;

use super::{PRESETS, deactivate, end_of_retention, go_to, let_things_happen, request, retention};
use crate::support::Portal;

#[tokio::test]
async fn gn_26_a_person_is_kept_for_the_policys_years_after_the_last_record_and_the_last_effect() {
    for (slug, preset) in PRESETS {
        let portal = Portal::seeded(slug, preset).await;
        let world = portal.world();
        let paul = &world.processor;
        let plan = portal.client(&world.plan_admin).await;
        let kept = retention(&plan, &portal, paul.user.0).await;
        assert_eq!(kept["years"], 10, "{slug}");
        assert_eq!(kept["inEffect"], json!([{ "kind": "MEMBERSHIP", "role": null }]));
        assert_eq!(kept["earliestErasureAt"], json!(null));
        assert_eq!(kept["legalHolds"], json!(null), "this administrator is not named for holds");
        assert_eq!(request(&plan, paul.user.0).await.refused(), "STILL_IN_EFFECT");
        let staff = retention(&plan, &portal, world.plan_support.user.0).await;
        assert_eq!(staff["inEffect"], json!([{ "kind": "PLAN_ROLE", "role": "PS" }]));

        deactivate(&portal, paul, "left").await;
        let kept = retention(&plan, &portal, paul.user.0).await;
        assert_eq!(kept["inEffect"], json!([]));
        let end = end_of_retention(&portal, paul.user.0).await;
        assert_eq!(end.format("%Y-%m-%dT%H:%M").to_string(), "2036-01-12T17:00");
        let refused = request(&plan, paul.user.0).await;
        let refusal = refused.refusal();
        assert_eq!(refusal["code"], "RETENTION_ACTIVE");
        let until: chrono::DateTime<chrono::Utc> =
            refusal["retryAt"].as_str().expect("a time").parse().expect("a time");
        assert!((until - end).abs() < TimeDelta::milliseconds(1), "{until} {end}");
        // Others neither see it nor ask for it.
        for who in [&world.clinic_admin, &world.plan_support] {
            let client = portal.client(who).await;
            assert_eq!(request(&client, paul.user.0).await.refused(), "FORBIDDEN");
        }
        portal.finish().await;
    }
}

#[tokio::test]
async fn gn_26_the_second_in_which_retention_ends_is_free_and_years_are_never_fewer_than_six() {
    for (slug, preset) in PRESETS {
        let portal = Portal::seeded(slug, preset).await;
        let world = portal.world();
        let paul = world.processor.user.0;
        deactivate(&portal, &world.processor, "left").await;
        let_things_happen(&portal).await;
        let of_ten = end_of_retention(&portal, paul).await;
        let plan = portal.client(&world.plan_admin).await;
        let lower = |years: u32| json!({ "key": "audit.retention_years", "value": years, "reason": "The contract ended." });
        let refused = plan.mutate("changePolicy", lower(5), "position").await;
        assert_eq!(refused.refused(), "POLICY_VALUE_INVALID", "{slug}");
        portal.change_policy(PolicyKey::RetentionYears, PolicyValue::Integer(6)).await;
        let end = end_of_retention(&portal, paul).await;
        assert_eq!(end.format("%m-%dT%H:%M").to_string(), of_ten.format("%m-%dT%H:%M").to_string());
        assert_eq!((of_ten - end).num_days() / 365, 4);

        go_to(&portal, end - TimeDelta::seconds(1)).await;
        let plan = portal.client(&world.plan_admin).await;
        assert_eq!(request(&plan, paul).await.refused(), "RETENTION_ACTIVE", "{slug}");
        go_to(&portal, end).await;
        let plan = portal.client(&world.plan_admin).await;
        let done = request(&plan, paul).await;
        assert_eq!(done.done()["request"]["status"], "OPEN");
        portal.finish().await;
    }
}

#[tokio::test]
async fn gn_26_what_somebody_tries_at_a_persons_account_keeps_nobody_longer() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    deactivate(&portal, &world.processor, "left").await;
    let_things_happen(&portal).await;
    let before = end_of_retention(&portal, world.processor.user.0).await;
    let visitor = portal.anybody();
    let tried = visitor.try_to_sign_in(&world.processor.email, "not the password at all").await;
    assert_eq!(tried.refused(), "CREDENTIALS_INVALID");
    portal.settle().await;
    assert_eq!(end_of_retention(&portal, world.processor.user.0).await, before);
    for by in ["LINK", "TEMPORARY_PASSWORD"] {
        portal.change_policy(PolicyKey::ResetBy, PolicyValue::Text(by.to_owned())).await;
        let events = portal.credential_events(world.processor.user).await.len();
        let ask = json!({ "email": world.processor.email });
        visitor.mutate("requestPasswordReset", ask, "position").await.done();
        portal.settle().await;
        assert!(portal.credential_events(world.processor.user).await.len() > events, "{by}");
        assert_eq!(end_of_retention(&portal, world.processor.user.0).await, before, "{by}");
    }
    portal.finish().await;
}
