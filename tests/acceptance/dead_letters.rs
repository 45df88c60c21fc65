//! Messages that nobody took, and addresses that nobody reads (GN-19).

use std::time::Duration;

use rollcall_domain::{
    kernel::ids::{DeliveryId, LinkId},
    notifications::{Delivery, DeliveryEvent},
    users::{
        credential::{Credential, CredentialCommand, ResetMethod},
        user::{User, UserCommand},
    },
    values::EmailAddress,
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Answer, Client, MailServer, Person, Portal};

const LIST: &str = "{ deadLetters { nodes {
  messageId template channel userId attempts retries lastFailure } } }";

async fn request_reset(portal: &Portal, who: &Person) {
    let request = CredentialCommand::RequestPasswordReset {
        user: who.user,
        link_id: LinkId(Uuid::new_v4()),
        method: ResetMethod::SelfService,
    };
    let stream = portal.world().tenant.credential_stream(who.user);
    portal.decide::<Credential>(stream, request).await;
    portal.settle().await;
}

/// The dead letter of the reset mail, as plan support sees it.
async fn dead_reset(portal: &Portal) -> Option<Value> {
    let support = portal.client(&portal.world().plan_support).await;
    let answer = support.send(LIST, json!({})).await;
    let nodes = answer.data()["deadLetters"]["nodes"].as_array().expect("nodes");
    nodes.iter().find(|node| node["template"] == "reset_link").cloned()
}

/// Lets all attempts of a message pass.
async fn exhaust(portal: &Portal) {
    for _ in 0..12 {
        portal.advance(Duration::from_secs(6 * 3600));
        portal.settle().await;
    }
}

async fn retry(client: &Client, message: &Value) -> Answer {
    client.mutate("retryMessage", json!({ "messageId": message }), "messageId").await
}

/// When mail to a member of the clinic came back, as an administrator sees it.
async fn bounced_at(portal: &Portal, who: &Person) -> Value {
    portal.settle().await;
    let admin = portal.client(&portal.world().clinic_admin).await;
    let query =
        "query($id: ID!, $of: ID!) { user(id: $id, organizationId: $of) { emailBouncedAt } }";
    let variables = json!({ "id": who.user, "of": portal.world().clinic.id });
    admin.send(query, variables).await.data()["user"]["emailBouncedAt"].clone()
}

#[tokio::test]
async fn gn_19_a_dead_letter_is_found_by_plan_staff_and_tried_again() {
    let mut server = MailServer::closed().await;
    let portal = Portal::with_smtp(&server.url()).await;
    let world = portal.world().clone();
    request_reset(&portal, &world.processor).await;
    assert_eq!(dead_reset(&portal).await, None);
    exhaust(&portal).await;
    let letter = dead_reset(&portal).await.expect("given up");
    let shown = (&letter["channel"], &letter["attempts"], &letter["retries"]);
    assert_eq!(shown, (&json!("EMAIL"), &json!(12), &json!(0)));
    assert_eq!(letter["lastFailure"], "not taken for now: connection");

    for stranger in [&world.clinic_admin, &world.auditor] {
        let client = portal.client(stranger).await;
        assert_eq!(client.send(LIST, json!({})).await.error_code(), "FORBIDDEN");
        assert_eq!(retry(&client, &letter["messageId"]).await.refused(), "FORBIDDEN");
    }
    let support = portal.client(&world.plan_support).await;
    assert_eq!(retry(&support, &json!(Uuid::new_v4())).await.refused(), "NOT_FOUND");
    retry(&support, &letter["messageId"]).await.done();
    assert_eq!(retry(&support, &letter["messageId"]).await.refused(), "NOT_PENDING");
    exhaust(&portal).await;
    let again = dead_reset(&portal).await.expect("given up a second time");
    assert_eq!((&again["attempts"], &again["retries"]), (&json!(12), &json!(1)));

    server.open().await;
    let support = portal.client(&world.plan_support).await;
    retry(&support, &again["messageId"]).await.done();
    portal.settle().await;
    assert_eq!(dead_reset(&portal).await, None);
    let taken = server.taken().into_iter().filter(|mail| mail.contains("Reset your password"));
    assert_eq!(taken.count(), 1);
    let id: DeliveryId = letter["messageId"].as_str().expect("an id").parse().expect("an id");
    let events = portal.events::<Delivery>(id).await;
    assert!(
        matches!(
            &events[..],
            [
                DeliveryEvent::MessageQueued(_),
                DeliveryEvent::EmailGaveUp { .. },
                DeliveryEvent::MessageRetried { .. },
                DeliveryEvent::EmailGaveUp { .. },
                DeliveryEvent::MessageRetried { .. },
                DeliveryEvent::EmailSent { .. },
            ]
        ),
        "{events:?}"
    );
    portal.finish().await;
}

#[tokio::test]
async fn gn_19_a_mailbox_that_does_not_exist_is_marked_until_the_address_changes() {
    let server = MailServer::opened().await;
    let portal = Portal::with_smtp(&server.url()).await;
    let world = portal.world().clone();
    server.refuse(&world.processor.email);
    assert_eq!(bounced_at(&portal, &world.processor).await, Value::Null);
    request_reset(&portal, &world.processor).await;
    request_reset(&portal, &world.npi_admin).await;
    assert_eq!(bounced_at(&portal, &world.processor).await, "2026-01-12T17:00:00Z");
    assert_eq!(bounced_at(&portal, &world.npi_admin).await, Value::Null);
    assert_eq!(dead_reset(&portal).await, None, "a bounce is an outcome");

    let email = EmailAddress::parse("paul.kim@elsewhere.example").expect("a valid address");
    let change = UserCommand::ChangeEmail { email, link_id: LinkId(Uuid::new_v4()) };
    portal.decide::<User>(world.processor.user, change).await;
    assert_eq!(bounced_at(&portal, &world.processor).await, Value::Null);
    portal.finish().await;
}

#[tokio::test]
async fn gn_19_an_invitation_that_came_back_is_marked_and_no_account_is() {
    let server = MailServer::opened().await;
    let portal = Portal::with_smtp(&server.url()).await;
    portal.publish_agreements().await;
    let world = portal.world().clone();
    // The clinic invites somebody who has an account at the hospital.
    let known = &world.hospital_admin;
    server.refuse(&known.email);
    let admin = portal.client(&world.clinic_admin).await;
    let invite = json!({
        "organizationId": world.clinic.id, "firstName": "Hana", "lastName": "Wu",
        "email": known.email, "mobile": "+12025550188",
    });
    let invited = admin.mutate("inviteUser", invite, "invitation { id }").await;
    let invitation = invited.done()["invitation"]["id"].as_str().expect("an id").to_owned();
    let user = portal.invited_user(&invitation).await;
    let person = Person { user, ..known.clone() };
    assert_eq!(bounced_at(&portal, &person).await, "2026-01-12T17:00:00Z");
    let hospital = portal.client(known).await;
    let query =
        "query($id: ID!, $of: ID!) { user(id: $id, organizationId: $of) { emailBouncedAt } }";
    let own = json!({ "id": known.user, "of": world.hospital.id });
    let own = hospital.send(query, own).await;
    assert_eq!(own.data()["user"]["emailBouncedAt"], Value::Null);
    portal.finish().await;
}

#[tokio::test]
async fn gn_19_plan_staff_report_mail_that_came_back_later() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    request_reset(&portal, &world.processor).await;
    let mail = portal.mailbox(&world.processor.email).await;
    let id = Portal::newest(&mail, "Reset your password")["id"].as_str().expect("an id").to_owned();
    let report = async |client: &Client, id: &str, status: &str| {
        let input = json!({ "messageId": id, "status": status });
        client.mutate("recordEmailBounce", input, "messageId").await
    };
    let admin = portal.client(&world.clinic_admin).await;
    assert_eq!(report(&admin, &id, "5.1.1").await.refused(), "FORBIDDEN");
    let support = portal.client(&world.plan_support).await;
    assert_eq!(report(&support, &id, "550").await.refused(), "FIELD_INVALID");
    let unknown = Uuid::new_v4().to_string();
    assert_eq!(report(&support, &unknown, "5.1.1").await.refused(), "NOT_FOUND");
    report(&support, &format!("<{id}@localhost>"), "5.1.1").await.done();
    assert_eq!(bounced_at(&portal, &world.processor).await, "2026-01-12T17:00:00Z");
    portal.finish().await;
}
