//! Affiliations: asked for by either side, decided by the other (MC-54 to MC-60, GN-18).

use std::time::Duration;

use rollcall_commands::{Caller, affiliations::ExpireAffiliation};
use rollcall_domain::{
    Event,
    affiliations::Affiliation,
    kernel::ids::{AffiliationId, OrganizationId},
    organizations::{Organization, OrganizationCommand, OrganizationKind},
    policies::{PolicyKey, PolicyValue},
    values::AgreementKind,
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Answer, Client, Person, Portal};

const DAY: u64 = 86_400;

const SHOWN: &str = "affiliation { id status initiator version effectiveFrom endsOn reason
  submitter { name signedAt } provider { name signedAt }
  scope { allNpis npis transactionTypes }
  signatures { side firstName lastName role agreementVersion sha256 } }";

/// A portal where the affiliation agreement is published.
async fn portal() -> Portal {
    let portal = Portal::medi_cal().await;
    portal.publish(AgreementKind::AffiliationAgreement, "2026-01", &["ELIGIBILITY"]).await;
    portal
}

/// One side with somebody who signs for it.
struct Desk {
    client: Client,
    organization: OrganizationId,
}

async fn desk(portal: &Portal, who: &Person) -> Desk {
    Desk {
        client: portal.client(who).await,
        organization: who.organization.expect("a member's organisation"),
    }
}

fn signature() -> Value {
    json!({
        "eligibilityConfirmed": true, "firstName": "Ann", "lastName": "Lee", "role": "OWNER",
        "agreementVersion": "2026-01",
    })
}

fn scope() -> Value {
    json!({ "transactionTypes": ["837P", "835"] })
}

impl Desk {
    async fn mutate(&self, name: &str, mut input: Value) -> Answer {
        input["organizationId"] = json!(self.organization.to_string());
        let kind = format!("{}{}Input", name[..1].to_uppercase(), &name[1..]);
        let document = format!(
            "mutation($input: {kind}!) {{ {name}(input: $input) {{ {SHOWN} position
               userErrors {{ code field retryAt }} }} }}"
        );
        self.client.send(&document, json!({ "input": input })).await
    }

    async fn ask(&self, counterparty: OrganizationId) -> Answer {
        self.ask_with(json!({ "counterpartyId": counterparty.to_string() })).await
    }

    /// A signed request for all NPIs, with other fields as given.
    async fn ask_with(&self, more: Value) -> Answer {
        let mut input = json!({ "scope": scope(), "signature": signature() });
        for (name, value) in more.as_object().expect("an object") {
            input[name] = value.clone();
        }
        self.mutate("requestAffiliation", input).await
    }

    async fn approve(&self, id: &str) -> Answer {
        let input = json!({ "affiliationId": id, "signature": signature() });
        self.mutate("approveAffiliation", input).await
    }

    async fn deny(&self, id: &str, confirm: bool) -> Answer {
        let input = json!({ "affiliationId": id, "confirm": confirm, "reason": "Not our biller." });
        self.mutate("denyAffiliation", input).await
    }

    async fn withdraw(&self, id: &str) -> Answer {
        self.mutate("withdrawAffiliation", json!({ "affiliationId": id })).await
    }

    async fn terminate(&self, id: &str, confirm: bool, ends_on: &str) -> Answer {
        let input = json!({ "affiliationId": id, "confirm": confirm, "endsOn": ends_on });
        self.mutate("terminateAffiliation", input).await
    }

    /// Ids and statuses of a list, newest first.
    async fn list(&self, portal: &Portal, field: &str, arguments: &str) -> Vec<(String, String)> {
        let of = self.organization;
        list(&self.client, portal, field, &format!("organizationId: \"{of}\" {arguments}")).await
    }

    /// The status as this side sees it.
    async fn status(&self, portal: &Portal, id: &str) -> Value {
        let position = portal.position().await;
        let of = self.organization;
        let document = format!(
            "{{ affiliation(id: \"{id}\", organizationId: \"{of}\", minPosition: \"{position}\")
                {{ status }} }}"
        );
        self.client.send(&document, json!({})).await.data()["affiliation"]["status"].clone()
    }
}

async fn list(
    client: &Client,
    portal: &Portal,
    field: &str,
    arguments: &str,
) -> Vec<(String, String)> {
    let position = portal.position().await;
    let document = format!(
        "{{ {field}(minPosition: \"{position}\" {arguments}) {{ nodes {{ id status }} }} }}"
    );
    let answer = client.send(&document, json!({})).await;
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    answer.data()[field]["nodes"]
        .as_array()
        .expect("nodes")
        .iter()
        .map(|node| (text(&node["id"]), text(&node["status"])))
        .collect()
}

fn id(answer: &Answer) -> String {
    answer.done()["affiliation"]["id"].as_str().expect("an id").to_owned()
}

fn field(answer: &Answer, mutation: &str) -> String {
    let path = answer.data()[mutation]["userErrors"][0]["field"].as_array().expect("a path");
    path.iter().map(|part| part.as_str().expect("text")).collect::<Vec<_>>().join(".")
}

#[tokio::test]
async fn mc_54_either_side_asks_and_the_other_sees_the_request() {
    let portal = portal().await;
    let world = portal.world().clone();
    let biller = desk(&portal, &world.biller_admin).await;
    let clinic = desk(&portal, &world.clinic_admin).await;
    let hospital = desk(&portal, &world.hospital_admin).await;
    let by_biller = biller.ask(world.clinic.id).await;
    let shown = &by_biller.done()["affiliation"];
    assert_eq!(shown["status"], "REQUESTED");
    assert_eq!(shown["initiator"], "SUBMITTER");
    assert_eq!(shown["submitter"]["name"], "Golden Gate Billing");
    assert_eq!(shown["provider"]["name"], "Redwood Clinic");
    assert_eq!(shown["scope"]["allNpis"], true);
    assert_eq!(shown["scope"]["transactionTypes"], json!(["837P", "835"]));
    let by_hospital = hospital.ask(world.biller.id).await;
    assert_eq!(by_hospital.done()["affiliation"]["initiator"], "PROVIDER");
    let (first, second) = (id(&by_biller), id(&by_hospital));
    let requested = |id: &String| (id.clone(), "REQUESTED".to_owned());
    assert_eq!(clinic.list(&portal, "affiliations", "").await, [requested(&first)]);
    assert_eq!(clinic.list(&portal, "affiliations", ", status: ACTIVE").await, []);
    let both = [requested(&second), requested(&first)];
    assert_eq!(biller.list(&portal, "affiliations", "").await, both);
    assert_eq!(hospital.status(&portal, &first).await, Value::Null, "it is none of theirs");
    portal.finish().await;
}

#[tokio::test]
async fn mc_54_kinds_must_fit_and_one_affiliation_is_open_at_a_time() {
    let portal = portal().await;
    let world = portal.world().clone();
    let clinic = desk(&portal, &world.clinic_admin).await;
    assert_eq!(clinic.ask(world.hospital.id).await.refused(), "ORG_KIND_WRONG");
    let biller = desk(&portal, &world.biller_admin).await;
    let request = biller.ask(world.clinic.id).await;
    assert_eq!(biller.ask(world.clinic.id).await.refused(), "AFFILIATION_EXISTS");
    assert_eq!(clinic.ask(world.biller.id).await.refused(), "AFFILIATION_EXISTS");
    clinic.approve(&id(&request)).await.done();
    assert_eq!(biller.ask(world.clinic.id).await.refused(), "AFFILIATION_EXISTS");
    portal.finish().await;
}

#[tokio::test]
async fn mc_54_organisations_of_both_kinds_say_on_which_side_they_stand() {
    let portal = portal().await;
    let world = portal.world().clone();
    for organization in [world.clinic.id, world.biller.id] {
        let kinds = [OrganizationKind::Provider, OrganizationKind::Submitter].into();
        let both = OrganizationCommand::SetOrganizationKinds { kinds };
        portal.decide::<Organization>(organization, both).await;
    }
    let clinic = desk(&portal, &world.clinic_admin).await;
    let unclear = clinic.ask(world.biller.id).await;
    assert_eq!(unclear.refused(), "FIELD_REQUIRED");
    assert_eq!(field(&unclear, "requestAffiliation"), "side");
    let more = json!({ "counterpartyId": world.biller.id.to_string(), "side": "SUBMITTER" });
    let asked = clinic.ask_with(more).await;
    assert_eq!(asked.done()["affiliation"]["submitter"]["name"], "Redwood Clinic");
    portal.finish().await;
}

#[tokio::test]
async fn mc_55_each_side_signs_once_and_both_signatures_are_kept() {
    let portal = portal().await;
    let world = portal.world().clone();
    let biller = desk(&portal, &world.biller_admin).await;
    let clinic = desk(&portal, &world.clinic_admin).await;
    let later = json!({ "counterpartyId": world.clinic.id.to_string(), "signature": null });
    let request = biller.ask_with(later).await;
    assert_eq!(request.done()["affiliation"]["signatures"], json!([]));
    let affiliation = id(&request);
    assert_eq!(clinic.status(&portal, &affiliation).await, Value::Null, "not signed yet");
    assert_eq!(clinic.approve(&affiliation).await.refused(), "NOT_PENDING");
    let sign = json!({ "affiliationId": affiliation, "signature": signature() });
    let signed = biller.mutate("signAffiliationAgreement", sign.clone()).await;
    assert_eq!(signed.done()["affiliation"]["status"], "REQUESTED");
    let again = biller.mutate("signAffiliationAgreement", sign.clone()).await;
    assert_eq!(again.refused(), "ALREADY_SIGNED");
    let mut theirs = sign;
    theirs["signature"]["firstName"] = json!("Zoë");
    theirs["signature"]["role"] = json!("OFFICE_MANAGER");
    let both = clinic.mutate("signAffiliationAgreement", theirs).await;
    let shown = &both.done()["affiliation"];
    assert_eq!(shown["status"], "ACTIVE");
    let signatures = shown["signatures"].as_array().unwrap();
    assert_eq!(signatures.len(), 2);
    assert_eq!(
        (&signatures[0]["side"], &signatures[1]["side"]),
        (&json!("SUBMITTER"), &json!("PROVIDER"))
    );
    assert_eq!(signatures[1]["firstName"], "Zoë");
    assert_eq!(signatures[1]["role"], "OFFICE_MANAGER");
    assert!(signatures.iter().all(|one| one["agreementVersion"] == "2026-01"));
    assert!(signatures.iter().all(|one| one["sha256"].as_str().unwrap().len() == 64));
    portal.finish().await;
}

#[tokio::test]
async fn mc_56_a_submitter_finds_a_provider_and_has_it_in_its_network() {
    let portal = portal().await;
    let world = portal.world().clone();
    let biller = desk(&portal, &world.biller_admin).await;
    for more in [
        json!({ "counterpartyId": Uuid::new_v4().to_string() }),
        json!({ "counterpartyNpi": "2999999990" }),
    ] {
        assert_eq!(biller.ask_with(more).await.refused(), "PROVIDER_NOT_FOUND");
    }
    let npi = &world.clinic.npis[1];
    let of_others = json!({
        "counterpartyNpi": npi,
        "scope": { "npis": [npi, world.hospital.npis[0]], "transactionTypes": ["837P"] },
    });
    let refused = biller.ask_with(of_others).await;
    assert_eq!(refused.refused(), "NPI_NOT_IN_ORG");
    let unknown_type = json!({
        "counterpartyNpi": npi, "scope": { "transactionTypes": ["837P", "999X"] },
    });
    let refused = biller.ask_with(unknown_type).await;
    assert_eq!(refused.refused(), "TYPE_UNKNOWN");
    assert_eq!(field(&refused, "requestAffiliation"), "scope.transactionTypes.1");
    let one = json!({
        "counterpartyNpi": npi, "scope": { "npis": [npi], "transactionTypes": ["837P"] },
    });
    let request = biller.ask_with(one).await;
    assert_eq!(request.done()["affiliation"]["provider"]["name"], "Redwood Clinic");
    assert_eq!(request.done()["affiliation"]["scope"]["npis"], json!([npi]));
    let network = biller.list(&portal, "providerNetwork", "").await;
    assert_eq!(network, [(id(&request), "REQUESTED".to_owned())]);
    let clinic = desk(&portal, &world.clinic_admin).await;
    assert_eq!(clinic.list(&portal, "providerNetwork", "").await, []);
    portal.finish().await;
}

#[tokio::test]
async fn mc_57_a_signature_needs_the_box_both_names_a_role_and_the_version_in_force() {
    let portal = portal().await;
    let world = portal.world().clone();
    let biller = desk(&portal, &world.biller_admin).await;
    let with = |name: &str, value: Value| {
        let mut signature = signature();
        signature[name] = value;
        json!({ "counterpartyId": world.clinic.id.to_string(), "signature": signature })
    };
    let before = portal.position().await;
    for (name, value, code) in [
        ("eligibilityConfirmed", json!(false), "BOX_NOT_TICKED"),
        ("firstName", json!(" "), "NAME_REQUIRED"),
        ("lastName", json!(""), "NAME_REQUIRED"),
        ("firstName", json!("A\u{0}"), "NAME_INVALID"),
        ("role", json!("JANITOR"), "ROLE_UNKNOWN"),
        ("agreementVersion", json!("1999"), "AGREEMENT_UNKNOWN"),
    ] {
        let refused = biller.ask_with(with(name, value)).await;
        assert_eq!(refused.refused(), code, "{name}");
        assert_eq!(field(&refused, "requestAffiliation"), format!("signature.{name}"));
    }
    assert_eq!(portal.position().await, before, "nothing has changed");
    let newer = ["ELIGIBILITY", "RECEIVER"];
    portal.publish(AgreementKind::AffiliationAgreement, "2026-02", &newer).await;
    let old = biller.ask(world.clinic.id).await;
    assert_eq!(old.refused(), "AGREEMENT_SUPERSEDED");
    let one_box = with("agreementVersion", json!("2026-02"));
    let refused = biller.ask_with(one_box.clone()).await;
    assert_eq!(refused.refused(), "BOX_NOT_TICKED");
    assert_eq!(field(&refused, "requestAffiliation"), "signature.boxes");
    let mut all_boxes = one_box;
    all_boxes["signature"]["boxes"] = json!(["RECEIVER"]);
    biller.ask_with(all_boxes).await.done();
    let roles = biller.client.send("{ affiliationSignerRoles { role label } }", json!({})).await;
    assert_eq!(
        roles.data()["affiliationSignerRoles"][0],
        json!({ "role": "OWNER", "label": "Owner" })
    );
    portal.finish().await;
}

#[tokio::test]
async fn mc_58_the_requester_is_told_in_the_portal_and_by_mail_what_was_decided() {
    let portal = portal().await;
    let world = portal.world().clone();
    let biller = desk(&portal, &world.biller_admin).await;
    let clinic = desk(&portal, &world.clinic_admin).await;
    let hospital = desk(&portal, &world.hospital_admin).await;
    let (one, other) =
        (id(&biller.ask(world.clinic.id).await), id(&biller.ask(world.hospital.id).await));
    assert_eq!(biller.status(&portal, &one).await, "REQUESTED");
    clinic.approve(&one).await.done();
    hospital.deny(&other, true).await.done();
    assert_eq!(biller.status(&portal, &one).await, "ACTIVE");
    assert_eq!(biller.status(&portal, &other).await, "DENIED");
    let mail = portal.mailbox(&world.biller_admin.email).await;
    Portal::newest(&mail, "Redwood Clinic approved the affiliation");
    Portal::newest(&mail, "Bayview Hospital denied the affiliation");
    let position = portal.position().await;
    let notices =
        format!("{{ notifications(minPosition: \"{position}\") {{ nodes {{ type }} }} }}");
    let notices = biller.client.send(&notices, json!({})).await;
    let nodes = notices.data()["notifications"]["nodes"].as_array().expect("a list").clone();
    let decisions = nodes.iter().filter(|node| node["type"] == "AFFILIATION_DECISION").count();
    assert_eq!(decisions, 2, "{nodes:?}");
    portal.finish().await;
}

#[tokio::test]
async fn mc_59_who_was_asked_approves_by_signing_and_it_is_in_force() {
    let portal = portal().await;
    let world = portal.world().clone();
    let biller = desk(&portal, &world.biller_admin).await;
    let clinic = desk(&portal, &world.clinic_admin).await;
    let hospital = desk(&portal, &world.hospital_admin).await;
    let affiliation = id(&biller.ask(world.clinic.id).await);
    let pending = [(affiliation.clone(), "REQUESTED".to_owned())];
    assert_eq!(clinic.list(&portal, "pendingAffiliations", "").await, pending);
    assert_eq!(biller.list(&portal, "pendingAffiliations", "").await, []);
    assert_eq!(biller.approve(&affiliation).await.refused(), "NOT_COUNTERPARTY");
    assert_eq!(hospital.approve(&affiliation).await.refused(), "NOT_FOUND");
    let stale = json!({
        "affiliationId": affiliation, "signature": signature(), "expectedVersion": 1,
    });
    assert_eq!(clinic.mutate("approveAffiliation", stale).await.refused(), "VERSION_CONFLICT");
    let approved = clinic.approve(&affiliation).await;
    let shown = &approved.done()["affiliation"];
    assert_eq!(shown["status"], "ACTIVE");
    assert_eq!(shown["effectiveFrom"], "2026-01-12T17:00:00Z");
    assert_eq!(clinic.approve(&affiliation).await.refused(), "NOT_PENDING");
    assert_eq!(clinic.list(&portal, "pendingAffiliations", "").await, []);
    portal.finish().await;
}

#[tokio::test]
async fn mc_59_administrators_only_decide() {
    let portal = portal().await;
    let world = portal.world().clone();
    let biller = desk(&portal, &world.biller_admin).await;
    let affiliation = id(&biller.ask(world.clinic.id).await);
    let processor = desk(&portal, &world.processor).await;
    assert_eq!(processor.approve(&affiliation).await.refused(), "NOT_ORG_ADMIN");
    portal.change_policy(PolicyKey::AffiliationsEnabled, PolicyValue::Boolean(false)).await;
    let clinic = desk(&portal, &world.clinic_admin).await;
    assert_eq!(clinic.approve(&affiliation).await.refused(), "FEATURE_DISABLED");
    portal.finish().await;
}

#[tokio::test]
async fn mc_60_a_denial_is_confirmed_first_whichever_side_was_asked() {
    let portal = portal().await;
    let world = portal.world().clone();
    let biller = desk(&portal, &world.biller_admin).await;
    let clinic = desk(&portal, &world.clinic_admin).await;
    let hospital = desk(&portal, &world.hospital_admin).await;
    let by_submitter = id(&biller.ask(world.clinic.id).await);
    let by_provider = id(&hospital.ask(world.biller.id).await);
    for (asked, decides, affiliation) in
        [(&biller, &clinic, &by_submitter), (&hospital, &biller, &by_provider)]
    {
        assert_eq!(asked.deny(affiliation, true).await.refused(), "NOT_COUNTERPARTY");
        assert_eq!(decides.deny(affiliation, false).await.refused(), "CONFIRMATION_REQUIRED");
        let denied = decides.deny(affiliation, true).await;
        assert_eq!(denied.done()["affiliation"]["status"], "DENIED");
        assert_eq!(denied.done()["affiliation"]["reason"], "Not our biller.");
        assert_eq!(decides.approve(affiliation).await.refused(), "NOT_PENDING");
    }
    portal.finish().await;
}

#[tokio::test]
async fn gn_18_a_request_is_taken_back_by_who_made_it() {
    let portal = portal().await;
    let world = portal.world().clone();
    let biller = desk(&portal, &world.biller_admin).await;
    let clinic = desk(&portal, &world.clinic_admin).await;
    let itself = biller.ask(world.biller.id).await;
    assert_eq!(itself.refused(), "SELF_AFFILIATION");
    let affiliation = id(&biller.ask(world.clinic.id).await);
    assert_eq!(clinic.withdraw(&affiliation).await.refused(), "NOT_COUNTERPARTY");
    let withdrawn = biller.withdraw(&affiliation).await;
    assert_eq!(withdrawn.done()["affiliation"]["status"], "WITHDRAWN");
    assert_eq!(biller.withdraw(&affiliation).await.refused(), "NOT_PENDING");
    let next = id(&biller.ask(world.clinic.id).await);
    assert_ne!(next, affiliation, "the next request is another affiliation");
    portal.finish().await;
}

#[tokio::test]
async fn gn_18_a_request_runs_out_after_thirty_days_to_the_second() {
    let portal = portal().await;
    let world = portal.world().clone();
    let affiliation = id(&desk(&portal, &world.biller_admin).await.ask(world.clinic.id).await);
    portal.advance(Duration::from_secs(30 * DAY - 1));
    let clinic = desk(&portal, &world.clinic_admin).await;
    assert_eq!(clinic.status(&portal, &affiliation).await, "REQUESTED");
    portal.advance(Duration::from_secs(1));
    assert_eq!(clinic.status(&portal, &affiliation).await, "EXPIRED");
    assert_eq!(clinic.approve(&affiliation).await.refused(), "NOT_PENDING");
    assert_eq!(clinic.list(&portal, "pendingAffiliations", "").await, []);
    let caller = Caller::system(world.tenant, Uuid::new_v4(), None);
    let pair = rollcall_domain::affiliations::Pair {
        submitter: world.biller.id,
        provider: world.clinic.id,
    };
    let stream = AffiliationId(world.tenant.affiliation_stream(&pair, 0));
    let expire = ExpireAffiliation { affiliation: stream };
    for _ in 0..2 {
        portal.service.commands.dispatch(&caller, None, &expire).await.expect("the system may");
        let events = portal.events::<Affiliation>(stream).await;
        let ends = events.iter().filter(|event| event.event_type().ends_with("expired")).count();
        assert_eq!(ends, 1, "recorded once, whoever was first");
    }
    let again = desk(&portal, &world.biller_admin).await.ask(world.clinic.id).await;
    assert_eq!(again.done()["affiliation"]["status"], "REQUESTED");
    portal.finish().await;
}

#[tokio::test]
async fn gn_18_who_was_denied_asks_again_after_thirty_days() {
    let portal = portal().await;
    let world = portal.world().clone();
    let biller = desk(&portal, &world.biller_admin).await;
    let clinic = desk(&portal, &world.clinic_admin).await;
    let affiliation = id(&biller.ask(world.clinic.id).await);
    clinic.deny(&affiliation, true).await.done();
    let early = biller.ask(world.clinic.id).await;
    assert_eq!(early.refused(), "TOO_EARLY");
    let error = &early.data()["requestAffiliation"]["userErrors"][0];
    assert_eq!(error["retryAt"], "2026-02-11T17:00:00Z");
    portal.advance(Duration::from_secs(30 * DAY - 1));
    let biller = desk(&portal, &world.biller_admin).await;
    assert_eq!(biller.ask(world.clinic.id).await.refused(), "TOO_EARLY");
    portal.advance(Duration::from_secs(1));
    biller.ask(world.clinic.id).await.done();
    portal.finish().await;
}

#[tokio::test]
async fn gn_18_who_denied_may_ask_at_once() {
    let portal = portal().await;
    let world = portal.world().clone();
    let biller = desk(&portal, &world.biller_admin).await;
    let clinic = desk(&portal, &world.clinic_admin).await;
    let affiliation = id(&biller.ask(world.clinic.id).await);
    clinic.deny(&affiliation, true).await.done();
    let theirs = clinic.ask(world.biller.id).await;
    assert_eq!(theirs.done()["affiliation"]["initiator"], "PROVIDER");
    portal.finish().await;
}

#[tokio::test]
async fn gn_18_either_side_ends_it_and_the_last_day_counts() {
    let portal = portal().await;
    let world = portal.world().clone();
    let biller = desk(&portal, &world.biller_admin).await;
    let clinic = desk(&portal, &world.clinic_admin).await;
    let affiliation = id(&biller.ask(world.clinic.id).await);
    clinic.approve(&affiliation).await.done();
    assert_eq!(
        clinic.terminate(&affiliation, false, "2026-01-13").await.refused(),
        "CONFIRMATION_REQUIRED"
    );
    assert_eq!(clinic.terminate(&affiliation, true, "2026-01-11").await.refused(), "DATE_INVALID");
    assert_eq!(clinic.terminate(&affiliation, true, "soon").await.refused(), "DATE_INVALID");
    let ended = clinic.terminate(&affiliation, true, "2026-01-13").await;
    assert_eq!(ended.done()["affiliation"]["endsOn"], "2026-01-13");
    assert_eq!(ended.done()["affiliation"]["status"], "ACTIVE", "until the last day is over");
    portal.clock.set("2026-01-14T07:59:59Z".parse().unwrap());
    let biller = desk(&portal, &world.biller_admin).await;
    assert_eq!(biller.status(&portal, &affiliation).await, "ACTIVE");
    assert_eq!(biller.ask(world.clinic.id).await.refused(), "AFFILIATION_EXISTS");
    portal.advance(Duration::from_secs(1));
    assert_eq!(biller.status(&portal, &affiliation).await, "TERMINATED");
    biller.ask(world.clinic.id).await.done();
    portal.finish().await;
}

#[tokio::test]
async fn gn_18_the_plan_sees_every_affiliation_and_its_papers() {
    let portal = portal().await;
    let world = portal.world().clone();
    let biller = desk(&portal, &world.biller_admin).await;
    let first = id(&biller.ask(world.clinic.id).await);
    let second = id(&biller.ask(world.hospital.id).await);
    let plan = portal.client(&world.plan_support).await;
    let all = list(&plan, &portal, "affiliations", "").await;
    let requested = |id: String| (id, "REQUESTED".to_owned());
    assert_eq!(all, [requested(second), requested(first)]);
    let document = "{ affiliations { nodes { signatures { lastName } } totalCount } }";
    let answer = plan.send(document, json!({})).await;
    let lists = &answer.data()["affiliations"];
    assert_eq!(lists["totalCount"], 2);
    assert!(
        lists["nodes"].as_array().unwrap().iter().all(|n| n["signatures"][0]["lastName"] == "Lee")
    );
    assert_eq!(biller.client.send(document, json!({})).await.error_code(), "FORBIDDEN");
    portal.finish().await;
}

#[tokio::test]
async fn mc_61_the_submitter_directory_lists_open_submitters_by_name() {
    let portal = portal().await;
    let clinic = desk(&portal, &portal.world().clinic_admin).await;
    let of = clinic.organization;
    for (search, found) in [("golden", 1), ("redwood", 0), ("", 1)] {
        let document = format!(
            "{{ submitterDirectory(organizationId: \"{of}\", search: \"{search}\", minPosition: \"{}\")
                {{ nodes {{ organizationId name }} totalCount }} }}",
            portal.position().await
        );
        let answer = clinic.client.send(&document, json!({})).await;
        assert_eq!(answer.data()["submitterDirectory"]["totalCount"], found, "{search}");
    }
    portal.finish().await;
}
