//! A portal's rules and agreement texts (GN-02, MC-02).

use std::time::Duration;

use rollcall_domain::policies::Preset;
use serde_json::{Value, json};

use crate::support::{Client, Portal};

const POLICY: &str = "policy { version preset values { key value } changes { key reason } }";

fn change(key: &str, value: Value) -> Value {
    json!({ "key": key, "value": value, "reason": "As the committee decided." })
}

async fn refused(client: &Client, input: Value) -> String {
    client.mutate("changePolicy", input, POLICY).await.refused().to_owned()
}

fn value_of<'a>(policy: &'a Value, key: &str) -> &'a Value {
    let values = policy["values"].as_array().expect("a list");
    &values.iter().find(|value| value["key"] == key).expect("every parameter is listed")["value"]
}

#[tokio::test]
async fn gn_02_a_change_is_bounded_reasoned_and_shown() {
    let portal = Portal::medi_cal().await;
    let admin = portal.client(&portal.world().plan_admin).await;
    let changed = admin.mutate("changePolicy", change("invite.days", json!(3)), POLICY).await;
    let policy = &changed.done()["policy"];
    assert_eq!(value_of(policy, "invite.days"), 3);
    assert_eq!(policy["version"], "2", "the preset and this change");
    assert_eq!(
        policy["changes"][0],
        json!({ "key": "invite.days", "reason": "As the committee decided." })
    );

    assert_eq!(refused(&admin, change("invite.weeks", json!(3))).await, "POLICY_KEY_UNKNOWN");
    for bad in [json!(0), json!(31), json!("3"), json!(null)] {
        let code = refused(&admin, change("invite.days", bad.clone())).await;
        assert_eq!(code, "POLICY_VALUE_INVALID", "{bad}");
    }
    let contradiction = change("otp.enabled", json!(false));
    assert_eq!(refused(&admin, contradiction).await, "POLICY_VALUE_INVALID");
    let mut silent = change("invite.days", json!(4));
    silent["reason"] = json!(" ");
    assert_eq!(refused(&admin, silent).await, "REASON_REQUIRED");
    let support = portal.client(&portal.world().plan_support).await;
    assert_eq!(refused(&support, change("invite.days", json!(4))).await, "FORBIDDEN");
    let mut stale = change("invite.days", json!(4));
    stale["expectedVersion"] = json!(1);
    assert_eq!(refused(&admin, stale).await, "VERSION_CONFLICT");
    portal.finish().await;
}

#[tokio::test]
async fn gn_02_a_change_applies_from_its_second_and_any_moment_can_be_asked() {
    let portal = Portal::medi_cal().await;
    let admin = portal.client(&portal.world().plan_admin).await;
    let mut later = change("invite.days", json!(5));
    later["effectiveAt"] = json!("2026-01-12T17:10:00Z");
    admin.mutate("changePolicy", later, "position").await.done();
    let mut past = change("invite.days", json!(6));
    past["effectiveAt"] = json!("2026-01-12T16:59:59Z");
    assert_eq!(refused(&admin, past).await, "DATE_INVALID");
    portal.settle().await;

    let at = "query($at: DateTime) { policy(at: $at) { version values { key value } } }";
    for (moment, days, version) in [
        (json!("2026-01-12T17:09:59Z"), 7, "1"),
        (json!("2026-01-12T17:10:00Z"), 5, "2"),
        (json!("2020-01-01T00:00:00Z"), 7, "0"),
        (Value::Null, 7, "1"),
    ] {
        let answer = admin.send(at, json!({ "at": moment })).await;
        let policy = &answer.data()["policy"];
        assert_eq!(value_of(policy, "invite.days"), days, "{moment}");
        assert_eq!(policy["version"], version, "{moment}");
    }
    portal.advance(Duration::from_secs(600));
    let now = admin.send(at, json!({})).await;
    assert_eq!(value_of(&now.data()["policy"], "invite.days"), 5);
    portal.finish().await;
}

#[tokio::test]
async fn gn_02_a_preset_begins_anew_and_history_keeps_everything() {
    let portal = Portal::medi_cal().await;
    let admin = portal.client(&portal.world().plan_admin).await;
    admin.mutate("changePolicy", change("invite.days", json!(3)), POLICY).await.done();
    let input = json!({ "preset": "HARDENED", "reason": "Stricter from now on." });
    let applied = admin.mutate("applyPreset", input, POLICY).await;
    let policy = &applied.done()["policy"];
    assert_eq!(policy["preset"], "hardened");
    assert_eq!(value_of(policy, "session.idle_minutes"), 15);
    assert_eq!(value_of(policy, "invite.days"), 7, "earlier changes are gone");

    let history = "query($after: String) { policyHistory(first: 2, after: $after) {
        nodes { preset key old new reason actorName } pageInfo { hasNextPage endCursor } } }";
    let first = admin.send(history, json!({})).await;
    let page = &first.data()["policyHistory"];
    assert_eq!(page["nodes"][0]["preset"], "hardened");
    assert_eq!(page["nodes"][0]["reason"], "Stricter from now on.");
    assert_eq!(
        page["nodes"][1],
        json!({
            "preset": null, "key": "invite.days", "old": 7, "new": 3,
            "reason": "As the committee decided.", "actorName": "Pia Stone",
        })
    );
    assert_eq!(page["pageInfo"]["hasNextPage"], true);
    let rest = admin.send(history, json!({ "after": page["pageInfo"]["endCursor"] })).await;
    assert_eq!(rest.data()["policyHistory"]["nodes"].as_array().unwrap().len(), 1);
    let member = portal.client(&portal.world().clinic_admin).await;
    assert_eq!(member.send(history, json!({})).await.error_code(), "FORBIDDEN");
    portal.finish().await;
}

#[tokio::test]
async fn gn_02_where_the_policy_asks_for_it_another_administrator_approves_a_change() {
    let portal = Portal::seeded("hardened", Preset::Hardened).await;
    let world = portal.world();
    let (pia, pat) =
        (portal.client(&world.plan_admin).await, portal.client(&world.second_plan_admin).await);
    let selection = "proposal { id status key value } policy { version values { key value } }";
    let bad = pia.mutate("changePolicy", change("invite.days", json!(99)), selection).await;
    assert_eq!(bad.refused(), "POLICY_VALUE_INVALID");
    let proposed = pia.mutate("changePolicy", change("invite.days", json!(3)), selection).await;
    let proposal = proposed.done()["proposal"].clone();
    assert_eq!(
        (&proposal["status"], &proposal["key"], &proposal["value"]),
        (&json!("OPEN"), &json!("invite.days"), &json!(3))
    );
    assert_eq!(value_of(&proposed.done()["policy"], "invite.days"), 7, "not yet");
    let decide = json!({ "proposalId": proposal["id"] });
    let own = pia.mutate("approvePolicyChange", decide.clone(), "proposal { status }").await;
    assert_eq!(own.refused(), "SELF_APPROVAL");
    let support = portal.client(&world.plan_support).await;
    let refused = support.mutate("approvePolicyChange", decide.clone(), "position").await;
    assert_eq!(refused.refused(), "FORBIDDEN");
    let approved = pat.mutate("approvePolicyChange", decide.clone(), "proposal { status }").await;
    assert_eq!(approved.done()["proposal"]["status"], "APPROVED");
    portal.settle().await;
    let read = pat.send("{ policy { values { key value } } }", json!({})).await;
    assert_eq!(value_of(&read.data()["policy"], "invite.days"), 3);
    let again = pat.mutate("approvePolicyChange", decide, "position").await;
    assert_eq!(again.refused(), "ALREADY_DECIDED");
    portal.finish().await;
}

#[tokio::test]
async fn gn_02_a_proposal_is_rejected_or_taken_back_and_changes_nothing() {
    let portal = Portal::seeded("hardened", Preset::Hardened).await;
    let world = portal.world();
    let (pia, pat) =
        (portal.client(&world.plan_admin).await, portal.client(&world.second_plan_admin).await);
    let preset = json!({ "preset": "MEDI_CAL", "reason": "Simpler." });
    let feature = json!({ "feature": "CORRESPONDENCE", "state": "OFF", "reason": "Not used." });
    let first = pia.mutate("applyPreset", preset, "proposal { id preset }").await;
    assert_eq!(first.done()["proposal"]["preset"], "medi-cal");
    let second = pia.mutate("setFeatureAvailability", feature, "proposal { id key }").await;
    assert_eq!(second.done()["proposal"]["key"], "feature.CORRESPONDENCE");
    let mut reject = json!({ "proposalId": first.done()["proposal"]["id"], "reason": " " });
    let silent = pat.mutate("rejectPolicyChange", reject.clone(), "position").await;
    assert_eq!(silent.refused(), "REASON_REQUIRED");
    reject["reason"] = json!("Too early.");
    pat.mutate("rejectPolicyChange", reject, "position").await.done();
    let withdraw = json!({ "proposalId": second.done()["proposal"]["id"] });
    let foreign = pat.mutate("withdrawPolicyChange", withdraw.clone(), "position").await;
    assert_eq!(foreign.refused(), "NOT_FOUND");
    pia.mutate("withdrawPolicyChange", withdraw, "position").await.done();
    portal.settle().await;
    let read =
        pat.send("{ policy { preset version } policyProposals { nodes { status } } }", json!({}));
    let read = read.await;
    assert_eq!(read.data()["policy"], json!({ "preset": "hardened", "version": "1" }));
    let statuses = json!([{ "status": "WITHDRAWN" }, { "status": "REJECTED" }]);
    assert_eq!(read.data()["policyProposals"]["nodes"], statuses);
    portal.finish().await;
}

#[tokio::test]
async fn gn_02_the_other_presets_take_a_change_from_one_administrator() {
    for (slug, preset) in [
        ("medi-cal", Preset::MediCal),
        ("cencal", Preset::Cencal),
        ("alliance", Preset::Alliance),
        ("carecentrix", Preset::Carecentrix),
    ] {
        let portal = Portal::seeded(slug, preset).await;
        let admin = portal.client(&portal.world().plan_admin).await;
        let selection = "proposal { id } policy { values { key value } }";
        let changed =
            admin.mutate("changePolicy", change("invite.days", json!(3)), selection).await;
        assert_eq!(changed.done()["proposal"], Value::Null, "{slug}");
        assert_eq!(value_of(&changed.done()["policy"], "invite.days"), 3, "{slug}");
        portal.finish().await;
    }
}

fn terms(version: &str) -> Value {
    json!({
        "kind": "PORTAL_TERMS",
        "version": version,
        "title": "Terms and Conditions",
        "text": "Use the portal for its purpose only.",
        "boxes": [{ "key": "READ", "label": "I have read the terms." }],
    })
}

const AGREEMENT: &str = "agreement { version sha256 boxes { key label } }";

#[tokio::test]
async fn mc_02_texts_are_versioned_with_their_boxes_and_hash() {
    let portal = Portal::medi_cal().await;
    let admin = portal.client(&portal.world().plan_admin).await;
    let published = admin.mutate("publishAgreement", terms("2026-01"), AGREEMENT).await;
    let agreement = &published.done()["agreement"];
    assert_eq!(agreement["sha256"], sha256("Use the portal for its purpose only."));
    assert_eq!(agreement["boxes"], json!([{ "key": "READ", "label": "I have read the terms." }]));
    let again = admin.mutate("publishAgreement", terms("2026-01"), AGREEMENT).await;
    assert_eq!(again.refused(), "VERSION_EXISTS");
    let mut unticked = terms("2026-02");
    unticked["boxes"] = json!([]);
    let refused = admin.mutate("publishAgreement", unticked, AGREEMENT).await;
    assert_eq!(refused.refused(), "FIELD_REQUIRED");
    let mut hidden = terms("2026-02");
    hidden["text"] = json!("Use\u{0} it.");
    let refused = admin.mutate("publishAgreement", hidden, AGREEMENT).await;
    assert_eq!(refused.refused(), "FIELD_INVALID");
    let support = portal.client(&portal.world().plan_support).await;
    let refused = support.mutate("publishAgreement", terms("2026-02"), AGREEMENT).await;
    assert_eq!(refused.refused(), "FORBIDDEN");
    portal.finish().await;
}

#[tokio::test]
async fn mc_02_visitors_read_the_text_in_force_and_its_history() {
    let portal = Portal::medi_cal().await;
    let admin = portal.client(&portal.world().plan_admin).await;
    admin.mutate("publishAgreement", terms("1"), AGREEMENT).await.done();
    let mut next = terms("2");
    next["effectiveAt"] = json!("2026-01-12T17:05:00Z");
    let published = admin.mutate("publishAgreement", next, AGREEMENT).await;
    assert_eq!(published.done()["agreement"]["version"], "1", "the next one is not in force yet");

    let visitor = portal.visitor("medi-cal");
    let read = "{ agreement(kind: PORTAL_TERMS) { version text }
                  agreementHistory(kind: PORTAL_TERMS) { nodes { version } } }";
    portal.advance(Duration::from_secs(299));
    let before = visitor.send(read, json!({})).await;
    assert_eq!(before.data()["agreement"]["version"], "1");
    portal.advance(Duration::from_secs(1));
    let after = visitor.send(read, json!({})).await;
    assert_eq!(after.data()["agreement"]["version"], "2");
    assert_eq!(
        after.data()["agreementHistory"]["nodes"],
        json!([{ "version": "2" }, { "version": "1" }])
    );
    let none = visitor.send("{ agreement(kind: AFFILIATION_AGREEMENT) { version } }", json!({}));
    assert_eq!(none.await.data()["agreement"], Value::Null);
    portal.finish().await;
}

#[tokio::test]
async fn mc_02_every_portal_has_texts_of_its_own_and_every_kind_versions_of_its_own() {
    let portal = Portal::medi_cal().await;
    let admin = portal.client(&portal.world().plan_admin).await;
    admin.mutate("publishAgreement", terms("1"), AGREEMENT).await.done();
    for kind in [
        "ONLINE_CONDITIONS_OF_USE",
        "SYSTEM_USE_NOTIFICATION",
        "AFFILIATION_AGREEMENT",
        "ELECTRONIC_1099_CONSENT",
    ] {
        let mut other = terms("1");
        other["kind"] = json!(kind);
        admin.mutate("publishAgreement", other, AGREEMENT).await.done();
    }
    let mut past = terms("2");
    past["effectiveAt"] = json!("2026-01-12T16:59:59Z");
    let refused = admin.mutate("publishAgreement", past, AGREEMENT).await;
    assert_eq!(refused.refused(), "RANGE_INVALID", "nobody could have read it then");

    let read = "{ agreementHistory(kind: PORTAL_TERMS) { nodes { version } } }";
    let other = portal.another_tenant("other-plan", Preset::MediCal).await;
    let elsewhere = portal.visitor(&other.slug);
    let none = elsewhere.send(read, json!({})).await;
    assert_eq!(none.data()["agreementHistory"]["nodes"], json!([]));
    let foreign = portal.client_in(&other, Preset::MediCal, &other.plan_admin).await;
    foreign.mutate("publishAgreement", terms("1"), AGREEMENT).await.done();
    let own = portal.visitor("medi-cal").send(read, json!({})).await;
    assert_eq!(own.data()["agreementHistory"]["nodes"], json!([{ "version": "1" }]));
    portal.finish().await;
}

fn sha256(text: &str) -> String {
    use sha2::{Digest, Sha256};
    format!("{:x}", Sha256::digest(text.as_bytes()))
}
