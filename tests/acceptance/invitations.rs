//! From "Add user" to "Registration Complete" (MC-15 to MC-21, GN-05, GN-06, GN-09).

use chrono::{DateTime, TimeDelta, Utc};
use rollcall_domain::{
    kernel::ids::{InvitationId, UserId},
    organizations::{
        InvitationEnd, MembershipOrigin, OrgRole, Organization, OrganizationEvent,
        organization::Standing,
    },
    users::{
        credential::{Credential, CredentialEvent},
        invitation::{Invitation, InvitationEvent},
        user::{User, UserEvent},
    },
    values::AgreementKind,
};
use serde_json::{Value, json};

use crate::support::{Answer, Client, GOOD_PASSWORD, Portal, uuid_of};

const INVITATION: &str = "invitation { id email status expiresAt step organizationName }";

async fn portal() -> Portal {
    let portal = Portal::medi_cal().await;
    portal.publish_agreements().await;
    portal
}

fn input(portal: &Portal, email: &str) -> Value {
    json!({
        "organizationId": portal.world().clinic.id.to_string(),
        "email": email,
        "firstName": "Ines",
        "lastName": "Vega",
        "mobile": "+12025550177",
        "businessPhone": "+12025550178",
    })
}

async fn invite(portal: &Portal, email: &str) -> Answer {
    let admin = portal.client(&portal.world().clinic_admin).await;
    admin.mutate("inviteUser", input(portal, email), INVITATION).await
}

/// Invites a person; answers the invitation's id and the token in the mail.
async fn invited(portal: &Portal, email: &str) -> (String, String) {
    let answer = invite(portal, email).await;
    let id = answer.done()["invitation"]["id"].as_str().expect("an id").to_owned();
    let token = portal.invitation_token(&id).await;
    (id, token)
}

async fn reissue(portal: &Portal, invitation: &str) -> Answer {
    let admin = portal.client(&portal.world().clinic_admin).await;
    let input = json!({
        "organizationId": portal.world().clinic.id.to_string(),
        "invitationId": invitation,
    });
    admin.mutate("reissueInvitation", input, INVITATION).await
}

async fn open(portal: &Portal, token: &str) -> Answer {
    let document = "query($token: String!) { invitation(token: $token) {
        email organizationName status step agreement expiresAt } }";
    visitor(portal).send(document, json!({ "token": token })).await
}

/// Why a query was refused.
fn reason(answer: &Answer) -> &str {
    assert_eq!(answer.error_code(), "BAD_USER_INPUT");
    answer.body["errors"][0]["extensions"]["reason"].as_str().expect("a reason")
}

fn visitor(portal: &Portal) -> Client {
    portal.visitor(&portal.world().slug)
}

async fn standing(portal: &Portal, user: UserId) -> Option<Standing> {
    let journal = &portal.service.commands.journal;
    let clinic = portal.world().clinic.id;
    let loaded = journal.load_fresh::<Organization>(portal.world().tenant, clinic.0).await;
    loaded.expect("the organisation is read").state.member(user).map(|member| member.standing)
}

#[tokio::test]
async fn mc_15_an_administrator_adds_a_person_who_gets_a_link() {
    let portal = portal().await;
    let answer = invite(&portal, "ines@vega.example").await;
    let invitation = &answer.done()["invitation"];
    assert_eq!(invitation["status"], "SENT");
    assert_eq!(invitation["email"], "ines@vega.example");
    let id = invitation["id"].as_str().unwrap();
    let events = portal.events::<Invitation>(uuid_of(id)).await;
    let [InvitationEvent::UserInvited { user, mobile, business_phone, existing_account, .. }] =
        events.as_slice()
    else {
        panic!("one event: {events:?}");
    };
    assert_eq!(mobile.get().unwrap().e164(), "+12025550177");
    assert_eq!(business_phone.as_ref().unwrap().get().unwrap().e164(), "+12025550178");
    assert!(!existing_account);
    let invitation = InvitationId(uuid_of(id));
    assert_eq!(standing(&portal, *user).await, Some(Standing::Invited { invitation }));
    portal.finish().await;
}

#[tokio::test]
async fn mc_15_wrong_fields_are_named_and_the_second_invitation_of_an_address_is_refused() {
    let portal = portal().await;
    let admin = portal.client(&portal.world().clinic_admin).await;
    for (field, value, code) in [
        ("email", "ines", "EMAIL_INVALID"),
        ("mobile", "+12021550123", "PHONE_INVALID"),
        ("businessPhone", "555", "PHONE_INVALID"),
        ("firstName", " ", "FIELD_REQUIRED"),
        ("lastName", "", "FIELD_REQUIRED"),
    ] {
        let mut input = input(&portal, "ines@vega.example");
        input[field] = json!(value);
        let answer = admin.mutate("inviteUser", input, "").await;
        assert_eq!(answer.refusal()["code"], code, "{field}");
        assert_eq!(answer.refusal()["field"], json!([field]));
    }
    invited(&portal, "ines@vega.example").await;
    let again = invite(&portal, "INES@vega.example").await;
    assert_eq!(again.refusal()["code"], "EMAIL_TAKEN_IN_ORG");
    assert_eq!(again.refusal()["field"], json!(["email"]));
    let member = invite(&portal, &portal.world().processor.email).await;
    assert_eq!(member.refused(), "EMAIL_TAKEN_IN_ORG");
    portal.finish().await;
}

#[tokio::test]
async fn mc_09_only_an_administrator_of_the_organization_adds_people() {
    let portal = portal().await;
    let world = portal.world();
    for person in [&world.npi_admin, &world.processor, &world.newcomer] {
        let client = portal.client(person).await;
        let answer = client.mutate("inviteUser", input(&portal, "ines@vega.example"), "").await;
        assert_eq!(answer.refused(), "NOT_ORG_ADMIN");
    }
    let stranger = portal.client(&world.hospital_admin).await;
    let answer = stranger.mutate("inviteUser", input(&portal, "ines@vega.example"), "").await;
    assert_eq!(answer.refused(), "NOT_FOUND");
    let nobody = visitor(&portal);
    let answer = nobody.mutate("inviteUser", input(&portal, "ines@vega.example"), "").await;
    assert_eq!(answer.error_code(), "UNAUTHENTICATED");
    portal.finish().await;
}

#[tokio::test]
async fn gn_09_inviting_answers_the_same_for_addresses_known_elsewhere() {
    let portal = portal().await;
    let known = invite(&portal, &portal.world().hospital_admin.email).await;
    let unknown = invite(&portal, "ines@vega.example").await;
    let shape = |answer: &Answer| {
        let mut invitation = answer.done()["invitation"].clone();
        invitation["id"] = Value::Null;
        invitation["email"] = Value::Null;
        invitation
    };
    assert_eq!(shape(&known), shape(&unknown));
    portal.finish().await;
}

#[tokio::test]
async fn gn_05_a_person_known_elsewhere_joins_with_the_same_account() {
    let portal = portal().await;
    let hana = portal.world().hospital_admin.clone();
    let (id, token) = invited(&portal, &hana.email.to_uppercase()).await;
    assert_eq!(portal.invited_user(&id).await, hana.user);
    let accepted = visitor(&portal).accept_system_use(&token).await;
    // Names and telephone are the account's; the code goes to the account's number.
    assert_eq!(accepted.done()["invitation"]["step"], "VERIFY_PASSCODE");
    let challenge = visitor(&portal).challenge(json!({ "invitationToken": token })).await;
    let account = portal.events::<User>(hana.user).await.len();
    portal.type_code(&visitor(&portal), &challenge).await.done();
    assert_eq!(standing(&portal, hana.user).await, Some(Standing::Active));
    let credential = portal.world().tenant.credential_stream(hana.user);
    let events = portal.events::<Credential>(credential).await;
    let setup =
        |event: &CredentialEvent| matches!(event, CredentialEvent::PasswordSetupLinkSent { .. });
    assert!(!events.iter().any(setup), "a person with a password needs no link to set one");
    let added = portal.events::<User>(hana.user).await.split_off(account);
    assert!(
        matches!(added.as_slice(), [UserEvent::AgreementAccepted { .. }]),
        "the account stays as it is: {added:?}"
    );
    portal.finish().await;
}

#[tokio::test]
async fn mc_16_the_registration_link_works_to_the_last_second_of_seven_days() {
    let portal = portal().await;
    let answer = invite(&portal, "ines@vega.example").await;
    let invitation = answer.done()["invitation"].clone();
    let token = portal.invitation_token(invitation["id"].as_str().unwrap()).await;
    let expires_at: DateTime<Utc> = invitation["expiresAt"].as_str().unwrap().parse().unwrap();
    let sent_at = portal.service.commands.journal.now();
    assert!((expires_at - sent_at - TimeDelta::days(7)).abs() < TimeDelta::seconds(1));

    portal.clock.set(expires_at - TimeDelta::seconds(1));
    assert_eq!(open(&portal, &token).await.data()["invitation"]["status"], "SENT");
    visitor(&portal).accept_system_use(&token).await.done();
    portal.clock.set(expires_at);
    assert_eq!(reason(&open(&portal, &token).await), "LINK_EXPIRED");
    assert_eq!(visitor(&portal).submit_invitee(&token).await.refused(), "LINK_EXPIRED");
    portal.finish().await;
}

#[tokio::test]
async fn mc_16_reissuing_kills_the_old_link_and_what_was_done_by_it() {
    let portal = portal().await;
    let (id, old) = invited(&portal, "ines@vega.example").await;
    visitor(&portal).accept_system_use(&old).await.done();
    let reissued = reissue(&portal, &id).await;
    assert_eq!(reissued.done()["invitation"]["status"], "SENT");
    let new = portal.invitation_token(&id).await;
    assert_ne!(old, new);
    assert_eq!(reason(&open(&portal, &old).await), "LINK_INVALID");
    assert_eq!(visitor(&portal).submit_invitee(&old).await.refused(), "LINK_INVALID");
    assert_eq!(open(&portal, &new).await.data()["invitation"]["step"], "ACCEPT_AGREEMENT");
    portal.finish().await;
}

#[tokio::test]
async fn mc_16_the_link_works_once() {
    let portal = portal().await;
    let (id, token) = invited(&portal, "ines@vega.example").await;
    portal.follow_invitation(&token).await.done();
    assert_eq!(reason(&open(&portal, &token).await), "LINK_USED");
    assert_eq!(visitor(&portal).accept_system_use(&token).await.refused(), "LINK_USED");
    assert_eq!(reissue(&portal, &id).await.refused(), "NOT_PENDING");
    portal.finish().await;
}

#[tokio::test]
async fn mc_16_the_scheduler_expires_a_link_and_a_reissued_one_leads_in() {
    let portal = portal().await;
    let invitation = invite(&portal, "ines@vega.example").await.done()["invitation"].clone();
    let id = invitation["id"].as_str().expect("an id").to_owned();
    let expires_at: DateTime<Utc> = invitation["expiresAt"].as_str().unwrap().parse().unwrap();
    let user = portal.invited_user(&id).await;
    portal.clock.set(expires_at - TimeDelta::seconds(1));
    portal.settle().await;
    assert!(matches!(standing(&portal, user).await, Some(Standing::Invited { .. })));
    portal.clock.set(expires_at);
    portal.settle().await;
    let cause = InvitationEnd::Expired;
    assert_eq!(standing(&portal, user).await, Some(Standing::Ended { cause }));
    reissue(&portal, &id).await.done();
    let token = portal.invitation_token(&id).await;
    portal.follow_invitation(&token).await.done();
    assert_eq!(standing(&portal, user).await, Some(Standing::Active));
    portal.finish().await;
}

#[tokio::test]
async fn gn_06_a_cancelled_invitation_leads_nowhere() {
    let portal = portal().await;
    let (id, token) = invited(&portal, "ines@vega.example").await;
    let admin = portal.client(&portal.world().clinic_admin).await;
    let mut input = json!({
        "organizationId": portal.world().clinic.id.to_string(),
        "invitationId": id,
        "reason": "Hired elsewhere",
    });
    let cancelled = admin.mutate("cancelInvitation", input.clone(), INVITATION).await;
    assert_eq!(cancelled.done()["invitation"]["status"], "CANCELLED");
    assert_eq!(reason(&open(&portal, &token).await), "LINK_INVALID");
    assert_eq!(reissue(&portal, &id).await.refused(), "NOT_PENDING");
    let again = admin.mutate("cancelInvitation", input.clone(), "").await;
    assert_eq!(again.refused(), "NOT_PENDING");
    // Another organisation's invitation is not there.
    let other = portal.client(&portal.world().hospital_admin).await;
    input["organizationId"] = json!(portal.world().hospital.id.to_string());
    assert_eq!(other.mutate("cancelInvitation", input, "").await.refused(), "NOT_FOUND");
    invited(&portal, "ines@vega.example").await;
    portal.finish().await;
}

#[tokio::test]
async fn mc_17_opening_the_link_fills_the_page_in() {
    let portal = portal().await;
    let (_, token) = invited(&portal, "ines@vega.example").await;
    let opened = open(&portal, &token).await;
    let invitation = &opened.data()["invitation"];
    assert_eq!(invitation["email"], "ines@vega.example");
    assert_eq!(invitation["organizationName"], "Redwood Clinic");
    assert_eq!(invitation["step"], "ACCEPT_AGREEMENT");
    assert_eq!(invitation["agreement"], "SYSTEM_USE_NOTIFICATION");
    assert_eq!(reason(&open(&portal, "no-such-token").await), "LINK_INVALID");
    let other = portal.another_tenant("other", rollcall_domain::policies::Preset::MediCal).await;
    let elsewhere = portal.visitor(&other.slug);
    let document = "query($token: String!) { invitation(token: $token) { email } }";
    let answer = elsewhere.send(document, json!({ "token": token })).await;
    assert_eq!(reason(&answer), "LINK_INVALID");
    portal.finish().await;
}

#[tokio::test]
async fn mc_18_both_boxes_of_the_version_in_force_are_ticked() {
    let portal = portal().await;
    let (_, token) = invited(&portal, "ines@vega.example").await;
    let accept = async |version: &str, boxes: &[&str]| {
        let input = json!({
            "invitationToken": token,
            "kind": "SYSTEM_USE_NOTIFICATION",
            "version": version,
            "boxes": boxes,
        });
        visitor(&portal).mutate("acceptAgreement", input, "invitation { step status }").await
    };
    let half = accept("1", &["READ"]).await;
    assert_eq!(half.refusal()["code"], "BOX_NOT_TICKED");
    assert_eq!(half.refusal()["details"], json!(["AUTHORIZED"]));
    assert_eq!(visitor(&portal).submit_invitee(&token).await.refused(), "STEP_OUT_OF_ORDER");
    portal.publish(AgreementKind::SystemUseNotification, "2", &["READ", "AUTHORIZED"]).await;
    assert_eq!(accept("1", &["READ", "AUTHORIZED"]).await.refused(), "AGREEMENT_SUPERSEDED");
    let done = accept("2", &["READ", "AUTHORIZED"]).await;
    assert_eq!(done.done()["invitation"], json!({ "step": "SUBMIT_DETAILS", "status": "OPENED" }));
    portal.finish().await;
}

#[tokio::test]
async fn mc_19_names_telephone_and_channel_are_given_and_may_be_corrected() {
    let portal = portal().await;
    let (id, token) = invited(&portal, "ines@vega.example").await;
    visitor(&portal).accept_system_use(&token).await.done();
    let details = |phone: &str, channel: &str| {
        json!({
            "token": token, "firstName": "Inés", "lastName": "Vega", "phone": phone,
            "channel": channel,
        })
    };
    let wrong =
        visitor(&portal).mutate("submitInviteeDetails", details("+10125550123", "SMS"), "").await;
    assert_eq!(wrong.refusal()["code"], "PHONE_INVALID");
    assert_eq!(wrong.refusal()["field"], json!(["phone"]));
    let done = visitor(&portal).submit_invitee(&token).await;
    assert_eq!(done.done()["invitation"]["step"], "VERIFY_PASSCODE");
    let corrected = details("+12025550179", "VOICE");
    visitor(&portal).mutate("submitInviteeDetails", corrected, "").await.done();
    let events = portal.events::<Invitation>(uuid_of(&id)).await;
    let Some(InvitationEvent::InviteeDetailsSubmitted { phone, channel, .. }) = events.last()
    else {
        panic!("details come last: {events:?}");
    };
    assert_eq!(phone.get().unwrap().e164(), "+12025550179");
    assert_eq!(channel.as_str(), "VOICE");
    portal.finish().await;
}

#[tokio::test]
async fn mc_21_completion_opens_the_account_and_sends_the_link_for_the_first_password() {
    let portal = portal().await;
    let (id, token) = invited(&portal, "ines@vega.example").await;
    let user = portal.invited_user(&id).await;
    portal.follow_invitation(&token).await.done();

    let account = portal.events::<User>(user).await;
    let [UserEvent::UserRegistered { email, first_name, .. }, UserEvent::AgreementAccepted { .. }] =
        account.as_slice()
    else {
        panic!("registered, then agreed: {account:?}");
    };
    assert_eq!(email.get().unwrap().as_str(), "ines@vega.example");
    assert_eq!(first_name.get().unwrap().as_str(), "Ines");
    let roster = portal.events::<Organization>(portal.world().clinic.id).await;
    let Some(OrganizationEvent::MembershipAdded { user: joined, role, by, .. }) = roster.last()
    else {
        panic!("joining comes last");
    };
    assert_eq!((*joined, *role, *by), (user, OrgRole::None, MembershipOrigin::Invitation));
    let credential = portal.world().tenant.credential_stream(user);
    let links = portal.events::<Credential>(credential).await;
    let [CredentialEvent::PasswordSetupLinkSent { expires_at, .. }] = links.as_slice() else {
        panic!("one link: {links:?}");
    };
    let left = *expires_at - portal.service.commands.journal.now();
    assert!((left - TimeDelta::minutes(30)).abs() < TimeDelta::seconds(1));
    portal.finish().await;
}

#[tokio::test]
async fn mc_21_an_invited_person_becomes_a_user_by_what_mail_and_telephone_show() {
    let portal = portal().await;
    let (email, phone) = ("ines@vega.example", "+12025550177");
    invite(&portal, email).await.done();
    let token = portal.mailed_token(email, "invitation").await;
    assert_eq!(open(&portal, &token).await.data()["invitation"]["step"], "ACCEPT_AGREEMENT");
    visitor(&portal).accept_system_use(&token).await.done();
    visitor(&portal).submit_invitee(&token).await.done();
    let challenge = visitor(&portal).challenge(json!({ "invitationToken": token })).await;
    let code = portal.sent_code(phone).await;
    visitor(&portal).verify(&challenge, &code[code.len() - 6..]).await.done();

    let link = portal.mailed_token(email, "set-password").await;
    let challenge = visitor(&portal).challenge(json!({ "passwordToken": link })).await;
    let code = portal.sent_code(phone).await;
    visitor(&portal).verify(&challenge, &code[code.len() - 6..]).await.done();
    visitor(&portal).set_password(&link, GOOD_PASSWORD, Some(&challenge)).await.done();
    let again = visitor(&portal).set_password(&link, GOOD_PASSWORD, Some(&challenge)).await;
    assert_eq!(again.refused(), "LINK_USED");

    let ines = visitor(&portal).sign_in(email, GOOD_PASSWORD).await;
    let answer = ines.mutate("inviteUser", input(&portal, "other@vega.example"), "").await;
    assert_eq!(answer.refused(), "NOT_ORG_ADMIN", "signed in as a member, not an administrator");
    portal.finish().await;
}
