//! Reviews of the roles of the plan's own people (GN-15, GN-31).

mod meanwhile;
mod refused;

use rollcall_domain::tenants::{PlanRoleEnd, PlanStaff, PlanStaffEvent};
use serde_json::{Value, json};

use super::{Review, SHOWN, error, evidence::taken, tells, times_told};
use crate::{
    rebuild::every_rebuild_agrees,
    support::{Client, Person, Portal},
};

/// Pia and Pat administer the plan, Sam supports people and Aya audits.
struct Scene {
    portal: Portal,
    pia: Client,
    pat: Client,
}

impl Scene {
    async fn begin() -> Self {
        let portal = Portal::medi_cal().await;
        let pia = portal.client(&portal.world().plan_admin).await;
        let pat = portal.client(&portal.world().second_plan_admin).await;
        Self { portal, pia, pat }
    }

    /// By Pia, who names no organisation.
    async fn open(&self, more: Value) -> Review {
        let mut input = json!({ "scope": "PLAN_STAFF", "organizationId": null });
        for (name, value) in more.as_object().expect("an object") {
            input[name] = value.clone();
        }
        let plan = self.portal.world().tenant.plan_itself();
        Review::open_of(&self.portal, &self.pia, plan, input).await
    }

    fn by_pia(&self) -> (&Portal, &Client, &Person) {
        (&self.portal, &self.pia, &self.portal.world().plan_admin)
    }

    fn by_pat(&self) -> (&Portal, &Client, &Person) {
        (&self.portal, &self.pat, &self.portal.world().second_plan_admin)
    }

    async fn assign(&self, who: &Person, role: &str, more: Value) {
        let mut input = json!({ "userId": who.user, "role": role, "reason": "Joined the team." });
        for (name, value) in more.as_object().expect("an object") {
            input[name] = value.clone();
        }
        self.pia.mutate("assignPlanRole", input, "position").await.done();
    }

    async fn scope(&self, who: &Person, role: &str, organizations: Value) {
        let input = json!({ "userId": who.user, "role": role, "organizationIds": organizations,
                            "reason": "Serves these offices." });
        self.pia.mutate("scopePlanRole", input, "position").await.done();
    }

    async fn end(&self, who: &Person, role: &str) {
        let input = json!({ "userId": who.user, "role": role, "reason": "Moved on." });
        self.pia.mutate("endPlanRole", input, "position").await.done();
    }

    async fn staff(&self, who: &Person) -> Vec<PlanStaffEvent> {
        let stream = self.portal.world().tenant.plan_staff_stream(who.user);
        self.portal.events::<PlanStaff>(stream).await
    }

    async fn shown(&self, client: &Client, review: &Review) -> Value {
        self.portal.settle().await;
        let document = "query($id: ID!, $at: Position) {
          accessReview(id: $id, minPosition: $at) { status population joiners
            organization { id name } scope { choice }
            counts { undecided pending kept revoked gone carriedForward } }
          accessReviewItems(accessReviewId: $id, minPosition: $at) { nodes {
            item user { name } kind outcome verified isHeld isMember changedSince grantedAt
            granted { kind planRole organizationIds name until } presentOrganizationIds
            grantEvent { sentence } grantCause lastUse { state } lastSignInAt rights { right }
            recommendation { advice } previousDecision { decision decidedBy { name } }
            carriedForward { decidedBy { name } } waitsForClosing remaining refusal { code } } }
          accessReviewJoiners(accessReviewId: $id, minPosition: $at) { nodes {
            user { name } role granted { kind planRole organizationIds } joinedAt } } }";
        let at = self.portal.position().await.to_string();
        client.send(document, json!({ "id": review.id, "at": at })).await.data().clone()
    }

    /// What the item of a person shows.
    async fn item(&self, review: &Review, who: &Person) -> Value {
        let found = self.shown(&self.pia, review).await;
        let items = found["accessReviewItems"]["nodes"].as_array().expect("items").clone();
        let item = review.of(who);
        items.into_iter().find(|node| node["item"] == item).expect("the item")
    }

    /// All but those who are decided about are kept, each by another administrator.
    async fn keep_the_others(&self, review: &Review, but: &[&Person]) {
        let world = self.portal.world();
        let mut others = vec![&world.second_plan_admin, &world.plan_support, &world.auditor];
        others.retain(|who| but.iter().all(|it| it.user != who.user));
        let items: Vec<u32> = others.into_iter().map(|who| review.of(who)).collect();
        review.keep(self.by_pia(), &items).await.done();
        review.keep(self.by_pat(), &[review.of(&world.plan_admin)]).await.done();
    }
}

/// What the plan's people may do: see all organisations.
async fn acts_for_plan(client: &Client) -> bool {
    let answer = client.send("{ organizations { nodes { name } } }", json!({})).await;
    match answer.body["errors"][0]["extensions"]["code"].as_str() {
        None => true,
        Some(code) => {
            assert_eq!(code, "FORBIDDEN", "{}", answer.body);
            false
        }
    }
}

async fn tasks(client: &Client) -> Vec<Value> {
    let document = "{ myTasks { nodes { kind count organization { name } } } }";
    let answer = client.send(document, json!({})).await;
    let nodes = answer.data()["myTasks"]["nodes"].as_array().expect("a list").clone();
    nodes.into_iter().filter(|task| task["kind"] == "ACCESS_REVIEW").collect()
}

#[tokio::test]
async fn gn_15_the_plans_own_roles_are_reviewed_and_one_that_is_revoked_opens_nothing_more() {
    let scene = Scene::begin().await;
    let portal = &scene.portal;
    let world = portal.world().clone();
    let sam = portal.client(&world.plan_support).await;
    assert!(acts_for_plan(&sam).await);
    let review = scene.open(json!({})).await;
    assert_eq!(review.items.len(), 4);
    let again = scene.pat.mutate("openReview", json!({ "scope": "PLAN_STAFF" }), SHOWN).await;
    assert_eq!(error(&again), ("DUPLICATE_REQUEST", "", vec![review.id.to_string().as_str()]));

    let now = scene.shown(&scene.pia, &review).await;
    assert_eq!(now["accessReview"]["organization"]["name"], "the health plan");
    assert_eq!(now["accessReview"]["scope"]["choice"], "PLAN_STAFF");
    assert_eq!(now["accessReviewJoiners"]["nodes"], json!([]));
    let item = scene.item(&review, &world.plan_support).await;
    let granted = json!({ "kind": "PLAN_ROLE", "planRole": "PS", "organizationIds": [],
                          "name": null, "until": null });
    assert_eq!((&item["kind"], &item["granted"]), (&json!("PLAN_ROLE"), &granted));
    assert_eq!((&item["isHeld"], &item["isMember"]), (&json!(true), &json!(false)));
    assert_eq!((&item["outcome"], &item["changedSince"]), (&json!("UNDECIDED"), &json!(false)));
    assert_eq!((&item["rights"], &item["presentOrganizationIds"]), (&json!([]), &json!([])));
    assert_eq!(
        (&item["grantCause"], &item["lastUse"]["state"]),
        (&json!("PLAN"), &json!("UNUSED_SINCE"))
    );
    let given = item["grantEvent"]["sentence"].as_str().expect("a sentence");
    assert!(given.contains("gave Sam Hill the plan role Plan support"), "{given}");
    // Its administrators are told and have it to do; support staff only look.
    let told = "An access review of the health plan waits for you.";
    assert_eq!(times_told(portal, &scene.pat, told).await, 1);
    assert_eq!(times_told(portal, &sam, told).await, 0);
    assert_eq!(tasks(&sam).await, Vec::<Value>::new());
    let task = json!([{ "kind": "ACCESS_REVIEW", "count": 3, "organization": { "name": "the health plan" } }]);
    assert_eq!(json!(tasks(&scene.pia).await), task);
    assert_eq!(scene.shown(&sam, &review).await["accessReview"]["population"], 4);

    review.revoke(scene.by_pia(), &[review.of(&world.plan_support)]).await.done();
    assert!(!acts_for_plan(&sam).await, "from this append on, in the session that is open");
    let told = scene.staff(&world.plan_support).await;
    let Some(PlanStaffEvent::PlanRoleEnded { cause, reason: Some(reason), .. }) = told.last()
    else {
        panic!("{told:?}");
    };
    assert_eq!(*cause, PlanRoleEnd::Review);
    assert_eq!(reason.get().expect("there").as_str(), "Left the practice.");
    let item = scene.item(&review, &world.plan_support).await;
    assert_eq!((&item["outcome"], &item["verified"]), (&json!("REVOKED"), &json!(true)), "{item}");
    assert_eq!((&item["isHeld"], &item["changedSince"]), (&json!(false), &json!(true)));

    scene.keep_the_others(&review, &[&world.plan_support]).await;
    portal.settle().await;
    let signature = json!({ "name": "Pia Stone", "attested": true });
    let input = json!({ "accessReviewId": review.id, "signature": signature });
    scene.pia.mutate("completeReview", input, SHOWN).await.done();
    let now = scene.shown(&scene.pia, &review).await["accessReview"].clone();
    let counts = json!({ "undecided": 0, "pending": 0, "kept": 3, "revoked": 1, "gone": 0,
                         "carriedForward": 0 });
    assert_eq!((&now["status"], &now["counts"]), (&json!("COMPLETED"), &counts));

    let auditor = portal.client(&world.auditor).await;
    tells(portal, &auditor, &[
        "Pia Stone opened an access review of the health plan: the roles of its own people, 4 items",
        "decided in the access review of the health plan that Sam Hill loses the plan role Plan support.",
        "Pia Stone ended Sam Hill's plan role Plan support at",
        "decided in the access review of the health plan that Pat Moss keeps the plan role Plan administrator.",
        "Pia Stone signed the access review of the health plan: 3 kept, 1 taken away",
    ]).await;
    let words = "Plan role Plan support for the whole plan";
    let (bytes, _) = taken(&scene.pia, &review, "JSON").await;
    let file: Value = serde_json::from_slice(&bytes).expect("JSON");
    assert_eq!(file["organization"]["name"], "the health plan");
    assert_eq!(file["items"].as_array().expect("items").len(), 4);
    assert!(file["items"].to_string().contains(words), "{file}");
    let (bytes, _) = taken(&auditor, &review, "CSV").await;
    assert!(String::from_utf8_lossy(&bytes).contains(words));
    taken(&scene.pia, &review, "PDF").await;
    every_rebuild_agrees(portal).await;
    scene.portal.finish().await;
}

#[tokio::test]
async fn gn_15_a_plan_role_that_was_revoked_comes_back_as_it_was_listed_when_it_is_kept() {
    let scene = Scene::begin().await;
    let portal = &scene.portal;
    let world = portal.world().clone();
    scene.scope(&world.plan_support, "PS", json!([world.clinic.id])).await;
    let sam = portal.client(&world.plan_support).await;
    let review = scene.open(json!({})).await;
    let of_sam = review.of(&world.plan_support);
    let item = scene.item(&review, &world.plan_support).await;
    assert_eq!(item["granted"]["organizationIds"].as_array().map(Vec::len), Some(1), "{item}");
    assert_eq!(item["presentOrganizationIds"], item["granted"]["organizationIds"]);

    review.revoke(scene.by_pia(), &[of_sam]).await.done();
    assert!(!acts_for_plan(&sam).await);
    portal.settle().await;
    // For another reason it has to be kept first.
    let other = json!({ "reason": "For another reason." });
    let again = review.decide(scene.by_pia(), &[of_sam], "REVOKE", other).await;
    assert_eq!(error(&again).0, "ALREADY_DECIDED");
    review.keep(scene.by_pat(), &[of_sam]).await.done();
    assert!(acts_for_plan(&sam).await);
    let told = scene.staff(&world.plan_support).await;
    let Some(PlanStaffEvent::PlanRoleAssigned { organizations, until: None, .. }) = told.last()
    else {
        panic!("{told:?}");
    };
    assert_eq!(*organizations, [world.clinic.id].into(), "not for the whole plan");
    let item = scene.item(&review, &world.plan_support).await;
    assert_eq!((&item["outcome"], &item["changedSince"]), (&json!("KEPT"), &json!(false)));

    // As previewed, a decision is taken back the same way.
    review.revoke(scene.by_pia(), &[of_sam]).await.done();
    portal.settle().await;
    let document =
        "query($id: ID!) { reviewUndoPreview(accessReviewId: $id, selection: { all: true }) {
        receipt items { item decidedAt givesBack refusal { code } } } }";
    let previewed = scene.pat.send(document, json!({ "id": review.id })).await;
    let previewed = previewed.data()["reviewUndoPreview"].clone();
    let [item] = &previewed["items"].as_array().expect("items")[..] else { panic!("{previewed}") };
    assert_eq!((&item["item"], &item["givesBack"]), (&json!(of_sam), &json!("RIGHT")), "{item}");
    let input = json!({ "accessReviewId": review.id, "receipt": previewed["receipt"],
        "decisions": [{ "item": of_sam, "decidedAt": item["decidedAt"] }], "reason": "The wrong one." });
    let outcome = "outcome { undone { item gaveBack } refused { item error { code } } }";
    let undone = scene.pat.mutate("undoReviewDecisions", input, outcome).await;
    let expected = json!({ "undone": [{ "item": of_sam, "gaveBack": "RIGHT" }], "refused": [] });
    assert_eq!(undone.done()["outcome"], expected);
    assert!(acts_for_plan(&sam).await);

    // What somebody else gave since is left alone.
    review.revoke(scene.by_pia(), &[of_sam]).await.done();
    scene.assign(&world.plan_support, "PS", json!({})).await;
    let before = scene.staff(&world.plan_support).await.len();
    review.keep(scene.by_pat(), &[of_sam]).await.done();
    assert_eq!(scene.staff(&world.plan_support).await.len(), before);
    scene.portal.finish().await;
}
