//! The hand-off to Transaction Services (MC-38). Tokens are checked by the crate `jsonwebtoken`, as
//! Transaction Services would: by the published key set and nothing else.

use std::{collections::BTreeSet, time::Duration};

use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header, jwk::JwkSet};
use rollcall_domain::{
    affiliations::{
        Affiliation, AffiliationCommand, AffiliationScope, AssignNpis, NpiSelection, Pair,
        RequestAffiliation, Side, Signature, SubmitterProfile, SubmitterProfileCommand,
        TransactionTestResult,
    },
    kernel::ids::{AffiliationId, InvitationId},
    organizations::{OrganizationKind, organization::RosterCommand},
    policies::{PolicyKey, PolicyValue, Preset},
    transactions::{Handoff, HandoffEvent},
    values::{Npi, PersonName, TransactionType},
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Answer, Client, Person, Portal};

async fn start(client: &Client, who: &Person, npi: &str) -> Answer {
    let organization = who.organization.expect("a member").to_string();
    let input = json!({ "organizationId": organization, "npi": npi });
    client.mutate("startTransactionHandoff", input, "token expiresAt options { type usage }").await
}

async fn redeem(portal: &Portal, token: &str) -> Answer {
    let selection = "userId organizationId npi options { type usage }";
    portal.anybody().mutate("redeemTransactionHandoff", json!({ "token": token }), selection).await
}

fn token(answer: &Answer) -> String {
    answer.done()["token"].as_str().expect("a token").to_owned()
}

/// What Transaction Services make of a token.
async fn claims(portal: &Portal, token: &str) -> Result<Value, jsonwebtoken::errors::Error> {
    let keys: JwkSet = serde_json::from_value(portal.get("/.well-known/jwks.json").await).unwrap();
    let header = decode_header(token)?;
    let key = keys.find(header.kid.as_deref().expect("a key id")).expect("a published key");
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.set_audience(&["transaction-services"]);
    validation.set_issuer(&["https://portal.test"]);
    // Its clock is the machine's, the portal's is the test's.
    validation.validate_exp = false;
    decode::<Value>(token, &DecodingKey::from_jwk(key)?, &validation).map(|data| data.claims)
}

async fn options(client: &Client, who: &Person, npi: &str) -> Answer {
    let document = "query($of: ID!, $npi: NPI!) {
        transactionOptions(organizationId: $of, npi: $npi) { type usage } }";
    let of = who.organization.expect("a member").to_string();
    client.send(document, json!({ "of": of, "npi": npi })).await
}

/// Somebody of the submitter who works for the clinic's first NPI.
async fn clerk(portal: &Portal) -> Person {
    let world = portal.world().clone();
    let (user, invitation) = (world.newcomer.user, InvitationId(Uuid::new_v4()));
    let email_domain = "portal.example".to_owned();
    let invite = RosterCommand::InviteMember { user, invitation, email_domain };
    portal.roster(&world.biller, invite).await;
    let join = RosterCommand::JoinByInvitation { user, invitation, signed_in: false };
    portal.roster(&world.biller, join).await;
    let pair = Pair { submitter: world.biller.id, provider: world.clinic.id };
    let stream = AffiliationId(world.tenant.affiliation_stream(&pair, 0));
    let signature = Signature {
        user: world.biller_admin.user,
        first_name: Some(PersonName::parse("Bob").unwrap()),
        last_name: Some(PersonName::parse("Ray").unwrap()),
        role: "OWNER".to_owned(),
        eligibility_confirmed: true,
        agreement_version: "1".to_owned(),
        sha256: "ab".repeat(32),
    };
    let types = [
        TransactionType::ProfessionalClaim,
        TransactionType::DentalClaim,
        TransactionType::PharmacyClaim,
    ];
    let request = AffiliationCommand::Request(Box::new(RequestAffiliation {
        affiliation: stream,
        pair,
        initiator: Side::Submitter,
        scope: AffiliationScope {
            npis: NpiSelection::All,
            transaction_types: BTreeSet::from(types),
        },
        submitter_kinds: BTreeSet::from([OrganizationKind::Submitter]),
        provider_kinds: BTreeSet::from([OrganizationKind::Provider]),
        signature: Some(signature.clone()),
    }));
    portal.decide::<Affiliation>(stream, request).await;
    let approve = AffiliationCommand::Approve { organization: world.clinic.id, signature };
    portal.decide::<Affiliation>(stream, approve).await;
    let npi = Npi::parse(&world.clinic.npis[0]).unwrap();
    let assign = AffiliationCommand::AssignNpis(Box::new(AssignNpis {
        organization: world.biller.id,
        user,
        npis: BTreeSet::from([npi.clone()]),
        held: BTreeSet::from([npi]),
        cause: None,
    }));
    portal.decide::<Affiliation>(stream, assign).await;
    let profile = world.tenant.submitter_profile_stream(world.biller.id);
    let offer = SubmitterProfileCommand::SetTransactionTypes {
        organization: world.biller.id,
        kinds: BTreeSet::from([OrganizationKind::Submitter]),
        types: BTreeSet::from([TransactionType::ProfessionalClaim, TransactionType::DentalClaim]),
    };
    portal.decide::<SubmitterProfile>(profile, offer).await;
    let passed = SubmitterProfileCommand::RecordTransactionTest {
        organization: world.biller.id,
        kind: TransactionType::ProfessionalClaim,
        result: TransactionTestResult::Passed,
    };
    portal.decide::<SubmitterProfile>(profile, passed).await;
    Person { organization: Some(world.biller.id), ..world.newcomer }
}

#[tokio::test]
async fn mc_38_a_handoff_is_signed_names_person_npi_and_options_and_serves_once() {
    let portal = Portal::medi_cal().await;
    let who = portal.world().processor.clone();
    let npi = portal.world().clinic.npis[0].clone();
    let client = portal.client(&who).await;
    let issued = start(&client, &who, &npi).await;
    assert_eq!(issued.done()["expiresAt"], "2026-01-12T17:01:00Z");
    let token = token(&issued);
    let claims = claims(&portal, &token).await.expect("a token that others verify");
    assert_eq!(claims["sub"], who.user.to_string());
    assert_eq!(claims["org"], portal.world().clinic.id.to_string());
    assert_eq!((&claims["npi"], claims["exp"].as_i64()), (&json!(npi), Some(1_768_237_260)));
    let types = |options: &Value| -> Vec<Value> {
        options.as_array().expect("options").iter().map(|option| option["type"].clone()).collect()
    };
    let inquiries = json!(["835", "270/271", "276/277", "278-REQUEST", "278-INQUIRY"]);
    assert_eq!(json!(types(&claims["options"])), inquiries);
    let taken = redeem(&portal, &token).await;
    assert_eq!(
        (&taken.done()["npi"], json!(types(&taken.done()["options"]))),
        (&json!(npi), inquiries)
    );
    assert_eq!(redeem(&portal, &token).await.refused(), "HANDOFF_USED");
    let id: Uuid = claims["jti"].as_str().expect("an id").parse().expect("a UUID");
    let events = portal.events::<Handoff>(id).await;
    assert!(matches!(events[1], HandoffEvent::TransactionHandoffRedeemed { .. }), "{events:?}");
    assert!(!format!("{events:?}").contains(&token), "no token is in an event");
    portal.finish().await;
}

#[tokio::test]
async fn mc_38_a_handoff_works_sixty_seconds_and_no_forgery_does() {
    let portal = Portal::medi_cal().await;
    let who = portal.world().processor.clone();
    let npi = portal.world().clinic.npis[0].clone();
    let client = portal.client(&who).await;
    let (first, second) =
        (token(&start(&client, &who, &npi).await), token(&start(&client, &who, &npi).await));
    portal.advance(Duration::from_secs(59));
    redeem(&portal, &first).await.done();
    portal.advance(Duration::from_secs(1));
    assert_eq!(redeem(&portal, &second).await.refused(), "HANDOFF_EXPIRED");
    let third = token(&start(&client, &who, &npi).await);
    let parts: Vec<&str> = third.split('.').collect();
    let other: Vec<&str> = second.split('.').collect();
    for forged in
        [format!("{}.{}.{}", parts[0], parts[1], other[2]), "nonsense".to_owned(), String::new()]
    {
        assert_eq!(redeem(&portal, &forged).await.refused(), "HANDOFF_INVALID", "{forged}");
        assert!(
            forged.is_empty() || forged == "nonsense" || claims(&portal, &forged).await.is_err()
        );
    }
    let elsewhere = portal.another_tenant("other-plan", Preset::MediCal).await;
    let stray = portal.visitor(&elsewhere.slug);
    let stray = stray.mutate("redeemTransactionHandoff", json!({ "token": third }), "").await;
    assert_eq!(stray.refused(), "HANDOFF_INVALID");
    redeem(&portal, &third).await.done();
    portal.finish().await;
}

#[tokio::test]
async fn mc_38_options_are_for_npis_that_the_person_is_assigned() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let (processor, newcomer) =
        (portal.client(&world.processor).await, portal.client(&world.newcomer).await);
    let [first, second] = [0, 1].map(|n| world.clinic.npis[n].as_str());
    let shown = options(&processor, &world.processor, first).await;
    assert_eq!(shown.data()["transactionOptions"].as_array().map(Vec::len), Some(5));
    for (client, who, npi) in [
        (&processor, &world.processor, second),
        (&newcomer, &world.newcomer, first),
        (&processor, &world.processor, world.hospital.npis[0].as_str()),
    ] {
        let refused = options(client, who, npi).await;
        assert_eq!(refused.body["errors"][0]["extensions"]["reason"], "NPI_NOT_PERMITTED");
        assert_eq!(start(client, who, npi).await.refused(), "NPI_NOT_PERMITTED");
    }
    assert_eq!(start(&processor, &world.processor, "1234567890").await.refused(), "NPI_INVALID");
    let visitor = portal.anybody();
    assert_eq!(options(&visitor, &world.processor, first).await.error_code(), "UNAUTHENTICATED");
    portal.finish().await;
}

#[tokio::test]
async fn mc_38_a_submitters_people_have_what_affiliation_and_tests_allow() {
    let portal = Portal::medi_cal().await;
    let clerk = clerk(&portal).await;
    let world = portal.world().clone();
    let client = portal.client(&clerk).await;
    let [first, second] = [0, 1].map(|n| world.clinic.npis[n].as_str());
    let shown = options(&client, &clerk, first).await;
    assert_eq!(
        shown.data()["transactionOptions"],
        json!([{ "type": "837P", "usage": "PRODUCTION" }, { "type": "837D", "usage": "TEST" }])
    );
    let refused = start(&client, &clerk, second).await;
    assert_eq!(refused.refused(), "NPI_NOT_PERMITTED");
    let token = token(&start(&client, &clerk, first).await);
    // What is taken away before the hand-off is redeemed is not given after all.
    let suspend = SubmitterProfileCommand::RecordTransactionTest {
        organization: world.biller.id,
        kind: TransactionType::ProfessionalClaim,
        result: TransactionTestResult::Suspended,
    };
    let profile = world.tenant.submitter_profile_stream(world.biller.id);
    portal.decide::<SubmitterProfile>(profile, suspend).await;
    let taken = redeem(&portal, &token).await;
    assert_eq!(taken.done()["options"], json!([{ "type": "837D", "usage": "TEST" }]));

    let late = start(&client, &clerk, first).await;
    let pair = Pair { submitter: world.biller.id, provider: world.clinic.id };
    let stream = AffiliationId(world.tenant.affiliation_stream(&pair, 0));
    let none = AffiliationCommand::AssignNpis(Box::new(AssignNpis {
        organization: world.biller.id,
        user: clerk.user,
        npis: BTreeSet::new(),
        held: BTreeSet::new(),
        cause: None,
    }));
    portal.decide::<Affiliation>(stream, none).await;
    let gone = redeem(&portal, &self::token(&late)).await;
    assert_eq!(gone.refused(), "NPI_NOT_PERMITTED");
    portal.finish().await;
}

#[tokio::test]
async fn mc_38_portals_without_transaction_services_hand_nobody_over() {
    let presets = [
        ("cencal", Preset::Cencal),
        ("alliance", Preset::Alliance),
        ("carecentrix", Preset::Carecentrix),
        ("hardened", Preset::Hardened),
    ];
    for (slug, preset) in presets {
        let portal = Portal::seeded(slug, preset).await;
        let who = portal.world().processor.clone();
        let npi = portal.world().clinic.npis[0].clone();
        let client = portal.client(&who).await;
        assert_eq!(start(&client, &who, &npi).await.refused(), "FEATURE_DISABLED", "{preset}");
        portal.change_policy(PolicyKey::TransactionsEnabled, PolicyValue::Boolean(true)).await;
        portal.change_policy(PolicyKey::HandoffSeconds, PolicyValue::Integer(30)).await;
        let issued = start(&client, &who, &npi).await;
        assert_eq!(issued.done()["expiresAt"], "2026-01-12T17:00:30Z", "{preset}");
        portal.finish().await;
    }
}
