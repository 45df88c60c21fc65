//! PINs: who sees them, who is shown them, how often they change (MC-50 to MC-53, GN-17).

use chrono::{DateTime, TimeZone, Utc};
use rollcall_domain::{
    kernel::ids::OtpChallengeId,
    organizations::{Organization, OrganizationCommand},
    pins::{Pin, PinEvent},
    policies::{PolicyKey, PolicyValue},
    users::one_time_passcode::{
        OneTimePasscode, OneTimePasscodeCommand, OtpOwner, OtpPurpose, SendOtp,
    },
    values::{CodeChannel, Npi, OrganizationName, PhoneNumber, ProviderCommunity, ProviderType},
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Answer, Client, Person, Portal};

/// The clinic's NPIs: the first is the one that its NPI administrator and processor have.
const FIRST: &str = "1234567893";
const SECOND: &str = "1245319599";
/// What every seeded NPI has.
const SEEDED_PIN: &str = "4711007";

async fn pins(client: &Client, arguments: &str, portal: &Portal) -> Answer {
    let position = portal.position().await;
    let document = format!(
        "query($of: ID!, $at: Position) {{ pins(organizationId: $of, minPosition: $at {arguments}) {{
           nodes {{ npi providerName level canReveal canReset version lastReset nextResetAt }}
           edges {{ cursor }} pageInfo {{ hasNextPage endCursor }} totalCount }} }}"
    );
    let of = portal.world().clinic.id.to_string();
    client.send(&document, json!({ "of": of, "at": position.to_string() })).await
}

async fn pin(client: &Client, npi: &str, portal: &Portal) -> Answer {
    let position = portal.position().await;
    let document = "query($of: ID!, $npi: NPI!, $at: Position) {
      pin(organizationId: $of, npi: $npi, minPosition: $at) { npi version lastReset nextResetAt } }";
    let of = portal.world().clinic.id.to_string();
    client.send(document, json!({ "of": of, "npi": npi, "at": position.to_string() })).await
}

async fn history(client: &Client, npi: &str, portal: &Portal) -> Answer {
    let position = portal.position().await;
    let document = "query($of: ID!, $npi: NPI!, $at: Position) {
      pinHistory(organizationId: $of, npi: $npi, minPosition: $at) {
        nodes { fact version by byName bySupport at } } }";
    let of = portal.world().clinic.id.to_string();
    client.send(document, json!({ "of": of, "npi": npi, "at": position.to_string() })).await
}

fn facts(answer: &Answer) -> Vec<&str> {
    let nodes = answer.data()["pinHistory"]["nodes"].as_array().expect("nodes");
    nodes.iter().map(|node| node["fact"].as_str().expect("a fact")).collect()
}

fn input(portal: &Portal, npi: &str, more: Value) -> Value {
    let mut input = json!({ "organizationId": portal.world().clinic.id.to_string(), "npi": npi });
    for (name, value) in more.as_object().expect("an object") {
        input[name] = value.clone();
    }
    json!({ "input": input })
}

async fn reveal(client: &Client, portal: &Portal, npi: &str, more: Value) -> Answer {
    let document = "mutation($input: RevealPinInput!) { revealPin(input: $input) {
      pin position userErrors { code field retryAt } } }";
    client.send(document, input(portal, npi, more)).await
}

async fn reset(client: &Client, portal: &Portal, npi: &str) -> Answer {
    let document = "mutation($input: ResetPinInput!) { resetPin(input: $input) {
      pin { version lastReset nextResetAt } userErrors { code field retryAt } } }";
    client.send(document, input(portal, npi, json!({}))).await
}

/// A wall-clock time in California in January.
fn local(day: u32, hour: u32, minute: u32) -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 1, day, hour, minute, 0).unwrap() + chrono::TimeDelta::hours(8)
}

async fn at(portal: &Portal, moment: DateTime<Utc>, who: &Person) -> Client {
    portal.clock.set(moment);
    portal.client(who).await
}

#[tokio::test]
async fn mc_50_people_see_the_npis_they_are_assigned_and_processors_without_view_and_reset() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    for (who, npis, manages) in [
        (&world.clinic_admin, 3, true),
        (&world.npi_admin, 1, true),
        (&world.processor, 1, false),
        (&world.newcomer, 0, false),
    ] {
        let client = portal.client(who).await;
        let answer = pins(&client, "", &portal).await;
        let list = &answer.data()["pins"];
        assert_eq!(list["totalCount"], npis, "{}", who.email);
        for node in list["nodes"].as_array().unwrap() {
            assert_eq!(node["canReveal"], manages, "{}", who.email);
            assert_eq!(node["canReset"], manages, "{}", who.email);
            assert_eq!(node["version"], 1);
            assert!(!node.to_string().contains(SEEDED_PIN));
        }
    }
    let stranger = portal.client(&world.hospital_admin).await;
    assert_eq!(pins(&stranger, "", &portal).await.error_code(), "NOT_FOUND");
    portal.finish().await;
}

#[tokio::test]
async fn mc_50_the_list_goes_on_page_by_page() {
    let portal = Portal::medi_cal().await;
    let client = portal.client(&portal.world().clinic_admin).await;
    let first = pins(&client, ", first: 2", &portal).await;
    let list = &first.data()["pins"];
    assert_eq!(list["nodes"].as_array().unwrap().len(), 2);
    assert_eq!(list["pageInfo"]["hasNextPage"], true);
    let cursor = list["pageInfo"]["endCursor"].as_str().unwrap();
    let rest = pins(&client, &format!(", first: 2, after: \"{cursor}\""), &portal).await;
    let list = &rest.data()["pins"];
    assert_eq!(list["nodes"].as_array().unwrap().len(), 1);
    assert_eq!(list["pageInfo"]["hasNextPage"], false);
    portal.finish().await;
}

#[tokio::test]
async fn mc_51_the_list_is_searched_by_provider_name_or_npi() {
    let portal = Portal::medi_cal().await;
    let client = portal.client(&portal.world().clinic_admin).await;
    for (search, found) in [("REDWOOD", 3), ("wood cl", 3), ("12453", 1), ("Bayview", 0), ("%", 0)]
    {
        let answer = pins(&client, &format!(", search: \"{search}\""), &portal).await;
        assert_eq!(answer.data()["pins"]["totalCount"], found, "{search}");
    }
    portal.finish().await;
}

#[tokio::test]
async fn mc_52_a_reveal_shows_the_pin_and_is_on_record() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let client = portal.client(&world.npi_admin).await;
    let before = portal.position().await;
    let answer = reveal(&client, &portal, FIRST, json!({})).await;
    assert_eq!(answer.done()["pin"], SEEDED_PIN);
    assert_eq!(portal.position().await, before + 1);
    let told = history(&client, FIRST, &portal).await;
    assert_eq!(facts(&told), ["REVEALED", "ISSUED"]);
    assert_eq!(told.data()["pinHistory"]["nodes"][0]["byName"], "Nora Diaz");
    let stream = world.tenant.pin_stream(&Npi::parse(FIRST).unwrap());
    let events = portal.service.commands.journal.events::<Pin>(world.tenant, stream).await.unwrap();
    assert!(
        matches!(events[1], PinEvent::PinRevealed { user, .. } if user == world.npi_admin.user)
    );
    assert!(!format!("{events:?}").contains(SEEDED_PIN));
    portal.finish().await;
}

#[tokio::test]
async fn mc_52_a_repeated_reveal_shows_nothing() {
    let portal = Portal::medi_cal().await;
    let client = portal.client(&portal.world().npi_admin).await;
    let key = json!({ "idempotencyKey": "once" });
    assert_eq!(reveal(&client, &portal, FIRST, key.clone()).await.done()["pin"], SEEDED_PIN);
    let before = portal.position().await;
    let again = reveal(&client, &portal, FIRST, key).await;
    assert_eq!(again.refused(), "RESULT_WITHHELD");
    assert!(!again.body.to_string().contains(SEEDED_PIN));
    assert_eq!(portal.position().await, before);
    portal.finish().await;
}

#[tokio::test]
async fn mc_52_only_those_the_policy_names_are_shown_a_pin() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let processor = portal.client(&world.processor).await;
    let npi_admin = portal.client(&world.npi_admin).await;
    assert_eq!(reveal(&processor, &portal, FIRST, json!({})).await.refused(), "NPI_NOT_PERMITTED");
    assert_eq!(reveal(&npi_admin, &portal, SECOND, json!({})).await.refused(), "NPI_NOT_PERMITTED");
    assert_eq!(reveal(&npi_admin, &portal, "1234567890", json!({})).await.refused(), "NPI_INVALID");
    assert_eq!(history(&processor, FIRST, &portal).await.error_code(), "FORBIDDEN");
    let admin = portal.client(&world.clinic_admin).await;
    assert_eq!(facts(&history(&admin, FIRST, &portal).await), ["ISSUED"]);
    let both = PolicyValue::Words(vec!["NPI_ADMIN".into(), "NPI_PROCESSOR".into()]);
    portal.change_policy(PolicyKey::PinsRoles, both).await;
    assert_eq!(reveal(&processor, &portal, FIRST, json!({})).await.done()["pin"], SEEDED_PIN);
    portal.change_policy(PolicyKey::PinsEnabled, PolicyValue::Boolean(false)).await;
    assert_eq!(reveal(&processor, &portal, FIRST, json!({})).await.refused(), "FEATURE_DISABLED");
    portal.finish().await;
}

#[tokio::test]
async fn mc_52_a_reveal_asks_for_a_passcode_where_the_policy_says_so() {
    let portal = Portal::medi_cal().await;
    let who = portal.world().npi_admin.clone();
    let client = portal.client(&who).await;
    let guarded = PolicyValue::Words(vec!["REVEAL_PIN".into()]);
    portal.change_policy(PolicyKey::OtpStepUpActions, guarded).await;
    assert_eq!(reveal(&client, &portal, FIRST, json!({})).await.refused(), "OTP_REQUIRED");
    let challenge = OtpChallengeId(Uuid::new_v4());
    let send = OneTimePasscodeCommand::SendOtp(SendOtp {
        challenge,
        owner: OtpOwner::User(who.user),
        purpose: OtpPurpose::StepUp,
        channel: CodeChannel::Sms,
        to: PhoneNumber::parse("+12025550123").unwrap(),
    });
    portal.decide::<OneTimePasscode>(challenge, send).await;
    let with_code = json!({ "otpChallengeId": challenge.to_string() });
    assert_eq!(reveal(&client, &portal, FIRST, with_code.clone()).await.refused(), "OTP_REQUIRED");
    let verify = OneTimePasscodeCommand::VerifyOtp { matches: true };
    portal.decide::<OneTimePasscode>(challenge, verify).await;
    let admin = portal.client(&portal.world().clinic_admin).await;
    assert_eq!(reveal(&admin, &portal, FIRST, with_code.clone()).await.refused(), "OTP_REQUIRED");
    assert_eq!(reveal(&client, &portal, FIRST, with_code.clone()).await.done()["pin"], SEEDED_PIN);
    assert_eq!(reveal(&client, &portal, FIRST, with_code).await.refused(), "OTP_REQUIRED");
    portal.finish().await;
}

#[tokio::test]
async fn mc_53_a_pin_is_reset_before_midnight_and_again_after() {
    let portal = Portal::medi_cal().await;
    let who = portal.world().npi_admin.clone();
    let late = at(&portal, local(12, 23, 59), &who).await;
    let done = reset(&late, &portal, FIRST).await;
    assert_eq!(done.done()["pin"]["version"], 2);
    assert_eq!(done.done()["pin"]["lastReset"], "2026-01-13T07:59:00Z");
    assert_eq!(done.done()["pin"]["nextResetAt"], "2026-01-13T08:00:00Z");
    let early = at(&portal, local(13, 0, 1), &who).await;
    assert_eq!(pin(&early, FIRST, &portal).await.data()["pin"]["nextResetAt"], Value::Null);
    assert_eq!(reset(&early, &portal, FIRST).await.done()["pin"]["version"], 3);
    portal.finish().await;
}

#[tokio::test]
async fn mc_53_a_second_reset_on_one_local_day_waits_for_midnight() {
    let portal = Portal::medi_cal().await;
    let who = portal.world().npi_admin.clone();
    let early = at(&portal, local(13, 0, 1), &who).await;
    reset(&early, &portal, FIRST).await.done();
    let late = at(&portal, local(13, 23, 59), &who).await;
    let refused = reset(&late, &portal, FIRST).await;
    assert_eq!(refused.refused(), "PIN_RESET_LIMIT");
    let error = &refused.data()["resetPin"]["userErrors"][0];
    assert_eq!(error["retryAt"], "2026-01-14T08:00:00Z");
    let admin = portal.client(&portal.world().clinic_admin).await;
    assert_eq!(reset(&admin, &portal, FIRST).await.refused(), "PIN_RESET_LIMIT");
    assert_eq!(reset(&admin, &portal, SECOND).await.done()["pin"]["version"], 2);
    portal.finish().await;
}

#[tokio::test]
async fn mc_53_administrators_of_organisation_and_npi_are_mailed_of_a_reset() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let client = portal.client(&world.npi_admin).await;
    reset(&client, &portal, FIRST).await.done();
    for who in [&world.clinic_admin, &world.clinic_second_admin, &world.npi_admin] {
        let mail = portal.mailbox(&who.email).await;
        let message = Portal::newest(&mail, "A PIN was reset");
        assert!(message["text"].as_str().unwrap().contains(FIRST), "{message}");
    }
    let others = portal.mailbox(&world.processor.email).await;
    assert!(others.iter().all(|message| message["subject"] != "A PIN was reset"));
    portal.finish().await;
}

#[tokio::test]
async fn mc_53_only_those_who_may_see_a_pin_reset_it_and_on_what_they_saw() {
    let portal = Portal::medi_cal().await;
    let processor = portal.client(&portal.world().processor).await;
    assert_eq!(reset(&processor, &portal, FIRST).await.refused(), "NPI_NOT_PERMITTED");
    let client = portal.client(&portal.world().npi_admin).await;
    let document = "mutation($input: ResetPinInput!) { resetPin(input: $input) {
      pin { version } userErrors { code } } }";
    let stale = input(&portal, FIRST, json!({ "expectedVersion": 4 }));
    assert_eq!(client.send(document, stale).await.refused(), "VERSION_CONFLICT");
    let current = input(&portal, FIRST, json!({ "expectedVersion": 1 }));
    assert_eq!(client.send(document, current).await.done()["pin"]["version"], 2);
    portal.finish().await;
}

#[tokio::test]
async fn gn_17_a_reset_gives_another_random_pin_and_the_old_one_is_gone() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let client = portal.client(&world.npi_admin).await;
    let npi = Npi::parse(FIRST).unwrap();
    let journal = &portal.service.commands.journal;
    let load = || journal.load_fresh::<Pin>(world.tenant, world.tenant.pin_stream(&npi));
    let old = load().await.unwrap().state.holding().unwrap().pin_ref;
    reset(&client, &portal, FIRST).await.done();
    let new = load().await.unwrap().state.holding().unwrap().pin_ref;
    let answer = reveal(&client, &portal, FIRST, json!({})).await;
    let shown = answer.done()["pin"].as_str().unwrap().to_owned();
    assert!(shown.len() == 7 && shown.bytes().all(|byte| byte.is_ascii_digit()), "{shown}");
    assert_ne!(shown, SEEDED_PIN);
    assert!(journal.vault_get(world.tenant, "pin", old.0).await.unwrap().is_none());
    let kept = journal.vault_get(world.tenant, "pin", new.0).await.unwrap().unwrap();
    assert_eq!(kept.as_slice(), shown.as_bytes());
    let owner = journal.owner_of(world.tenant, "pin", &shown).await.unwrap();
    assert_eq!(owner, Some(world.tenant.pin_stream(&npi)), "no other NPI is given this PIN");
    portal.finish().await;
}

#[tokio::test]
async fn gn_17_of_two_resets_at_once_one_wins() {
    let portal = Portal::medi_cal().await;
    let one = portal.client(&portal.world().npi_admin).await;
    let other = portal.client(&portal.world().clinic_admin).await;
    let (first, second) = tokio::join!(reset(&one, &portal, FIRST), reset(&other, &portal, FIRST));
    let codes: Vec<Value> = [&first, &second]
        .iter()
        .map(|answer| answer.data()["resetPin"]["userErrors"][0]["code"].clone())
        .collect();
    assert!(codes.contains(&Value::Null), "one wins: {codes:?}");
    assert!(codes.contains(&json!("PIN_RESET_LIMIT")), "the other is told: {codes:?}");
    assert_eq!(facts(&history(&one, FIRST, &portal).await), ["RESET", "ISSUED"]);
    portal.finish().await;
}

async fn for_caller(client: &Client, portal: &Portal, npi: &str, more: Value) -> Answer {
    let mut input = json!({
        "organizationId": portal.world().clinic.id.to_string(), "npi": npi,
        "callerName": "Carla Vance", "taxIdLast4": "6789", "payToZip": "93701",
    });
    for (name, value) in more.as_object().expect("an object") {
        input[name] = value.clone();
    }
    client.mutate("resetPinForCaller", input, "version").await
}

#[tokio::test]
async fn gn_17_support_resets_a_pin_for_a_caller_who_says_what_is_on_file() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let support = portal.client(&world.plan_support).await;
    for wrong in [json!({ "taxIdLast4": "6780" }), json!({ "payToZip": "93702" })] {
        let refused = for_caller(&support, &portal, FIRST, wrong).await;
        assert_eq!(refused.refused(), "DETAILS_DO_NOT_MATCH");
        assert_eq!(refused.refusal()["field"], json!([]), "which of them is never told");
    }
    let elsewhere = for_caller(&support, &portal, "1558598797", json!({})).await;
    assert_eq!(elsewhere.refused(), "NPI_NOT_IN_ORG");
    let nameless = for_caller(&support, &portal, FIRST, json!({ "callerName": "" })).await;
    assert_eq!(nameless.refusal()["field"], json!(["callerName"]));
    for other in [&world.clinic_admin, &world.plan_admin, &world.auditor] {
        let client = portal.client(other).await;
        assert_eq!(for_caller(&client, &portal, FIRST, json!({})).await.refused(), "FORBIDDEN");
    }
    let done = for_caller(&support, &portal, FIRST, json!({ "payToZip": "93701-1234" })).await;
    assert_eq!(done.done()["version"], 2);
    let again = for_caller(&support, &portal, FIRST, json!({})).await;
    assert_eq!(again.refused(), "PIN_RESET_LIMIT", "anybody's reset counts");
    let admin = portal.client(&world.clinic_admin).await;
    let told = history(&admin, FIRST, &portal).await;
    let newest = &told.data()["pinHistory"]["nodes"][0];
    assert_eq!((&newest["fact"], &newest["bySupport"]), (&json!("RESET"), &json!(true)));
    let stream = world.tenant.pin_stream(&Npi::parse(FIRST).unwrap());
    let events = portal.events::<Pin>(stream).await;
    let caller = events.iter().find_map(|event| match event {
        PinEvent::PinReset { caller, .. } => caller.as_ref().and_then(|it| it.get()),
        PinEvent::PinIssued { .. }
        | PinEvent::PinPropagationPending { .. }
        | PinEvent::PinPropagationCompleted { .. }
        | PinEvent::PinRevealed { .. } => None,
    });
    assert_eq!(caller.map(ToString::to_string).as_deref(), Some("Carla Vance"));
    portal.finish().await;
}

#[tokio::test]
async fn gn_17_some_provider_types_are_not_reset_by_telephone() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let support = portal.client(&world.plan_support).await;
    let attach = |npi: &str, kind: &str| OrganizationCommand::AttachNpi {
        npi: Npi::parse(npi).unwrap(),
        name: OrganizationName::parse("Redwood Dental").unwrap(),
        provider_type: ProviderType::parse(kind).unwrap(),
        community: ProviderCommunity::parse("PHYSICIANS").unwrap(),
        effective_at: portal.service.commands.journal.now(),
    };
    let dental = "1111111112";
    portal.decide::<Organization>(world.clinic.id.0, attach(dental, "DENTAL")).await;
    let refused = for_caller(&support, &portal, dental, json!({})).await;
    assert_eq!(refused.refused(), "PROVIDER_TYPE_EXCLUDED");
    portal.change_policy(PolicyKey::PinsSupportExcludedTypes, PolicyValue::Words(vec![])).await;
    // It was never issued a PIN, which is all that is wrong now.
    assert_eq!(for_caller(&support, &portal, dental, json!({})).await.refused(), "NOT_FOUND");
    portal.change_policy(PolicyKey::PinsEnabled, PolicyValue::Boolean(false)).await;
    let off = for_caller(&support, &portal, FIRST, json!({})).await;
    assert_eq!(off.refused(), "FEATURE_DISABLED");
    portal.finish().await;
}

#[tokio::test]
async fn gn_17_dependent_files_lag_two_hours_at_most() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let client = portal.client(&world.npi_admin).await;
    let due = async || {
        let document = "query($id: ID!, $npi: NPI!, $min: Position) {
            pin(organizationId: $id, npi: $npi, minPosition: $min) { propagationDueAt } }";
        let (id, min) = (world.clinic.id.to_string(), portal.position().await.to_string());
        let client = portal.client(&world.npi_admin).await;
        let answer = client.send(document, json!({ "id": id, "npi": FIRST, "min": min })).await;
        answer.data()["pin"]["propagationDueAt"].clone()
    };
    assert_eq!(due().await, Value::Null);
    reset(&client, &portal, FIRST).await.done();
    assert_eq!(due().await, "2026-01-12T19:00:00Z");
    portal.advance(std::time::Duration::from_secs(2 * 3600 - 1));
    portal.settle().await;
    assert_eq!(due().await, "2026-01-12T19:00:00Z");
    portal.advance(std::time::Duration::from_secs(1));
    portal.settle().await;
    assert_eq!(due().await, Value::Null, "the longest time is over");

    // The plan may say so before, of the version that is awaited.
    portal.advance(std::time::Duration::from_secs(24 * 3600));
    let client = portal.client(&world.npi_admin).await;
    reset(&client, &portal, FIRST).await.done();
    let support = portal.client(&world.plan_support).await;
    let confirm = async |version: i32| {
        let input = json!({ "npi": FIRST, "version": version });
        support.mutate("confirmPinPropagation", input, "").await
    };
    assert_eq!(confirm(4).await.refused(), "NOT_FOUND");
    confirm(2).await.done();
    assert_ne!(due().await, Value::Null, "an earlier version is not what is awaited");
    confirm(3).await.done();
    assert_eq!(due().await, Value::Null);
    let stranger = portal.client(&world.clinic_admin).await;
    let input = json!({ "npi": FIRST, "version": 3 });
    let refused = stranger.mutate("confirmPinPropagation", input, "").await;
    assert_eq!(refused.refused(), "FORBIDDEN");
    portal.finish().await;
}
