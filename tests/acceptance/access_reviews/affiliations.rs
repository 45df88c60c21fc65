//! Reviews of the work for NPIs of affiliated providers (GN-15, GN-18).

use std::collections::BTreeSet;

use rollcall_domain::{
    affiliations::Affiliation,
    kernel::ids::InvitationId,
    organizations::organization::RosterCommand,
    values::{AgreementKind, Npi},
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Review, SHOWN, error};
use crate::{
    rebuild::every_rebuild_agrees,
    support::{Client, Person, Portal, uuid_of},
};

/// A biller that is affiliated with the clinic, and a clerk who works for two of its NPIs.
pub(super) struct Scene {
    pub portal: Portal,
    pub bob: Client,
    pub clerk: Person,
    pub affiliation: Uuid,
}

pub(super) async fn scene() -> Scene {
    let portal = Portal::medi_cal().await;
    portal.publish(AgreementKind::AffiliationAgreement, "2026-01", &["ELIGIBILITY"]).await;
    let world = portal.world().clone();
    let (user, invitation) = (world.newcomer.user, InvitationId(Uuid::new_v4()));
    let email_domain = "portal.example".to_owned();
    let invite = RosterCommand::InviteMember { user, invitation, email_domain };
    portal.roster(&world.biller, invite).await;
    let join = RosterCommand::JoinByInvitation { user, invitation, signed_in: false };
    portal.roster(&world.biller, join).await;
    let (ann, bob) =
        (portal.client(&world.clinic_admin).await, portal.client(&world.biller_admin).await);
    let signature = json!({ "eligibilityConfirmed": true, "firstName": "Ann", "lastName": "Lee",
                            "role": "OWNER", "agreementVersion": "2026-01" });
    let ask = json!({ "organizationId": world.biller.id, "counterpartyId": world.clinic.id,
                      "scope": { "transactionTypes": ["837P"] }, "signature": signature });
    let asked = bob.mutate("requestAffiliation", ask, "affiliation { id }").await;
    let affiliation = uuid_of(asked.done()["affiliation"]["id"].as_str().expect("an id"));
    let approve = json!({ "organizationId": world.clinic.id, "affiliationId": affiliation,
                          "signature": signature });
    ann.mutate("approveAffiliation", approve, "position").await.done();
    let assign = json!({ "organizationId": world.biller.id, "affiliationId": affiliation,
                         "userId": user, "npis": &world.clinic.npis[..2] });
    bob.mutate("assignAffiliatedNpis", assign, "position").await.done();
    let clerk = Person { organization: Some(world.biller.id), ..world.newcomer };
    Scene { portal, bob, clerk, affiliation }
}

impl Scene {
    /// The NPIs that the clerk works for, as the portal itself decides.
    async fn npis(&self) -> BTreeSet<Npi> {
        let (journal, tenant) = (&self.portal.service.commands.journal, self.portal.world().tenant);
        let loaded = journal.load_fresh::<Affiliation>(tenant, self.affiliation).await;
        let state = loaded.expect("the affiliation").state;
        let affiliated = state.in_force(self.portal.now()).expect("in force");
        affiliated.npis_of(self.clerk.user).cloned().unwrap_or_default()
    }

    async fn items(&self, review: &Review) -> Vec<Value> {
        self.portal.settle().await;
        let document = "query($id: ID!, $at: Position) {
            accessReviewItems(accessReviewId: $id, minPosition: $at) { nodes {
              item user { name } kind granted { kind npi providerName } isHeld outcome verified
              lastUse { state } previousDecision { decision } } } }";
        let at = self.portal.position().await.to_string();
        let answer = self.bob.send(document, json!({ "id": review.id, "at": at })).await;
        answer.data()["accessReviewItems"]["nodes"].as_array().expect("a list").clone()
    }

    async fn decide(&self, review: &Review, items: &[u32], decision: &str) {
        let by = (&self.portal, &self.bob, &self.portal.world().biller_admin);
        let more = json!({ "reason": "Another clerk does it." });
        review.decide(by, items, decision, more).await.done();
    }

    /// Why the register says that the clerk may submit for an NPI, or may no more.
    async fn causes(&self, npi: &str) -> Value {
        let auditor = self.portal.client(&self.portal.world().auditor).await;
        let min = self.portal.position().await.to_string();
        let document = "query($npi: NPI, $min: Position) {
            accessRegister(npi: $npi, right: SUBMIT_TRANSACTIONS, minPosition: $min) {
              nodes { user { name } cause { kind } } } }";
        let answer = auditor.send(document, json!({ "npi": npi, "min": min })).await;
        answer.data()["accessRegister"]["nodes"].clone()
    }
}

#[tokio::test]
async fn gn_15_the_work_under_an_affiliation_is_reviewed_taken_away_and_given_back() {
    let scene = scene().await;
    let world = scene.portal.world().clone();
    let foreign = json!({ "organizationId": world.clinic.id, "scope": "AFFILIATIONS",
                          "affiliationId": scene.affiliation });
    let ann = scene.portal.client(&world.clinic_admin).await;
    let refused = ann.mutate("openReview", foreign, SHOWN).await;
    assert_eq!(error(&refused), ("NOT_FOUND", "affiliationId", vec![]));

    let more = json!({ "scope": "AFFILIATIONS", "affiliationId": scene.affiliation });
    let review = Review::open_of(&scene.portal, &scene.bob, world.biller.id, more).await;
    let items = scene.items(&review).await;
    let shown = |item: &Value| {
        let of = &item["granted"];
        (of["kind"].clone(), of["npi"].clone(), item["isHeld"].clone())
    };
    let expected = |npi: &str, held: bool| (json!("SUBMISSION"), json!(npi), json!(held));
    let (first, second) = (&world.clinic.npis[0], &world.clinic.npis[1]);
    let mut npis = [first, second];
    npis.sort_unstable();
    assert_eq!(
        items.iter().map(shown).collect::<Vec<_>>(),
        npis.iter().map(|npi| expected(npi, true)).collect::<Vec<_>>()
    );
    assert!(items.iter().all(|item| item["granted"]["providerName"].is_string()), "{items:?}");

    // Taken away: gone at once, verified, and the register says why.
    scene.decide(&review, &[1], "REVOKE").await;
    let left: BTreeSet<Npi> = [npis[1].parse().expect("an NPI")].into();
    assert_eq!(scene.npis().await, left);
    let items = scene.items(&review).await;
    assert_eq!(shown(&items[0]), expected(npis[0], false));
    assert_eq!((&items[0]["outcome"], &items[0]["verified"]), (&json!("REVOKED"), &json!(true)));
    assert_eq!(scene.causes(npis[0]).await, json!([]));
    // Kept after all: it comes back.
    scene.decide(&review, &[1], "KEEP").await;
    assert_eq!(scene.npis().await.len(), 2);
    let again = scene.causes(npis[0]).await;
    assert_eq!(again[0]["cause"]["kind"], "REVIEW", "{again}");
    scene.decide(&review, &[1], "REVOKE").await;
    scene.decide(&review, &[2], "KEEP").await;
    scene.portal.settle().await;
    review.complete(&scene.bob).await.done();
    every_rebuild_agrees(&scene.portal).await;
    scene.portal.finish().await;
}

#[tokio::test]
async fn gn_15_what_an_affiliation_gave_is_gone_with_it_and_is_among_all_rights() {
    let scene = scene().await;
    let world = scene.portal.world().clone();
    let more = json!({ "scope": "RIGHTS" });
    let review = Review::open_of(&scene.portal, &scene.bob, world.biller.id, more).await;
    let items = scene.items(&review).await;
    let of_clerk = items.iter().filter(|item| item["granted"]["kind"] == "SUBMISSION").count();
    assert_eq!(of_clerk, 2, "{items:?}");
    let end = json!({ "organizationId": world.biller.id, "affiliationId": scene.affiliation,
                      "confirm": true, "endsOn": "2026-01-12" });
    scene.bob.mutate("terminateAffiliation", end, "position").await.done();
    scene.portal.advance(std::time::Duration::from_secs(24 * 60 * 60));
    let scene = Scene { bob: scene.portal.client(&world.biller_admin).await, ..scene };
    let items = scene.items(&review).await;
    let held = items.iter().filter(|item| item["granted"]["kind"] == "SUBMISSION");
    assert!(held.clone().all(|item| item["isHeld"] == false), "{items:?}");
    let counts = "query($id: ID!) { accessReview(id: $id) { counts { gone undecided } } }";
    let answer = scene.bob.send(counts, json!({ "id": review.id })).await;
    assert_eq!(answer.data()["accessReview"]["counts"]["gone"], 2, "{}", answer.body);
    scene.portal.finish().await;
}
