//! Walks over every mutation there is, so that a new one cannot forget what all of them owe.
//!
//! The schema's introspection says which there are and what they take; exceptions stand in
//! `public_mutations.txt`, a list that only grows with a reason.

mod input;
mod versions;

use std::collections::BTreeSet;

use rollcall_domain::policies::Preset;
use serde_json::{Value, json};

use self::input::Shapes;
use crate::support::{Answer, Client, Portal};

/// Mutations that a visitor may send, because they verify what the visitor brings.
fn public() -> BTreeSet<&'static str> {
    include_str!("public_mutations.txt")
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect()
}

async fn send(client: &Client, shapes: &Shapes, mutation: &str, input: Value) -> Answer {
    let input_type = shapes.input_type(mutation);
    let document = format!(
        "mutation($input: {input_type}!) {{ {mutation}(input: $input) {{ position userErrors {{ code message field }} }} }}"
    );
    client.send(&document, json!({ "input": input })).await
}

#[tokio::test]
async fn every_mutation_refuses_visitors_unless_it_verifies_what_they_bring() {
    let portal = Portal::medi_cal().await;
    let visitor = portal.visitor(&portal.world().slug);
    let shapes = Shapes::read(&visitor).await;
    let public = public();
    for mutation in shapes.mutations() {
        let input = shapes.sample(mutation, portal.world());
        let before = portal.position().await;
        let answer = send(&visitor, &shapes, mutation, input).await;
        if public.contains(mutation) {
            let refused = !answer.body["data"][mutation]["userErrors"].is_null()
                || answer.body["errors"].is_array();
            assert!(refused, "{mutation}: {}", answer.body);
        } else {
            let code = &answer.body["errors"][0]["extensions"]["code"];
            assert_eq!(code, "UNAUTHENTICATED", "{mutation}: {}", answer.body);
            assert_eq!(portal.position().await, before, "{mutation} changed something");
        }
    }
    let unknown: Vec<_> = public.iter().filter(|name| !shapes.has(name)).collect();
    assert!(unknown.is_empty(), "no longer there: {unknown:?}");
    portal.finish().await;
}

#[tokio::test]
async fn every_mutation_finds_nothing_of_another_tenant() {
    let portal = Portal::medi_cal().await;
    let other = portal.another_tenant("other-plan", Preset::MediCal).await;
    let shapes = Shapes::read(&portal.visitor(&other.slug)).await;
    let admin = portal.client_in(&other, Preset::MediCal, &other.clinic_admin).await;
    let plan = portal.client_in(&other, Preset::MediCal, &other.plan_admin).await;
    let public = public();
    let before = portal.position().await;
    let mut taken = Vec::new();
    for mutation in shapes.mutations().filter(|mutation| !public.contains(mutation)) {
        if !shapes.takes_an_id(mutation) {
            continue;
        }
        for client in [&admin, &plan] {
            let input = shapes.sample(mutation, portal.world());
            let answer = send(client, &shapes, mutation, input).await;
            let done = answer.body["data"][mutation]["userErrors"] == json!([]);
            if done {
                taken.push(mutation.to_owned());
            }
            assert!(
                !answer.body.to_string().contains("INTERNAL_SERVER_ERROR"),
                "{mutation}: {}",
                answer.body
            );
        }
    }
    assert!(taken.is_empty(), "accepted ids of another tenant: {taken:?}");
    assert_eq!(
        portal.position().await,
        before,
        "something changed in the tenant whose ids were sent"
    );
    portal.finish().await;
}

/// Strings that are wrong in every field: empty, blank, far too long, control characters.
const BAD: [&str; 4] = ["", "   ", "\u{0}\u{7}x", "ＡＢＣ"];

#[tokio::test]
async fn bad_text_in_any_field_is_refused_with_a_code_and_changes_nothing() {
    let portal = Portal::medi_cal().await;
    let admin = portal.client(&portal.world().clinic_admin).await;
    let shapes = Shapes::read(&admin).await;
    let long = "x".repeat(5_000);
    for mutation in shapes.mutations() {
        for text in BAD.iter().copied().chain([long.as_str()]) {
            let mut input = shapes.sample(mutation, portal.world());
            if !input::spoil(&mut input, text) {
                continue;
            }
            let answer = send(&admin, &shapes, mutation, input).await;
            assert!(answer.status < 500, "{mutation} with {text:?}: {}", answer.body);
            assert!(
                !answer.body.to_string().contains("INTERNAL_SERVER_ERROR"),
                "{mutation} with {text:?}: {}",
                answer.body
            );
            let errors = &answer.body["data"][mutation]["userErrors"];
            for error in errors.as_array().into_iter().flatten() {
                let message = error["message"].as_str().unwrap_or_default();
                assert!(
                    message.ends_with('.'),
                    "{mutation}: a sentence says what to do: {message}"
                );
            }
        }
    }
    portal.finish().await;
}

#[tokio::test]
async fn gn_28_every_mutation_refuses_a_key_outside_its_scopes() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let admin = portal.client(&world.clinic_admin).await;
    let input = json!({
        "organizationId": world.clinic.id.to_string(),
        "name": "Reader",
        "scopes": ["READ_DIRECTORY", "READ_ACCESS", "READ_AUDIT"],
        "expiresAt": "2026-02-12T17:00:00Z",
    });
    let made = admin.mutate("createApiKey", input, "secret").await;
    let secret = made.done()["secret"].as_str().expect("a secret").to_owned();
    let machine = portal.visitor(&world.slug).with_token(&secret);
    let shapes = Shapes::read(&machine).await;
    let public = public();
    // Made for keys, with an input that no sample fits: gn_16 shows that it takes its scope.
    for mutation in shapes.mutations().filter(|mutation| *mutation != "reportRightUse") {
        let input = shapes.sample(mutation, world);
        let answer = send(&machine, &shapes, mutation, input).await;
        let errors = &answer.body["data"][mutation]["userErrors"];
        let top = &answer.body["errors"][0]["extensions"]["code"];
        let forbidden = errors[0]["code"] == "FORBIDDEN" || top == "FORBIDDEN";
        // What visitors may send looks at its input first.
        let unfit = !errors[0]["code"].is_null() || !top.is_null();
        assert!(forbidden || (public.contains(mutation) && unfit), "{mutation}: {}", answer.body);
    }
    portal.finish().await;
}
