//! Registering an organisation by the token of its letter (MC-04 to MC-08, MC-10, MC-11, GN-03).

use std::time::Duration;

use chrono::{DateTime, TimeZone, Utc};
use rollcall_commands::{organizations::tokens::find, policies::ChangePolicy};
use rollcall_domain::{
    kernel::ids::{MembershipId, OrganizationId, RegistrationTokenId, UserId},
    organizations::{
        MembershipOrigin, OrgRole, Organization, OrganizationEvent, Registration,
        RegistrationToken, RegistrationTokenEvent, TokenPhase,
        registration::{RegistrationEvent, RegistrationRoute},
        registration_token::TokenRejection,
    },
    permissions::{Cause, CorrespondenceScope, Membership, MembershipEvent, NpiLevel, NpiScope},
    policies::{PolicyKey, PolicyValue, Preset},
    users::user::{User, UserEvent},
    values::{AgreementKind, Reason},
};
use serde_json::{Value, json};

use crate::support::{
    Answer, CONTACT, Client, GOOD_PASSWORD, PAY_TO_ZIP, Person, Portal, TAX_ID, uuid_of,
};

const REGISTRANT: &str = "rosa@willow.example";
const REGISTRATION: &str = "registration { id step agreement triesLeft organizationName }";

/// A portal with an organisation on file and the token of its letter.
pub struct Letter {
    pub portal: Portal,
    pub organization: OrganizationId,
    token: String,
}

impl Letter {
    pub async fn sent() -> Self {
        Self::sent_at(None).await
    }

    async fn sent_at(when: Option<DateTime<Utc>>) -> Self {
        let portal = Portal::medi_cal().await;
        if let Some(when) = when {
            portal.clock.set(when);
        }
        portal.publish_agreements().await;
        let organization = portal.enrol().await;
        let token = portal.letter(organization).await;
        Self { portal, organization, token }
    }

    fn visitor(&self) -> Client {
        self.portal.visitor(&self.portal.world().slug)
    }

    async fn start_with(&self, email: &str, token: &str) -> Answer {
        let input = json!({ "email": email, "token": token });
        self.visitor().mutate("startOrganizationRegistration", input, REGISTRATION).await
    }

    async fn start(&self) -> Answer {
        self.start_with(REGISTRANT, &self.token).await
    }

    /// The id of a new registration.
    async fn started(&self, email: &str) -> String {
        let answer = self.start_with(email, &self.token).await;
        answer.done()["registration"]["id"].as_str().expect("an id").to_owned()
    }

    async fn accept(&self, id: &str, kind: &str, boxes: &[&str]) -> Answer {
        let input = json!({ "registrationId": id, "kind": kind, "version": "1", "boxes": boxes });
        self.visitor().mutate("acceptAgreement", input, REGISTRATION).await
    }

    async fn submit(&self, id: &str, change: Value) -> Answer {
        let input = changed(details(id, REGISTRANT), change);
        self.visitor().mutate("submitRegistrantDetails", input, REGISTRATION).await
    }

    /// Walks a new registration to its last step.
    pub async fn ready(&self, email: &str) -> String {
        let id = self.started(email).await;
        self.accept(&id, "PORTAL_TERMS", &["READ"]).await.done();
        self.submit(&id, json!({ "email": email })).await.done();
        let challenge = self.visitor().challenge(json!({ "registrationId": id })).await;
        self.portal.type_code(&self.visitor(), &challenge).await.done();
        self.accept(&id, "ONLINE_CONDITIONS_OF_USE", &["READ", "AUTHORIZED"]).await.done();
        id
    }

    pub async fn complete(&self, id: &str) -> Answer {
        let input = json!({ "registrationId": id });
        self.visitor().mutate("completeOrganizationRegistration", input, REGISTRATION).await
    }

    async fn token_id(&self) -> RegistrationTokenId {
        let journal = &self.portal.service.commands.journal;
        let found = find(journal, self.portal.world().tenant, &self.token).await;
        found.expect("tokens are looked up").expect("the token is known")
    }

    async fn rejections(&self) -> Vec<TokenRejection> {
        let events = self.portal.events::<RegistrationToken>(self.token_id().await).await;
        let rejected = events.iter().filter_map(|event| {
            let RegistrationTokenEvent::RegistrationTokenRejected { why, .. } = event else {
                return None;
            };
            Some(*why)
        });
        rejected.collect()
    }

    async fn is_expired_on_record(&self) -> bool {
        let events = self.portal.events::<RegistrationToken>(self.token_id().await).await;
        let expired = |event: &RegistrationTokenEvent| {
            matches!(event, RegistrationTokenEvent::RegistrationTokenExpired { .. })
        };
        events.iter().any(expired)
    }

    /// Who completed a registration.
    async fn registrant(&self, id: &str) -> UserId {
        let events = self.portal.events::<Registration>(uuid_of(id)).await;
        let Some(RegistrationEvent::OrganizationRegistrationCompleted { user, .. }) = events.last()
        else {
            panic!("not completed: {events:?}");
        };
        *user
    }
}

fn details(id: &str, email: &str) -> Value {
    json!({
        "registrationId": id,
        "email": email,
        "firstName": "Rosa",
        "lastName": "Lopez",
        "taxIdKind": "EIN",
        "taxId": TAX_ID,
        "payToZip": PAY_TO_ZIP,
        "contactEmail": CONTACT,
        "mobile": "+12025550188",
        "channel": "SMS",
    })
}

fn changed(mut input: Value, change: Value) -> Value {
    let fields = change.as_object().expect("an object of changed fields").clone();
    input.as_object_mut().expect("an input object").extend(fields);
    input
}

#[tokio::test]
async fn mc_04_a_token_works_to_the_last_second_of_the_thirtieth_local_day() {
    // 1 March, nine in the evening in California; the days count from the date alone.
    let issued = Utc.with_ymd_and_hms(2026, 3, 2, 5, 0, 0).unwrap();
    let letter = Letter::sent_at(Some(issued)).await;
    // Daylight saving began in between: midnight of 1 April is 07:00 UTC.
    let midnight = Utc.with_ymd_and_hms(2026, 4, 1, 7, 0, 0).unwrap();
    letter.portal.clock.set(midnight - chrono::TimeDelta::seconds(1));
    letter.start().await.done();
    let id = letter.ready(REGISTRANT).await;
    letter.portal.clock.set(midnight);
    assert_eq!(letter.start().await.refused(), "TOKEN_EXPIRED");
    assert_eq!(letter.complete(&id).await.refused(), "TOKEN_EXPIRED");
    assert_eq!(letter.rejections().await, [TokenRejection::Expired, TokenRejection::Expired]);
    letter.portal.finish().await;
}

#[tokio::test]
async fn mc_04_a_token_works_once() {
    let letter = Letter::sent().await;
    let (first, second) = (letter.ready(REGISTRANT).await, letter.ready(REGISTRANT).await);
    letter.complete(&first).await.done();
    assert_eq!(letter.complete(&second).await.refused(), "TOKEN_USED");
    assert_eq!(letter.start().await.refused(), "TOKEN_USED");
    assert_eq!(letter.rejections().await, [TokenRejection::Used, TokenRejection::Used]);
    letter.portal.finish().await;
}

#[tokio::test]
async fn mc_04_the_scheduler_writes_the_end_of_a_token_down() {
    let letter = Letter::sent().await;
    letter.portal.advance(Duration::from_secs(29 * 24 * 3600));
    letter.portal.settle().await;
    assert!(!letter.is_expired_on_record().await, "it still works");
    letter.portal.advance(Duration::from_secs(2 * 24 * 3600));
    letter.portal.settle().await;
    assert!(letter.is_expired_on_record().await, "its last day is over");
    assert_eq!(letter.start().await.refused(), "TOKEN_EXPIRED");
    letter.portal.finish().await;
}

#[tokio::test]
async fn mc_05_a_registration_begins_with_an_address_and_the_letters_token() {
    let letter = Letter::sent().await;
    let bad_address = letter.start_with("rosa", &letter.token).await;
    assert_eq!(bad_address.refusal()["code"], "EMAIL_INVALID");
    assert_eq!(bad_address.refusal()["field"], json!(["email"]));
    for token in ["", "no token", "7F3K-9QWX-2M4R-HB8T"] {
        let answer = letter.start_with(REGISTRANT, token).await;
        assert_eq!(answer.refusal()["code"], "TOKEN_INVALID");
        assert_eq!(answer.refusal()["field"], json!(["token"]));
    }
    let sloppy = letter.token.to_lowercase().replace('-', " ");
    let started = letter.start_with(REGISTRANT, &sloppy).await;
    let registration = &started.done()["registration"];
    assert_eq!(registration["step"], "ACCEPT_PORTAL_TERMS");
    assert_eq!(registration["agreement"], "PORTAL_TERMS");
    assert_eq!(registration["organizationName"], Value::Null, "known only to whoever matches");

    let document = "query($id: ID!) { registration(id: $id) { step email } }";
    let id = &registration["id"];
    let shown = letter.visitor().send(document, json!({ "id": id })).await;
    let expected = json!({ "step": "ACCEPT_PORTAL_TERMS", "email": REGISTRANT });
    assert_eq!(shown.data()["registration"], expected);
    let other = letter.portal.another_tenant("other", Preset::MediCal).await;
    let elsewhere = letter.portal.visitor(&other.slug).send(document, json!({ "id": id })).await;
    assert_eq!(elsewhere.data()["registration"], Value::Null);
    letter.portal.finish().await;
}

#[tokio::test]
async fn mc_05_a_tenant_without_letter_tokens_says_so() {
    let portal = Portal::seeded("cencal", Preset::Cencal).await;
    let input = json!({ "email": REGISTRANT, "token": "7F3K-9QWX-2M4R-HB8T" });
    let answer = portal.visitor("cencal").mutate("startOrganizationRegistration", input, "").await;
    assert_eq!(answer.refused(), "FEATURE_DISABLED");
    portal.finish().await;
}

#[tokio::test]
async fn gn_03_five_vain_tokens_close_the_way_for_an_hour_even_for_a_good_one() {
    let letter = Letter::sent().await;
    for _ in 0..5 {
        let answer = letter.start_with(REGISTRANT, "7F3K-9QWX-2M4R-HB8T").await;
        assert_eq!(answer.refused(), "TOKEN_INVALID");
    }
    let closed = letter.start().await;
    assert_eq!(closed.refusal()["code"], "RATE_LIMITED");
    assert!(closed.refusal()["retryAt"].is_string());
    letter.portal.advance(Duration::from_secs(3600));
    letter.start().await.done();
    letter.portal.finish().await;
}

#[tokio::test]
async fn mc_06_terms_come_before_the_details_and_both_boxes_of_the_conditions_after_the_code() {
    let letter = Letter::sent().await;
    let id = letter.started(REGISTRANT).await;
    assert_eq!(letter.submit(&id, json!({})).await.refused(), "STEP_OUT_OF_ORDER");
    let other = letter.accept(&id, "ONLINE_CONDITIONS_OF_USE", &["READ", "AUTHORIZED"]).await;
    assert_eq!(other.refused(), "STEP_OUT_OF_ORDER");
    assert_eq!(letter.accept(&id, "PORTAL_TERMS", &[]).await.refused(), "BOX_NOT_TICKED");
    let terms = letter.accept(&id, "PORTAL_TERMS", &["READ"]).await;
    assert_eq!(terms.done()["registration"]["step"], "SUBMIT_DETAILS");
    let submitted = letter.submit(&id, json!({})).await;
    assert_eq!(submitted.done()["registration"]["step"], "VERIFY_PASSCODE");
    let challenge = letter.visitor().challenge(json!({ "registrationId": id })).await;
    letter.portal.type_code(&letter.visitor(), &challenge).await.done();
    let half = letter.accept(&id, "ONLINE_CONDITIONS_OF_USE", &["READ"]).await;
    assert_eq!(half.refusal()["code"], "BOX_NOT_TICKED");
    assert_eq!(half.refusal()["details"], json!(["AUTHORIZED"]));
    assert_eq!(letter.complete(&id).await.refused(), "STEP_OUT_OF_ORDER");
    letter.portal.publish(AgreementKind::OnlineConditionsOfUse, "2", &["READ", "OTHER"]).await;
    let old = letter.accept(&id, "ONLINE_CONDITIONS_OF_USE", &["READ", "AUTHORIZED"]).await;
    assert_eq!(old.refused(), "AGREEMENT_SUPERSEDED");
    let input = json!({
        "registrationId": id, "kind": "ONLINE_CONDITIONS_OF_USE", "version": "2",
        "boxes": ["READ", "OTHER"],
    });
    let both = letter.visitor().mutate("acceptAgreement", input, REGISTRATION).await;
    assert_eq!(both.done()["registration"]["step"], "COMPLETE");
    let events = letter.portal.events::<Registration>(uuid_of(&id)).await;
    let Some(RegistrationEvent::AgreementAccepted { version, address, .. }) = events.last() else {
        panic!("accepted last: {events:?}");
    };
    assert_eq!(version, "2");
    assert_eq!(address.as_ref().and_then(|it| it.get()).map(String::as_str), Some("127.0.0.1"));
    letter.portal.finish().await;
}

#[tokio::test]
async fn mc_07_details_that_do_not_match_are_never_named() {
    let letter = Letter::sent().await;
    let id = letter.started(REGISTRANT).await;
    letter.accept(&id, "PORTAL_TERMS", &["READ"]).await.done();
    let mut answers = Vec::new();
    for change in [
        json!({ "taxId": "12-3456788" }),
        json!({ "payToZip": "93702", "contactEmail": "other@willow.example" }),
        json!({ "email": "somebody@else.example" }),
        json!({ "taxIdKind": "SSN", "taxId": "123-45-6789" }),
    ] {
        let mut answer = letter.submit(&id, change).await.refusal().clone();
        assert_eq!(answer["code"], "DETAILS_DO_NOT_MATCH");
        answers.push(answer.take());
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "all answers are alike: {answers:?}");
    let events = letter.portal.events::<Registration>(uuid_of(&id)).await;
    let counts: Vec<u8> = events
        .iter()
        .filter_map(|event| {
            let RegistrationEvent::RegistrantMismatch { fields_count, .. } = event else {
                return None;
            };
            Some(*fields_count)
        })
        .collect();
    assert_eq!(counts, [1, 2, 1, 1]);
    // ZIP+4 is compared by its first five digits, the address without regard to case.
    let right = json!({ "payToZip": "93701-1234", "contactEmail": CONTACT.to_uppercase() });
    let done = letter.submit(&id, right).await;
    assert_eq!(done.done()["registration"]["organizationName"], "Willow Clinic");
    letter.portal.finish().await;
}

#[tokio::test]
async fn mc_07_after_five_mismatches_the_token_takes_no_more_details() {
    let letter = Letter::sent().await;
    let id = letter.started(REGISTRANT).await;
    letter.accept(&id, "PORTAL_TERMS", &["READ"]).await.done();
    for _ in 0..5 {
        let answer = letter.submit(&id, json!({ "payToZip": "93702" })).await;
        assert_eq!(answer.refused(), "DETAILS_DO_NOT_MATCH");
    }
    assert_eq!(letter.submit(&id, json!({})).await.refused(), "RATE_LIMITED");
    let another = letter.started(REGISTRANT).await;
    letter.accept(&another, "PORTAL_TERMS", &["READ"]).await.done();
    assert_eq!(letter.submit(&another, json!({})).await.refused(), "RATE_LIMITED");
    letter.portal.finish().await;
}

#[tokio::test]
async fn mc_07_fields_of_a_wrong_form_are_named_before_anything_is_compared() {
    let letter = Letter::sent().await;
    let id = letter.started(REGISTRANT).await;
    letter.accept(&id, "PORTAL_TERMS", &["READ"]).await.done();
    for (field, value, code) in [
        ("email", "rosa", "EMAIL_INVALID"),
        ("firstName", "", "FIELD_REQUIRED"),
        ("taxId", "07-1234567", "TAX_ID_INVALID"),
        ("payToZip", "9370", "ZIP_INVALID"),
        ("contactEmail", "office", "EMAIL_INVALID"),
        ("mobile", "+1202555", "PHONE_INVALID"),
    ] {
        let answer = letter.submit(&id, json!({ field: value })).await;
        assert_eq!(answer.refusal()["code"], code, "{field}");
        assert_eq!(answer.refusal()["field"], json!([field]));
    }
    let events = letter.portal.events::<Registration>(uuid_of(&id)).await;
    assert_eq!(events.len(), 2, "nothing was compared: {events:?}");
    letter.portal.finish().await;
}

#[tokio::test]
async fn mc_08_the_registrant_is_administrator_with_all_npis_and_all_correspondence() {
    let letter = Letter::sent().await;
    let id = letter.ready(REGISTRANT).await;
    letter.portal.settle().await;
    let before = letter.portal.position().await;
    let done = letter.complete(&id).await;
    assert_eq!(done.done()["registration"]["step"], "COMPLETED");
    let user = letter.registrant(&id).await;
    let tenant = letter.portal.world().tenant;
    let journal = &letter.portal.service.commands.journal;

    let roster = letter.portal.events::<Organization>(letter.organization).await;
    let registered = roster
        .iter()
        .position(|event| matches!(event, OrganizationEvent::OrganizationRegistered { .. }));
    let [
        OrganizationEvent::OrganizationRegistered { .. },
        OrganizationEvent::EmailDomainAdded { domain, .. },
        OrganizationEvent::MembershipAdded { by, .. },
        OrganizationEvent::OrgRoleAssigned { user: admin, new: OrgRole::Admin, cause, .. },
    ] = &roster[registered.expect("it is registered")..]
    else {
        panic!("registered, domain, member, role: {roster:?}");
    };
    assert_eq!(domain, "willow.example");
    assert_eq!((*admin, *by, *cause), (user, MembershipOrigin::Registration, Cause::Registration));
    let membership = MembershipId::of(tenant, user, letter.organization);
    let rights = letter.portal.events::<Membership>(membership).await;
    let [
        MembershipEvent::NpiPermissionSet { npi: NpiScope::All, new: NpiLevel::Admin, .. },
        MembershipEvent::CorrespondencePermissionSet { npi: NpiScope::All, types, .. },
    ] = rights.as_slice()
    else {
        panic!("all NPIs, all correspondence: {rights:?}");
    };
    assert!(types.contains(&CorrespondenceScope::All));
    let token = journal.load_fresh::<RegistrationToken>(tenant, letter.token_id().await.0).await;
    assert!(matches!(token.unwrap().state.phase(), TokenPhase::Redeemed { .. }));
    let account = letter.portal.events::<User>(user).await;
    assert!(
        matches!(
            account.as_slice(),
            [
                UserEvent::UserRegistered { .. },
                UserEvent::AgreementAccepted { kind: AgreementKind::PortalTerms, .. },
                UserEvent::AgreementAccepted { kind: AgreementKind::OnlineConditionsOfUse, .. },
            ]
        ),
        "{account:?}"
    );
    // Completed, redeemed, 4 of the roster, 2 of permissions, 3 of the account, 1 link: one commit.
    let position: i64 = done.done()["position"].as_str().unwrap().parse().unwrap();
    assert_eq!(position - before, 12);
    letter.portal.finish().await;
}

#[tokio::test]
async fn mc_08_the_registrant_sets_a_password_and_adds_the_first_user() {
    let letter = Letter::sent().await;
    let id = letter.ready(REGISTRANT).await;
    letter.complete(&id).await.done();
    let user = letter.registrant(&id).await;
    let link = letter.portal.setup_token(user).await;
    let challenge = letter.portal.passcode_for_password(&link).await;
    letter.visitor().set_password(&link, GOOD_PASSWORD, Some(&challenge)).await.done();
    let rosa = letter.visitor().sign_in(REGISTRANT, GOOD_PASSWORD).await;
    let invite = json!({
        "organizationId": letter.organization.to_string(),
        "email": "ines@vega.example",
        "firstName": "Ines",
        "lastName": "Vega",
        "mobile": "+12025550177",
    });
    rosa.mutate("inviteUser", invite, "invitation { status }").await.done();
    letter.portal.finish().await;
}

#[tokio::test]
async fn mc_08_a_policy_that_implies_less_gives_the_role_alone() {
    let letter = Letter::sent().await;
    letter
        .portal
        .plan(&ChangePolicy {
            key: PolicyKey::AdminImplied,
            value: PolicyValue::Words(vec!["USER_MANAGEMENT".to_owned()]),
            effective_at: None,
            reason: Reason::parse("Less by default.").unwrap(),
            expected_version: None,
        })
        .await;
    let id = letter.ready(REGISTRANT).await;
    letter.complete(&id).await.done();
    let user = letter.registrant(&id).await;
    let membership = MembershipId::of(letter.portal.world().tenant, user, letter.organization);
    assert_eq!(letter.portal.events::<Membership>(membership).await, []);
    letter.portal.finish().await;
}

#[tokio::test]
async fn mc_10_a_person_with_an_account_adds_an_organization_by_the_same_steps() {
    let letter = Letter::sent().await;
    let hana = letter.portal.world().hospital_admin.clone();
    let id = letter.ready(&hana.email).await;
    let events = letter.portal.events::<Registration>(uuid_of(&id)).await;
    let Some(RegistrationEvent::OrganizationRegistrationStarted { route, .. }) = events.first()
    else {
        panic!("started first: {events:?}");
    };
    assert_eq!(*route, RegistrationRoute::ExistingPerson);
    letter.complete(&id).await.done();
    assert_eq!(letter.registrant(&id).await, hana.user);
    let roster = letter.portal.events::<Organization>(letter.organization).await;
    let by_token = roster.iter().any(|event| {
        matches!(event, OrganizationEvent::MembershipAdded { by: MembershipOrigin::Token, .. })
    });
    assert!(by_token, "{roster:?}");
    let account = letter.portal.events::<User>(hana.user).await;
    let registered = |event: &&UserEvent| matches!(event, UserEvent::UserRegistered { .. });
    assert_eq!(account.iter().filter(registered).count(), 1, "no second account");
    letter.portal.finish().await;
}

#[tokio::test]
async fn gn_09_starting_a_registration_answers_the_same_for_known_and_unknown_addresses() {
    let letter = Letter::sent().await;
    let shape = async |email: &str| {
        let answer = letter.start_with(email, &letter.token).await;
        let mut registration = answer.done()["registration"].clone();
        registration["id"] = Value::Null;
        registration
    };
    let known = letter.portal.world().hospital_admin.email.clone();
    assert_eq!(shape(&known).await, shape("nobody@nowhere.example").await);
    letter.portal.finish().await;
}

fn addition(letter: &Letter) -> Value {
    json!({
        "token": letter.token,
        "taxIdKind": "EIN",
        "taxId": TAX_ID,
        "payToZip": PAY_TO_ZIP,
        "contactEmail": CONTACT,
    })
}

#[tokio::test]
async fn mc_11_a_signed_in_person_adds_an_organization_and_sees_it_after_the_next_sign_in() {
    let letter = Letter::sent().await;
    let hana = letter.portal.world().hospital_admin.clone();
    let before = letter.portal.client(&hana).await;
    let wrong = changed(addition(&letter), json!({ "payToZip": "93702" }));
    let mismatch = before.mutate("addOrganization", wrong, "organizationId").await;
    assert_eq!(mismatch.refused(), "DETAILS_DO_NOT_MATCH");
    before.mutate("addOrganization", addition(&letter), "organizationId").await.done();

    let invite = json!({
        "organizationId": letter.organization.to_string(),
        "email": "ines@vega.example",
        "firstName": "Ines",
        "lastName": "Vega",
        "mobile": "+12025550177",
    });
    let unseen = before.mutate("inviteUser", invite.clone(), "").await;
    assert_eq!(unseen.refused(), "NOT_FOUND");
    letter.portal.advance(Duration::from_secs(1));
    let there = Person { organization: Some(letter.organization), ..hana };
    let after = letter.portal.client(&there).await;
    after.mutate("inviteUser", invite, "").await.done();
    letter.portal.finish().await;
}

#[tokio::test]
async fn mc_11_a_visitor_cannot_add_an_organization_that_way() {
    let letter = Letter::sent().await;
    let answer = letter.visitor().mutate("addOrganization", addition(&letter), "").await;
    assert_eq!(answer.error_code(), "UNAUTHENTICATED");
    letter.portal.finish().await;
}
