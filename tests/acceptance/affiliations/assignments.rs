//! What an affiliation lets the submitter's people do, and its renewal (GN-18).

use rollcall_domain::{
    affiliations::Affiliation,
    kernel::ids::InvitationId,
    organizations::{Organization, OrganizationCommand, organization::RosterCommand},
    values::{AgreementKind, Npi},
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Desk, Scene, id, scene, signature};
use crate::support::{Answer, Client, Person, Portal, uuid_of};

/// Somebody who works for the submitter as well.
async fn clerk(portal: &Portal) -> Person {
    let world = portal.world();
    let (user, invitation) = (world.newcomer.user, InvitationId(Uuid::new_v4()));
    let email_domain = "portal.example".to_owned();
    let invite = RosterCommand::InviteMember { user, invitation, email_domain };
    portal.roster(&world.biller, invite).await;
    let join = RosterCommand::JoinByInvitation { user, invitation, signed_in: false };
    portal.roster(&world.biller, join).await;
    Person { organization: Some(world.biller.id), ..world.newcomer.clone() }
}

async fn assign(desk: &Desk, affiliation: &str, who: &Person, npis: &[&str]) -> Answer {
    let input = json!({
        "organizationId": desk.organization.to_string(), "affiliationId": affiliation,
        "userId": who.user.to_string(), "npis": npis,
    });
    desk.client
        .mutate("assignAffiliatedNpis", input, "affiliation { assignments { userId npis } }")
        .await
}

/// Names and organisations of who may submit for an NPI at a moment, and until when.
async fn submitters(portal: &Portal, npi: &str, at: Option<&str>) -> Vec<(String, String, Value)> {
    let auditor = portal.client(&portal.world().auditor).await;
    let document = "query($npi: NPI, $at: DateTime, $min: Position) {
        accessRegister(npi: $npi, right: SUBMIT_TRANSACTIONS, asOf: $at, minPosition: $min) {
          nodes { user { name } organization { name } source validTo cause { kind } } } }";
    let min = portal.position().await.to_string();
    let answer = auditor.send(document, json!({ "npi": npi, "at": at, "min": min })).await;
    let rows = answer.data()["accessRegister"]["nodes"].as_array().expect("rows").clone();
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    rows.iter()
        .map(|row| {
            assert_eq!(
                (&row["source"], &row["cause"]["kind"]),
                (&json!("AFFILIATION"), &json!("ADMINISTRATOR"))
            );
            (text(&row["user"]["name"]), text(&row["organization"]["name"]), row["validTo"].clone())
        })
        .collect()
}

fn nell(until: Value) -> Vec<(String, String, Value)> {
    vec![("Nell Ortiz".to_owned(), "Golden Gate Billing".to_owned(), until)]
}

async fn may_reveal(client: &Client, organization: &str, npi: &str) -> Answer {
    let input = json!({ "organizationId": organization, "npi": npi });
    client.mutate("revealPin", input, "pin").await
}

#[tokio::test]
async fn gn_18_a_submitter_assigns_npis_in_scope_and_the_register_shows_who_submits() {
    let Scene { portal, world, biller, clinic, .. } = scene().await;
    let clerk = clerk(&portal).await;
    let [first, second, third] = [0, 1, 2].map(|n| world.clinic.npis[n].as_str());
    let scope = json!({ "npis": [first, second], "transactionTypes": ["837P"] });
    let more = json!({ "counterpartyId": world.clinic.id.to_string(), "scope": scope });
    let affiliation = id(&biller.ask_with(more).await);
    assert_eq!(assign(&biller, &affiliation, &clerk, &[first]).await.refused(), "NOT_PENDING");
    clinic.approve(&affiliation).await.done();

    let outside = assign(&biller, &affiliation, &clerk, &[first, third]).await;
    assert_eq!(
        (outside.refused(), &outside.refusal()["field"]),
        ("NPI_NOT_IN_ORG", &json!(["npis"]))
    );
    assert_eq!(
        assign(&biller, &affiliation, &world.processor, &[first]).await.refused(),
        "NOT_FOUND"
    );
    let own = assign(&biller, &affiliation, &world.biller_admin, &[first]).await;
    assert_eq!(own.refused(), "SELF_GRANT");
    let theirs = assign(&clinic, &affiliation, &world.processor, &[first]).await;
    assert_eq!(theirs.refused(), "NOT_COUNTERPARTY");
    assert_eq!(submitters(&portal, first, None).await, []);

    let done = assign(&biller, &affiliation, &clerk, &[first, second]).await;
    assert_eq!(done.done()["affiliation"]["assignments"][0]["npis"], json!([first, second]));
    assert_eq!(submitters(&portal, first, None).await, nell(Value::Null));
    assert_eq!(submitters(&portal, third, None).await, []);
    assign(&biller, &affiliation, &clerk, &[first]).await.done();
    assert_eq!(submitters(&portal, second, None).await, []);

    // It counts in the Transaction Center only: PINs ask for a level of the provider's own.
    let client = portal.client(&clerk).await;
    let of_biller = may_reveal(&client, &world.biller.id.to_string(), first).await;
    assert_eq!(of_biller.refused(), "NPI_NOT_PERMITTED");
    // Who works for the submitter is told to the submitter and to the plan.
    let document = |of: &str| {
        format!("{{ affiliation(id: \"{affiliation}\"{of}) {{ assignments {{ npis }} }} }}")
    };
    let seen = async |client: &Client, of: &str| {
        let answer = client.send(&document(of), json!({})).await;
        answer.data()["affiliation"]["assignments"].clone()
    };
    let plan = portal.client(&world.plan_support).await;
    assert_eq!(seen(&plan, "").await, json!([{ "npis": [first] }]));
    let provider = format!(", organizationId: \"{}\"", world.clinic.id);
    assert_eq!(seen(&clinic.client, &provider).await, json!([]));
    portal.finish().await;
}

#[tokio::test]
async fn gn_14_what_an_ended_affiliation_took_is_lost_by_its_end() {
    let Scene { portal, world, biller, clinic, .. } = scene().await;
    let clerk = clerk(&portal).await;
    let npi = world.clinic.npis[0].as_str();
    let affiliation = id(&biller.ask(world.clinic.id).await);
    clinic.approve(&affiliation).await.done();
    assign(&biller, &affiliation, &clerk, &[npi]).await.done();
    let from = portal.service.commands.journal.now().to_rfc3339();
    let ended = clinic.terminate(&affiliation, true, "2026-01-13").await;
    let ended = ended.done()["position"].clone();
    portal.clock.set("2026-01-14T09:00:00Z".parse().unwrap());
    let document = "query($from: DateTime!, $min: Position) {
        accessDifference(from: $from, filter: { right: SUBMIT_TRANSACTIONS }, minPosition: $min) {
          nodes { change user { name } organization { name } npi levelBefore levelAfter happenedAt
                  cause { kind eventPosition } } } }";
    let expected = json!([{
        "change": "LOST", "user": { "name": "Nell Ortiz" },
        "organization": { "name": "Golden Gate Billing" }, "npi": npi,
        "levelBefore": "SUBMITTER", "levelAfter": null, "happenedAt": "2026-01-14T08:00:00Z",
        "cause": { "kind": "AFFILIATION_ENDED", "eventPosition": ended },
    }]);
    // The plan sees it, and the organisation whose people submitted.
    for who in [&world.auditor, &world.biller_admin] {
        let client = portal.client(who).await;
        let answer = client.send(document, json!({ "from": from, "min": ended })).await;
        assert_eq!(answer.data()["accessDifference"]["nodes"], expected, "{}", answer.body);
    }
    let provider = portal.client(&world.clinic_admin).await;
    let answer = provider.send(document, json!({ "from": from, "min": ended })).await;
    assert_eq!(answer.data()["accessDifference"]["nodes"], json!([]));
    portal.finish().await;
}

#[tokio::test]
async fn gn_18_what_was_assigned_ends_with_the_affiliation_in_the_same_append() {
    let Scene { portal, world, biller, clinic, .. } = scene().await;
    let clerk = clerk(&portal).await;
    let npi = world.clinic.npis[0].as_str();
    let affiliation = id(&biller.ask(world.clinic.id).await);
    clinic.approve(&affiliation).await.done();
    assign(&biller, &affiliation, &clerk, &[npi]).await.done();
    let stream = uuid_of(&affiliation);
    let events = async || {
        let journal = &portal.service.commands.journal;
        journal.events::<Affiliation>(world.tenant, stream).await.expect("readable").len()
    };
    let before = events().await;
    clinic.terminate(&affiliation, true, "2026-01-13").await.done();
    assert_eq!(events().await, before + 1, "one event ends it all");
    let end = json!("2026-01-14T08:00:00Z");
    assert_eq!(submitters(&portal, npi, None).await, nell(end.clone()), "the last day counts");
    assert_eq!(submitters(&portal, npi, Some("2026-01-14T07:59:59Z")).await, nell(end));
    assert_eq!(submitters(&portal, npi, Some("2026-01-14T08:00:00Z")).await, []);
    portal.clock.set("2026-01-14T08:00:00Z".parse().unwrap());
    let biller = super::desk(&portal, &world.biller_admin).await;
    assert_eq!(assign(&biller, &affiliation, &clerk, &[]).await.refused(), "NOT_PENDING");
    // The past stays what it was.
    assert_eq!(submitters(&portal, npi, Some("2026-01-13T00:00:00Z")).await.len(), 1);
    portal.finish().await;
}

#[tokio::test]
async fn gn_18_what_was_assigned_rests_on_the_person_and_on_the_provider_holding_the_npi() {
    let Scene { portal, world, biller, clinic, .. } = scene().await;
    let clerk = clerk(&portal).await;
    let [first, second] = [0, 1].map(|n| world.clinic.npis[n].as_str());
    let affiliation = id(&biller.ask(world.clinic.id).await);
    clinic.approve(&affiliation).await.done();
    assign(&biller, &affiliation, &clerk, &[first, second]).await.done();
    let detach = OrganizationCommand::DetachNpi {
        npi: Npi::parse(second).unwrap(),
        effective_at: portal.service.commands.journal.now(),
        reason: None,
    };
    portal.decide::<Organization>(world.clinic.id.0, detach).await;
    assert_eq!(submitters(&portal, second, None).await, []);
    assert_eq!(submitters(&portal, first, None).await, nell(Value::Null));
    let deactivate = RosterCommand::DeactivateUser {
        user: clerk.user,
        confirmed: true,
        reason: Some(rollcall_domain::values::Reason::parse("left").unwrap()),
        left_on: None,
        authority: rollcall_domain::organizations::Authority::Organization,
    };
    portal.roster(&world.biller, deactivate).await;
    assert_eq!(submitters(&portal, first, None).await, []);
    portal.finish().await;
}

#[tokio::test]
async fn gn_18_a_newer_agreement_is_signed_anew_by_both_sides() {
    let Scene { portal, world, biller, clinic, .. } = scene().await;
    let affiliation = id(&biller.ask(world.clinic.id).await);
    clinic.approve(&affiliation).await.done();
    let due = async |desk: &Desk| {
        let document = format!(
            "{{ affiliation(id: \"{affiliation}\", organizationId: \"{}\", minPosition: \"{}\") {{
                status submitter {{ signedVersion renewalDue }} provider {{ signedVersion renewalDue }} }} }}",
            desk.organization,
            portal.position().await
        );
        let answer = desk.client.send(&document, json!({})).await;
        let shown = answer.data()["affiliation"].clone();
        assert_eq!(shown["status"], "ACTIVE", "it stays in force meanwhile");
        (shown["submitter"].clone(), shown["provider"].clone())
    };
    let side = |version: &str, due: bool| json!({ "signedVersion": version, "renewalDue": due });
    assert_eq!(due(&biller).await, (side("2026-01", false), side("2026-01", false)));
    let sign = async |desk: &Desk, version: &str| {
        let mut signature = signature();
        signature["agreementVersion"] = json!(version);
        let input = json!({ "affiliationId": affiliation, "signature": signature });
        desk.mutate("signAffiliationAgreement", input).await
    };
    assert_eq!(sign(&biller, "2026-01").await.refused(), "ALREADY_SIGNED");
    portal.publish(AgreementKind::AffiliationAgreement, "2026-02", &["ELIGIBILITY"]).await;
    assert_eq!(due(&biller).await, (side("2026-01", true), side("2026-01", true)));
    assert_eq!(sign(&biller, "2026-01").await.refused(), "AGREEMENT_SUPERSEDED");
    sign(&clinic, "2026-02").await.done();
    assert_eq!(due(&clinic).await, (side("2026-01", true), side("2026-02", false)));
    assert_eq!(sign(&clinic, "2026-02").await.refused(), "ALREADY_SIGNED");
    let renewed = sign(&biller, "2026-02").await;
    assert_eq!(renewed.done()["affiliation"]["signatures"].as_array().map(Vec::len), Some(4));
    assert_eq!(due(&biller).await, (side("2026-02", false), side("2026-02", false)));
    portal.finish().await;
}
