//! Reviews of the keys by which an organisation's machines ask and command (GN-15, GN-28).

mod meanwhile;

use chrono::TimeDelta;
use rollcall_domain::{
    access_reviews::AccessReviewEvent,
    api_keys::{ApiKey, ApiKeyEvent},
};
use serde_json::{Value, json};

use super::{Review, SHOWN, error, evidence::taken, tells};
use crate::{
    rebuild::every_rebuild_agrees,
    support::{Answer, Client, Person, Portal, uuid_of},
};

/// A machine of the clinic, and the id of its key.
struct Machine {
    client: Client,
    key: String,
}

impl Machine {
    /// With a key that an administrator made, for thirty days.
    async fn of(portal: &Portal, who: &Person, name: &str, scopes: &[&str]) -> Self {
        let admin = portal.client(who).await;
        let until = portal.now() + TimeDelta::days(30);
        let input = json!({ "organizationId": portal.world().clinic.id, "name": name,
                            "scopes": scopes, "expiresAt": until.to_rfc3339() });
        let made = admin.mutate("createApiKey", input, "secret apiKey { id }").await;
        let made = made.done();
        let secret = made["secret"].as_str().expect("a secret");
        let client = portal.visitor(&portal.world().slug).with_token(secret);
        Self { client, key: made["apiKey"]["id"].as_str().expect("an id").to_owned() }
    }

    async fn ask(&self, portal: &Portal) -> Answer {
        let query = "query($id: ID!) { users(organizationId: $id) { nodes { lastName } } }";
        self.client.send(query, json!({ "id": portal.world().clinic.id })).await
    }

    #[track_caller]
    fn got_in(answer: &Answer) -> bool {
        let refused = &answer.body["errors"][0]["extensions"];
        if refused["code"] == "UNAUTHENTICATED" {
            assert_eq!(refused["reason"], "API_KEY_REVOKED", "{}", answer.body);
            return false;
        }
        answer.data();
        true
    }

    async fn works(&self, portal: &Portal) -> bool {
        Self::got_in(&self.ask(portal).await)
    }

    /// Its number on a list.
    #[track_caller]
    fn on(&self, review: &Review) -> u32 {
        let key = uuid_of(&self.key);
        let found = review.items.iter().find(|it| it.access.key().is_some_and(|it| it.0 == key));
        found.expect("the key is on the list").item
    }
}

/// Ann and Abe administer the clinic and made a key each.
struct Scene {
    portal: Portal,
    ann: Client,
    anns: Machine,
    abes: Machine,
}

async fn scene() -> Scene {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let ann = portal.client(&world.clinic_admin).await;
    let anns = Machine::of(&portal, &world.clinic_admin, "Dashboard", &["READ_DIRECTORY"]).await;
    let scopes = ["READ_DIRECTORY", "MANAGE_USERS"];
    let abes = Machine::of(&portal, &world.clinic_second_admin, "Nightly roster", &scopes).await;
    Scene { portal, ann, anns, abes }
}

impl Scene {
    async fn open(&self, more: Value) -> Review {
        let mut input = json!({ "scope": "API_KEYS" });
        for (name, value) in more.as_object().expect("an object") {
            input[name] = value.clone();
        }
        Review::open_of(&self.portal, &self.ann, self.portal.world().clinic.id, input).await
    }

    async fn abe_leaves(&self) {
        let world = self.portal.world();
        let left = json!({ "organizationId": world.clinic.id, "confirm": true, "reason": "Left.",
                           "userId": world.clinic_second_admin.user });
        self.ann.mutate("deactivateUser", left, "position").await.done();
    }

    fn by_ann(&self) -> (&Portal, &Client, &Person) {
        (&self.portal, &self.ann, &self.portal.world().clinic_admin)
    }

    async fn revoke_by_hand(&self, machine: &Machine) {
        let input = json!({ "organizationId": self.portal.world().clinic.id,
                            "apiKeyId": machine.key, "reason": "It got about." });
        self.ann.mutate("revokeApiKey", input, "position").await.done();
    }

    /// What an item of the list shows.
    async fn item(&self, review: &Review, machine: &Machine) -> Value {
        let found = shown(&self.portal, &self.ann, review).await;
        let items = found["accessReviewItems"]["nodes"].as_array().expect("items").clone();
        let item = machine.on(review);
        items.into_iter().find(|node| node["item"] == item).expect("the item")
    }

    /// The plan keeps what nobody decided, and Ann signs.
    async fn keep_and_sign(&self, review: &Review, items: &[u32]) {
        let plan = self.portal.client(&self.portal.world().plan_admin).await;
        review.keep((&self.portal, &plan, &self.portal.world().plan_admin), items).await.done();
        self.portal.settle().await;
        review.complete(&self.ann).await.done();
    }
}

async fn shown(portal: &Portal, client: &Client, review: &Review) -> Value {
    portal.settle().await;
    let document = "query($id: ID!, $at: Position) {
      accessReview(id: $id, minPosition: $at) { status population joiners
        scope { choice } counts { undecided pending kept revoked gone carriedForward } }
      accessReviewItems(accessReviewId: $id, minPosition: $at) { sha256 nodes {
        item user { name } kind outcome verified isHeld isMember changedSince executedAt
        granted { kind name thingId scopes until } lastUse { state on } grantedAt
        grantEvent { sentence } recommendation { advice grounds { kind at } }
        carriedForward { decidedBy { name } } waitsForClosing decidedByPolicy } }
      accessReviewJoiners(accessReviewId: $id, minPosition: $at) { nodes {
        user { name } role granted { kind name scopes thingId } } } }";
    let at = portal.position().await.to_string();
    client.send(document, json!({ "id": review.id, "at": at })).await.data().clone()
}

#[tokio::test]
async fn gn_15_keys_are_reviewed_whoever_made_them_and_one_that_is_revoked_lets_nobody_in() {
    let scene = scene().await;
    let (portal, ann) = (&scene.portal, &scene.ann);
    let world = portal.world().clone();
    assert!(scene.abes.works(portal).await);
    scene.abe_leaves().await;
    assert!(scene.abes.works(portal).await, "a key works on when its maker leaves");
    let review = scene.open(json!({})).await;
    assert_eq!(review.items.len(), 2);
    let again = ann
        .mutate(
            "openReview",
            json!({ "organizationId": world.clinic.id, "scope": "API_KEYS" }),
            SHOWN,
        )
        .await;
    assert_eq!(again.refused(), "DUPLICATE_REQUEST");

    let item = scene.item(&review, &scene.abes).await;
    assert_eq!(item["granted"]["kind"], "API_KEY");
    assert_eq!(item["granted"]["name"], "Nightly roster");
    assert_eq!(item["granted"]["thingId"], json!(scene.abes.key));
    assert_eq!(item["granted"]["scopes"], json!(["READ_DIRECTORY", "MANAGE_USERS"]));
    assert!(item["granted"]["until"].is_string() && item["grantedAt"].is_string(), "{item}");
    assert_eq!((&item["isMember"], &item["isHeld"]), (&json!(false), &json!(true)));
    assert_eq!((&item["outcome"], &item["changedSince"]), (&json!("UNDECIDED"), &json!(false)));
    assert_eq!(item["lastUse"], json!({ "state": "USED_ON", "on": "2026-01-12" }));
    assert_eq!(item["recommendation"]["advice"], "KEEP");
    assert_eq!(item["recommendation"]["grounds"][0]["kind"], "KEY_USED");
    let made = item["grantEvent"]["sentence"].as_str().expect("a sentence");
    assert!(made.contains("made the key Nightly roster"), "{made}");
    let unused = scene.item(&review, &scene.anns).await;
    assert_eq!(unused["lastUse"], json!({ "state": "UNUSED_SINCE", "on": "2026-01-12" }));
    assert_eq!(unused["recommendation"], Value::Null, "too short to tell");

    // Nobody decides about a key that they made, and none is changed.
    let (abes, anns) = (scene.abes.on(&review), scene.anns.on(&review));
    assert_eq!(error(&review.keep(scene.by_ann(), &[anns]).await).0, "SELF_REVIEW");
    let change = json!({ "role": "PROCESSOR", "reason": "Less." });
    let refused = review.decide(scene.by_ann(), &[abes], "CHANGE", change).await;
    assert_eq!(error(&refused).0, "FIELD_INVALID");
    let reason = json!({});
    let refused = review.decide(scene.by_ann(), &[abes], "REVOKE", reason).await;
    assert_eq!(error(&refused).0, "REASON_REQUIRED");

    review.revoke(scene.by_ann(), &[abes]).await.done();
    assert!(!scene.abes.works(portal).await, "from this append on");
    let item = scene.item(&review, &scene.abes).await;
    assert_eq!((&item["outcome"], &item["verified"]), (&json!("REVOKED"), &json!(true)));
    assert_eq!((&item["isHeld"], &item["changedSince"]), (&json!(false), &json!(true)));
    let told = portal.events::<ApiKey>(uuid_of(&scene.abes.key)).await;
    let Some(ApiKeyEvent::ApiKeyRevoked { by, reason: Some(reason), .. }) = told.last() else {
        panic!("{told:?}");
    };
    assert_eq!(*by, Some(world.clinic_admin.user));
    assert_eq!(reason.get().expect("there").as_str(), "Left the practice.");

    scene.keep_and_sign(&review, &[anns]).await;
    let counts = json!({ "undecided": 0, "pending": 0, "kept": 1, "revoked": 1, "gone": 0,
                         "carriedForward": 0 });
    let now = shown(portal, ann, &review).await["accessReview"].clone();
    assert_eq!((&now["status"], &now["counts"]), (&json!("COMPLETED"), &counts));
    assert_eq!(now["scope"]["choice"], "API_KEYS");

    let auditor = portal.client(&world.auditor).await;
    tells(portal, &auditor, &[
        "decided in the access review of Redwood Clinic that the key Nightly roster of Abe Fox is revoked.",
        "decided in the access review of Redwood Clinic that the key Dashboard of Ann Lee works on.",
        "'s key Nightly roster ended at Redwood Clinic",
        "Ann Lee revoked the key Nightly roster of Redwood Clinic.",
    ]).await;
    let words = "API key \"Nightly roster\" (may read the directory and manage users)";
    let (bytes, _) = taken(ann, &review, "JSON").await;
    let file: Value = serde_json::from_slice(&bytes).expect("JSON");
    assert_eq!(file["items"].as_array().expect("items").len(), 2);
    assert!(file["items"].to_string().contains(&words.replace('"', "\\\"")), "{file}");
    let (bytes, _) = taken(ann, &review, "CSV").await;
    assert!(String::from_utf8_lossy(&bytes).contains(&words.replace('"', "\"\"")));
    taken(ann, &review, "PDF").await;
    every_rebuild_agrees(portal).await;
    scene.portal.finish().await;
}

#[tokio::test]
async fn gn_15_a_key_that_was_revoked_is_not_kept_after_all_and_a_new_one_is_to_be_made() {
    let scene = scene().await;
    let (portal, ann) = (&scene.portal, &scene.ann);
    let review = scene.open(json!({})).await;
    let abes = scene.abes.on(&review);
    review.revoke(scene.by_ann(), &[abes]).await.done();
    for _ in 0..2 {
        let kept = review.keep(scene.by_ann(), &[abes]).await;
        assert_eq!(error(&kept), ("ALREADY_DECIDED", "items", vec![abes.to_string().as_str()]));
        assert!(kept.body.to_string().contains("Create a new key"), "{}", kept.body);
        let other = json!({ "reason": "For another reason." });
        let again = review.decide(scene.by_ann(), &[abes], "REVOKE", other).await;
        assert_eq!(error(&again).0, "ALREADY_DECIDED");
        // The same words are no error, as with every item.
        review.revoke(scene.by_ann(), &[abes]).await.done();
        assert!(!scene.abes.works(portal).await);
        portal.settle().await;
    }
    let document = "query($of: ID!, $id: ID!) { reviewUndoPreview(organizationId: $of,
        accessReviewId: $id, selection: { all: true }) { receipt
          items { item decidedAt givesBack refusal { code message } } } }";
    let variables = json!({ "of": review.organization, "id": review.id });
    let previewed = ann.send(document, variables).await.data()["reviewUndoPreview"].clone();
    let [item] = &previewed["items"].as_array().expect("items")[..] else { panic!("{previewed}") };
    assert_eq!((&item["item"], &item["givesBack"]), (&json!(abes), &Value::Null));
    assert_eq!(item["refusal"]["code"], "ALREADY_DECIDED");
    let message = item["refusal"]["message"].as_str().expect("words");
    assert!(message.contains("Create a new key"), "{message}");
    let input = review.input(json!({
        "decisions": [{ "item": abes, "decidedAt": item["decidedAt"] }],
        "receipt": previewed["receipt"], "reason": "The wrong key." }));
    let outcome = "outcome { undone { item } refused { item error { code } } }";
    let undone = ann.mutate("undoReviewDecisions", input, outcome).await;
    let refused = json!({ "undone": [],
        "refused": [{ "item": abes, "error": { "code": "ALREADY_DECIDED" } }] });
    assert_eq!(undone.done()["outcome"], refused);
    assert!(!scene.abes.works(portal).await);
    let told = review.events(portal).await;
    let decided = told.iter().filter(|it| matches!(it, AccessReviewEvent::ReviewItemDecided(_)));
    assert_eq!(decided.count(), 1);
    scene.portal.finish().await;
}
