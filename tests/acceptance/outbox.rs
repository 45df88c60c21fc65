//! Messages leave once, hold no more than they must, and are tried again until they are given up.

use std::time::Duration;

use rollcall_domain::{
    kernel::ids::{DeliveryId, LinkId, OtpChallengeId},
    notifications::{Delivery, DeliveryEvent},
    users::{
        credential::{Credential, CredentialCommand, ResetMethod},
        one_time_passcode::{
            OneTimePasscode, OneTimePasscodeCommand, OtpOwner, OtpPurpose, SendOtp,
        },
    },
    values::{CodeChannel, PhoneNumber},
};
use serde_json::json;
use uuid::Uuid;

use crate::support::{Person, Portal, TelephoneCompany};

async fn request_reset(portal: &Portal, who: &Person) -> LinkId {
    let link_id = LinkId(Uuid::new_v4());
    let request = CredentialCommand::RequestPasswordReset {
        user: who.user,
        link_id,
        method: ResetMethod::SelfService,
    };
    let stream = portal.world().tenant.credential_stream(who.user);
    portal.decide::<Credential>(stream, request).await;
    link_id
}

async fn send_passcode(portal: &Portal, channel: CodeChannel, to: &str) -> OtpChallengeId {
    let challenge = OtpChallengeId(Uuid::new_v4());
    let send = SendOtp {
        challenge,
        owner: OtpOwner::User(portal.world().processor.user),
        purpose: OtpPurpose::PasswordReset,
        channel,
        to: PhoneNumber::parse(to).expect("a valid number"),
    };
    portal.decide::<OneTimePasscode>(challenge, OneTimePasscodeCommand::SendOtp(send)).await;
    portal.settle().await;
    challenge
}

async fn events_of(portal: &Portal, delivery: &str) -> Vec<DeliveryEvent> {
    let delivery: DeliveryId = delivery.parse().expect("a delivery id");
    let journal = &portal.service.commands.journal;
    journal.events::<Delivery>(portal.world().tenant, delivery.0).await.expect("readable")
}

#[tokio::test]
async fn gn_19_a_link_is_mailed_once_and_its_delivery_is_on_record() {
    let portal = Portal::medi_cal().await;
    let who = portal.world().clinic_admin.clone();
    let link = request_reset(&portal, &who).await;
    let token = portal.mailed_token(&who.email, "reset-password").await;
    let secrets = portal.service.commands.journal.secrets();
    assert_eq!(token, secrets.link_token("reset-password", link.0));

    let messages = portal.mailbox(&who.email).await;
    let resets = messages.iter().filter(|message| message["subject"] == "Reset your password");
    assert_eq!(resets.count(), 1);
    let message = Portal::newest(&messages, "Reset your password");
    assert_eq!(message["channel"], "EMAIL");
    assert_eq!(message["to"], who.email.as_str());
    assert_eq!(message["sentAt"], "2026-01-12T17:00:00Z");
    let id = message["id"].as_str().expect("an id");
    let [DeliveryEvent::MessageQueued(queued), DeliveryEvent::EmailSent { message_id, .. }] =
        &events_of(&portal, id).await[..]
    else {
        panic!("queued, then sent: {:?}", events_of(&portal, id).await);
    };
    assert_eq!((queued.template.as_str(), queued.recipient.user), ("reset_link", Some(who.user)));
    assert_eq!(*message_id, format!("<{id}@localhost>"));
    portal.finish().await;
}

#[tokio::test]
async fn gn_19_a_passcode_goes_to_the_telephone_by_the_channel_chosen() {
    let portal = Portal::medi_cal().await;
    for (channel, name) in [(CodeChannel::Sms, "SMS"), (CodeChannel::Voice, "VOICE")] {
        let challenge = send_passcode(&portal, channel, "+12025550188").await;
        let code = portal.sent_code("+12025550188").await;
        let sent_length = u32::try_from(code.len()).expect("short");
        assert_eq!(code, portal.service.commands.journal.secrets().otp(challenge.0, sent_length));
        let messages = portal.mailbox("+12025550188").await;
        assert_eq!(messages.last().expect("sent")["channel"], name);
    }
    portal.finish().await;
}

#[tokio::test]
async fn gn_19_texts_and_calls_leave_by_the_provider_that_is_configured() {
    let company = TelephoneCompany::opened().await;
    let portal = Portal::with_telephone(&company.url(), TelephoneCompany::FROM).await;
    let code_of = |challenge: OtpChallengeId, content: &str| {
        let length = u32::try_from(content.chars().filter(char::is_ascii_digit).count());
        portal.service.commands.journal.secrets().otp(challenge.0, length.expect("short"))
    };

    let challenge = send_passcode(&portal, CodeChannel::Sms, "+12025550188").await;
    let [text] = &company.taken()[..] else { panic!("one text: {:?}", company.taken()) };
    assert_eq!((text.resource.as_str(), text.field("To")), ("Messages", "+12025550188"));
    assert_eq!(text.field("From"), TelephoneCompany::FROM);
    let words: Vec<&str> = text.field("Body").split([' ', '.', ',']).collect();
    let code =
        words.iter().find(|word| word.len() >= 6 && word.bytes().all(|b| b.is_ascii_digit()));
    let code = *code.expect("a code in the text");
    assert_eq!(code, code_of(challenge, code));
    assert!(portal.mailbox("+12025550188").await.is_empty(), "it left by one way only");

    let challenge = send_passcode(&portal, CodeChannel::Voice, "+12025550188").await;
    let [_, call] = &company.taken()[..] else { panic!("one call: {:?}", company.taken()) };
    assert_eq!((call.resource.as_str(), call.field("Body")), ("Calls", ""));
    let said = call.field("Twiml");
    assert!(said.starts_with("<Response><Say") && said.ends_with("</Say></Response>"), "{said}");
    let digits: Vec<String> = code_of(challenge, code).chars().map(String::from).collect();
    assert!(said.contains(&digits.join(", ")), "{said}");
    portal.finish().await;
}

#[tokio::test]
async fn gn_19_a_number_the_provider_refuses_is_given_up_and_its_own_trouble_waited_out() {
    let company = TelephoneCompany::opened().await;
    let portal = Portal::with_telephone(&company.url(), TelephoneCompany::FROM).await;
    let dead = || async {
        let asked = portal.service.background.dead_letters(portal.world().tenant).await;
        asked.expect("the database answers")
    };
    company.refuse(503, 20503);
    send_passcode(&portal, CodeChannel::Sms, "+12025550188").await;
    assert!(company.taken().is_empty() && dead().await.is_empty());
    portal.advance(Duration::from_secs(120));
    portal.settle().await;
    assert_eq!(company.taken().len(), 1);

    // 21614: text messages cannot be sent to this number.
    company.refuse(400, 21614);
    send_passcode(&portal, CodeChannel::Sms, "+12025550188").await;
    let [letter] = &dead().await[..] else { panic!("one dead letter") };
    assert_eq!(
        (letter.attempts, letter.last_failure.as_deref()),
        (1, Some("refused: telephone provider 400 (21614)"))
    );
    assert_eq!(company.taken().len(), 1);
    portal.finish().await;
}

#[tokio::test]
async fn gn_19_mail_that_nobody_takes_waits_longer_each_time_and_becomes_a_dead_letter() {
    // Nothing listens on this port of the loopback interface.
    let portal = Portal::with_smtp("smtp://127.0.0.1:1").await;
    let who = portal.world().clinic_admin.clone();
    request_reset(&portal, &who).await;
    portal.settle().await;
    let dead = || async {
        let asked = portal.service.background.dead_letters(portal.world().tenant).await;
        asked.expect("the database answers")
    };
    for _ in 1..12 {
        assert!(dead().await.iter().all(|letter| letter.template != "reset_link"));
        portal.advance(Duration::from_secs(6 * 3600));
        portal.settle().await;
    }
    let letters = dead().await;
    let letter = letters.iter().find(|letter| letter.template == "reset_link").expect("given up");
    assert_eq!(
        (letter.attempts, letter.last_failure.as_deref()),
        (12, Some("not taken for now: connection"))
    );
    let events = events_of(&portal, &letter.delivery.to_string()).await;
    assert!(
        matches!(
            &events[..],
            [DeliveryEvent::MessageQueued(_), DeliveryEvent::EmailGaveUp { attempts: 12, .. }]
        ),
        "{events:?}"
    );
    portal.finish().await;
}

#[tokio::test]
async fn the_development_clock_is_moved_by_iso_durations() {
    let portal = Portal::empty().await;
    let url = format!("http://{}/dev/clock", portal.service.address);
    let advance =
        |by: &'static str| reqwest::Client::new().post(&url).json(&json!({ "advance": by })).send();
    let moved: serde_json::Value =
        advance("PT168H").await.expect("answered").json().await.expect("JSON");
    assert_eq!(moved["now"], "2026-01-19T17:00:00Z");
    assert_eq!(advance("a week").await.expect("answered").status(), 400);
    portal.finish().await;
}

#[tokio::test]
async fn a_mailed_link_leads_to_a_page_that_shows_its_token_and_uses_nothing_up() {
    let portal = Portal::medi_cal().await;
    let who = portal.world().clinic_admin.clone();
    request_reset(&portal, &who).await;
    let token = portal.mailed_token(&who.email, "reset-password").await;
    let before = portal.position().await;
    let url = format!("http://{}/reset-password/{token}", portal.service.address);
    let page = reqwest::get(url).await.expect("the service answers");
    assert_eq!(page.status(), 200);
    assert!(page.text().await.expect("text").contains(&token));
    assert_eq!(portal.position().await, before);
    portal.finish().await;
}
