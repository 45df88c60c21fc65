//! `node` and `nodes`: every entity by its global id, for whoever sees it in its list and nobody
//! else.

use std::collections::{BTreeMap, BTreeSet};

use rollcall_domain::{
    policies::{PolicyKey, PolicyValue, Preset},
    values::AgreementKind,
};
use serde_json::{Value, json};

use crate::{
    access_reviews,
    support::{Client, Portal},
};

const NODE: &str = "query($id: ID!) { node(id: $id) { __typename id } }";
const NODES: &str = "query($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }";

/// Other views of an entity, or names of one, that carry its id; the challenge, which only its
/// visitor asks for, by an id of its own kind; and what is read within its list only.
const NO_NODES: [&str; 14] = [
    "AuditSink",
    "JobRole",
    "LinkedTaxId",
    "Location",
    "Me",
    "OrganizationReference",
    "OrganizationSummary",
    "OtpChallenge",
    "PersonReference",
    // Read in their lists, like the settings they are.
    "ActivityReview",
    "LegalHold",
    "SodRule",
    "PolicyProposal",
    "UserInvitation",
];

/// One entity of each type with somebody who sees it.
struct Entities {
    portal: Portal,
    by_type: BTreeMap<&'static str, (Client, String)>,
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("expected a text: {value}")).to_owned()
}

/// The first node of a list.
async fn first(client: &Client, list: &str, of: &str) -> String {
    let document = format!("{{ {list}{of} {{ nodes {{ id }} }} }}");
    text(&client.send(&document, json!({})).await.data()[list]["nodes"][0]["id"])
}

impl Entities {
    async fn made() -> Self {
        let portal = Portal::medi_cal().await;
        portal.publish_agreements().await;
        portal.publish(AgreementKind::AffiliationAgreement, "1", &["ELIGIBILITY"]).await;
        let world = portal.world().clone();
        let admin = portal.client(&world.clinic_admin).await;
        let plan = portal.client(&world.plan_admin).await;
        let (operator, visitor) = (portal.operator().await, portal.visitor(&world.slug));
        let letter = portal.letter(portal.enrol().await).await;
        let start = json!({ "email": "rosa@willow.example", "token": letter });
        let registration =
            visitor.mutate("startOrganizationRegistration", start, "registration { id }").await;
        let invite = json!({
            "organizationId": world.clinic.id.to_string(), "email": "ines@redwood.example",
            "firstName": "Ines", "lastName": "Vega", "mobile": "+12025550177",
        });
        let invitation = admin.mutate("inviteUser", invite, "invitation { id }").await;
        let ask = json!({
            "organizationId": world.clinic.id.to_string(),
            "counterpartyId": world.biller.id.to_string(),
            "scope": { "transactionTypes": ["837P"] },
            "signature": {
                "eligibilityConfirmed": true, "firstName": "Ann", "lastName": "Lee",
                "role": "OWNER", "agreementVersion": "1",
            },
        });
        let affiliation = admin.mutate("requestAffiliation", ask, "affiliation { id }").await;
        let reset = json!({
            "organizationId": world.clinic.id.to_string(), "npi": world.clinic.npis[0],
        });
        let pin = admin.mutate("resetPin", reset, "pin { id }").await;
        portal.change_policy(PolicyKey::AccountRequestForm, PolicyValue::Boolean(true)).await;
        let form = json!({
            "organizationName": "Willow Clinic", "npi": "1000000004", "firstName": "Rosa",
            "lastName": "Sol", "email": "rosa@willow.example", "phone": "+12025550190",
            "agreement": { "version": "1", "boxes": ["READ"] },
        });
        let request = visitor.mutate("submitAccountRequest", form, "requestId").await;
        let row = json!({ "email": "x@willow.example", "firstName": "Xena", "lastName": "Low",
            "mobile": "+12025550191" });
        let import = plan.mutate("importPeople", json!({ "rows": [row] }), "import { id }").await;
        let processor = portal.client(&world.processor).await;
        let wish = json!({
            "organizationId": world.clinic.id, "items": [{ "npi": world.clinic.npis[1] }],
            "why": "For my work.",
        });
        let asked = processor.mutate("requestAccess", wish, "accessRequest { id }").await;
        let key = json!({
            "organizationId": world.clinic.id, "name": "Nightly roster",
            "scopes": ["READ_DIRECTORY"], "expiresAt": "2026-02-11T17:00:00Z",
        });
        let key = admin.mutate("createApiKey", key, "apiKey { id }").await;
        access_reviews::one_is_open(&portal).await;
        // One that opens no reviews.
        let nobody = json!({ "name": "Long gone",
            "choice": { "scope": "DORMANT", "dormantDays": 3650 } });
        let campaign = plan.mutate("openReviewCampaign", nobody, "reviewCampaign { id }").await;
        let template = json!({ "name": "By hand" });
        let template = plan.mutate("createReviewTemplate", template, "reviewTemplate { id }").await;
        portal.settle().await;

        let clinic = format!("(organizationId: \"{}\")", world.clinic.id);
        let second = portal.client(&world.clinic_second_admin).await;
        let session = admin.send("{ session { id } }", json!({})).await;
        let by_type = BTreeMap::from([
            ("AccountRequest", (plan.clone(), text(&request.done()["requestId"]))),
            ("PeopleImport", (plan.clone(), text(&import.done()["import"]["id"]))),
            ("AccessRequest", (processor, text(&asked.done()["accessRequest"]["id"]))),
            ("AccessReview", (admin.clone(), first(&admin, "accessReviews", "").await)),
            ("ReviewCampaign", (plan.clone(), text(&campaign.done()["reviewCampaign"]["id"]))),
            ("ReviewTemplate", (plan.clone(), text(&template.done()["reviewTemplate"]["id"]))),
            ("ApiKey", (admin.clone(), text(&key.done()["apiKey"]["id"]))),
            ("Affiliation", (admin.clone(), text(&affiliation.done()["affiliation"]["id"]))),
            (
                "Agreement",
                (
                    visitor.clone(),
                    first(&visitor, "agreementHistory", "(kind: PORTAL_TERMS)").await,
                ),
            ),
            ("AuditEvent", (admin.clone(), first(&admin, "auditEvents", "").await)),
            ("Invitation", (admin.clone(), text(&invitation.done()["invitation"]["id"]))),
            ("Notification", (second.clone(), first(&second, "notifications", &clinic).await)),
            ("Organization", (plan.clone(), first(&plan, "organizations", "").await)),
            ("Pin", (admin.clone(), text(&pin.done()["pin"]["id"]))),
            ("PlanStaff", (plan.clone(), first(&plan, "planStaff", "").await)),
            ("Registration", (visitor, text(&registration.done()["registration"]["id"]))),
            ("RegistrationToken", (plan.clone(), first(&plan, "registrationTokens", "").await)),
            ("Session", (admin.clone(), text(&session.data()["session"]["id"]))),
            ("Tenant", (operator.clone(), first(&operator, "tenants", "").await)),
            ("User", (admin.clone(), first(&admin, "users", &clinic).await)),
        ]);
        Self { portal, by_type }
    }
}

async fn node(client: &Client, id: &str) -> Value {
    client.send(NODE, json!({ "id": id })).await.data()["node"].clone()
}

/// The types that implement `Node`, and all others with a global id of their own.
async fn entities_of_the_schema(client: &Client) -> (BTreeSet<String>, BTreeSet<String>) {
    let document = "{ __schema { types { name kind interfaces { name }
      fields { name type { kind ofType { name } } } } } }";
    let answer = client.send(document, json!({})).await;
    let types = answer.data()["__schema"]["types"].as_array().expect("types").clone();
    let id = json!({ "name": "id", "type": { "kind": "NON_NULL", "ofType": { "name": "ID" } } });
    let with_id = types.iter().filter(|kind| {
        kind["kind"] == "OBJECT" && kind["fields"].as_array().is_some_and(|all| all.contains(&id))
    });
    let (nodes, others): (Vec<&Value>, Vec<&Value>) =
        with_id.partition(|kind| kind["interfaces"][0]["name"] == "Node");
    let names = |kinds: Vec<&Value>| kinds.into_iter().map(|kind| text(&kind["name"])).collect();
    (names(nodes), names(others))
}

#[tokio::test]
async fn every_entity_is_found_by_its_id_and_by_nobody_of_another_tenant() {
    let Entities { portal, by_type } = Entities::made().await;
    let slug = portal.world().slug.clone();
    let (nodes, others) = entities_of_the_schema(&portal.visitor(&slug)).await;
    assert_eq!(nodes, by_type.keys().map(|name| (*name).to_owned()).collect());
    assert_eq!(others, NO_NODES.map(str::to_owned).into(), "an entity implements Node");

    let other = portal.another_tenant("other-plan", Preset::MediCal).await;
    let mut strangers = vec![portal.visitor(&other.slug)];
    for person in [&other.clinic_admin, &other.plan_admin, &other.auditor] {
        strangers.push(portal.client_in(&other, Preset::MediCal, person).await);
    }
    for (name, (client, id)) in &by_type {
        assert_eq!(node(client, id).await, json!({ "__typename": name, "id": id }));
        for stranger in &strangers {
            let answer = stranger.send(NODE, json!({ "id": id })).await;
            assert_eq!(answer.body["data"]["node"], Value::Null, "{name}: {}", answer.body);
            let code = &answer.body["errors"][0]["extensions"]["code"];
            assert!(code.is_null() || code == "UNAUTHENTICATED", "{name}: {}", answer.body);
        }
    }
    portal.finish().await;
}

#[tokio::test]
async fn a_node_is_null_for_whoever_may_not_see_it_in_its_list() {
    let Entities { portal, by_type } = Entities::made().await;
    let world = portal.world().clone();
    let newcomer = portal.client(&world.newcomer).await;
    let hospital = portal.client(&world.hospital_admin).await;
    let support = portal.client(&world.plan_support).await;
    let seen_by = async |client: &Client| -> BTreeSet<&str> {
        let mut seen = BTreeSet::new();
        for (name, (_, id)) in &by_type {
            if !node(client, id).await.is_null() {
                seen.insert(*name);
            }
        }
        seen
    };
    // Agreements are everybody's, registrations whoever's holds the id.
    assert_eq!(seen_by(&newcomer).await, ["Agreement", "Registration"].into());
    let own = ["Agreement", "Organization", "Registration"];
    assert_eq!(seen_by(&hospital).await, own.into(), "the hospital is the first in the list");
    let plan = [
        "AccountRequest",
        "AccessRequest",
        "AccessReview",
        "Affiliation",
        "Agreement",
        "AuditEvent",
        "Invitation",
        "Organization",
        "Registration",
        "RegistrationToken",
        "ReviewCampaign",
        "ReviewTemplate",
        "User",
    ];
    assert_eq!(seen_by(&support).await, plan.into());
    let operator = &by_type["Tenant"].0;
    assert_eq!(seen_by(operator).await, ["Tenant"].into(), "operators see nothing inside");

    let own = newcomer.send("{ me { id } }", json!({})).await.data()["me"]["id"].clone();
    let shown = newcomer
        .send(
            "query($id: ID!) { node(id: $id) { ... on User { email permissions { npis { npi } } } } }",
            json!({ "id": own }),
        )
        .await;
    assert_eq!(shown.data()["node"]["email"], world.newcomer.email);
    assert!(shown.data()["node"]["permissions"]["npis"].is_array(), "{}", shown.body);
    portal.finish().await;
}

#[tokio::test]
async fn nodes_answer_in_their_order_and_a_hundred_at_most() {
    let Entities { portal, by_type } = Entities::made().await;
    let id = |name: &str| by_type[name].1.clone();
    let admin = &by_type["Pin"].0;
    let mine = ["User", "Pin", "Session", "Affiliation", "Agreement", "Invitation", "Pin"];
    let mut ids: Vec<_> = mine.iter().map(|name| id(name)).collect();
    ids.insert(1, id("PlanStaff"));
    ids.insert(0, "nonsense".to_owned());
    let answer = admin.send(NODES, json!({ "ids": ids })).await;
    let of = |name: &str| json!({ "__typename": name, "id": id(name) });
    let mut expected: Vec<_> = mine.iter().map(|name| of(name)).collect();
    expected.insert(1, Value::Null);
    expected.insert(0, Value::Null);
    assert_eq!(answer.data()["nodes"], json!(expected));
    let many: Vec<_> = (0..101).map(|_| id("Pin")).collect();
    let answer = admin.send(NODES, json!({ "ids": many })).await;
    assert_eq!(answer.body["errors"][0]["extensions"]["reason"], "PAGE_SIZE_EXCEEDED");
    portal.finish().await;
}
