//! Affiliations: asked for by either side, decided by the other (MC-54 to MC-63, GN-18).

mod assignments;
mod decisions;
mod directory;
mod ends;
mod requests;

use rollcall_domain::{kernel::ids::OrganizationId, values::AgreementKind};
use serde_json::{Value, json};

use crate::support::{Answer, Client, Person, Portal, World};

const SHOWN: &str = "affiliation { id status initiator version effectiveFrom endsOn reason
  submitter { name signedAt } provider { name signedAt }
  scope { allNpis npis transactionTypes }
  signatures { side firstName lastName role agreementVersion sha256 } }";

/// A portal where the affiliation agreement is published, and the administrators of the three
/// organisations.
struct Scene {
    portal: Portal,
    world: World,
    biller: Desk,
    clinic: Desk,
    hospital: Desk,
}

async fn scene() -> Scene {
    let portal = Portal::medi_cal().await;
    portal.publish(AgreementKind::AffiliationAgreement, "2026-01", &["ELIGIBILITY"]).await;
    let world = portal.world().clone();
    Scene {
        biller: desk(&portal, &world.biller_admin).await,
        clinic: desk(&portal, &world.clinic_admin).await,
        hospital: desk(&portal, &world.hospital_admin).await,
        portal,
        world,
    }
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
